// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "common/hostdev_xml.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/bounds.h"
#include "common/hostdev_alias.h"
#include "common/text.h"

namespace whawty {
namespace {

struct Case {
  const char* name;
  Hostdev hostdev;
  const char* source;
};

class HostdevXmlTest : public testing::TestWithParam<Case> {};

TEST_P(HostdevXmlTest, HasTheNumbersThatAreGivenAndNoOthers) {
  EXPECT_EQ(hostdev_xml(GetParam().hostdev),
            std::string("<hostdev mode='subsystem' type='usb' managed='yes'><source>") + GetParam().source +
                "</source></hostdev>");
}

TEST_P(HostdevXmlTest, GivesTheNumbersBack) {
  EXPECT_EQ(hostdev_in(hostdev_xml(GetParam().hostdev)), GetParam().hostdev);
}

const Case kCases[] = {
    {"All",
     {3, 5, 0x046d, 0x0825},
     "<vendor id='0x046d'/><product id='0x0825'/><address bus='3' device='5'/>"},
    {"SmallNumbers",
     {1, 1, 1, 0},
     "<vendor id='0x0001'/><product id='0x0000'/><address bus='1' device='1'/>"},
    {"LargeNumbers",
     {999, 127, 0xffff, 0xffff},
     "<vendor id='0xffff'/><product id='0xffff'/><address bus='999' device='127'/>"},
    {"NoAddress", {0, 0, 0x046d, 0x0825}, "<vendor id='0x046d'/><product id='0x0825'/>"},
    {"NoIds", {3, 5, 0, 0}, "<address bus='3' device='5'/>"},
};
INSTANTIATE_TEST_SUITE_P(Hostdev, HostdevXmlTest, testing::ValuesIn(kCases),
                         [](const auto& test) { return test.param.name; });

TEST(MarkedHostdevXml, HasItsAlias) {
  const Hostdev hostdev{3, 5, 0x046d, 0x0825};
  EXPECT_EQ(marked_hostdev_xml(hostdev, "ua-whawty-usb-0123456789abcdef-17"),
            "<hostdev mode='subsystem' type='usb' managed='yes'><source>"
            "<vendor id='0x046d'/><product id='0x0825'/><address bus='3' device='5'/></source>"
            "<alias name='ua-whawty-usb-0123456789abcdef-17'/></hostdev>");
}

constexpr Hostdev kHostdev{3, 5, 0x046d, 0x0825};
const std::string kXml = hostdev_xml(kHostdev);
const std::string kMarkedXml = marked_hostdev_xml(kHostdev, hostdev_alias(0xab, 17));

TEST(MarkedHostdevXml, GivesTheNumbersBack) {
  EXPECT_EQ(marked_hostdev_in(kMarkedXml), kHostdev);
  for (const std::uint64_t occasion : {0ULL, 17ULL, ~0ULL})
    EXPECT_EQ(occasion_in(marked_hostdev_xml(kHostdev, hostdev_alias(~0ULL, occasion))), occasion);
  EXPECT_EQ(marked_hostdev_in(marked_hostdev_xml(kHostdev, hostdev_alias(~0ULL, ~0ULL))), kHostdev);
  EXPECT_EQ(marked_hostdev_in(marked_hostdev_xml(kHostdev, hostdev_alias(0, 0))), kHostdev);
}

// A hostdev that is to be has all numbers and an alias; one that is there is named without an alias.
TEST(HostdevInXml, IsEitherToBeOrThere) {
  EXPECT_EQ(hostdev_in(kMarkedXml), std::nullopt);
  EXPECT_EQ(marked_hostdev_in(kXml), std::nullopt);
  for (const Hostdev part : {Hostdev{3, 5, 0, 0}, {0, 0, 0x046d, 0x0825}})
    EXPECT_EQ(marked_hostdev_in(marked_hostdev_xml(part, hostdev_alias(1, 1))), std::nullopt);
}

TEST(HostdevInXml, HasNumbersWithinTheirBounds) {
  const auto none = [](const Hostdev& hostdev) {
    return !hostdev_in(hostdev_xml(hostdev)) &&
           !marked_hostdev_in(marked_hostdev_xml(hostdev, hostdev_alias(1, 1)));
  };
  EXPECT_TRUE(none({}));
  EXPECT_TRUE(none({0, 0, 0, 1}));
  EXPECT_TRUE(none({3, 0, 0, 0}));
  EXPECT_TRUE(none({3, 0, 1, 1}));
  EXPECT_TRUE(none({3, kMaxDeviceNumber + 1, 1, 1}));
  EXPECT_TRUE(none({kMaxBus + 1, 5, 1, 1}));
  EXPECT_FALSE(none({kMaxBus, kMaxDeviceNumber, 1, 1}));
}

// Every text that differs in one byte, or lacks one, or has one more, is another hostdev or none.
TEST(HostdevInXml, IsTheTextToTheByte) {
  const auto is_exact = [](const std::string& text) {
    const auto plain = hostdev_in(text);
    const auto marked = marked_hostdev_in(text);
    if (plain && hostdev_xml(*plain) != text) return false;
    return !marked || text.starts_with(hostdev_xml(*marked).substr(0, text.find("</source>")));
  };
  for (const std::string& xml : {kXml, kMarkedXml})
    for (std::size_t at = 0; at <= xml.size(); ++at)
      for (const char byte : {'0', '1', 'a', 'A', '\'', '"', ' ', '<', '>', '/', '&', '-', '+', '\n', '\0'}) {
        std::string more = xml;
        more.insert(at, 1, byte);
        EXPECT_TRUE(is_exact(more)) << more;
        if (at == xml.size()) continue;
        std::string other = xml;
        other[at] = byte;
        EXPECT_TRUE(is_exact(other)) << other;
        EXPECT_TRUE(is_exact(std::string(xml).erase(at, 1))) << at;
      }
}

// What the elements around the numbers say is fixed: no text that changes them is a hostdev.
TEST(HostdevInXml, HasNoOtherWords) {
  for (const std::string& xml : {kXml, kMarkedXml})
    for (std::size_t at = 0; at < xml.size(); ++at) {
      if (std::string_view("0123456789abcdef").find(xml[at]) != std::string_view::npos) continue;
      std::string other = xml;
      other[at] ^= 1;
      EXPECT_EQ(hostdev_in(other), std::nullopt) << other;
      EXPECT_EQ(marked_hostdev_in(other), std::nullopt) << other;
    }
}

std::string replaced(std::string text, const std::string& from, const std::string& by) {
  return text.replace(text.find(from), from.size(), by);
}

TEST(HostdevInXml, IsNothingElseThatLibvirtWouldTake) {
  const std::string disk =
      "<disk type='block'><source dev='/dev/sda'/><target dev='vdz' bus='virtio'/></disk>";
  const std::string alias = "ua-whawty-usb-00000000000000ab-17";
  for (const std::string& xml : std::vector<std::string>{
           "",
           disk,
           kXml + kXml,
           kXml + disk,
           disk + kXml,
           kXml + "\n",
           kXml + std::string(1, '\0'),
           kXml + "<!-- -->",
           "<?xml version='1.0'?>" + kXml,
           "<!DOCTYPE hostdev [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>" + kXml,
           replaced(kXml, "'0x046d'", "'&e;'"),
           replaced(kXml, "'3'", "'03'"),
           replaced(kXml, "'3'", "'+3'"),
           replaced(kXml, "'3'", "' 3'"),
           replaced(kXml, "'3'", "'0x3'"),
           replaced(kXml, "'3'", "'65539'"),
           replaced(kXml, "'3'", "'99999999999999999999'"),
           replaced(kXml, "0x046d", "0x46d"),
           replaced(kXml, "0x046d", "0x0046d"),
           replaced(kXml, "0x046d", "0x046D"),
           replaced(kXml, "0x046d", "0x0000"),
           replaced(kXml, "'0x046d'", "\"0x046d\""),
           replaced(kXml, "bus='3' device='5'", "device='5' bus='3'"),
           replaced(kXml, "mode='subsystem' type='usb'", "type='usb' mode='subsystem'"),
           replaced(kXml, "subsystem", "capabilities"),
           replaced(kXml, "'usb'", "'pci'"),
           replaced(kXml, "'yes'", "'no'"),
           replaced(kXml, "<hostdev ", "<hostdev xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0' "),
           replaced(kXml, "<source>", "<source startupPolicy='optional'>"),
           replaced(kXml, "</source>", "</source><boot order='1'/>"),
           replaced(kXml, "</source>", "<vendor id='0x0001'/></source>"),
           replaced(kMarkedXml, alias, "ua-other"),
           replaced(kMarkedXml, alias, alias + "-1"),
           replaced(kMarkedXml, alias, "ua-whawty-usb-0ab-17"),
           replaced(kMarkedXml, alias, "ua-whawty-usb-00000000000000AB-17"),
           replaced(kMarkedXml, alias, "ua-whawty-usb-00000000000000ab-017"),
           replaced(kMarkedXml, alias, "ua-whawty-usb-00000000000000ab-"),
           replaced(kMarkedXml, alias, "ua-whawty-usb-00000000000000ab-18446744073709551616"),
           kMarkedXml + "<hostdev/>",
       }) {
    EXPECT_EQ(hostdev_in(xml), std::nullopt) << xml;
    EXPECT_EQ(marked_hostdev_in(xml), std::nullopt) << xml;
  }
}

}  // namespace
}  // namespace whawty
