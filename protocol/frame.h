// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The frame of a message: one Cap'n Proto segment in one datagram. Only the codecs of this folder use it.
// Format: https://capnproto.org/encoding.html, "Serialization Over a Stream".
#pragma once

#include <capnp/message.h>
#include <capnp/serialize.h>
#include <kj/exception.h>

#include <string>

#include "common/bounds.h"
#include "common/device_digest.h"
#include "protocol/channel.h"
#include "protocol/violation.h"

namespace whawty::frame {

inline constexpr std::size_t kMaxWords = kMaxDatagram / sizeof(capnp::word) - 1;

// A builder for a message of at most that many words, or for any message that a datagram can hold.
class Builder : public capnp::MallocMessageBuilder {
 public:
  explicit Builder(unsigned words = 64)
      : MallocMessageBuilder(words, capnp::AllocationStrategy::FIXED_SIZE) {}
};

// The finished message. Throws std::length_error when it does not fit into one segment and one datagram.
Datagram finish(Builder& builder);

// Checks the frame before Cap'n Proto sees it. The result points into the datagram. Throws Violation.
kj::ArrayPtr<const capnp::word> check(const Datagram& datagram);

// Limits for a reader of a message: it may visit each word a few times, and nest a few levels.
capnp::ReaderOptions limits(std::size_t words);

// Decodes a message with the given function; whatever Cap'n Proto finds wrong with it is a Violation.
template <class Root, class Function>
auto decode(const Datagram& datagram, Function function) {
  const kj::ArrayPtr<const capnp::word> words = check(datagram);
  try {
    capnp::FlatArrayMessageReader reader(words, limits(words.size()));
    return function(reader.getRoot<Root>());
  } catch (const kj::Exception& error) {
    throw Violation(std::string("a malformed message: ") + error.getDescription().cStr());
  }
}

// A byte string; one of so many bytes, else throws Violation.
std::string bytes(capnp::Data::Reader data);
std::string bytes(capnp::Data::Reader data, std::size_t at_least, std::size_t at_most, const char* what);
capnp::Data::Reader data(const std::string& text);

// A Digest, of the schema's type or of ours.
template <class Reader>
Digest read_digest(Reader digest) {
  return {digest.getFirst(), digest.getSecond(), digest.getThird(), digest.getFourth()};
}
template <class Builder>
void write_digest(Builder out, const Digest& digest) {
  out.setFirst(digest[0]);
  out.setSecond(digest[1]);
  out.setThird(digest[2]);
  out.setFourth(digest[3]);
}

}  // namespace whawty::frame
