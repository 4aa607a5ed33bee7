// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "common/dispatcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <mutex>
#include <string>

namespace whawty {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using Calls = Dispatcher<int>;

constexpr int kA = 1;
constexpr int kB = 2;
constexpr int kC = 3;

// Longer than any test, and shorter than any call.
constexpr Calls::Clock::duration kNever = 1h;
constexpr Calls::Clock::duration kAtOnce = 0s;

// What jobs did, as they did it.
class Journal {
 public:
  void note(const std::string& what) {
    const std::lock_guard lock(mutex_);
    notes_.push_back(what);
  }

  std::vector<std::string> notes() const {
    const std::lock_guard lock(mutex_);
    return notes_;
  }

  Calls::Job job(
      const std::string& name, const std::function<void()>& work = [] {}) {
    return {[this, name, work] {
              work();
              return [this, name] { note(name + " ran"); };
            },
            [this, name] { note(name + " refused"); }};
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> notes_;
};

// A job that runs until it is released. It must live until it has run.
class Held {
 public:
  // Back when it runs.
  void run(Calls& dispatcher, int key, Journal& journal, const std::string& name) {
    dispatcher.submit(key, journal.job(name, [this] {
      begun_.count_down();
      released_.wait();
    }));
    begun_.wait();
  }

  void release() { released_.count_down(); }

 private:
  std::latch begun_{1};
  std::latch released_{1};
};

class DispatcherTest : public testing::Test {
 protected:
  // Submits a job for the key and waits until it has run.
  static void run_one(Calls& dispatcher, int key) {
    std::latch done(1);
    dispatcher.submit(key, {[&] { return [&] { done.count_down(); }; }, [] { FAIL() << "refused"; }});
    done.wait();
  }

  static std::vector<int> stalled(Calls& dispatcher) {
    std::vector<int> keys;
    dispatcher.find_stalled([&](int key) { keys.push_back(key); });
    return keys;
  }

  // Looks again and again: the worker is a moment late in saying that its call has returned.
  static void until_idle(Calls& dispatcher) {
    while (dispatcher.busy()) std::this_thread::yield();
  }

