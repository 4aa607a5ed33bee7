// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "tool/record.h"

#include <gmock/gmock.h>

#include <random>

#include "common/hostdev_alias.h"
#include "common/text.h"
#include "tests/values.h"

namespace whawty {
namespace {

using testing::HasSubstr;
using testing::Not;

DeviceMap devices_of(const std::vector<Device>& all) {
  DeviceMap devices;
  for (const Device& one : all) devices.emplace(one.sysname, one);
  return devices;
}

Host host_with_everything() {
  Host host{devices_of({device_with_everything(), silent(device_at("usb1", 1)), webcam()}), {}};
  LiveHostdev hostdev{kHostdev, true, 7};
  host.domains.emplace();
  host.domains->push_back({{"a b\\\n", kUuid, true}, true, {hostdev, {by_ids(webcam()), false, {}, true}}});
  host.domains->push_back({{"off", {1, 2}, false}});
  host.domains->push_back({{"busy", {1, 3}, true}, false});
  return host;
}

Host read(const std::string& text) {
  auto result = read_record(text);
  if (const auto* const error = std::get_if<RecordError>(&result))
    ADD_FAILURE() << error->line << ": " << error->message;
  return std::get<Host>(std::move(result));
}

std::string error_of(const std::string& text) {
  const auto result = read_record(text);
  const auto* const error = std::get_if<RecordError>(&result);
  return error == nullptr ? "" : concat(error->line, ": ", error->message);
}

const std::string kFirst = "whawty-libvirt-usb-hotplugctl record 1\n";
const std::string kDevice = kFirst + "device 3-6.3 3 5 046d 0825 00\n";
const std::string kDomain = kFirst + "domain 1 2 yes yes a\n";

TEST(HostRecord, WhatIsWrittenIsReadAgain) {
  const Host host = host_with_everything();
  const Host again = read(write_record(host));
  EXPECT_EQ(again.devices, host.devices);
  ASSERT_TRUE(again.domains);
  ASSERT_EQ(again.domains->size(), host.domains->size());
  for (std::size_t i = 0; i < host.domains->size(); ++i) {
    const Domain &one = (*host.domains)[i], &other = (*again.domains)[i];
    EXPECT_EQ(other.guest.name, one.guest.name);
    EXPECT_EQ(other.guest.uuid, one.guest.uuid);
    EXPECT_EQ(other.guest.running, one.guest.running);
    EXPECT_EQ(other.settled, one.settled);
    EXPECT_EQ(other.hostdevs, one.hostdevs);
  }
}

TEST(HostRecord, ThatDomainsAreNotKnownIsSomethingElseThanThatThereAreNone) {
  EXPECT_FALSE(read(write_record({})).domains);
  EXPECT_TRUE(read(write_record({{}, std::vector<Domain>()})).domains);
}

TEST(HostRecord, IsTextOfPrintableLines) {
  for (const char c : write_record(host_with_everything())) EXPECT_TRUE(c == '\n' || (c >= ' ' && c <= '~'));
}

// A part of one would be a host with fewer devices and guests.
TEST(HostRecord, IsNoneIfAnythingOfItIsMissing) {
  const std::string good = write_record(host_with_everything());
  for (std::size_t length = 0; length < good.size(); ++length)
    EXPECT_NE(error_of(good.substr(0, length)), "") << length;
  EXPECT_EQ(error_of(kFirst), "1: the last line is not 'end'");
  EXPECT_EQ(error_of(kFirst + "end\n"), "");
  EXPECT_EQ(error_of(kFirst + "end\nend\n"), "3: a line behind the end");
  EXPECT_EQ(error_of(kDevice + "end\n  tag x\n"), "4: a line behind the end");
}

// parse_domain_xml() gives no other.
TEST(HostRecord, AHostdevIsNamedByIdsOrByAnAddress) {
  for (const char* const good : {"1 2 0 0", "0 0 1 0", "0 0 1 2", "1 2 1 2"})
    EXPECT_EQ(error_of(kDomain + "  hostdev " + good + " yes no\nend\n"), "") << good;
  for (const char* const bad :
       {"0 0 0000 0000", "0 5 046d 0825", "1 0 046d 0825", "0 5 0 0", "0 0 0 1", "1 2 0 1"})
    EXPECT_EQ(error_of(kDomain + "  hostdev " + bad + " yes no\nend\n"),
              "3: neither vendor and product nor an address, or half of one")
        << bad;
}

TEST(HostRecord, EachMistakeIsToldWithItsLine) {
  for (const auto& [text, error] : {
           std::pair<std::string, std::string>{"", "1: empty"},
           {"x\n", "1: not a record of this version"},
           {"whawty-libvirt-usb-hotplugctl record 2\n", "1: not a record of this version"},
           {kFirst + "device", "2: the last line does not end"},
           {kFirst + "\n", "2: the line ends too early"},
           {kFirst + "what\n", "2: unknown: 'what'"},
           {kFirst + "  tag x\n", "2: a line that belongs to nothing"},
           {kFirst + "device 3-6.3 3 5 046d 0825\n", "2: the line ends too early"},
           {kFirst + "device 3-6.3 3 5 046d 0825 00 1\n", "2: the line has more than is expected"},
           {kFirst + "device 3-6.3 3 5 046d 10825 00\n", "2: '10825' is no number that can stand here"},
           {kFirst + "device 3-6.3 3 -5 046d 0825 00\n", "2: '-5' is no number that can stand here"},
           {kFirst + "device 3/6 3 5 046d 0825 00\n",
            "2: the device above has a sysfs name that the kernel "
            "would not give"},
           {kFirst + "device 3-6.3 3 128 046d 0825 00\n",
            "2: the device above has a device number out of bounds"},
           {kDevice + kDevice.substr(kFirst.size()), "3: a second device with the port of the device above"},
           {kDevice + "  property B x\n  property A x\n",
            "4: the device above has properties that are not sorted"},
           {kDevice + "  property A \\x\n", "3: a backslash without x and two hexadecimal digits"},
           {kDevice + "  property A \\xg0\n", "3: a backslash without x and two hexadecimal digits"},
           {kDevice + "  property A \xc3\xa4\n", "3: a byte that is not printable ASCII"},
           {kDevice + "  use eaten sdb1\n", "3: an unknown use of a device"},
           {kDevice + "  digest 1 2 3\n", "3: the line ends too early"},
           {kDevice + "  hostdev 1 2 0 0 yes no\n", "3: unknown: 'hostdev'"},
           {kDomain + "  tag x\n", "3: a line that belongs to nothing"},
           {kDomain + "  hostdev 1 200 0 0 yes no\n", "3: numbers out of bounds"},
           {kDomain + "  hostdev 1 2 0 0 maybe no\n", "3: neither yes nor no"},
           {kDomain + "domain 1 3 yes yes a\n", "3: a second domain with that name or UUID"},
           {kDomain + "no-domains\n", "3: unknown: 'no-domains'"},
           {kFirst + "no-domains\ndomain 1 2 yes yes a\n", "3: unknown: 'domain'"},
           {kFirst + std::string(kMaxRecord, '\n'), "1: larger than 32 MiB"},
       })
    EXPECT_EQ(error_of(text), error);
}

TEST(HostRecord, HasTheBoundsOfWhatTheDaemonTakes) {
  std::string many = kFirst;
  for (int i = 0; i < 5000; ++i) many += concat("device 1-", i, " 1 1 1 1 0\n");
  EXPECT_EQ(error_of(many), "4099: too many devices");
  std::string hostdevs = kDomain;
  for (int i = 0; i < 300; ++i) hostdevs += "  hostdev 1 1 0 0 no no\n";
  EXPECT_EQ(error_of(hostdevs), "259: too many hostdevs");
}

// Whatever is done to a record, it is refused or read as something that is written the same again.
TEST(HostRecord, HostileBytesDoNoHarm) {
  const std::string good = write_record(host_with_everything());
  for (unsigned seed = 0; seed < 20'000; ++seed) {
    std::minstd_rand random(seed);
    const auto below = [&](std::size_t limit) { return static_cast<std::size_t>(random()) % limit; };
    std::string text = good;
    for (std::size_t changes = 1 + below(4); changes > 0; --changes) {
      const std::size_t at = below(text.size());
      if (below(3) == 0)
        text.erase(at, below(20));
      else if (below(2) == 0)
        text.insert(at, text.substr(below(text.size()), below(40)));
      else
        text[at] = static_cast<char>(random());
      if (text.empty()) text = "x";
    }
    const auto result = read_record(text);
    if (const auto* const host = std::get_if<Host>(&result)) {
      const std::string once = write_record(*host);
      EXPECT_EQ(write_record(read(once)), once) << seed;
    }
  }
}

TEST(RedactedHost, SerialNumbersAreReplacedByTheSameTextEverywhere) {
  Device one = with_serial(webcam(5, "1-1"), "3187B60");
  one.properties = {{"ID_MODEL", "0825"},
                    {"ID_PATH", "x-3187B60-y"},
                    {"ID_SERIAL", "046d_0825_3187B60"},
                    {"ID_SERIAL_SHORT", "3187B60"}};
  Device two = with_serial(webcam(6, "1-2"), "3187B60");
  Device brief = with_serial(webcam(7, "1-3"), "1");
  brief.properties.insert(brief.properties.begin(), {"ID_SERIAL", "v1_m1_1"});
  LiveHostdev hostdev{hostdev_of(one), true, mark_of(one.digest.value())};
  Host host{devices_of({one, two, brief}), {}};
  host.domains.emplace();
  host.domains->push_back({{"a", kUuid, true}, true, {hostdev}});
  const Host other = redacted(host, "salt");
  const std::string text = write_record(other);
  EXPECT_THAT(text, Not(HasSubstr("3187B60")));
  const auto& properties = other.devices.at("1-1").properties;
  const std::string token = properties[3].value;
  EXPECT_THAT(token, testing::StartsWith("REDACTED"));
  EXPECT_EQ(properties[0].value, "0825");
  EXPECT_EQ(properties[1].value, "x-" + token + "-y");
  EXPECT_EQ(properties[2].value, "046d_0825_" + token);
  EXPECT_EQ(other.devices.at("1-2").properties[0].value, token);
  EXPECT_THAT(other.devices.at("1-3").properties[0].value, testing::StartsWith("v1_m1_REDACTED"));
  EXPECT_NE(other.devices.at("1-1").digest, one.digest);
  EXPECT_EQ(other.domains->at(0).hostdevs[0].mark, mark_of(other.devices.at("1-1").digest.value()));
  EXPECT_NE(redacted(host, "other salt").devices.at("1-1").properties[3].value, token);
}

// The name of a network interface may be made of the address that is the serial number.
TEST(RedactedHost, SerialNumbersAreReplacedInNamesAndTagsToo) {
  Device adapter = with_serial(webcam(5, "1-1"), "00E04C680001");
  adapter.tags = {"systemd", "x:00e04c680001"};
  adapter.current_tags = {"00E04C680001"};
  adapter.host_uses = {{HostUseKind::kDefaultRoute, "enx00e04c680001"},
                       {HostUseKind::kDefaultRoute, "enx00e04c6800010123456789abcdef"}};
  const Device other = redacted({devices_of({adapter}), {}}, "salt").devices.at("1-1");
  const std::string token = other.properties.at(0).value;
  EXPECT_EQ(other.host_uses.at(0).name, "enx" + token);
  EXPECT_EQ(other.host_uses.at(1).name, ("enx" + token + "0123456789abcdef").substr(0, 32));
  EXPECT_EQ(other.tags, (std::vector<std::string>{"systemd", "x:" + token}));
  EXPECT_EQ(other.current_tags, (std::vector<std::string>{token}));
  EXPECT_EQ(objection_to(other), "");
}

}  // namespace
}  // namespace whawty
