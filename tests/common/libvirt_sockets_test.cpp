// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "common/libvirt_sockets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace whawty {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(LibvirtSocketsTest, AreThoseOfQemusDaemonFirst) {
  for (const char* const uri : {"qemu:///system", "qemu+unix:///system"})
    EXPECT_THAT(libvirt_sockets(uri),
                ElementsAre("/run/libvirt/virtqemud-sock", "/run/libvirt/libvirt-sock"));
}

TEST(LibvirtSocketsTest, OrTheOneThatIsGiven) {
  for (const char* const uri : {"qemu:///system?socket=/run/a-b/c", "qemu+unix:///system?socket=/run/a-b/c"})
    EXPECT_THAT(libvirt_sockets(uri), ElementsAre("/run/a-b/c"));
}

TEST(LibvirtSocketsTest, OfNothingElse) {
  for (const char* const uri : {"",
                                "qemu",
                                "qemu:///",
                                "qemu:///session",
                                "qemu:///systems",
                                "qemu:///system/",
                                "qemu:///system?",
                                "qemu:///system?socket=",
                                "qemu:///system?socket=run",
                                "qemu:///system?mode=direct",
                                "qemu:///system?socket=/a&mode=direct",
                                "qemu:///system?socket=/a%20b",
                                "qemu:///system?socket=/a#b",
                                "qemu://host/system",
                                "qemu+ssh:///system",
                                "qemu+tls:///system",
                                "xen:///system",
                                "lxc:///system",
                                "test:///default",
                                "QEMU:///system",
                                " qemu:///system"})
    EXPECT_THAT(libvirt_sockets(uri), IsEmpty()) << uri;
  const std::string longest = "/" + std::string(106, 'a');
  EXPECT_THAT(libvirt_sockets("qemu:///system?socket=" + longest), ElementsAre(longest));
  EXPECT_THAT(libvirt_sockets("qemu:///system?socket=" + longest + "a"), IsEmpty());
}

}  // namespace
}  // namespace whawty
