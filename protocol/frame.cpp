// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "protocol/frame.h"

#include <bit>
#include <cstring>
#include <stdexcept>

namespace whawty::frame {

Datagram finish(Builder& builder) {
  const auto segments = builder.getSegmentsForOutput();
  if (segments.size() != 1 || segments[0].size() > kMaxWords) throw std::length_error("message too large");
  const auto content = segments[0].asBytes();
  const std::uint32_t header[2] = {0, static_cast<std::uint32_t>(segments[0].size())};
  static_assert(std::endian::native == std::endian::little, "the frame's numbers are little-endian");
  Datagram datagram(sizeof header + content.size());
  std::memcpy(datagram.data(), header, sizeof header);
  std::memcpy(datagram.data() + sizeof header, content.begin(), content.size());
  return datagram;
}

kj::ArrayPtr<const capnp::word> check(const Datagram& datagram) {
  std::uint32_t header[2];
  if (datagram.size() < sizeof header) throw Violation("a datagram shorter than its frame");
  std::memcpy(header, datagram.data(), sizeof header);
  if (header[0] != 0) throw Violation("a message of more than one segment");
  if (sizeof header + sizeof(capnp::word) * std::size_t{header[1]} != datagram.size())
    throw Violation("a message whose length is not its datagram's");
  // A vector's memory is aligned for any type.
  return {reinterpret_cast<const capnp::word*>(datagram.data()), datagram.size() / sizeof(capnp::word)};
}

capnp::ReaderOptions limits(std::size_t words) {
  capnp::ReaderOptions options;
  options.traversalLimitInWords = 4 * words + 64;
  options.nestingLimit = 8;
  return options;
}

std::string bytes(capnp::Data::Reader data, std::size_t at_least, std::size_t at_most, const char* what) {
  if (data.size() < at_least || data.size() > at_most)
    throw Violation(std::string(what) + " of a length out of bounds");
  return bytes(data);
}

std::string bytes(capnp::Data::Reader data) {
  return {reinterpret_cast<const char*>(data.begin()), data.size()};
}

capnp::Data::Reader data(const std::string& text) {
  return {reinterpret_cast<const kj::byte*>(text.data()), text.size()};
}

}  // namespace whawty::frame
