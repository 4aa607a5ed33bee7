// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// A matcher that has been taken over, and a scanner and an actuator that are not to be. The host is made of
// files, the libvirt of memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <random>

#include "common/bounds.h"
#include "common/exit_code.h"
#include "common/sysfs.h"
#include "common/text.h"
#include "protocol/actuator_to_matcher.h"
#include "protocol/matcher_to_actuator.h"
#include "protocol/matcher_to_scanner.h"
#include "protocol/scanner_to_matcher.h"
#include "tests/hostile/worker.h"
#include "tests/scanner/fake_host.h"
#include "tests/system/libvirt.h"

namespace whawty::hostile {
namespace {

using namespace std::chrono_literals;
using testing::EndsWith;

void expect_one_line(const Worker& worker, std::size_t before, const std::string& words) {
  const std::vector<std::string> lines = worker.lines();
  ASSERT_EQ(lines.size(), before + 1) << testing::PrintToString(lines);
  EXPECT_THAT(lines.back(), EndsWith(words));
}

Datagram with_byte(Datagram datagram, std::size_t at, unsigned char value) {
  datagram.at(at) = static_cast<std::byte>(value);
  return datagram;
}

// What ends either at once, and its last words.
struct Nonsense {
  friend void PrintTo(const Nonsense& nonsense, std::ostream* out) { *out << nonsense.name; }

