// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "actuator/dispatcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <deque>
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

// Rooms that lie one in the other, the first innermost and for what was stuck.
Calls::Rooms chain(std::initializer_list<std::size_t> places) {
  Calls::Rooms rooms;
  for (const std::size_t count : places)
    rooms.push_back({count, std::min(rooms.size() + 1, places.size() - 1), 0});
  if (rooms.size() > 1) rooms.back().if_stuck = rooms.size() - 1;
  return rooms;
}

// Longer than any test, and shorter than any call.
constexpr Calls::Patience kNever{1h, 1h};
constexpr Calls::Patience kAtOnce{0s, 1h};

// What jobs did, as they did it.
class Journal {
 public:
  void note(const std::string& what) {
    const std::lock_guard lock(mutex_);
    notes_.push_back(what);
  }

  void clear() {
    const std::lock_guard lock(mutex_);
    notes_.clear();
  }

  std::vector<std::string> notes() const {
    const std::lock_guard lock(mutex_);
    return notes_;
  }

  static void nothing() {}

  Calls::Job job(const std::string& name, const std::function<void()>& work = nothing, std::size_t room = 0) {
    return {
        room,
        [this, name, work] {
          work();
          return [this, name] { note(name + " ran"); };
        },
        [this, name](Refusal why) { note(name + (why == Refusal::kStuck ? " refused" : " finds no room")); }};
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> notes_;
};

// A job that runs until it is released. It must live until it has run.
class Held {
 public:
  // Back when it runs.
  void run(Calls& dispatcher, int key, Journal& journal, const std::string& name, std::size_t room = 0) {
    submit(dispatcher, key, journal, name, room);
    await();
  }

  void submit(Calls& dispatcher, int key, Journal& journal, const std::string& name, std::size_t room = 0) {
    const auto wait = [this] {
      begun_.count_down();
      released_.wait();
    };
    dispatcher.submit(key, journal.job(name, wait, room));
  }

  void await() { begun_.wait(); }

  void release() {
    if (!released_.try_wait()) released_.count_down();
  }

 private:
  std::latch begun_{1};
  std::latch released_{1};
};

class DispatcherTest : public testing::Test {
 protected:
  // Submits a job for the key and waits until it has run.
  static void run_one(Calls& dispatcher, int key, std::size_t room = 0) {
    std::latch done(1);
    dispatcher.submit(
        key, {room, [&] { return [&] { done.count_down(); }; }, [](Refusal) { FAIL() << "refused"; }});
    done.wait();
  }

  static std::vector<int> stalled(Calls& dispatcher) {
    std::vector<int> keys;
    dispatcher.look(Calls::Clock::now(), [&](int key) { keys.push_back(key); });
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
  Calls dispatcher(chain({4}), kNever);
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
  Calls dispatcher(chain({3}), kNever);
  // None returns before all have begun.
  std::latch all(3);
  for (int key : {kA, kB, kC}) dispatcher.submit(key, journal_.job("one", [&] { all.arrive_and_wait(); }));
  until_idle(dispatcher);
  EXPECT_THAT(journal_.notes(), ElementsAre("one ran", "one ran", "one ran"));
}

TEST_F(DispatcherTest, MoreDomainsThanThreadsAreAllServed) {
  Calls dispatcher(chain({2}), kNever);
  for (int i = 0; i < 300; ++i) dispatcher.submit(i % 100, journal_.job("one"));
  until_idle(dispatcher);
  EXPECT_EQ(journal_.notes().size(), 300U);
}

// Each thread that is woken goes back to sleep, which the kernel counts.
TEST_F(DispatcherTest, ThreadsForWhichThereIsNothingToDoSleepOn) {
  const auto sleeps = [] {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return usage.ru_nvcsw;
  };
  Calls dispatcher(chain({16}), kNever);
  const long before = sleeps();
  for (int i = 0; i < 100; ++i) run_one(dispatcher, i % 3);
  EXPECT_LT(sleeps() - before, 100 * 8)
      << "this thread, one that runs the job, and who has to wait for a lock";
}

TEST_F(DispatcherTest, AStuckCallIsNamedOnceAndWhatWaitsForItIsRefused) {
  Calls dispatcher(chain({2}), kAtOnce);
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
  Calls dispatcher(chain({1}), kNever);
  held_.run(dispatcher, kA, journal_, "slow");
  dispatcher.submit(kA, journal_.job("next"));
  EXPECT_THAT(stalled(dispatcher), IsEmpty());
  held_.release();
  until_idle(dispatcher);
  EXPECT_THAT(journal_.notes(), ElementsAre("slow ran", "next ran"));
}

// Two calls that hang have all places of the inner room: what is left is one of the middle and one of the
// outer.
class DispatcherRoomsTest : public DispatcherTest {
 protected:
  static constexpr std::size_t kInner = 1, kMiddle = 2, kOuter = 3;  // 0 is for those that were stuck
  static constexpr Calls::Patience kPatience{8s, 45s};

