// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/decided/lethal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/bounds.h"
#include "protocol/device.h"

namespace whawty {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr Uuid kA{1, 1};
constexpr Uuid kB{1, 2};
const Lethal::Subject kDevice{"3-1", Digest{1}};
const Lethal::Subject kOther{"3-2", Digest{2}};

class LethalTest : public testing::Test {
 protected:
  // The guest gets the device, and its QEMU dies a while later.
  std::vector<Lethal::Subject> attach_and_die(Lethal::Clock::duration after = 1s) {
    now_ += 10s;
    lethal_.changed(kA, kDevice, now_);
    return lethal_.died(kA, {kDevice}, now_ + after);
  }
  std::vector<Lethal::Subject> die_twice() {
    attach_and_die();
    return attach_and_die();
  }

  bool is_put_aside(const Uuid& guest, const Lethal::Subject& device) const {
    return testing::Value(lethal_.put_aside(), testing::Contains(std::pair(guest, device)));
  }

  Lethal lethal_;
  Lethal::Clock::time_point now_{1000s};
};

TEST_F(LethalTest, ADeviceIsPutAsideForAGuestThatDiedTwiceSoonAfterItsChange) {
  EXPECT_THAT(attach_and_die(), IsEmpty());
  EXPECT_FALSE(is_put_aside(kA, kDevice));
  EXPECT_THAT(attach_and_die(Lethal::kSoon), ElementsAre(kDevice));
  EXPECT_TRUE(is_put_aside(kA, kDevice));
  EXPECT_FALSE(is_put_aside(kB, kDevice)) << "another guest";
  EXPECT_FALSE(is_put_aside(kA, kOther));
  EXPECT_FALSE(is_put_aside(kA, {kDevice.port, kOther.digest})) << "another device at that port";
  EXPECT_FALSE(is_put_aside(kA, {kOther.port, kDevice.digest})) << "a twin at another port";
}

TEST_F(LethalTest, ItIsSaidOnce) {
  die_twice();
  EXPECT_THAT(attach_and_die(), IsEmpty());
  EXPECT_TRUE(is_put_aside(kA, kDevice));
}

TEST_F(LethalTest, ADeathThatComesLaterIsNotTheDevices) {
  for (int i = 0; i < 5; ++i) EXPECT_THAT(attach_and_die(Lethal::kSoon + 1ms), IsEmpty());
}

TEST_F(LethalTest, AChangeIsBlamedForOneDeath) {
  lethal_.changed(kA, kDevice, now_);
  EXPECT_THAT(lethal_.died(kA, {kDevice}, now_ + 500ms), IsEmpty());
  EXPECT_THAT(lethal_.died(kA, {}, now_ + 1s), IsEmpty()) << "it was started, and died without the device";
}

TEST_F(LethalTest, ADeathIsOfItsGuestAlone) {
  lethal_.changed(kA, kDevice, now_);
  lethal_.changed(kB, kOther, now_);
  lethal_.died(kA, {kDevice}, now_ + 1s);
  lethal_.changed(kA, kDevice, now_ + 2s);
  lethal_.changed(kB, kOther, now_ + 2s);
  EXPECT_THAT(lethal_.died(kA, {kDevice}, now_ + 3s), ElementsAre(kDevice));
  EXPECT_THAT(lethal_.died(kB, {kOther}, now_ + 3s), IsEmpty());
}

TEST_F(LethalTest, WhatChangedTogetherIsSuspectTogether) {
  for (int i = 0; i < 2; ++i) {
    now_ += 10s;
    lethal_.changed(kA, kDevice, now_);
    lethal_.changed(kA, kOther, now_);
    const auto put_aside = lethal_.died(kA, {kDevice, kOther}, now_ + 1s);
    EXPECT_EQ(put_aside.size(), i == 0 ? 0U : 2U);
  }
}

TEST_F(LethalTest, DeathsThatAreFarApartDoNotAddUp) {
  attach_and_die();
  now_ += Lethal::kCountedFor;
  EXPECT_THAT(attach_and_die(), IsEmpty());
  now_ += Lethal::kCountedFor - 20s;
  EXPECT_THAT(attach_and_die(), ElementsAre(kDevice));
}

TEST_F(LethalTest, AGuestThatDiesOfADeviceThatLeaves) {
  for (int i = 0; i < 2; ++i) {
    now_ += 10s;
    EXPECT_THAT(lethal_.left(kDevice, {kA}, now_), IsEmpty());
    EXPECT_THAT(lethal_.died(kA, {}, now_ + 1s).size(), i == 0 ? 0U : 1U);
    lethal_.came(kDevice, now_ + 1s);
  }
  EXPECT_TRUE(is_put_aside(kA, kDevice));
}

TEST_F(LethalTest, TheDeathMayBeHeardOfBeforeTheDeviceThatLeft) {
  for (int i = 0; i < 2; ++i) {
    now_ += 10s;
    EXPECT_THAT(lethal_.died(kA, {kDevice, kOther}, now_), IsEmpty());
    EXPECT_EQ(lethal_.left(kDevice, {}, now_ + 1s).size(), i == 0 ? 0U : 1U);
    lethal_.came(kDevice, now_ + 1s);
  }
  EXPECT_TRUE(is_put_aside(kA, kDevice));
  EXPECT_FALSE(is_put_aside(kA, kOther));
}

TEST_F(LethalTest, ADeathIsBlamedOnADeviceOnce) {
  lethal_.changed(kA, kDevice, now_);
  EXPECT_THAT(lethal_.died(kA, {kDevice}, now_ + 500ms), IsEmpty());
  EXPECT_THAT(lethal_.left(kDevice, {}, now_ + 1s), IsEmpty()) << "the same death";
}

TEST_F(LethalTest, WhatLeavesLongAfterADeathHasNothingToDoWithIt) {
  for (int i = 0; i < 3; ++i) {
    now_ += 10s;
    lethal_.died(kA, {kDevice}, now_);
    EXPECT_THAT(lethal_.left(kDevice, {}, now_ + Lethal::kSoonAfter + 1ms), IsEmpty());
    lethal_.came(kDevice, now_ + Lethal::kSoonAfter + 2ms);
  }
}

TEST_F(LethalTest, TheNextGuestThatGetsItAfterADeathIsNotItsCause) {
  for (int i = 0; i < 3; ++i) {
    now_ += 10s;
    lethal_.died(kA, {}, now_);
    lethal_.changed(kA, kDevice, now_ + 1s);
    EXPECT_FALSE(is_put_aside(kA, kDevice));
  }
}

TEST_F(LethalTest, ADeviceThatConnectsAgainByItselfStaysPutAside) {
  die_twice();
  lethal_.left(kDevice, {}, now_ + 2s);
  lethal_.came(kDevice, now_ + 2s + Lethal::kAway - 1ms);
  EXPECT_TRUE(is_put_aside(kA, kDevice));
}

TEST_F(LethalTest, ADeviceThatIsPluggedAgainIsServedAgainAndCountedAnew) {
  die_twice();
  lethal_.left(kDevice, {}, now_ + 2s);
  EXPECT_TRUE(is_put_aside(kA, kDevice));
  lethal_.came(kDevice, now_ + 2s + Lethal::kAway);
  EXPECT_FALSE(is_put_aside(kA, kDevice));
  EXPECT_THAT(attach_and_die(), IsEmpty());
  EXPECT_THAT(attach_and_die(), ElementsAre(kDevice));
}

TEST_F(LethalTest, AnotherDeviceThatIsPluggedThereChangesNothing) {
  die_twice();
  lethal_.came({kDevice.port, kOther.digest}, now_ + 1min);
  lethal_.left({kDevice.port, kOther.digest}, {}, now_ + 2min);
  lethal_.came({kDevice.port, kOther.digest}, now_ + 3min);
  EXPECT_TRUE(is_put_aside(kA, kDevice));
}

TEST_F(LethalTest, ItStaysPutAsideAsLongAsItIsThere) {
  die_twice();
  now_ += 100 * Lethal::kCountedFor;
  lethal_.changed(kB, kOther, now_);
  EXPECT_TRUE(is_put_aside(kA, kDevice));
}

TEST_F(LethalTest, ClearedItKnowsNothing) {
  attach_and_die();
  lethal_.clear();
  EXPECT_THAT(attach_and_die(), IsEmpty());
  EXPECT_THAT(attach_and_die(), ElementsAre(kDevice));
  lethal_.clear();
  EXPECT_FALSE(is_put_aside(kA, kDevice));
}

Lethal::Subject nth(std::size_t i) {
  return {std::to_string(i), Digest{i}};
}

TEST_F(LethalTest, WhatIsPutAsideIsForgottenForLackOfRoomOnlyWhenItHasLeft) {
  for (const bool has_left : {false, true}) {
    lethal_.clear();
    die_twice();
    if (has_left) lethal_.left(kDevice, {}, now_);
    now_ += 2 * Lethal::kCountedFor;
    for (std::size_t i = 0; i <= kMaxDevices; ++i) lethal_.changed(kA, nth(i), now_);
    EXPECT_EQ(is_put_aside(kA, kDevice), !has_left);
  }
}

TEST_F(LethalTest, ItWatchesNoMoreThanThereCanBeDevices) {
  for (int round = 0; round < 2; ++round) {
    now_ += 10s;
    for (std::size_t i = 0; i <= kMaxDevices; ++i) lethal_.changed(kA, nth(i), now_);
    lethal_.died(kA, {}, now_);
  }
  EXPECT_TRUE(is_put_aside(kA, nth(kMaxDevices - 1)));
  EXPECT_FALSE(is_put_aside(kA, nth(kMaxDevices)));
}

}  // namespace
}  // namespace whawty
