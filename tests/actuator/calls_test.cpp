// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// What the actuator makes of a request, within its limits: against a hypervisor and a sysfs made for the
// test.
#include "actuator/calls.h"

#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "fake_hypervisor.h"
#include "fake_sysfs.h"

namespace whawty {
namespace {

const Uuid kDomain{1, 2};
const Hostdev kHostdev = FakeSysfs::kHostdev;

using Calls = std::vector<std::string>;

class CallsTest : public testing::Test {
 protected:
  CallsTest() {
    hypervisor.on_attach = [this](const Uuid&, const Hostdev&) {
      calls.emplace_back("attach");
      during_attach();
      return std::monostate{};
    };
    hypervisor.on_detach = [this](const Uuid&, const Hostdev&) {
      calls.emplace_back("detach");
      return std::monostate{};
    };
  }

  Outcome attach(const AllowedDomains& allowed = {}) {
    const Limits limits{allowed, DeviceCheck{sysfs.open()}};
    return result_of(AttachHostdev{kDomain, kHostdev, meant}, limits).outcome;
  }
  Outcome detach(const AllowedDomains& allowed) {
    const Limits limits{allowed, DeviceCheck{sysfs.open()}};
    return result_of(DetachHostdev{kDomain, kHostdev}, limits).outcome;
  }
  // Of a call that yields nothing else.
  Result result_of(const Call& call, const Limits& limits) {
    const auto messages = carry_out(1, call, hypervisor, limits);
    EXPECT_EQ(messages.size(), 1U);
    return std::get<Result>(messages.back());
  }

