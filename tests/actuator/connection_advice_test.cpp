// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "actuator/connection_advice.h"

#include <gmock/gmock.h>
#include <libvirt/virterror.h>

#include <string>

namespace whawty {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

TEST(ConnectionAdvice, IsAboutRights) {
  for (const int code :
       {VIR_ERR_AUTH_FAILED, VIR_ERR_AUTH_CANCELLED, VIR_ERR_AUTH_UNAVAILABLE, VIR_ERR_ACCESS_DENIED})
    EXPECT_THAT(std::string(connection_advice(code)), HasSubstr("`id whawty-usb-gate`")) << code;
}

TEST(ConnectionAdvice, OfAllElseThereIsNone) {
  for (const int code : {VIR_ERR_SYSTEM_ERROR, VIR_ERR_INTERNAL_ERROR, VIR_ERR_OK})
    EXPECT_THAT(connection_advice(code), IsEmpty()) << code;
}

}  // namespace
}  // namespace whawty
