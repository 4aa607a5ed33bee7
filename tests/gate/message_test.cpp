// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "gate/message.h"

#include <gtest/gtest.h>

#include "tests/gate/rpc.h"

namespace whawty {
namespace {

constexpr std::size_t kLongest = 64;

TEST(FrameTest, IsThereWhenItIsComplete) {
  const std::string frame = rpc::Frame{.procedure = 1, .arguments = rpc::words({5})}.bytes();
  for (std::size_t length = 0; length < frame.size(); ++length)
    EXPECT_EQ(first_frame(frame.substr(0, length), kLongest), std::nullopt) << length;
  EXPECT_EQ(first_frame(frame, kLongest), frame);
  EXPECT_EQ(first_frame(frame + "more", kLongest), frame);
}

TEST(FrameTest, HasALengthWithinItsBoundsAsSoonAsThatIsThere) {
  for (const std::uint32_t length : {0U, 1U, 4U, 27U, 65U, 0x7fffffffU, 0x80000000U, 0xffffffffU})
    EXPECT_THROW(first_frame(rpc::words({length}), kLongest), Malformed) << length;
  for (const std::uint32_t length : {28U, 64U}) {
    EXPECT_EQ(first_frame(rpc::words({length}), kLongest), std::nullopt) << length;
    const std::string frame = rpc::words({length}) + std::string(length - 4, 'x');
    EXPECT_EQ(first_frame(frame, kLongest), frame);
  }
}

TEST(MessageTest, HasSixWordsAndArguments) {
  const std::string frame = rpc::words({32, 1, 2, 3, 4, 5, 6, 7});
  const Message message = message_in(frame);
  EXPECT_EQ(message.header, (Header{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(message.arguments, rpc::words({7}));
}

TEST(XdrReaderTest, TakesWhatIsThere) {
  const std::string bytes = rpc::words({0x80000001}) + rpc::text("abcde") + rpc::text("");
  XdrReader reader(bytes);
  EXPECT_EQ(reader.word(), 0x80000001);
  EXPECT_STREQ(reader.objection_to_end(), "too many bytes");
  EXPECT_EQ(reader.text(), "abcde");
  EXPECT_EQ(reader.text(), "");
  EXPECT_EQ(reader.objection(), nullptr);
  EXPECT_EQ(reader.objection_to_end(), nullptr);
}

TEST(XdrReaderTest, ObjectsToAnEndThatComesTooEarlyAndToNothingLess) {
  const std::string bytes = rpc::text("abcde");
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    XdrReader reader(std::string_view(bytes).substr(0, length));
    EXPECT_EQ(reader.text(), "");
    EXPECT_STREQ(reader.objection(), "too few bytes") << length;
    EXPECT_EQ(reader.word(), 0U) << "after that";
  }
  for (const std::uint32_t length : {1U, 0x7fffffffU, 0xfffffffdU, 0xffffffffU}) {
    const std::string lie = rpc::words({length});
    XdrReader reader(lie);
    EXPECT_EQ(reader.text(), "");
    EXPECT_STREQ(reader.objection_to_end(), "too few bytes") << length;
  }
}

TEST(XdrReaderTest, ObjectsToPaddingThatSaysSomething) {
  for (const std::size_t at : {9U, 10U, 11U}) {
    std::string bytes = rpc::text("abcde") + rpc::words({1});
    bytes[at] = 1;
    XdrReader reader(bytes);
    reader.text();
    EXPECT_STREQ(reader.objection(), "padding that is not zero");
    EXPECT_EQ(reader.word(), 0U) << "after that";
  }
}

TEST(XdrWriterTest, WritesWhatLibvirtWould) {
  const Header header{rpc::kRemote, 1, 14, 1, 5, 1};
  EXPECT_EQ(
      XdrWriter().word(7).text("abc").text("").frame(header),
      (rpc::Frame{14, rpc::words({7}) + rpc::text("abc") + rpc::text(""), 5, rpc::kRemote, 1, 1, 1}.bytes()));
}

// virNetMessageError of libvirt's virnetprotocol.x, with a message and nothing else.
TEST(XdrWriterTest, SaysThatACallFailed) {
  const rpc::Frame call{.procedure = 160, .arguments = "", .serial = 9};
  EXPECT_EQ(
      error_reply({rpc::kRemote, 1, 160, 0, 9, 0}, 55, "no"),
      rpc::reply(call, rpc::words({55, 0, 1}) + rpc::text("no") + rpc::words({2, 0, 0, 0, 0, 0, 0, 0}), 1)
          .bytes());
}

}  // namespace
}  // namespace whawty
