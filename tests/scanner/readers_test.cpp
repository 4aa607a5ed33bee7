// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "scanner/readers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "tests/eventually.h"

namespace whawty {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Devices whose names begin with "busy", and those of busy_, answer when they are let go.
class ReadersTest : public testing::Test {
 protected:
  ~ReadersTest() override { let_go(); }

  Reading answer(const std::string& sysname) {
    if (sysname == "broken") throw std::runtime_error("broken");
    if (sysname == "slow") std::this_thread::sleep_for(kSlowAnswer);
    std::unique_lock lock(mutex_);
    ++asked_;
    if (sysname.starts_with("busy") || busy_.contains(sysname)) let_go_.wait(lock, [this] { return gone_; });
    Device device;
    device.sysname = sysname;
    return {device, ""};
  }

  void let_go() {
    {
      const std::lock_guard lock(mutex_);
      gone_ = true;
    }
    let_go_.notify_all();
  }

  std::optional<Reading> read(const std::string& sysname) { return readers_.read(sysname, {}); }

  // Each of these keeps whoever asks waiting, if it is asked at all.
  void expect_silent(const std::set<std::string>& sysnames) {
    {
      const std::lock_guard lock(mutex_);
      busy_.insert(sysnames.begin(), sysnames.end());
    }
    for (const std::string& sysname : sysnames) EXPECT_FALSE(read(sysname)) << sysname;
  }

  // So many; fewer if they do not come within seconds.
  std::set<std::string> await_late(std::size_t count) {
    std::set<std::string> late;
    eventually([&] {
      late.merge(readers_.take_late());
      return late.size() >= count;
    });
    return late;
  }

  static constexpr std::chrono::milliseconds kSlowAnswer{500};

  std::mutex mutex_;
  std::condition_variable let_go_;
  bool gone_ = false;
  int asked_ = 0;
  std::set<std::string> busy_;
  const Readers::Read answer_ = [this](udev*, const std::string& sysname, const auto&) {
    return answer(sysname);
  };
  Readers readers_{answer_, std::chrono::milliseconds(200)};
};

TEST_F(ReadersTest, OneThatAnswersIsRead) {
  const auto reading = read("1-2");
  ASSERT_TRUE(reading);
  EXPECT_EQ(reading->device->sysname, "1-2");
  EXPECT_FALSE(readers_.waits());
  EXPECT_THAT(readers_.take_late(), IsEmpty());
}

TEST_F(ReadersTest, WhatGoesWrongReachesTheCaller) {
  EXPECT_THROW(read("broken"), std::runtime_error);
  EXPECT_TRUE(read("1-2"));
}

TEST_F(ReadersTest, OneThatDoesNotAnswerIsAskedOnceAndKeepsNoOtherWaiting) {
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(read("busy"));
  EXPECT_TRUE(read("1-2"));
  EXPECT_TRUE(readers_.waits());
  EXPECT_THAT(readers_.take_late(), IsEmpty());
  let_go();
  EXPECT_THAT(await_late(1), ElementsAre("busy"));
  EXPECT_EQ(asked_, 2);
  EXPECT_FALSE(readers_.waits());
  EXPECT_TRUE(read("busy"));
}

TEST_F(ReadersTest, ThoseForWhomNoThreadIsLeftAreLateToo) {
  for (std::size_t i = 0; i < Readers::kThreads; ++i) EXPECT_FALSE(read("busy" + std::to_string(i)));
  EXPECT_FALSE(read("1-2"));
  let_go();
  EXPECT_TRUE(await_late(Readers::kThreads + 1).contains("1-2"));
  EXPECT_TRUE(read("1-2"));
}

TEST_F(ReadersTest, AHubOfBothSidesWithAllBehindItHoldsNoThreadThatAnotherPortNeeds) {
  expect_silent({"3-1", "3-1.1", "3-1.2", "3-1.3", "3-1.3.1", "3-1.4.4.4.4", "usb3"});
  expect_silent({"4-1", "4-1.1", "4-1.2", "4-1.3", "4-1.3.1", "4-1.4.4.4.4", "usb4"});
  for (const char* const elsewhere : {"1-2", "3-2", "3-11", "4-2.1"})
    EXPECT_TRUE(read(elsewhere)) << elsewhere;
  const std::lock_guard lock(mutex_);
  EXPECT_EQ(asked_, 3 + 3 + 1 + 4);
}

TEST_F(ReadersTest, APortOfAHubThatWaitsItselfHoldsNoThreadThatThePortBesideItNeeds) {
  expect_silent({"3-1", "3-1.4", "3-1.4.1", "3-1.4.2", "3-1.4.2.7"});
  EXPECT_TRUE(read("3-1.1"));
  EXPECT_TRUE(read("3-1.41"));
}

TEST_F(ReadersTest, PortsWhoseNumbersBeginAlikeHoldNoThreadOfEachOther) {
  expect_silent({"3-11", "3-12", "3-13"});
  EXPECT_TRUE(read("3-1"));
}

TEST_F(ReadersTest, ThoseForWhomNoThreadOfTheirPortIsLeftAreLateToo) {
  const std::set<std::string> of_port{"3-1", "3-1.1", "3-1.2", "3-1.3", "3-1.4"};
  expect_silent(of_port);
  {
    const std::lock_guard lock(mutex_);
    EXPECT_LE(asked_, 3) << "threads are left, for other ports";
  }
  let_go();
  EXPECT_EQ(await_late(of_port.size()), of_port);
  EXPECT_TRUE(read("3-1.4"));
}

// Devices that answer just in time, for ever, must not keep the caller for ever.
TEST_F(ReadersTest, SlowDevicesShareWhatPatienceThereIs) {
  Readers readers(answer_, std::chrono::minutes(1));
  int answered = 0;
  while (readers.read("slow", {})) ++answered;
  EXPECT_GT(answered, 0);
  EXPECT_LE(answered, Readers::kPatienceInTurn / kSlowAnswer);
  while (readers.take_late().empty()) std::this_thread::sleep_for(kSlowAnswer / 10);
  readers.begin_turn();
  EXPECT_TRUE(readers.read("slow", {}));
}

TEST_F(ReadersTest, OneThatIsSilentForLongIsNamedOnce) {
  const auto before = Readers::Clock::now();
  EXPECT_FALSE(read("busy"));
  const auto after = Readers::Clock::now();
  EXPECT_THAT(readers_.take_silent(before + Readers::kSilentAfter - std::chrono::milliseconds(1)), IsEmpty());
  EXPECT_THAT(readers_.take_silent(after + Readers::kSilentAfter), ElementsAre("busy"));
  EXPECT_THAT(readers_.take_silent(after + Readers::kSilentAfter), IsEmpty());
}

}  // namespace
}  // namespace whawty
