// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "supervisor/supervisor.h"

#include <gtest/gtest.h>

namespace whawty {
namespace {

TEST(Supervisor, AStatusIsOneLineForTheServiceManager) {
  EXPECT_EQ(text_of({false, 3, 2, 7, 1}, false), "waiting for libvirt");
  EXPECT_EQ(text_of({true, 3, 2, 7, 1}, false), "2 of 3 machines running, 1 of 7 USB devices attached");
  EXPECT_EQ(text_of({true, 3, 2, 7, 1}, true),
            "observing: 2 of 3 machines running, 1 of 7 USB devices attached");
}

}  // namespace
}  // namespace whawty