  const char* name;
  Datagram datagram;
  std::vector<int> descriptors;
  std::string words;
};

std::string name_of(const testing::TestParamInfo<Nonsense>& test) {
  return test.param.name;
}

class HostileMatcherTest : public testing::Test {
 protected:
  fake::Host host_;
};

class ScannerNonsenseTest : public HostileMatcherTest, public testing::WithParamInterface<Nonsense> {};

TEST_P(ScannerNonsenseTest, EndsTheScannerWithOneLine) {
  Worker scanner(WHAWTY_SCANNER, 1);
  ASSERT_TRUE(scanner.peer(kScannerToMatcher).send(GetParam().datagram, GetParam().descriptors));
  EXPECT_EQ(scanner.wait(), kExitFailure);
  expect_one_line(scanner, 0, "scanner: " + GetParam().words);
}

INSTANTIATE_TEST_SUITE_P(
    All, ScannerNonsenseTest,
    testing::Values(
        Nonsense{"Garbage", Datagram(1000, std::byte{0x5a}), {}, "a message of more than one segment"},
        Nonsense{"Short", Datagram(3), {}, "a datagram shorter than its frame"},
        Nonsense{"Long", Datagram(kMaxDatagram + 1), {}, "a datagram longer than 64 KiB"},
        Nonsense{"UnknownKind",
                 with_byte(encode(ScanRequest::kRescan), 16, 4),
                 {},
                 "a scan request of an unknown kind"},
        Nonsense{"NoKind",
                 with_byte(encode(ScanRequest::kRescan), 16, 0),
                 {},
                 "a scan request of an unknown kind"},
        Nonsense{"Descriptor", encode(ScanRequest::kRescan), {0}, "a request with a descriptor"},
        Nonsense{"TwoDescriptors",
                 encode(ScanRequest::kRescan),
                 {0, 0},
                 "a datagram with more than one descriptor"}),
    name_of);

// 350 devices of 18 KiB, and requests that nobody waits for the answers of.
TEST_F(HostileMatcherTest, AFloodOfRescansThatNobodyReadsIsHeldUp) {
  Worker scanner(WHAWTY_SCANNER, 1);
  for (unsigned i = 1; i <= 350; ++i) {
    fake::UsbDevice device = fake::device("d" + std::to_string(i), i / 127 + 1, i % 127 + 1);
    device.database = "E:A=" + std::string(18'000, 'x') + "\n";
    host_.plug(device);
  }
  const auto end = std::chrono::steady_clock::now() + 2s;
  int sent = 0;
  while (std::chrono::steady_clock::now() < end)
    sent += scanner.peer(kScannerToMatcher).send(encode(ScanRequest::kRescan), {}, 50) ? 1 : 0;
  EXPECT_TRUE(scanner.runs());
  EXPECT_GT(sent, 0);
  // Then it reads after all: the messages that waited are whole snapshots.
  int snapshots = 0;
  while (snapshots < 3) {
    const auto datagram = scanner.peer(kScannerToMatcher).receive();
    ASSERT_TRUE(datagram);
    snapshots += std::holds_alternative<SnapshotEnd>(decode_scanner_message(*datagram)) ? 1 : 0;
  }
  EXPECT_EQ(scanner.end(), kExitPeerClosed);
  EXPECT_EQ(scanner.lines().size(), 0U);
  EXPECT_LE(scanner.growth(), kMaxGrowth);
  EXPECT_GT(scanner.growth(), 6 * 1024) << "it never held the devices";
  RecordProperty("growth_kib", static_cast<int>(scanner.growth()));
}

// Of three domains the actuator may change these two.
constexpr Uuid kOne{fake::Libvirt::kUuids, 1};
constexpr Uuid kTwo{fake::Libvirt::kUuids, 2};

// With one device, as the actuator finds it by its number.
class HostileMatcherOfActuatorTest : public HostileMatcherTest {
 protected:
  HostileMatcherOfActuatorTest() {
    host_.plug(fake::device("3-5", 3, 5));
    host_.write_attribute("3-5", "descriptors", "descriptors");
    digest_ = digest_of(*SysfsDirectory::open("/sys/dev/char/189:260")).value();
    for (const char* const name : {"one", "two", "three"}) libvirt_.define(name);
    libvirt_.start();
  }

  Request random_request(std::uint64_t id) {
    const Uuid domain{random_() % 8 == 0 ? random_() : kOne.high, random_() % 5};
    Hostdev hostdev = kDevice;
    if (random_() % 2 != 0)
      hostdev = {static_cast<std::uint16_t>(1 + random_() % 999),
                 static_cast<std::uint16_t>(1 + random_() % 127),
                 static_cast<std::uint16_t>(1 + random_() % 0xffff), static_cast<std::uint16_t>(random_())};
    switch (random_() % 5) {
      case 0:
        return {id, ListDomains{}};
      case 1:
        return {id, DescribeDomain{domain}};
      case 2: {
        const Digest digest = random_() % 4 != 0 ? digest_ : Digest{};
        const bool possible = (domain == kOne || domain == kTwo) && hostdev == kDevice;
        possible_attaches_ += possible && digest == digest_ ? 1 : 0;
        return {id, AttachHostdev{domain, hostdev, digest}};
      }
      case 3:
        return {id, DetachHostdev{domain, hostdev}};
      default:
        return {id, Ping{}};
    }
  }

  static constexpr Hostdev kDevice{3, 5, 0x046d, 0x0825};
  fake::Libvirt libvirt_{"/run/libvirt"};
  Digest digest_{};
  int possible_attaches_ = 0;  // among the random requests
  std::minstd_rand random_{13};
};

const std::vector<std::string> kArguments{"--connect", "scripted:/run/libvirt", "--domain", "one",
                                          "--domain",  to_string(kTwo)};

class ActuatorNonsenseTest : public HostileMatcherOfActuatorTest,
                             public testing::WithParamInterface<Nonsense> {};

TEST_P(ActuatorNonsenseTest, EndsTheActuatorWithOneLineAndNoCall) {
  Worker actuator(WHAWTY_ACTUATOR, 2, kArguments);
  ASSERT_TRUE(actuator.peer(kActuatorToMatcher).send(GetParam().datagram, GetParam().descriptors));
  EXPECT_EQ(actuator.wait(), kExitFailure);
  expect_one_line(actuator, 1, "actuator: " + GetParam().words);  // after "connected"
  EXPECT_THAT(libvirt_.calls(), testing::IsEmpty());
}

Datagram attach_of(const Hostdev& hostdev) {
  return encode(Request{1, AttachHostdev{kOne, hostdev, {}}});
}
Datagram detach_of(const Hostdev& hostdev) {
  return encode(Request{1, DetachHostdev{kOne, hostdev}});
}

INSTANTIATE_TEST_SUITE_P(
    All, ActuatorNonsenseTest,
    testing::Values(
        Nonsense{"Garbage", Datagram(1000, std::byte{0x5a}), {}, "a message of more than one segment"},
        Nonsense{"Short", Datagram(7), {}, "a datagram shorter than its frame"},
        Nonsense{"Long", Datagram(kMaxDatagram + 1), {}, "a datagram longer than 64 KiB"},
        // The kind stands behind the frame, the root pointer and the id.
        Nonsense{"UnknownKind",
                 with_byte(encode(Request{1, ListDomains{}}), 24, 9),
                 {},
                 "a request of an unknown kind"},
        Nonsense{"Descriptor", encode(Request{1, ListDomains{}}), {0}, "a request with a descriptor"},
        Nonsense{"Bus", attach_of({1000, 5, 1, 1}), {}, "a bus or device number out of bounds"},
        Nonsense{"Number", attach_of({3, 128, 1, 1}), {}, "a bus or device number out of bounds"},
        Nonsense{"NumberOfDetach", detach_of({3, 128, 0, 0}), {}, "a bus or device number out of bounds"},
        Nonsense{
            "NoBus", detach_of({0, 5, 1, 1}), {}, "a bus without a device number, or the other way round"},
        Nonsense{
            "NoVendor", attach_of({3, 5, 0, 0}), {}, "an attach request that does not say all of its device"},
        Nonsense{"ProductAlone", detach_of({3, 5, 0, 1}), {}, "a product without its vendor"},
        Nonsense{"Nothing", detach_of({0, 0, 0, 0}), {}, "a detach request that says nothing of its device"}),
    name_of);

TEST_F(HostileMatcherOfActuatorTest, ANumberThatIsNotAnsweredYetEndsTheActuator) {
  Worker actuator(WHAWTY_ACTUATOR, 2, kArguments);
  for (int i = 0; i < 1000; ++i) actuator.peer(kActuatorToMatcher).send(encode(Request{7, ListDomains{}}));
  EXPECT_EQ(actuator.wait(), kExitFailure);
  expect_one_line(actuator, 1, "actuator: the number of an unanswered request again");
}

// A million of the requests that it takes, as fast as it takes them, with none more unanswered than there may
// be: what it does not do within three seconds it has been kept from.
TEST_F(HostileMatcherOfActuatorTest, AMillionRequestsAreLimitedAndTouchNoOtherDomain) {
  Worker actuator(WHAWTY_ACTUATOR, 2, kArguments);
  const auto begin = std::chrono::steady_clock::now();
  const auto seconds = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  std::uint64_t sent = 0;
  std::uint64_t answered = 0;
  while (sent < 1'000'000 && seconds() < 3) {
    if (sent - answered < kMaxRequestsInFlight - 1) {
      ASSERT_TRUE(actuator.peer(kActuatorToMatcher).send(encode(random_request(++sent))));
      continue;
    }
    const auto datagram = actuator.peer(kActuatorToMatcher).receive();
    ASSERT_TRUE(datagram);
    answered += std::holds_alternative<Result>(decode_actuator_message(*datagram)) ? 1 : 0;
  }
  // A burst of 1,000, and 500 a second.
  EXPECT_LE(static_cast<double>(answered), 1000 + 500 * seconds() + 1);
  EXPECT_GE(answered, 1000U);
  EXPECT_TRUE(actuator.runs());
  EXPECT_EQ(actuator.end(), kExitPeerClosed);
  EXPECT_EQ(actuator.lines().size(), 1U);
  EXPECT_LE(actuator.growth(), kMaxGrowth);
  RecordProperty("growth_kib", static_cast<int>(actuator.growth()));
  RecordProperty("answered", static_cast<int>(answered));
  int attaches = 0;
  int detaches = 0;
  for (const std::string& call : libvirt_.calls()) {
    EXPECT_THAT(call, testing::MatchesRegex("list|(describe|name) (one|two|three|nobody)|"
                                            "attach (one|two) 003/005 046d:0825|"
                                            "detach (one|two) [0-9]{3}/[0-9]{3} [0-9a-f]{4}:[0-9a-f]{4}"));
    attaches += call.starts_with("attach") ? 1 : 0;
    detaches += call.starts_with("detach") ? 1 : 0;
  }
  EXPECT_GT(attaches, 0);
  EXPECT_LE(attaches, possible_attaches_);
  EXPECT_GT(detaches, 0);
}

// It, or a scanner that it believes, names a hub, and a device that the host has not authorized: with all
// four numbers and the digest right.
TEST_F(HostileMatcherOfActuatorTest, NoHubAndNothingThatIsNotAuthorizedIsHandedOver) {
  for (const auto& [attribute, bad, good] :
       {std::tuple{"authorized", "0", "1"}, std::tuple{"maxchild", "4", "0"}}) {
    host_.write_attribute("3-5", attribute, bad);
    Worker actuator(WHAWTY_ACTUATOR, 2, kArguments);
    ASSERT_TRUE(
        actuator.peer(kActuatorToMatcher).send(encode(Request{1, AttachHostdev{kOne, kDevice, digest_}})));
    const auto awake = actuator.peer(kActuatorToMatcher).receive();
    ASSERT_TRUE(awake);
    EXPECT_TRUE(std::holds_alternative<Awake>(decode_actuator_message(*awake)));
    const auto datagram = actuator.peer(kActuatorToMatcher).receive();
    ASSERT_TRUE(datagram);
    const Result result = std::get<Result>(decode_actuator_message(*datagram));
    EXPECT_EQ(result.outcome, Outcome::kOtherDevice) << attribute;
    EXPECT_EQ(result.message, "the device is a hub, or the host has not authorized it");
    EXPECT_EQ(actuator.end(), kExitPeerClosed);
    host_.write_attribute("3-5", attribute, good);
  }
  EXPECT_THAT(libvirt_.changes(), testing::IsEmpty());
}

// Nobody reads the answers: then no more requests are taken than there may be unanswered.
TEST_F(HostileMatcherOfActuatorTest, AnswersThatNobodyReadsTakeNoMemory) {
  Worker actuator(WHAWTY_ACTUATOR, 2, kArguments);
  const auto end = std::chrono::steady_clock::now() + 2s;
  for (std::uint64_t id = 1; std::chrono::steady_clock::now() < end; ++id)
    if (!actuator.peer(kActuatorToMatcher).send(encode(Request{id, ListDomains{}}), {}, 50)) break;
  actuator.end();
  EXPECT_LE(actuator.growth(), kMaxGrowth);
  EXPECT_LE(libvirt_.calls().size(), 3000U);
}

}  // namespace
}  // namespace whawty::hostile
