// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "actuator/actuator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <latch>
#include <optional>
#include <stdexcept>
#include <thread>

#include "common/bounds.h"
#include "fake_hypervisor.h"
#include "fake_sysfs.h"
#include "protocol/violation.h"
#include "tests/eventually.h"

namespace whawty {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

constexpr Uuid kA{0x0123456789abcdef, 1};
constexpr Uuid kB{0x0123456789abcdef, 2};
constexpr Hostdev kWebcam = FakeSysfs::kHostdev;

// An actuator on a thread of its own; the test is its matcher.
class ActuatorTest : public testing::Test {
 protected:
  explicit ActuatorTest(Dispatcher<Uuid>::Patience patience = {1h, 1h})
      : ActuatorTest(Channel::pair(), patience) {}
  ~ActuatorTest() override { end(); }

  void send(std::uint64_t id, const decltype(Request::what)& what) {
    matcher_->send(encode(Request{id, what}));
  }

  // But for that it is awake.
  ActuatorMessage next() {
    ActuatorMessage message = next_of_all();
    while (std::holds_alternative<Awake>(message)) message = next_of_all();
    return message;
  }

  ActuatorMessage next_of_all() {
    Received received;
    while (!matcher_->receive(received)) {
      pollfd wait{matcher_->fd(), POLLIN, 0};
      if (::poll(&wait, 1, 20'000) == 0) throw std::runtime_error("the actuator says nothing");
    }
    return decode_actuator_message(received.datagram);
  }

  template <class Message>
  Message expect() {
    return std::get<Message>(next());
  }

  // How it ended: the words of the error, "violation: " before those of a violation; "peer closed" if that
  // was it.
  std::string end() {
    matcher_.reset();
    return ending();
  }
  std::string ending() {
    if (thread_.joinable()) thread_.join();
    return ending_;
  }

  std::variant<std::monostate, CallError> hang(std::atomic<std::size_t>& count) {
    ++count;
    released_.wait();
    return std::monostate{};
  }

  std::latch released_{1};  // what calls that hang wait for
  std::atomic<std::size_t> hanging_attaches_ = 0;
  std::atomic<std::size_t> hanging_detaches_ = 0;
  std::atomic<std::size_t> hanging_ = 0;
  const FakeSysfs sysfs_;
  const Digest meant_ = sysfs_.digest();
  const Limits limits_{AllowedDomains{}, DeviceCheck{sysfs_.open()}};
  FakeHypervisor hypervisor_;
  Outbox outbox_;
  std::optional<Channel> matcher_;

 private:
  ActuatorTest(std::pair<Fd, Fd> ends, Dispatcher<Uuid>::Patience patience)
      : matcher_(std::move(ends.first)),
        dispatcher_(call_rooms(), patience),
        own_end_(std::move(ends.second)) {}

  void SetUp() override {
    thread_ = std::thread([this] {
      try {
        Actuator(Channel(std::move(own_end_)), hypervisor_, outbox_, dispatcher_, limits_).serve();
      } catch (const PeerClosed&) {
        ending_ = "peer closed";
      } catch (const Violation& violation) {
        ending_ = std::string("violation: ") + violation.what();
      } catch (const std::runtime_error& error) {
        ending_ = error.what();
      }
    });
  }

  Dispatcher<Uuid> dispatcher_;
  Fd own_end_;
  std::string ending_;
  std::thread thread_;
};

TEST_F(ActuatorTest, AListIsADomainEachAndTheResult) {
  hypervisor_.on_list = [] { return std::vector<DomainListed>{{kA, "a", true}, {kB, "b", false}}; };
  send(7, ListDomains{});
  const auto first = expect<DomainListed>();
  EXPECT_EQ(first.uuid, kA);
  EXPECT_EQ(first.name, "a");
  EXPECT_TRUE(first.active);
  const auto second = expect<DomainListed>();
  EXPECT_EQ(second.name, "b");
  EXPECT_FALSE(second.active);
  const auto result = expect<Result>();
  EXPECT_EQ(result.request, 7U);
  EXPECT_EQ(result.outcome, Outcome::kDone);
}

TEST_F(ActuatorTest, ADomainWhoseNameNoMessageHoldsIsLeftOut) {
  hypervisor_.on_list = [] {
    return std::vector<DomainListed>{
        {kA, std::string(1025, 'x'), true}, {kA, "", true}, {kB, std::string(1024, 'y'), true}};
  };
  send(7, ListDomains{});
  EXPECT_EQ(expect<DomainListed>().uuid, kB);
  EXPECT_EQ(expect<Result>().outcome, Outcome::kDone);
}

TEST_F(ActuatorTest, ADescriptionComesInChunksUnread) {
  std::string xml(2 * kMaxXmlChunk + 1, 'x');
  xml.replace(0, 6, std::string("\0<&\xff\n>", 6));
  Uuid asked;
  hypervisor_.on_describe = [&](const Uuid& domain) {
    asked = domain;
    return xml;
  };
  send(8, DescribeDomain{kA});
  std::string heard;
  for (const std::size_t size : {kMaxXmlChunk, kMaxXmlChunk, std::size_t{1}}) {
    const auto chunk = expect<XmlChunk>();
    EXPECT_EQ(chunk.request, 8U);
    EXPECT_EQ(chunk.data.size(), size);
    heard += chunk.data;
  }
  EXPECT_EQ(expect<Result>().request, 8U);
  EXPECT_EQ(heard, xml);
  EXPECT_EQ(asked, kA);
}

TEST_F(ActuatorTest, ADescriptionOfEightMebibytesFitsAndALargerOneFails) {
  std::size_t size = kMaxXml;
  hypervisor_.on_describe = [&](const Uuid&) { return std::string(size, 'x'); };
  send(1, DescribeDomain{kA});
  std::size_t heard = 0;
  ActuatorMessage message;
  for (message = next(); std::holds_alternative<XmlChunk>(message); message = next())
    heard += std::get<XmlChunk>(message).data.size();
  EXPECT_EQ(std::get<Result>(message).outcome, Outcome::kDone);
  EXPECT_EQ(heard, kMaxXml);

  ++size;
  send(2, DescribeDomain{kA});
  const auto result = expect<Result>();
  EXPECT_EQ(result.outcome, Outcome::kFailed);
  EXPECT_THAT(result.message, HasSubstr("too large"));
}

TEST_F(ActuatorTest, AttachAndDetachPassTheNumbersOn) {
  std::vector<std::pair<Uuid, Hostdev>> attached;
  std::vector<std::pair<Uuid, Hostdev>> detached;
  hypervisor_.on_attach = [&](const Uuid& domain, const Hostdev& hostdev) {
    attached.emplace_back(domain, hostdev);
    return std::monostate{};
  };
  hypervisor_.on_detach = [&](const Uuid& domain, const Hostdev& hostdev) {
    detached.emplace_back(domain, hostdev);
    return std::monostate{};
  };
  send(1, AttachHostdev{kA, kWebcam, meant_});
  EXPECT_EQ(expect<Result>().outcome, Outcome::kDone);
  send(2, DetachHostdev{kB, {0, 0, 0x046d, 0x0825}});
  EXPECT_EQ(expect<Result>().outcome, Outcome::kDone);
  end();
  EXPECT_THAT(attached, ElementsAre(std::pair(kA, kWebcam)));
  EXPECT_THAT(detached, ElementsAre(std::pair(kB, Hostdev{0, 0, 0x046d, 0x0825})));
}

TEST_F(ActuatorTest, AFailureIsPassedOnInWordsCutToTheirBound) {
  hypervisor_.on_attach = [](const Uuid&, const Hostdev&) {
    return CallError{Outcome::kFailed, 38, std::string(2000, 'w')};
  };
  hypervisor_.on_describe = [](const Uuid&) { return CallError{Outcome::kNoDomain, 42, "no such domain"}; };
  hypervisor_.on_list = [] { return CallError{Outcome::kFailed, 1, "broken"}; };
  send(1, AttachHostdev{kA, kWebcam, meant_});
  auto result = expect<Result>();
  EXPECT_EQ(result.outcome, Outcome::kFailed);
  EXPECT_EQ(result.libvirt_code, 38);
  EXPECT_EQ(result.message, std::string(1024, 'w'));
  send(2, DescribeDomain{kA});
  result = expect<Result>();
  EXPECT_EQ(result.outcome, Outcome::kNoDomain);
  EXPECT_EQ(result.libvirt_code, 42);
  EXPECT_EQ(result.message, "no such domain");
  send(3, ListDomains{});
  result = expect<Result>();
  EXPECT_EQ(result.request, 3U);
  EXPECT_EQ(result.message, "broken");
}

TEST_F(ActuatorTest, AResultSaysHowLongTheCallTook) {
  hypervisor_.on_attach = [](const Uuid&, const Hostdev&) {
    std::this_thread::sleep_for(20ms);
    return std::monostate{};
  };
  send(1, AttachHostdev{kA, kWebcam, meant_});
  EXPECT_GE(expect<Result>().microseconds, 20'000U);
}

TEST_F(ActuatorTest, EventsArePassedOn) {
  outbox_.domain_changed(kB, "b", {});
  const auto changed = expect<DomainChanged>();
  EXPECT_EQ(changed.uuid, kB);
  EXPECT_EQ(changed.name, "b");
}

TEST_F(ActuatorTest, TheRequestsOfADomainRunInOrder) {
  std::vector<std::uint16_t> order;
  hypervisor_.on_detach = [&](const Uuid&, const Hostdev& hostdev) {
    order.push_back(hostdev.device);
    return std::monostate{};
  };
  for (std::uint16_t i = 1; i <= 60; ++i) send(i, DetachHostdev{kA, {3, i, 1, 1}});
  for (std::uint64_t i = 1; i <= 60; ++i) EXPECT_EQ(expect<Result>().request, i);
  end();
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
  EXPECT_THAT(order, SizeIs(60));
}

TEST_F(ActuatorTest, SixtyFourRequestsMayBeUnansweredAndNotOneMore) {
  hypervisor_.on_attach = [&](const Uuid&, const Hostdev&) { return hang(hanging_attaches_); };
  for (std::uint64_t i = 1; i <= kMaxRequestsInFlight; ++i) send(i, AttachHostdev{kA, kWebcam, meant_});
  // It answers nobody, but has read them all without complaint.
  outbox_.domain_changed(kB, "b", {});
  EXPECT_EQ(expect<DomainChanged>().name, "b");
  send(65, ListDomains{});
  EXPECT_EQ(ending(), "violation: more than 64 requests at a time");
  released_.count_down();
}

TEST_F(ActuatorTest, AnAnswerMakesRoomForARequest) {
  for (std::uint64_t i = 1; i <= 3 * kMaxRequestsInFlight; ++i) {
    send(i, ListDomains{});
    EXPECT_EQ(expect<Result>().request, i);
  }
  send(1, ListDomains{});
  EXPECT_EQ(expect<Result>().request, 1U) << "a number may come again once it was answered";
  EXPECT_EQ(end(), "peer closed");
}

TEST_F(ActuatorTest, TheNumberOfAnUnansweredRequestAgainIsAViolation) {
  hypervisor_.on_attach = [&](const Uuid&, const Hostdev&) { return hang(hanging_attaches_); };
  send(1, AttachHostdev{kA, kWebcam, meant_});
  send(1, ListDomains{});
  EXPECT_EQ(ending(), "violation: the number of an unanswered request again");
  released_.count_down();
}

TEST_F(ActuatorTest, ADescriptorIsAViolation) {
  matcher_->send(encode(Request{1, ListDomains{}}), Fd(::dup(STDERR_FILENO)));
  EXPECT_EQ(ending(), "violation: a request with a descriptor");
}

TEST_F(ActuatorTest, NonsenseIsAViolation) {
  matcher_->send(Datagram(24));
  EXPECT_THAT(ending(), HasSubstr("violation: "));
}

TEST_F(ActuatorTest, ItEndsWithTheGate) {
  outbox_.connection_lost(ConnectionEnd::kClosed);
  EXPECT_EQ(ending(), "peer closed");
}

TEST_F(ActuatorTest, ItEndsWhenLibvirtIsSilent) {
  outbox_.connection_lost(ConnectionEnd::kSilent);
  EXPECT_EQ(ending(), "the connection to libvirt is lost: it no longer answers");
}

TEST_F(ActuatorTest, ItEndsWithItsMatcher) {
  EXPECT_EQ(end(), "peer closed");
}

// Its calls are stuck as soon as it looks.
class StalledActuatorTest : public ActuatorTest {
 protected:
  StalledActuatorTest() : ActuatorTest({0s, 1h}) {}
};

TEST_F(StalledActuatorTest, AStuckGuestIsReportedRefusedAndInNobodysWay) {
  hypervisor_.on_attach = [&](const Uuid& domain, const Hostdev&) {
    if (domain == kA) released_.wait();
    return std::monostate{};
  };
  send(1, AttachHostdev{kA, kWebcam, meant_});
  EXPECT_EQ(expect<DomainStalled>().uuid, kA);
  send(2, AttachHostdev{kA, kWebcam, meant_});
  const auto refused = expect<Result>();
  EXPECT_EQ(refused.request, 2U);
  EXPECT_EQ(refused.outcome, Outcome::kStalled);
  send(3, AttachHostdev{kB, kWebcam, meant_});
  ActuatorMessage message = next();
  if (std::holds_alternative<DomainStalled>(message)) message = next();  // caught while it ran
  EXPECT_EQ(std::get<Result>(message).request, 3U);
  EXPECT_EQ(std::get<Result>(message).outcome, Outcome::kDone);
  released_.count_down();
  EXPECT_EQ(expect<Result>().request, 1U);
}

// Attaches hang in four domains, as many as wish to; the test asks for what others need.
class CrowdedActuatorTest : public ActuatorTest {
 protected:
  static constexpr Uuid kOther{1, 1};

  explicit CrowdedActuatorTest(Dispatcher<Uuid>::Patience patience = {1h, 1h}) : ActuatorTest(patience) {
    hypervisor_.on_attach = [&](const Uuid&, const Hostdev&) { return hang(hanging_attaches_); };
  }
  ~CrowdedActuatorTest() override {
    if (!released_.try_wait()) released_.count_down();
  }

  void let_attaches_hang() {
    for (std::uint64_t i = 1; i <= 4; ++i) send(i, AttachHostdev{{0, i}, kWebcam, meant_});
    ASSERT_TRUE(eventually([&] { return hanging_attaches_ == call_rooms()[kAttaches].places; }));
  }

  // The next result, whatever else is told before it.
  Result result() {
    ActuatorMessage message = next();
    while (!std::holds_alternative<Result>(message)) message = next();
    return std::get<Result>(message);
  }
};

TEST_F(CrowdedActuatorTest, DetachesListsAndDescriptionsOfOthersAreAnsweredWhileAttachesHang) {
  let_attaches_hang();
  send(11, DetachHostdev{kOther, kWebcam});
  EXPECT_EQ(result().request, 11U);
  send(12, ListDomains{});
  EXPECT_EQ(result().request, 12U);
  send(13, DescribeDomain{kOther});
  EXPECT_EQ(result().request, 13U);
  send(14, Ping{});
  EXPECT_EQ(result().request, 14U);
  EXPECT_EQ(hanging_attaches_, call_rooms()[kAttaches].places);
  released_.count_down();
  for (int i = 1; i <= 4; ++i) EXPECT_EQ(result().outcome, Outcome::kDone);
}

TEST_F(CrowdedActuatorTest, ListsAndDescriptionsAreAnsweredWhileADetachHangsToo) {
  hypervisor_.on_detach = [&](const Uuid&, const Hostdev&) { return hang(hanging_detaches_); };
  let_attaches_hang();
  send(10, DetachHostdev{{0, 10}, kWebcam});
  ASSERT_TRUE(eventually([&] { return hanging_detaches_ == 1; }));
  send(12, ListDomains{});
  EXPECT_EQ(result().request, 12U);
  send(13, DescribeDomain{{0, 13}});
  EXPECT_EQ(result().request, 13U);
}

// libvirt 11 describes a guest when all else that it does with it has ended, or refuses after 30 s.
TEST_F(CrowdedActuatorTest, ListsAttachesAndDetachesOfOthersAreAnsweredWhileDescriptionsHang) {
  std::atomic<std::size_t> hanging = 0;
  hypervisor_.on_describe = [&](const Uuid& domain) -> std::variant<std::string, CallError> {
    hang(hanging);
    return concat("<domain id='", domain.low, "'/>");
  };
  hypervisor_.on_attach = [](const Uuid&, const Hostdev&) { return std::monostate{}; };
  for (std::uint64_t i = 1; i <= 8; ++i) send(i, DescribeDomain{{0, i}});
  ASSERT_TRUE(eventually([&] { return hanging == call_rooms()[kDescriptions].places; }));
  send(11, ListDomains{});
  EXPECT_EQ(result().request, 11U);
  send(12, AttachHostdev{kOther, kWebcam, meant_});
  EXPECT_EQ(result().request, 12U);
  send(13, DetachHostdev{kOther, kWebcam});
  EXPECT_EQ(result().request, 13U);
  EXPECT_EQ(hanging, call_rooms()[kDescriptions].places);
  released_.count_down();
  for (int i = 1; i <= 8; ++i) EXPECT_EQ(result().outcome, Outcome::kDone);
}

// libvirtd reads no more of the connection while it is at work on five calls: not even a keepalive.
TEST_F(CrowdedActuatorTest, HoweverManyGuestsHangAListIsAnswered) {
  hypervisor_.on_describe = [&](const Uuid&) -> std::variant<std::string, CallError> {
    hang(hanging_);
    return std::string("<domain/>");
  };
  hypervisor_.on_detach = [&](const Uuid&, const Hostdev&) { return hang(hanging_); };
  hypervisor_.on_attach = [&](const Uuid&, const Hostdev&) { return hang(hanging_); };
  for (std::uint64_t i = 1; i < 24; i += 3) {
    send(i, DescribeDomain{{0, i}});
    send(i + 1, AttachHostdev{{1, i}, kWebcam, meant_});
    send(i + 2, DetachHostdev{{2, i}, kWebcam});
  }
  ASSERT_TRUE(eventually([&] { return hanging_ == 4; }));
  send(40, ListDomains{});
  EXPECT_EQ(result().request, 40U);
  EXPECT_EQ(hanging_, 4U);
}

// What waits longer than 50 ms is refused; what stands still for 1.2 s is blocked.
class BlockedActuatorTest : public CrowdedActuatorTest {
 protected:
  BlockedActuatorTest() : CrowdedActuatorTest({50ms, 1200ms}) {}

  // Asks again and again, as a matcher does, but not for ever.
  void ask_on(std::uint64_t id) {
    while (refusals_ < 10) {
      send(id, AttachHostdev{kOther, kWebcam, meant_});
      Result refused = result();
      while (refused.request != id) refused = result();
      ++refusals_;
      ASSERT_EQ(refused.outcome, Outcome::kStalled);
    }
  }

  unsigned refusals_ = 0;
};

TEST_F(BlockedActuatorTest, WhatFindsNoRoomIsRefusedAndTheEndComesWhenNothingMoves) {
  let_attaches_hang();
  EXPECT_THROW(ask_on(10), PeerClosed);
  EXPECT_EQ(end(), "requests wait for calls that hang, and none has returned for too long: ending");
  EXPECT_LE(refusals_, 9U) << "each has waited for 50 ms or longer";
}

TEST_F(BlockedActuatorTest, OneGuestThatIsStuckEndsNothing) {
  send(1, AttachHostdev{kA, kWebcam, meant_});
  EXPECT_EQ(expect<DomainStalled>().uuid, kA);
  std::uint64_t id = 2;
  const auto until = std::chrono::steady_clock::now() + 300ms;
  while (std::chrono::steady_clock::now() < until) {
    send(++id, AttachHostdev{kA, kWebcam, meant_});
    EXPECT_EQ(result().outcome, Outcome::kStalled);
    send(++id, DetachHostdev{kB, kWebcam});
    EXPECT_EQ(result().outcome, Outcome::kDone);
  }
  EXPECT_EQ(end(), "peer closed");
}

TEST_F(ActuatorTest, ItSaysThatItWokeBeforeWhatItWokeForAndOnceForEachPing) {
  for (std::uint64_t ping = 1; ping <= 2; ++ping) {
    for (const bool is_first : {true, false}) {
      outbox_.domain_changed(kA, "a", {});
      if (is_first) {
        EXPECT_TRUE(std::holds_alternative<Awake>(next_of_all()));
      }
      EXPECT_TRUE(std::holds_alternative<DomainChanged>(next_of_all()));
    }
    send(ping, Ping{});
    EXPECT_TRUE(std::holds_alternative<Result>(next_of_all()))
        << "what it is asked for it does not wake by itself";
  }
}

TEST_F(ActuatorTest, AMatcherThatDoesNotReadIsWaitedForAndMissesNothing) {
  const std::string xml(1024 * 1024, 'x');
  hypervisor_.on_describe = [&](const Uuid&) { return xml; };
  for (std::uint64_t i = 1; i <= 8; ++i) send(i, DescribeDomain{{0, i}});
  std::size_t heard = 0;
  for (int results = 0; results < 8;) {
    const ActuatorMessage message = next();
    if (const auto* const chunk = std::get_if<XmlChunk>(&message)) heard += chunk->data.size();
    if (std::holds_alternative<Result>(message)) ++results;
  }
  EXPECT_EQ(heard, 8 * xml.size());
}

}  // namespace
}  // namespace whawty