  DispatcherRoomsTest() {
    held_.run(calls_, kA, journal_, "stuck", kInner);
    other_.run(calls_, kB, journal_, "stuck too", kInner);
  }
  ~DispatcherRoomsTest() override {
    for (Held* const one : {&held_, &other_, &third_}) one->release();
    until_idle(calls_);
  }

  void submit(int key, const std::string& name, std::size_t room = kInner) {
    const auto nothing = [] {};
    calls_.submit(key, journal_.job(name, nothing, room));
  }

  // Looks, as if that time had passed since the test began. True: a room is blocked.
  bool look_after(Calls::Clock::duration time) {
    return calls_.look(start_ + time, [](int) {});
  }

  Held other_, third_;
  Calls calls_{chain({1, 2, 3, 4}), kPatience};
  const Calls::Clock::time_point start_ = Calls::Clock::now();
};

TEST_F(DispatcherRoomsTest, CallsThatHangLeaveTheOuterRoomsTheirs) {
  submit(11, "inner");
  run_one(calls_, 12, kMiddle);
  run_one(calls_, 13, kOuter);
  EXPECT_THAT(journal_.notes(), IsEmpty()) << "there is no place for another one of the inner room";

  third_.run(calls_, 14, journal_, "stuck too", kMiddle);
  submit(15, "middle", kMiddle);
  run_one(calls_, 16, kOuter);
  EXPECT_THAT(journal_.notes(), IsEmpty()) << "nor of the middle one";
}

TEST_F(DispatcherRoomsTest, APlaceThatBecomesFreeIsTakenByWhoeverWaitedForIt) {
  submit(11, "first");
  submit(12, "second");
  held_.release();
  run_one(calls_, 13, kInner);
  EXPECT_THAT(journal_.notes(), ElementsAre("stuck ran", "first ran", "second ran"));
}

TEST_F(DispatcherRoomsTest, WhatWaitsForAPlaceWhereNothingMovesIsRefused) {
  submit(11, "first");
  submit(11, "behind it", kOuter);
  EXPECT_FALSE(look_after(7s));
  EXPECT_THAT(journal_.notes(), IsEmpty());
  EXPECT_FALSE(look_after(9s));
  EXPECT_THAT(journal_.notes(), ElementsAre("first finds no room", "behind it finds no room"));
  run_one(calls_, 11, kMiddle);  // its key is not taken for stuck
}

TEST_F(DispatcherRoomsTest, AnEndAndABeginningStartTheTimeAnew) {
  third_.submit(calls_, 11, journal_, "next", kInner);
  submit(12, "last");
  std::this_thread::sleep_for(50ms);
  const Calls::Clock::duration moved = Calls::Clock::now() - start_;
  held_.release();
  third_.await();
  EXPECT_FALSE(look_after(moved + 8s - 10ms));
  EXPECT_THAT(journal_.notes(), ElementsAre("stuck ran"));
  EXPECT_FALSE(look_after(moved + 9s));
  EXPECT_THAT(journal_.notes(), ElementsAre("stuck ran", "last finds no room"));
  submit(12, "last");
  EXPECT_FALSE(look_after(moved + 45s - 10ms));
}

TEST_F(DispatcherRoomsTest, ARoomInWhichNothingMovesIsBlockedHoweverOftenItsCallsAreRefused) {
  for (int i = 1; i <= 5; ++i) {
    submit(11, "one");
    EXPECT_FALSE(look_after(i * 8s + 500ms)) << i;
  }
  EXPECT_EQ(journal_.notes().size(), 5U);
  submit(11, "one");
  EXPECT_TRUE(look_after(46s));
}

// Each look may come before the thread that is on the way, and long after the last one.
TEST_F(DispatcherTest, ACallThatIsAboutToBeginBlocksNothing) {
  Calls dispatcher(chain({1}), {15ms, 20ms});
  for (int i = 0; i < 200; ++i) {
    if (i % 20 == 0) std::this_thread::sleep_for(25ms);
    dispatcher.submit(kA, journal_.job("one"));
    EXPECT_FALSE(dispatcher.look(Calls::Clock::now(), [](int) {})) << i;
    until_idle(dispatcher);
  }
}

TEST_F(DispatcherRoomsTest, CallsThatHangAndKeepNobodyWaitingBlockNothing) {
  EXPECT_FALSE(look_after(1h));
  run_one(calls_, 11, kOuter);
  EXPECT_FALSE(look_after(2h));
}

TEST_F(DispatcherRoomsTest, WhatWaitsForItsOwnKeyOnlyBlocksNothing) {
  submit(kA, "same key");
  EXPECT_FALSE(look_after(1h));
  EXPECT_THAT(journal_.notes(), ElementsAre("same key refused"));
}

TEST_F(DispatcherRoomsTest, WhoeverWasRefusedAndAsksNoMoreIsNotWaitedFor) {
  submit(11, "one");
  EXPECT_FALSE(look_after(9s));
  EXPECT_FALSE(look_after(32s));
  EXPECT_FALSE(look_after(46s));
}

// Each was stuck once and has returned. While one of them is at it again, the other has to wait, and nobody
// else.
TEST_F(DispatcherRoomsTest, KeysThatWereStuckHaveARoomOfTheirOwnUntilTheyAnswer) {
  EXPECT_FALSE(look_after(9s));
  held_.release();
  other_.release();
  until_idle(calls_);
  journal_.clear();
  third_.run(calls_, kA, journal_, "again", kInner);
  submit(kB, "waits");
  run_one(calls_, kC, kInner);
  EXPECT_THAT(journal_.notes(), IsEmpty());
  third_.release();
  until_idle(calls_);
  EXPECT_THAT(journal_.notes(), ElementsAre("again ran", "waits ran"));

  // None was stuck this time.
  Held one, two;
  one.run(calls_, kA, journal_, "one", kInner);
  two.run(calls_, kB, journal_, "two", kInner);
  one.release();
  two.release();
  until_idle(calls_);
}

TEST_F(DispatcherRoomsTest, ACallThatIsStuckHasAPlaceOfThoseThatWere) {
  EXPECT_FALSE(look_after(9s));
  held_.release();
  run_one(calls_, kC, kInner);
  submit(kA, "again", kMiddle);  // but the other one is still stuck
  run_one(calls_, kC, kMiddle);
  run_one(calls_, kA + 10, kInner);
  EXPECT_THAT(journal_.notes(), ElementsAre("stuck ran"));
}

// Two kinds of calls beside each other, of which one may have two places and both together three.
class DispatcherSiblingsTest : public DispatcherTest {
 protected:
  enum : std::size_t { kThisAgain, kThis, kThatAgain, kThat, kBoth, kAll };

