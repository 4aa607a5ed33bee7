// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/decided/taken_back.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/values.h"

namespace whawty {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

class TakenBackTest : public testing::Test {
 protected:
  void look(const std::vector<Contested>& contested) { taken_.look(devices_, contested, now_); }
  TakenBack::Findings confirm() { return taken_.confirm(now_); }

  DeviceMap devices_{{"1-1", driven(webcam())}, {"1-2", driven(twin_of_webcam())}};
  TakenBack taken_;
  TakenBack::Clock::time_point now_{1000s};
};

TEST_F(TakenBackTest, NothingIsDueByItself) {
  look({});
  EXPECT_EQ(taken_.next(), TakenBack::Clock::time_point::max());
  EXPECT_FALSE(taken_.take_doubt(now_));
  EXPECT_THAT(confirm().taken, IsEmpty());
}

TEST_F(TakenBackTest, ASecondLaterItIsDoubtedOnceAndDueWhenTheRecordsAreNew) {
  look({{"1-1"}});
  EXPECT_EQ(taken_.next(), now_ + 1s);
  now_ += 999ms;
  look({{"1-1"}});
  EXPECT_FALSE(taken_.take_doubt(now_));
  EXPECT_THAT(confirm().taken, IsEmpty());
  now_ += 1ms;
  EXPECT_TRUE(taken_.take_doubt(now_));
  EXPECT_FALSE(taken_.take_doubt(now_));
  EXPECT_EQ(taken_.next(), TakenBack::Clock::time_point::max());
  EXPECT_THAT(taken_.due(), IsEmpty());
  EXPECT_THAT(confirm().taken, ElementsAre("1-1"));
  EXPECT_THAT(confirm().taken, IsEmpty()) << "it is found once";
  EXPECT_THAT(taken_.due(), ElementsAre("1-1"));
}

TEST_F(TakenBackTest, ItIsDueUntilNobodyHasIt) {
  look({{"1-1"}});
  now_ += 1s;
  confirm();
  look({{"1-1", false}});
  EXPECT_THAT(taken_.due(), ElementsAre("1-1"));
  look({});
  EXPECT_THAT(taken_.due(), IsEmpty());
}

TEST_F(TakenBackTest, AMomentBeginsOnlyWithADomainThatIsSettledAndThenGoesOn) {
  look({{"1-1", false}});
  EXPECT_EQ(taken_.next(), TakenBack::Clock::time_point::max());
  look({{"1-1", true}});
  const auto end = now_ + 1s;
  now_ += 500ms;
  look({{"1-1", false}});
  EXPECT_EQ(taken_.next(), end);
}

TEST_F(TakenBackTest, AMomentEndsWhenTheDriverLetsGoOrTheDeviceLeaves) {
  look({{"1-1"}, {"1-2"}});
  devices_["1-1"].driver = DriverKind::kUsbfs;
  devices_.erase("1-2");
  look({});
  EXPECT_EQ(taken_.next(), TakenBack::Clock::time_point::max());
  now_ += 1h;
  EXPECT_THAT(confirm().taken, IsEmpty());
}

TEST_F(TakenBackTest, EachTimeInARowTakesTwiceAsLongAndThreeAreEnough) {
  for (const auto patience : {1s, 2s, 4s}) {
    look({{"1-1"}});
    EXPECT_EQ(taken_.next(), now_ + patience);
    now_ += patience;
    EXPECT_THAT(confirm().taken, ElementsAre("1-1"));
    look({});
  }
  look({{"1-1"}});
  now_ += 8s;
  const auto findings = confirm();
  EXPECT_THAT(findings.taken, IsEmpty());
  EXPECT_THAT(findings.in_vain, ElementsAre("1-1"));
  EXPECT_EQ(taken_.next(), TakenBack::Clock::time_point::max());
  now_ += 24h;
  EXPECT_THAT(confirm().in_vain, IsEmpty()) << "it is said once";
  devices_["1-1"].driver = DriverKind::kNone;
  look({});
  devices_["1-1"].driver = DriverKind::kHost;
  look({{"1-1"}});
  EXPECT_EQ(taken_.next(), now_ + 1s) << "it was a guest's in between";
}

}  // namespace
}  // namespace whawty
