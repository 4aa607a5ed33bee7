// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "protocol/scanner_to_matcher.h"

#include "common/bounds.h"
#include "common/text.h"
#include "hostile.h"
#include "protocol/schema/scanner_to_matcher.capnp.h"
#include "tests/values.h"

namespace whawty {
namespace {

using hostile::violation_of;
using Build = schema::Device::Builder;

const Device kDevice = device_with_everything();

// A valid record, with something changed that the codec would not have written.
Datagram built(const std::function<void(Build)>& change) {
  return hostile::message<schema::ScannerMessage>([&](schema::ScannerMessage::Builder message) {
    Build device = message.initDevice();
    device.setSysname(frame::data("3-6.3"));
    device.setBus(3);
    device.setNumber(5);
    change(device);
  });
}

Datagram removed(const std::string& sysname) {
  return hostile::message<schema::ScannerMessage>(
      [&](schema::ScannerMessage::Builder message) { message.setRemoved(frame::data(sysname)); });
}

std::string violation(const std::function<void(Build)>& change) {
  return violation_of(decode_scanner_message, built(change));
}

TEST(ScannerMessageTest, ADeviceComesBack) {
  EXPECT_EQ(std::get<Device>(decode_scanner_message(encode(kDevice))), kDevice);
  Device bare = silent(device_at("usb1", 1));
  bare.properties_omitted = true;
  EXPECT_EQ(std::get<Device>(decode_scanner_message(encode(bare))), bare);
  bare.digest = Digest{};  // which is not the same as none
  EXPECT_EQ(std::get<Device>(decode_scanner_message(encode(bare))), bare);
}

TEST(ScannerMessageTest, TheOtherMessagesComeBack) {
  EXPECT_TRUE(std::holds_alternative<SnapshotBegin>(decode_scanner_message(encode(SnapshotBegin{}))));
  EXPECT_TRUE(std::holds_alternative<SnapshotEnd>(decode_scanner_message(encode(SnapshotEnd{}))));
  EXPECT_TRUE(std::holds_alternative<Unchanged>(decode_scanner_message(encode(Unchanged{}))));
  EXPECT_TRUE(std::holds_alternative<Awake>(decode_scanner_message(encode(Awake{}))));
  EXPECT_EQ(std::get<DeviceRemoved>(decode_scanner_message(encode(DeviceRemoved{"3-6"}))).sysname, "3-6");
}

TEST(ScannerMessageTest, ARecordUpToItsBoundsComesBack) {
  Device device = kDevice;
  device.sysname = std::string(64, 'x');
  device.bus = kMaxBus;
  device.number = kMaxDeviceNumber;
  device.vendor = device.product = 0xffff;
  device.interface_classes.assign(256, 9);
  device.properties.clear();
  for (unsigned i = 0; i < 1023; ++i) device.properties.push_back({"P" + decimal(i, 4), ""});
  device.properties.push_back({std::string(256, 'Z'), std::string(20'000, 'v')});
  device.tags = {std::string(256, 't')};
  device.host_uses.clear();
  for (char c = 'a'; device.host_uses.size() < 16; ++c)
    device.host_uses.push_back({HostUseKind::kHeld, std::string(32, c)});
  device.host_driver = std::string(32, 'x');
  EXPECT_EQ(std::get<Device>(decode_scanner_message(encode(device))), device);
  device.properties = {{"A", std::string(32 * 1024, 'v')}};
  EXPECT_EQ(std::get<Device>(decode_scanner_message(encode(device))), device);
  device.properties.clear();
  device.tags.assign(1024, "t");
  device.current_tags.assign(1024, "t");
  EXPECT_EQ(std::get<Device>(decode_scanner_message(encode(device))), device);
}

TEST(ScannerMessageTest, ARecordLargerThanADatagramIsTheSendersMistake) {
  Device device = kDevice;
  device.properties = {
      {"A", std::string(32'000, 'v')}, {"B", std::string(32'000, 'v')}, {"C", std::string(2'000, 'v')}};
  EXPECT_THROW(encode(device), std::length_error);
}

bool is_encoded(const Device& device) {
  try {
    encode(device);
    return true;
  } catch (const std::length_error&) {
    return false;
  }
}

TEST(ScannerMessageTest, WhatFitsADatagramIsKnownWithoutEncodingIt) {
  for (Device device : {kDevice, silent(device_at("usb1", 1))}) {
    device.properties.push_back({"Y", std::string(32'000, 'v')});
    device.properties.push_back({"Z", {}});
    unsigned fit = 0;
    constexpr unsigned kSizes = 1500;
    for (unsigned size = 0; size < kSizes; ++size) {
      device.properties.back().value.assign(32'000 + size, 'v');
      EXPECT_EQ(fits_datagram(device), is_encoded(device)) << size;
      fit += fits_datagram(device) ? 1 : 0;
    }
    EXPECT_GT(fit, 0U);
    EXPECT_LT(fit, kSizes);
  }
}

TEST(ScannerMessageTest, NumbersOutOfBoundsAreViolations) {
  for (const std::uint16_t bus : std::initializer_list<std::uint16_t>{0, 1000, 0xffff})
    EXPECT_EQ(violation([=](Build device) { device.setBus(bus); }), "a bus out of bounds");
  for (const std::uint16_t number : std::initializer_list<std::uint16_t>{0, 128, 0xffff})
    EXPECT_EQ(violation([=](Build device) { device.setNumber(number); }), "a device number out of bounds");
}

TEST(ScannerMessageTest, NamesThatTheKernelDoesNotGiveAreViolations) {
  for (const std::string& name : {std::string("3/6"), std::string("3\n6"), std::string("3 6"),
                                  std::string("\0", 1), std::string("3-\xc3\xa4")}) {
    EXPECT_EQ(violation([&](Build device) { device.setSysname(frame::data(name)); }),
              "a sysfs name that the kernel would not give");
    EXPECT_EQ(violation_of(decode_scanner_message, removed(name)),
              "a sysfs name that the kernel would not give");
  }
  for (const std::string& name : {std::string(), std::string(65, 'x')}) {
    EXPECT_EQ(violation([&](Build device) { device.setSysname(frame::data(name)); }),
              "a sysfs name of a length out of bounds");
    EXPECT_EQ(violation_of(decode_scanner_message, removed(name)), "a sysfs name of a length out of bounds");
  }
}

TEST(ScannerMessageTest, TooManyInterfacesAreAViolation) {
  EXPECT_EQ(violation([](Build device) { device.initInterfaceClasses(257); }),
            "the number of interfaces out of bounds");
}

TEST(ScannerMessageTest, PropertiesOutOfBoundsAreViolations) {
  const auto property = [](std::size_t name, std::size_t value) {
    return violation([=](Build device) {
      auto one = device.initProperties(1)[0];
      one.initName(static_cast<unsigned>(name));
      one.initValue(static_cast<unsigned>(value));
    });
  };
  EXPECT_EQ(property(0, 1), "a property's name of a length out of bounds");
  EXPECT_EQ(property(257, 1), "a property's name of a length out of bounds");
  EXPECT_EQ(property(1, 32 * 1024 + 1), "a property's value of a length out of bounds");
  EXPECT_EQ(property(256, 32 * 1024), "");
  EXPECT_EQ(violation([](Build device) { device.initProperties(1025); }),
            "the number of properties out of bounds");
}

TEST(ScannerMessageTest, PropertiesThatAreNotSortedAreAViolation) {
  for (const char* const second : {"A", "B"})
    EXPECT_EQ(violation([=](Build device) {
                auto properties = device.initProperties(2);
                properties[0].setName(frame::data("B"));
                properties[1].setName(frame::data(second));
              }),
              "properties that are not sorted");
}

TEST(ScannerMessageTest, TagsOutOfBoundsAreViolations) {
  const auto tags = [](unsigned count, unsigned length) {
    const auto fill = [=](capnp::List<capnp::Data>::Builder list) {
      for (unsigned i = 0; i < count; ++i) list.init(i, length);
    };
    const std::string first = violation([&](Build device) { fill(device.initTags(count)); });
    EXPECT_EQ(violation([&](Build device) { fill(device.initCurrentTags(count)); }), first);
    return first;
  };
  EXPECT_EQ(tags(1025, 1), "the number of tags out of bounds");
  EXPECT_EQ(tags(1, 0), "a tag of a length out of bounds");
  EXPECT_EQ(tags(1, 257), "a tag of a length out of bounds");
  EXPECT_EQ(tags(1024, 1), "");
}

TEST(ScannerMessageTest, UsesOfTheHostOutOfBoundsAreViolations) {
  const auto uses = [](std::initializer_list<std::pair<std::uint8_t, std::string>> list) {
    return violation([&](Build device) {
      auto out = device.initHostUses(static_cast<unsigned>(list.size()));
      unsigned i = 0;
      for (const auto& [kind, name] : list) {
        out[i].setKind(kind);
        out[i++].setName(frame::data(name));
      }
    });
  };
  constexpr auto kLast = static_cast<std::uint8_t>(kLastHostUseKind);
  EXPECT_EQ(uses({{kLast, std::string(32, 'x')}}), "");
  EXPECT_EQ(uses({{kLast + 1, "x"}}), "a kind of the host's use out of bounds");
  EXPECT_EQ(uses({{255, "x"}}), "a kind of the host's use out of bounds");
  EXPECT_EQ(uses({{0, ""}}), "the name of what the host uses of a length out of bounds");
  EXPECT_EQ(uses({{0, std::string(33, 'x')}}), "the name of what the host uses of a length out of bounds");
  EXPECT_EQ(uses({{0, "b"}, {1, "a"}}), "");
  for (const char* const second : {"b", "a"})
    EXPECT_EQ(uses({{1, "b"}, {1, second}}), "uses of the host that are not sorted");
  EXPECT_EQ(uses({{1, "a"}, {0, "b"}}), "uses of the host that are not sorted");
  EXPECT_EQ(violation([](Build device) { device.initHostUses(17); }),
            "the number of the host's uses out of bounds");
}

TEST(ScannerMessageTest, OnlyADriverOfTheHostHasAName) {
  const auto driver = [](unsigned kind, std::size_t length) {
    return violation([=](Build device) {
      device.setDriver(static_cast<std::uint8_t>(kind));
      device.initHostDriver(static_cast<unsigned>(length));
    });
  };
  const std::string bad_name = "the name of a driver of a length out of bounds";
  for (const auto& [kind, shortest, longest] : {std::tuple{0U, 0U, 0U}, {1U, 0U, 0U}, {2U, 1U, 32U}}) {
    EXPECT_EQ(driver(kind, shortest), "") << kind;
    EXPECT_EQ(driver(kind, longest), "") << kind;
    EXPECT_EQ(driver(kind, longest + 1), bad_name) << kind;
  }
  EXPECT_EQ(driver(2, 0), bad_name);
  EXPECT_EQ(driver(3, 1), "a kind of driver out of bounds");
  EXPECT_EQ(driver(255, 0), "a kind of driver out of bounds");
}

TEST(ScannerMessageTest, AnUnknownKindIsAViolation) {
  for (const std::uint64_t kind : {7UL, 8UL, 0xffffUL})
    EXPECT_EQ(violation_of(decode_scanner_message, hostile::of_kind(kind)),
              "a scanner message of an unknown kind");
}

// A thousand tags that are all the same 32 KiB: what is read is bounded by what was sent.
TEST(ScannerMessageTest, AmplificationIsAViolation) {
  constexpr unsigned kTags = 1000;
  Datagram datagram = built([](Build device) {
    auto tags = device.initTags(kTags);
    tags.init(0, 200);
    for (unsigned i = 1; i < kTags; ++i) tags.init(i, 8);
  });
  // The tags' pointers follow each other; each is made to lead to the first tag's bytes.
  const auto* const bytes = reinterpret_cast<const char*>(datagram.data());
  std::vector<std::uint64_t> words(datagram.size() / 8);
  std::memcpy(words.data(), bytes, datagram.size());
  constexpr std::uint64_t kFirst = 200;
  std::size_t at = 1;
  while ((words[at] & 3) != 1 || words[at] >> 35 != kFirst) ++at;
  const std::size_t target = at + 1 + ((words[at] & 0xffffffff) >> 2);
  for (std::size_t i = 1; i < kTags; ++i)
    words[at + i] = hostile::list_pointer(static_cast<std::int64_t>(target - (at + i + 1)), 2, kFirst);
  EXPECT_THAT(violation_of(decode_scanner_message, hostile::datagram_of(words)),
              testing::HasSubstr("malformed"));
}

TEST(ScannerMessageTest, WhatIsHostileIsAViolation) {
  std::vector<Datagram> valid(5, encode(kDevice));
  valid.push_back(encode(DeviceRemoved{"3-6.3"}));
  hostile::expect_checks(decode_scanner_message, valid);
}

TEST(Device, WithoutItsPropertiesItHasNoTagsAndAllElse) {
  Device device = kDevice;
  omit_properties(device);
  Device expected = kDevice;
  expected.properties = {};
  expected.tags = expected.current_tags = {};
  expected.properties_omitted = true;
  EXPECT_EQ(device, expected);
  EXPECT_LT(footprint(device), footprint(kDevice));
}

TEST(Device, WhatIsWrongWithItIsSaidOfTheFirstThing) {
  Device device = kDevice;
  EXPECT_EQ(objection_to(device), "");
  device.tags = {""};
  EXPECT_EQ(objection_to(device), "a tag of a length out of bounds");
  device.bus = 0;
  EXPECT_EQ(objection_to(device), "a bus out of bounds");
  EXPECT_EQ(objection_to_sysname("3/6"), "a sysfs name that the kernel would not give");
}

}  // namespace
}  // namespace whawty