  FakeSysfs sysfs;
  const Digest meant = sysfs.digest();
  FakeHypervisor hypervisor;
  Calls calls;
  std::function<void()> during_attach = [] {};
};

TEST_F(CallsTest, TheDeviceThatIsMeantIsAttached) {
  EXPECT_EQ(attach(), Outcome::kDone);
  EXPECT_EQ(calls, Calls{"attach"});
}

TEST_F(CallsTest, TheOccasionIsTheNumberOfTheRequest) {
  const Limits limits{{}, DeviceCheck{sysfs.open()}};
  const std::uint64_t request = ~0ULL;
  carry_out(request, AttachHostdev{kDomain, kHostdev, meant}, hypervisor, limits);
  EXPECT_EQ(hypervisor.last_occasion, request);
}

// The matcher tells by the number that the guest is busy.
TEST_F(CallsTest, ADescriptionThatTimesOutHasLibvirtsNumber) {
  hypervisor.on_describe = [](const Uuid&) {
    return CallError{Outcome::kFailed, 68, "Timed out during operation: cannot acquire state change lock"};
  };
  const Limits limits{{}, DeviceCheck{sysfs.open()}};
  const Result result = result_of(DescribeDomain{kDomain}, limits);
  EXPECT_EQ(result.outcome, Outcome::kFailed);
  EXPECT_EQ(result.libvirt_code, 68);
}

TEST_F(CallsTest, ADeviceThatHasLeftIsNotAttached) {
  sysfs.unplug();
  EXPECT_EQ(attach(), Outcome::kOtherDevice);
  EXPECT_TRUE(calls.empty());
}

TEST_F(CallsTest, ADeviceWithOtherDescriptorsIsNotAttached) {
  sysfs.plug("descriptors of a keyboard", "3187B60");
  EXPECT_EQ(attach(), Outcome::kOtherDevice);
  EXPECT_TRUE(calls.empty());
}

TEST_F(CallsTest, ADeviceWithAnotherSerialNumberIsNotAttached) {
  sysfs.plug("descriptors of a webcam", "3187B61");
  EXPECT_EQ(attach(), Outcome::kOtherDevice);
}

TEST_F(CallsTest, ADeviceThatLostItsSerialNumberIsNotAttached) {
  sysfs.remove("serial");
  EXPECT_EQ(attach(), Outcome::kOtherDevice);
}

TEST_F(CallsTest, EachNumberIsCompared) {
  for (const auto& [attribute, right, wrong] :
       {std::tuple{"busnum", "3\n", "4\n"}, std::tuple{"devnum", "5\n", "6\n"},
        std::tuple{"idVendor", "046d\n", "046e\n"}, std::tuple{"idProduct", "0825\n", "0825x\n"}}) {
    sysfs.write(attribute, wrong);
    EXPECT_EQ(attach(), Outcome::kOtherDevice) << attribute;
    sysfs.write(attribute, right);
  }
  EXPECT_EQ(attach(), Outcome::kDone);
}

TEST_F(CallsTest, ADeviceThatBecomesAnotherOneWhileItIsAttachedIsDetachedAtOnce) {
  during_attach = [this] { sysfs.plug("descriptors of a keyboard", ""); };
  EXPECT_EQ(attach(), Outcome::kSwapped);
  EXPECT_EQ(calls, (Calls{"attach", "detach"}));
}

TEST_F(CallsTest, ADeviceThatLeavesWhileItIsAttachedIsDetachedAndNoCauseForAlarm) {
  during_attach = [this] { sysfs.unplug(); };
  EXPECT_EQ(attach(), Outcome::kOtherDevice);
  EXPECT_EQ(calls, (Calls{"attach", "detach"}));
}

// A number of sysfs by which a guest may not have the device, though it is the one that was meant.
constexpr std::pair<const char*, const char*> kBars[] = {
    {"authorized", "0\n"}, {"authorized", "2\n"},    {"authorized", ""},  {"maxchild", "4\n"},
    {"maxchild", ""},      {"bDeviceClass", "09\n"}, {"bDeviceClass", ""}};

TEST_F(CallsTest, AHubAndADeviceThatIsNotAuthorizedAreNotAttached) {
  for (const auto& [attribute, content] : kBars) {
    sysfs.plug("descriptors of a webcam", "3187B60");
    sysfs.write(attribute, content);
    EXPECT_EQ(attach(), Outcome::kOtherDevice) << attribute << ' ' << content;
  }
  for (const char* const attribute : {"authorized", "maxchild", "bDeviceClass"}) {
    sysfs.plug("descriptors of a webcam", "3187B60");
    sysfs.remove(attribute);
    EXPECT_EQ(attach(), Outcome::kOtherDevice) << attribute;
  }
  EXPECT_TRUE(calls.empty());
}

TEST_F(CallsTest, ADeviceThatLosesItsAuthorizationWhileItIsAttachedIsDetachedAndNoCauseForAlarm) {
  during_attach = [this] { sysfs.write("authorized", "0\n"); };
  EXPECT_EQ(attach(), Outcome::kOtherDevice);
  EXPECT_EQ(calls, (Calls{"attach", "detach"}));
}

TEST_F(CallsTest, OfAThousandSwapsNoneLeavesAWrongDevice) {
  std::mt19937 random(20261122);
  int swapped = 0;
  for (int i = 0; i < 1000; ++i) {
    sysfs.plug("descriptors of a webcam", "3187B60");
    calls.clear();
    during_attach = [] {};
    const auto swap = [&] { sysfs.plug("other descriptors", random() % 2 == 0 ? "3187B60" : ""); };
    const auto when = random() % 3;
    if (when == 0) swap();
    if (when == 1) during_attach = swap;
    const Outcome outcome = attach();
    const bool stays = !calls.empty() && calls.back() == "attach";
    EXPECT_EQ(stays, when == 2);
    EXPECT_EQ(outcome, when == 0 ? Outcome::kOtherDevice : when == 1 ? Outcome::kSwapped : Outcome::kDone);
    swapped += when == 2 ? 0 : 1;
  }
  EXPECT_GT(swapped, 500);
}

TEST_F(CallsTest, ADomainThatIsNotInTheListIsNotTouched) {
  const AllowedDomains allowed({"other", "00000000-0000-0000-0000-000000000001"});
  EXPECT_EQ(attach(allowed), Outcome::kNotListed);
  EXPECT_EQ(detach(allowed), Outcome::kNotListed);
  EXPECT_TRUE(calls.empty());
}

TEST_F(CallsTest, AnEmptyListAllowsNothing) {
  EXPECT_EQ(attach(AllowedDomains(std::set<std::string>{})), Outcome::kNotListed);
  EXPECT_TRUE(calls.empty());
}

TEST_F(CallsTest, ADomainInTheListIsServedByNameOrUuid) {
  EXPECT_EQ(attach(AllowedDomains({"webcam-test"})), Outcome::kDone);
  EXPECT_EQ(detach(AllowedDomains({"00000000-0000-0001-0000-000000000002"})), Outcome::kDone);
  EXPECT_EQ(calls, (Calls{"attach", "detach"}));
}

}  // namespace
}  // namespace whawty
