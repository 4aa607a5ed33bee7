// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "actuator/outbox.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <functional>
#include <thread>
#include <vector>

namespace whawty {
namespace {

bool awake(const Outbox& outbox) {
  pollfd wait{outbox.fd(), POLLIN, 0};
  return ::poll(&wait, 1, 0) == 1;
}

// The next message, which must be of this kind.
template <class Message>
Message take(Outbox& outbox) {
  return std::get<Message>(outbox.take().value());
}

TEST(OutboxTest, IsEmptyAndAsleepAtFirst) {
  Outbox outbox;
  EXPECT_FALSE(awake(outbox));
  EXPECT_FALSE(outbox.take());
  EXPECT_FALSE(outbox.lost());
}

TEST(OutboxTest, GivesMessagesInOrder) {
  Outbox outbox;
  outbox.put(XmlChunk{7, "first"});
  outbox.put(XmlChunk{7, "second"});
  outbox.put(Result{7, Outcome::kDone, 0, "", 0});
  EXPECT_EQ(take<XmlChunk>(outbox).data, "first");
  EXPECT_EQ(take<XmlChunk>(outbox).data, "second");
  EXPECT_EQ(take<Result>(outbox).request, 7U);
  EXPECT_FALSE(outbox.take());
}

TEST(OutboxTest, TheAnswerToARequestStaysTogether) {
  Outbox outbox;
  outbox.put({XmlChunk{7, "first"}, Result{7, Outcome::kDone, 0, "", 0}});
  outbox.put(DomainStalled{});
  EXPECT_EQ(take<XmlChunk>(outbox).data, "first");
  EXPECT_EQ(take<Result>(outbox).request, 7U);
  take<DomainStalled>(outbox);
}

TEST(OutboxTest, EveryKindOfNewsWakesTheReader) {
  const std::function<void(Outbox&)> kNews[] = {
      [](Outbox& outbox) { outbox.put(DomainStalled{}); },
      [](Outbox& outbox) {
        outbox.put({XmlChunk{7, "x"}, Result{7, Outcome::kDone, 0, "", 0}});
      },
      [](Outbox& outbox) {
        outbox.domain_changed({1, 2}, "a", {});
      },
      [](Outbox& outbox) { outbox.connection_lost(ConnectionEnd::kClosed); }};
  for (const auto& tell : kNews) {
    Outbox outbox;
    ASSERT_TRUE(outbox.begin_wait());
    tell(outbox);
    EXPECT_TRUE(awake(outbox));
    outbox.end_wait(true);
    EXPECT_FALSE(awake(outbox));
    EXPECT_FALSE(outbox.begin_wait()) << "there is something to take";
  }
}

TEST(OutboxTest, AReaderThatDoesNotWaitIsNotWoken) {
  Outbox outbox;
  outbox.put(DomainStalled{});
  EXPECT_FALSE(awake(outbox));
  EXPECT_FALSE(outbox.begin_wait());
  outbox.end_wait(false);
  take<DomainStalled>(outbox);
  EXPECT_TRUE(outbox.begin_wait());
  outbox.put(DomainStalled{});
  outbox.put(DomainStalled{});
  std::uint64_t wakes = 0;
  ASSERT_EQ(::read(outbox.fd(), &wakes, sizeof wakes), static_cast<ssize_t>(sizeof wakes));
  EXPECT_EQ(wakes, 1U);
}

// The reader may have come back for another reason, between a put and its wake.
TEST(OutboxTest, AWakeThatComesLateIsSeenTheNextTime) {
  Outbox outbox;
  ASSERT_TRUE(outbox.begin_wait());
  outbox.put(DomainStalled{});
  outbox.end_wait(false);
  take<DomainStalled>(outbox);
  EXPECT_TRUE(outbox.begin_wait());
  EXPECT_TRUE(awake(outbox));
  outbox.end_wait(true);
  EXPECT_FALSE(awake(outbox));
}

TEST(OutboxTest, ALostConnectionIsTold) {
  Outbox outbox;
  outbox.connection_lost(ConnectionEnd::kSilent);
  EXPECT_EQ(outbox.lost(), ConnectionEnd::kSilent);
  EXPECT_FALSE(outbox.begin_wait());
}

TEST(OutboxTest, ADomainThatChangesOftenIsToldOnceWithItsLastName) {
  Outbox outbox;
  for (int i = 0; i < 100'000; ++i) outbox.domain_changed({1, 2}, "old", {});
  outbox.domain_changed({1, 3}, "other", {});
  outbox.domain_changed({1, 2}, "new", {});
  const auto first = take<DomainChanged>(outbox);
  EXPECT_EQ(first.uuid, (Uuid{1, 2}));
  EXPECT_EQ(first.name, "new");
  EXPECT_EQ(take<DomainChanged>(outbox).name, "other");
  EXPECT_FALSE(outbox.take());
}

TEST(OutboxTest, WhatWasSaidOfADomainHoldsUntilItWasTold) {
  Outbox outbox;
  outbox.domain_changed({1, 2}, "a", {.died = true});
  outbox.domain_changed({1, 2}, "a", {.let_go = true});
  outbox.domain_changed({1, 2}, "a", {});
  EXPECT_EQ(take<DomainChanged>(outbox).news, (DomainNews{true, true}));
  outbox.domain_changed({1, 2}, "a", {});
  EXPECT_EQ(take<DomainChanged>(outbox).news, DomainNews{});
}

TEST(OutboxTest, AChangeAfterItWasToldIsToldAgain) {
  Outbox outbox;
  outbox.domain_changed({1, 2}, "a", {});
  take<DomainChanged>(outbox);
  outbox.domain_changed({1, 2}, "a", {});
  EXPECT_EQ(take<DomainChanged>(outbox).name, "a");
}

TEST(OutboxTest, ManyThreadsPutAndNothingIsLost) {
  constexpr unsigned kThreads = 4;
  constexpr unsigned kMessages = 1000;
  Outbox outbox;
  std::vector<std::jthread> threads;
  for (unsigned i = 0; i < kThreads; ++i)
    threads.emplace_back([&outbox, i] {
      for (unsigned k = 0; k < kMessages; ++k) {
        outbox.put(Result{k, Outcome::kDone, static_cast<std::int32_t>(i), "", 0});
        outbox.domain_changed({i, k}, "a", {});
      }
    });
  std::vector<std::uint64_t> next(kThreads, 0);
  unsigned changes = 0;
  while (changes < kThreads * kMessages || next != std::vector<std::uint64_t>(kThreads, kMessages)) {
    const bool empty = outbox.begin_wait();
    pollfd wait{outbox.fd(), POLLIN, 0};
    const int readable = ::poll(&wait, 1, empty ? 20'000 : 0);
    ASSERT_TRUE(readable == 1 || !empty);
    outbox.end_wait(readable == 1);
    while (const auto message = outbox.take()) {
      if (std::holds_alternative<DomainChanged>(*message)) ++changes;
      if (const auto* const result = std::get_if<Result>(&*message)) {
        EXPECT_EQ(result->request, next.at(static_cast<std::size_t>(result->libvirt_code))++);
      }
    }
  }
  EXPECT_EQ(changes, kThreads * kMessages);
}

}  // namespace
}  // namespace whawty