  Journal journal_;
  Held held_;
};

TEST_F(DispatcherTest, TheCallsOfOneDomainRunInOrderAndOneAtATime) {
  Calls dispatcher(4, kNever);
  std::atomic<int> running = 0;
  std::vector<std::string> expected;
  for (int i = 0; i < 200; ++i) {
    expected.push_back(std::to_string(i) + " ran");
    dispatcher.submit(kA, journal_.job(std::to_string(i), [&] {
      EXPECT_EQ(++running, 1);
      std::this_thread::yield();
      --running;
    }));
  }
  until_idle(dispatcher);
  EXPECT_EQ(journal_.notes(), expected);
}

TEST_F(DispatcherTest, DomainsRunSideBySide) {
  Calls dispatcher(3, kNever);
  // None returns before all have begun.
  std::latch all(3);
  for (int key : {kA, kB, kC}) dispatcher.submit(key, journal_.job("one", [&] { all.arrive_and_wait(); }));
  until_idle(dispatcher);
  EXPECT_THAT(journal_.notes(), ElementsAre("one ran", "one ran", "one ran"));
}

TEST_F(DispatcherTest, MoreDomainsThanThreadsAreAllServed) {
  Calls dispatcher(2, kNever);
  for (int i = 0; i < 300; ++i) dispatcher.submit(i % 100, journal_.job("one"));
  until_idle(dispatcher);
  EXPECT_EQ(journal_.notes().size(), 300U);
}

TEST_F(DispatcherTest, AStuckCallIsNamedOnceAndWhatWaitsForItIsRefused) {
  Calls dispatcher(2, kAtOnce);
  held_.run(dispatcher, kA, journal_, "stuck");
  dispatcher.submit(kA, journal_.job("second"));
  dispatcher.submit(kA, journal_.job("third"));
  EXPECT_THAT(stalled(dispatcher), ElementsAre(kA));
  EXPECT_THAT(journal_.notes(), ElementsAre("second refused", "third refused"));
  EXPECT_THAT(stalled(dispatcher), IsEmpty());

  dispatcher.submit(kA, journal_.job("fourth"));
  EXPECT_THAT(journal_.notes(), ElementsAre("second refused", "third refused", "fourth refused"));
  EXPECT_TRUE(dispatcher.busy());

  run_one(dispatcher, kB);

  held_.release();
  until_idle(dispatcher);
  run_one(dispatcher, kA);
  EXPECT_THAT(journal_.notes(),
              ElementsAre("second refused", "third refused", "fourth refused", "stuck ran"));
}

TEST_F(DispatcherTest, ACallThatIsNotYetOverTheLimitIsNotStuck) {
  Calls dispatcher(1, kNever);
  held_.run(dispatcher, kA, journal_, "slow");
  dispatcher.submit(kA, journal_.job("next"));
  EXPECT_THAT(stalled(dispatcher), IsEmpty());
  held_.release();
  until_idle(dispatcher);
  EXPECT_THAT(journal_.notes(), ElementsAre("slow ran", "next ran"));
}

TEST_F(DispatcherTest, WhatWaitsForAThreadIsNotStuck) {
  Calls dispatcher(1, kAtOnce);
  held_.run(dispatcher, kA, journal_, "stuck");
  dispatcher.submit(kB, journal_.job("other"));
  EXPECT_THAT(stalled(dispatcher), ElementsAre(kA));
  held_.release();
  until_idle(dispatcher);
  EXPECT_THAT(journal_.notes(), ElementsAre("stuck ran", "other ran"));
}

TEST_F(DispatcherTest, ItsEndWaitsForWhatRunsAndDropsTheRest) {
  std::thread releasing;
  {
    Calls dispatcher(1, kNever);
    held_.run(dispatcher, kA, journal_, "running");
    dispatcher.submit(kA, journal_.job("waiting"));
    dispatcher.submit(kB, journal_.job("other"));
    releasing = std::thread([&] {
      std::this_thread::sleep_for(20ms);
      held_.release();
    });
  }
  releasing.join();
  EXPECT_EQ(journal_.notes().front(), "running ran");
  EXPECT_EQ(journal_.notes().size(), 1U);
}

TEST_F(DispatcherTest, ItIsBusyAsLongAsACallRunsOrWaits) {
  Calls dispatcher(1, kNever);
  EXPECT_FALSE(dispatcher.busy());
  std::latch released(1);
  dispatcher.submit(kA, journal_.job("one", [&] { released.wait(); }));
  EXPECT_TRUE(dispatcher.busy());
  released.count_down();
  until_idle(dispatcher);
  EXPECT_FALSE(dispatcher.busy());
}

TEST_F(DispatcherTest, ThatACallIsStuckIsNeverToldAfterItsEnd) {
  Calls dispatcher(2, kAtOnce);
  std::latch ended(1);
  const auto tell_end = [&] {
    ended.count_down();
    std::this_thread::sleep_for(20ms);  // time to look in, if that were possible
  };
  dispatcher.submit(kA, {[&] { return tell_end; }, [] { FAIL() << "refused"; }});
  ended.wait();
  EXPECT_THAT(stalled(dispatcher), IsEmpty());
}

TEST_F(DispatcherTest, WhoHearsOfACallsEndCanAskForTheNext) {
  Calls dispatcher(2, kAtOnce);
  for (unsigned i = 0; i < 2000; ++i) {
    std::latch ended(1);
    dispatcher.submit(kA, {[&] { return [&] { ended.count_down(); }; }, [] { FAIL() << "refused"; }});
    dispatcher.find_stalled([](int) {});
    ended.wait();
  }
}

TEST_F(DispatcherTest, ManyThreadsSubmitAndEveryJobIsAnsweredOnce) {
  std::atomic<int> answered = 0;
  Calls dispatcher(4, kAtOnce);
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 3; ++i)
      threads.emplace_back([&, i] {
        for (int k = 0; k < 1000; ++k)
          dispatcher.submit(5 * i + k % 5, {[&] { return [&] { ++answered; }; }, [&] { ++answered; }});
      });
    threads.emplace_back([&] {
      while (answered < 3000) dispatcher.find_stalled([](int) {});
    });
  }
  EXPECT_EQ(answered, 3000);
}

}  // namespace
}  // namespace whawty
