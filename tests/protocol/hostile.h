// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Messages that no codec of the project would write: built with Cap'n Proto itself, or from bytes.
#pragma once

#include <capnp/serialize.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <random>
#include <string>

#include "protocol/channel.h"
#include "protocol/frame.h"

namespace whawty::hostile {

inline Datagram datagram_of(const std::vector<std::uint64_t>& words) {
  Datagram datagram(8 * words.size());
  std::memcpy(datagram.data(), words.data(), datagram.size());
  return datagram;
}

// A message whose root the function fills, framed as it must be, whatever is in it.
template <class Root>
Datagram message(const std::function<void(typename Root::Builder)>& fill) {
  capnp::MallocMessageBuilder builder(frame::kMaxWords);
  fill(builder.initRoot<Root>());
  const kj::Array<capnp::word> words = capnp::messageToFlatArray(builder);
  const auto bytes = words.asBytes();
  Datagram datagram(bytes.size());
  std::memcpy(datagram.data(), bytes.begin(), bytes.size());
  return datagram;
}

// Whether decoding it throws a Violation, and nothing else.
template <class Decode>
testing::AssertionResult is_violation(Decode decode, const Datagram& datagram) {
  try {
    decode(datagram);
  } catch (const Violation&) {
    return testing::AssertionSuccess();
  } catch (const std::exception& error) {
    return testing::AssertionFailure() << "another error: " << error.what();
  }
  return testing::AssertionFailure() << "it was accepted";
}

// The words of the Violation; empty if it decodes.
template <class Decode>
std::string violation_of(Decode decode, const Datagram& datagram) {
  try {
    decode(datagram);
  } catch (const Violation& violation) {
    return violation.what();
  }
  return "";
}

// What is wrong with a frame, given one valid message.
template <class Decode>
void expect_frame_checks(Decode decode, const Datagram& valid) {
  EXPECT_TRUE(is_violation(decode, {}));
  for (std::size_t length = 0; length < valid.size(); ++length)
    EXPECT_TRUE(
        is_violation(decode, Datagram(valid.begin(), valid.begin() + static_cast<std::ptrdiff_t>(length))))
        << "cut to " << length;
  Datagram longer = valid;
  longer.resize(valid.size() + 8);
  EXPECT_EQ(violation_of(decode, longer), "a message whose length is not its datagram's");
  Datagram segments = valid;
  segments[0] = std::byte{1};
  EXPECT_EQ(violation_of(decode, segments), "a message of more than one segment");
  segments[0] = segments[1] = segments[2] = segments[3] = std::byte{0xff};
  EXPECT_TRUE(is_violation(decode, segments));
  Datagram words = valid;
  words[7] = std::byte{0xff};
  EXPECT_EQ(violation_of(decode, words), "a message whose length is not its datagram's");
  // No words at all: no root.
  EXPECT_TRUE(is_violation(decode, datagram_of({0})));
}

// Bits of a valid message changed at random: whatever comes of it is a message or a Violation.
template <class Decode>
void expect_survives_mutation(Decode decode, const Datagram& valid, unsigned seed) {
  std::minstd_rand random(seed);
  std::size_t refused = 0;
  for (int i = 0; i < 5000; ++i) {
    Datagram mutant = valid;
    for (auto changes = random() % 4 + 1; changes > 0; --changes)
      mutant[8 + random() % (mutant.size() - 8)] ^= std::byte(1U << random() % 8);
    try {
      decode(mutant);
    } catch (const Violation&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 0U);
}

// The words of a struct pointer, a list pointer and a far pointer: https://capnproto.org/encoding.html
constexpr std::uint64_t struct_pointer(std::int64_t offset, std::uint64_t data_words,
                                       std::uint64_t pointers) {
  return (static_cast<std::uint64_t>(offset) << 2 & 0xfffffffcU) | data_words << 32 | pointers << 48;
}
constexpr std::uint64_t list_pointer(std::int64_t offset, std::uint64_t element_size,
                                     std::uint64_t elements) {
  return 1 | (static_cast<std::uint64_t>(offset) << 2 & 0xfffffffcU) | element_size << 32 | elements << 35;
}
constexpr std::uint64_t kFarPointer = 2;

// A framed message of these words.
inline Datagram framed(std::vector<std::uint64_t> words) {
  words.insert(words.begin(), static_cast<std::uint64_t>(words.size()) << 32);
  return datagram_of(words);
}

// Roots that lead astray, whatever the schema.
template <class Decode>
void expect_root_checks(Decode decode) {
  EXPECT_TRUE(is_violation(decode, framed({struct_pointer(100, 1, 1), 0, 0}))) << "out of bounds";
  EXPECT_TRUE(is_violation(decode, framed({struct_pointer(-5, 1, 1), 0, 0}))) << "before the beginning";
  EXPECT_TRUE(is_violation(decode, framed({struct_pointer(0, 0xffff, 0xffff), 0, 0})))
      << "larger than the message";
  EXPECT_TRUE(is_violation(decode, framed({list_pointer(0, 2, 8), 0}))) << "a list";
  EXPECT_TRUE(is_violation(decode, framed({kFarPointer | 7ULL << 32, 0}))) << "another segment";
  EXPECT_TRUE(is_violation(decode, framed({3, 0}))) << "a capability";
}

// All of that, of valid messages; the frame is that of the first.
template <class Decode>
void expect_checks(Decode decode, const std::vector<Datagram>& valid) {
  expect_frame_checks(decode, valid.front());
  expect_root_checks(decode);
  for (std::size_t i = 0; i < valid.size(); ++i)
    expect_survives_mutation(decode, valid[i], static_cast<unsigned>(i) + 1);
}

// A message whose union is of such a kind.
inline Datagram of_kind(std::uint64_t kind) {
  return framed({struct_pointer(0, 1, 1), kind, 0});
}

}  // namespace whawty::hostile
