// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// What may pass from the actuator to libvirtd: one table, which the gate, its tests and docs/gate.md share.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "gate/message.h"

namespace whawty {

// What an argument must be.
enum class Form {
  kNone,         // there is no argument any more
  kWord,         // this number
  kUri,          // the text kDriver
  kUuid,         // any UUID
  kDomain,       // a domain by UUID and a name that libvirtd has given for it on this connection; any id
  kOwnDomain,    // the same, of the list of --domains
  kNewHostdev,   // the XML of a hostdev that is to be; its device may go to a guest
  kKnownHostdev  // the XML that names a hostdev
};

struct Argument {
  Form form = Form::kNone;
  std::uint32_t word = 0;
};

constexpr Argument word(std::uint32_t value) {
  return {Form::kWord, value};
}

// A message that may pass: of this program, in version 1 and status 0, with exactly these arguments.
struct CallRule {
  std::uint32_t program;
  std::uint32_t type;
  std::uint32_t procedure;
  std::array<Argument, 3> arguments;
  const char* reason;
};

inline constexpr const char* kDriver = "qemu:///system";

// Procedures by the names that remote_protocol.x of libvirt's sources gives them.
namespace procedure {
inline constexpr std::uint32_t kConnectOpen = 1;
inline constexpr std::uint32_t kConnectClose = 2;
inline constexpr std::uint32_t kDomainGetXmlDesc = 14;
inline constexpr std::uint32_t kDomainLookupByUuid = 24;
inline constexpr std::uint32_t kConnectSupportsFeature = 60;
inline constexpr std::uint32_t kAuthList = 66;
inline constexpr std::uint32_t kAuthPolkit = 70;
inline constexpr std::uint32_t kDomainAttachDeviceFlags = 160;
inline constexpr std::uint32_t kDomainDetachDeviceFlags = 161;
inline constexpr std::uint32_t kConnectListAllDomains = 273;
inline constexpr std::uint32_t kConnectDomainEventCallbackRegisterAny = 316;
inline constexpr std::uint32_t kConnectRegisterCloseCallback = 360;
inline constexpr std::uint32_t kPing = 1;  // of the keepalive program
inline constexpr std::uint32_t kPong = 2;
}  // namespace procedure

extern const std::span<const CallRule> kCallRules;

}  // namespace whawty
