// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "actuator/connection_advice.h"

#include <gmock/gmock.h>
#include <libvirt/virterror.h>

#include <cerrno>
#include <string>

namespace whawty {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

TEST(ConnectionAdvice, RightsAreToldFromALibvirtThatIsNotThere) {
  for (const int code :
       {VIR_ERR_AUTH_FAILED, VIR_ERR_AUTH_CANCELLED, VIR_ERR_AUTH_UNAVAILABLE, VIR_ERR_ACCESS_DENIED})
    EXPECT_THAT(std::string(connection_advice(code, 0)), HasSubstr("`id whawty-usb-actuator`")) << code;
  EXPECT_THAT(std::string(connection_advice(VIR_ERR_SYSTEM_ERROR, EACCES)), HasSubstr("libvirt's group"));
  for (const int error : {ENOENT, ECONNREFUSED})
    EXPECT_THAT(std::string(connection_advice(VIR_ERR_SYSTEM_ERROR, error)),
                HasSubstr("libvirtd.socket virtqemud.socket"));
}

TEST(ConnectionAdvice, OfAllElseThereIsNone) {
  EXPECT_THAT(connection_advice(VIR_ERR_SYSTEM_ERROR, EMFILE), IsEmpty());
  EXPECT_THAT(connection_advice(VIR_ERR_INTERNAL_ERROR, EACCES), IsEmpty());
}

}  // namespace
}  // namespace whawty
