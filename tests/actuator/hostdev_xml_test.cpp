// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "actuator/hostdev_xml.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace whawty
