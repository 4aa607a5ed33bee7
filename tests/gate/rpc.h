// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// libvirt's messages as a client and libvirtd write them, put together by hand: nothing of the gate is used
// for it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/domain.h"

namespace whawty::rpc {

using Words = std::vector<std::uint32_t>;

inline std::string words(const Words& values) {
  std::string bytes;
  for (const std::uint32_t value : values)
    for (const int shift : {24, 16, 8, 0}) bytes += static_cast<char>(value >> shift & 0xff);
  return bytes;
}

inline std::string text(const std::string& value) {
  return words({static_cast<std::uint32_t>(value.size())}) + value +
         std::string((4 - value.size() % 4) % 4, '\0');
}

inline std::string uuid(const Uuid& uuid) {
  return words({static_cast<std::uint32_t>(uuid.high >> 32), static_cast<std::uint32_t>(uuid.high),
                static_cast<std::uint32_t>(uuid.low >> 32), static_cast<std::uint32_t>(uuid.low)});
}

inline std::string domain(const std::string& name, const Uuid& of, std::uint32_t id = 7) {
  return text(name) + uuid(of) + words({id});
}

inline constexpr std::uint32_t kRemote = 0x20008086;
inline constexpr std::uint32_t kKeepAlive = 0x6b656570;

// A message of six words and its arguments.
struct Frame {
  std::uint32_t procedure = 0;
  std::string arguments = {};
  std::uint32_t serial = 1;
  std::uint32_t program = kRemote;
  std::uint32_t version = 1;
  std::uint32_t type = 0;
  std::uint32_t status = 0;

  std::string bytes() const {
    return words({static_cast<std::uint32_t>(28 + arguments.size()), program, version, procedure, type,
                  serial, status}) +
           arguments;
  }
};

inline Frame reply(const Frame& call, const std::string& arguments, std::uint32_t status = 0) {
  Frame reply = call;
  reply.arguments = arguments;
  reply.type = 1;
  reply.status = status;
  return reply;
}

inline Frame keep_alive(std::uint32_t procedure) {
  return {.procedure = procedure, .serial = 0, .program = kKeepAlive, .type = 2};
}

}  // namespace whawty::rpc
