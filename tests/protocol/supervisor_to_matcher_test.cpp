// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "protocol/supervisor_to_matcher.h"

#include "hostile.h"
#include "protocol/schema/supervisor_to_matcher.capnp.h"

namespace whawty {
namespace {

Datagram file(std::size_t name, std::size_t machine) {
  return hostile::message<schema::ControlMessage>([=](schema::ControlMessage::Builder message) {
    auto record = message.initFile();
    record.initName(static_cast<unsigned>(name));
    record.initMachine(static_cast<unsigned>(machine));
  });
}

TEST(ControlMessageTest, AFileComesBackByteForByte) {
  const std::string name("/etc/\n\0\xff", 8);
  const auto back = std::get<ConfigFile>(decode_control_message(encode(ConfigFile{name, "web cam\x01"})));
  EXPECT_EQ(back.name, name);
  EXPECT_EQ(back.machine, "web cam\x01");
}

TEST(ControlMessageTest, TheMainFileHasNoMachine) {
  EXPECT_EQ(std::get<ConfigFile>(decode_control_message(encode(ConfigFile{"x", ""}))).machine, "");
}

TEST(ControlMessageTest, TheLongestNamesFit) {
  const ConfigFile longest{std::string(4096, 'n'), std::string(255, 'm')};
  const auto back = std::get<ConfigFile>(decode_control_message(encode(longest)));
  EXPECT_EQ(back.name, longest.name);
  EXPECT_EQ(back.machine, longest.machine);
}

TEST(ControlMessageTest, ACommitComesBack) {
  EXPECT_TRUE(std::holds_alternative<ConfigCommit>(decode_control_message(encode(ConfigCommit{}))));
}

TEST(ControlMessageTest, LengthsOutOfBoundsAreViolations) {
  EXPECT_EQ(hostile::violation_of(decode_control_message, file(0, 1)),
            "a file's name of a length out of bounds");
  EXPECT_EQ(hostile::violation_of(decode_control_message, file(4097, 1)),
            "a file's name of a length out of bounds");
  EXPECT_EQ(hostile::violation_of(decode_control_message, file(1, 256)),
            "a machine's name of a length out of bounds");
  EXPECT_EQ(hostile::violation_of(decode_control_message, file(4096, 255)), "");
}

TEST(ControlMessageTest, AnUnknownKindIsAViolation) {
  for (const std::uint64_t kind : {3UL, 4UL, 0xffffUL})
    EXPECT_EQ(hostile::violation_of(decode_control_message,
                                    hostile::framed({hostile::struct_pointer(0, 1, 1), kind, 0})),
              "a control message of an unknown kind");
}

TEST(ControlMessageTest, FramesAndRootsAreChecked) {
  hostile::expect_frame_checks(decode_control_message, encode(ConfigFile{"config.yml", "machine"}));
  hostile::expect_root_checks(decode_control_message);
}

TEST(ControlMessageTest, SurvivesMutation) {
  hostile::expect_survives_mutation(decode_control_message, encode(ConfigFile{"config.yml", "machine"}), 1);
}

}  // namespace
}  // namespace whawty
