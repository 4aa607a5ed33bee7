// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "protocol/supervisor_to_matcher.h"

#include "hostile.h"
#include "protocol/schema/supervisor_to_matcher.capnp.h"

namespace whawty {
namespace {

using hostile::violation_of;

Datagram file(std::size_t name, std::size_t machine) {
  return hostile::message<schema::ControlMessage>([=](schema::ControlMessage::Builder message) {
    auto record = message.initFile();
    record.initName(static_cast<unsigned>(name));
    record.initMachine(static_cast<unsigned>(machine));
  });
}

TEST(ControlMessageTest, AFileComesBackByteForByte) {
  for (const ConfigFile& file :
       {ConfigFile{std::string("/etc/\n\0\xff", 8), "web cam\x01"}, ConfigFile{"x", ""},
        ConfigFile{std::string(4096, 'n'), std::string(255, 'm')}}) {
    const auto back = std::get<ConfigFile>(decode_control_message(encode(file)));
    EXPECT_EQ(back.name, file.name);
    EXPECT_EQ(back.machine, file.machine);
  }
}

TEST(ControlMessageTest, ACommitComesBack) {
  EXPECT_TRUE(std::holds_alternative<ConfigCommit>(decode_control_message(encode(ConfigCommit{}))));
}

TEST(ControlMessageTest, LengthsOutOfBoundsAreViolations) {
  EXPECT_EQ(violation_of(decode_control_message, file(0, 1)), "a file's name of a length out of bounds");
  EXPECT_EQ(violation_of(decode_control_message, file(4097, 1)), "a file's name of a length out of bounds");
  EXPECT_EQ(violation_of(decode_control_message, file(1, 256)), "a machine's name of a length out of bounds");
  EXPECT_EQ(violation_of(decode_control_message, file(4096, 255)), "");
}

TEST(ControlMessageTest, AnUnknownKindIsAViolation) {
  for (const std::uint64_t kind : {3UL, 4UL, 0xffffUL})
    EXPECT_EQ(violation_of(decode_control_message, hostile::of_kind(kind)),
              "a control message of an unknown kind");
}

TEST(ControlMessageTest, WhatIsHostileIsAViolation) {
  hostile::expect_checks(decode_control_message, {encode(ConfigFile{"config.yml", "machine"})});
}

}  // namespace
}  // namespace whawty