  ~DispatcherSiblingsTest() override {
    for (Held& one : hung_) one.release();
    until_idle(calls_);
  }

  // The call of such a key hangs from now on.
  void hang(int key, std::size_t room) { hung_.emplace_back().run(calls_, key, journal_, "hung", room); }

  std::deque<Held> hung_;
  Calls calls_{{{1, kThis, kThisAgain},
                {2, kBoth, kThisAgain},
                {1, kThat, kThatAgain},
                {2, kBoth, kThatAgain},
                {3, kAll, kBoth},
                {4, kAll, kAll}},
               {8s, 45s}};
};

TEST_F(DispatcherSiblingsTest, WhateverHangsOneOfTheOtherKindRuns) {
  hang(1, kThis);
  hang(2, kThis);
  calls_.submit(3, journal_.job(
                       "third", [] {}, kThis));
  run_one(calls_, 4, kThat);
  hang(5, kThat);
  calls_.submit(6, journal_.job(
                       "fourth", [] {}, kThat));
  run_one(calls_, 7, kAll);
  EXPECT_THAT(journal_.notes(), IsEmpty()) << "their rooms are full";
}

TEST_F(DispatcherSiblingsTest, WhatIsStuckTakesNoPlaceOfTheOtherKind) {
  hang(1, kThat);
  calls_.look(Calls::Clock::now() + 9s, [](int) {});
  hang(2, kThis);
  hang(3, kThis);
  run_one(calls_, 4, kAll);
  calls_.submit(5, journal_.job(
                       "waits", [] {}, kThat));
  hung_[1].release();
  run_one(calls_, 6, kThat);
  EXPECT_THAT(journal_.notes(), ElementsAre("hung ran", "waits ran"));
}

TEST_F(DispatcherTest, ItsEndWaitsForWhatRunsAndDropsTheRest) {
  std::thread releasing;
  {
    Calls dispatcher(chain({1}), kNever);
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
  Calls dispatcher(chain({1}), kNever);
  EXPECT_FALSE(dispatcher.busy());
  std::latch released(1);
  dispatcher.submit(kA, journal_.job("one", [&] { released.wait(); }));
  EXPECT_TRUE(dispatcher.busy());
  released.count_down();
  until_idle(dispatcher);
  EXPECT_FALSE(dispatcher.busy());
}

TEST_F(DispatcherTest, ThatACallIsStuckIsNeverToldAfterItsEnd) {
  Calls dispatcher(chain({2}), kAtOnce);
  std::latch ended(1);
  const auto tell_end = [&] {
    ended.count_down();
    std::this_thread::sleep_for(20ms);  // time to look in, if that were possible
  };
  dispatcher.submit(kA, {0, [&] { return tell_end; }, [](Refusal) { FAIL() << "refused"; }});
  ended.wait();
  EXPECT_THAT(stalled(dispatcher), IsEmpty());
}

TEST_F(DispatcherTest, WhoHearsOfACallsEndCanAskForTheNext) {
  Calls dispatcher(chain({2}), kAtOnce);
  for (unsigned i = 0; i < 2000; ++i) {
    std::latch ended(1);
    dispatcher.submit(kA,
                      {0, [&] { return [&] { ended.count_down(); }; }, [](Refusal) { FAIL() << "refused"; }});
    stalled(dispatcher);
    ended.wait();
  }
}

TEST_F(DispatcherTest, ManyThreadsSubmitAndEveryJobIsAnsweredOnce) {
  std::atomic<int> answered = 0;
  Calls dispatcher(chain({1, 2, 4}), kAtOnce);
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 3; ++i)
      threads.emplace_back([&, i] {
        for (int k = 0; k < 1000; ++k)
          dispatcher.submit(5 * i + k % 5,
                            {static_cast<std::size_t>(k % 3), [&] { return [&] { ++answered; }; },
                             [&](Refusal) { ++answered; }});
      });
    threads.emplace_back([&] {
      while (answered < 3000) stalled(dispatcher);
    });
  }
  EXPECT_EQ(answered, 3000);
}

}  // namespace
}  // namespace whawty
