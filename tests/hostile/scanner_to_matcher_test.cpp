// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// A scanner that has been taken over, and a matcher that is not to be.
#include <chrono>
#include <functional>

#include "common/bounds.h"
#include "tests/hostile/matcher_test.h"

namespace whawty::hostile {
namespace {

using namespace std::chrono_literals;

class HostileScannerTest : public MatcherTest {
 protected:
  // Sends as fast as it is taken, for two seconds.
  void flood(const std::function<ScannerMessage(unsigned)>& message) {
    const auto end = std::chrono::steady_clock::now() + 2s;
    for (unsigned i = 0; std::chrono::steady_clock::now() < end; ++i)
      if (!tell(message(i))) return;
  }
};

// What ends the matcher at once: what is sent, and its last words.
struct Nonsense {
  friend void PrintTo(const Nonsense& nonsense, std::ostream* out) { *out << nonsense.name; }

  const char* name;
  std::vector<Datagram> datagrams;
  std::string words;
};

std::vector<Datagram> encoded(const std::vector<ScannerMessage>& messages) {
  std::vector<Datagram> datagrams;
  for (const ScannerMessage& message : messages) datagrams.push_back(encode(message));
  return datagrams;
}

std::vector<Nonsense> all_nonsense() {
  Datagram unknown = encode(ScannerMessage{Pong{}});
  unknown[16] = std::byte{0x77};
  return {
      {"SnapshotInSnapshot", encoded({SnapshotBegin{}, SnapshotBegin{}}), "a snapshot inside a snapshot"},
      {"EndWithoutBegin", encoded({SnapshotEnd{}}), "the end of a snapshot that has not begun"},
      {"RemovalInSnapshot", encoded({SnapshotBegin{}, DeviceRemoved{"1-1"}}), "a removal inside a snapshot"},
      {"PongWithoutPing", encoded({Pong{}}), "an answer to no ping"},
      {"DeviceTwiceInSnapshot", encoded({SnapshotBegin{}, device(1), device(1)}),
       "a device twice in a snapshot"},
      {"UnknownKind", {unknown}, "a scanner message of an unknown kind"},
      {"TwoSegments", {Datagram(16, std::byte{1})}, "a message of more than one segment"},
      {"NotItsLength", {Datagram(16)}, "a message whose length is not its datagram's"},
      {"TooLong", {Datagram(kMaxDatagram + 1)}, "a datagram longer than 64 KiB"},
  };
}

class ScannerNonsenseTest : public HostileScannerTest, public testing::WithParamInterface<Nonsense> {};

TEST_P(ScannerNonsenseTest, EndsTheMatcherWithOneLine) {
  configure({"a"});
  for (const Datagram& datagram : GetParam().datagrams) ASSERT_TRUE(scanner().send(datagram));
  expect_violation(GetParam().words);
}

INSTANTIATE_TEST_SUITE_P(All, ScannerNonsenseTest, testing::ValuesIn(all_nonsense()),
                         [](const auto& test) { return std::string(test.param.name); });

TEST_F(HostileScannerTest, GarbageEndsTheMatcherWithOneLine) {
  expect_end_by_garbage(kMatcherToScanner);
}

TEST_F(HostileScannerTest, ARecordOfAnyOtherSizeEndsTheMatcher) {
  const Datagram record = encode(ScannerMessage{device(1)});
  for (std::size_t length = 1; length <= record.size() + 8; ++length) {
    if (length == record.size()) continue;
    Datagram other = record;
    other.resize(length);
    Worker matcher(WHAWTY_MATCHER, 3);
    ASSERT_TRUE(matcher.peer(kMatcherToScanner).send(other));
    ASSERT_EQ(matcher.wait(), kExitFailure) << length;
    ASSERT_EQ(matcher.lines().size(), 1U) << length;
  }
}

TEST_F(HostileScannerTest, ADescriptorEndsTheMatcher) {
  ASSERT_TRUE(scanner().send(encode(ScannerMessage{SnapshotBegin{}}), {0}));
  expect_violation("a message with a descriptor");
}

TEST_F(HostileScannerTest, OneDeviceMoreThanThereMayBeEndsTheMatcher) {
  configure({"a"});
  tell_devices({});
  for (unsigned port = 0; port < kMaxDevices; ++port) ASSERT_TRUE(tell(device(port)));
  EXPECT_TRUE(matcher_.runs());
  tell(device(kMaxDevices));
  expect_violation("more than 4096 devices");
}

// The kinds of devices that take the most memory for the least that is counted.
Device large(unsigned port, std::size_t properties, std::size_t length) {
  Device large = device(port);
  large.properties.clear();
  for (std::size_t i = 0; i < properties; ++i)
    large.properties.push_back({std::to_string(10'000 + i), std::string(length, '\xff')});
  return large;
}

class MemoryTest : public HostileScannerTest,
                   public testing::WithParamInterface<std::pair<std::size_t, std::size_t>> {};

TEST_P(MemoryTest, DevicesTakeNoMoreThanTheirBudget) {
  configure({"a"});
  const auto& [properties, length] = GetParam();
  const std::size_t budget = kMaxFootprint / footprint(large(0, properties, length));
  // A whole snapshot of the old devices, and then another of new ones: until it ends, both are there.
  ASSERT_TRUE(tell(SnapshotBegin{}));
  for (unsigned i = 0; i < budget; ++i) ASSERT_TRUE(tell(large(i, properties, length)));
  ASSERT_TRUE(tell(SnapshotEnd{}));
  ASSERT_TRUE(tell(SnapshotBegin{}));
  for (unsigned i = 0; i < budget - 1; ++i) ASSERT_TRUE(tell(large(10'000 + i, properties, length)));
  ASSERT_TRUE(supervisor().send(encode(Ping{})));  // it has a turn when all before it have been read
  EXPECT_TRUE(matcher_.runs());
  for (unsigned i = 0; i < 4 && tell(large(20'000 + i, properties, length)); ++i) continue;
  expect_violation("devices that take more than 8 MiB");
  RecordProperty("growth_kib", static_cast<int>(matcher_.growth()));
}

INSTANTIATE_TEST_SUITE_P(Shapes, MemoryTest,
                         testing::Values(std::pair{32, 0}, std::pair{1, 30'000}, std::pair{513, 0},
                                         std::pair{513, 16}, std::pair{900, 24}));

TEST_F(HostileScannerTest, ASnapshotOfMoreThanTheBudgetEndsTheMatcher) {
  configure({"a"});
  ASSERT_TRUE(tell(SnapshotBegin{}));
  // Within what two snapshots may take together.
  for (unsigned i = 0; i < kMaxFootprint / 20'000; ++i) ASSERT_TRUE(tell(large(i, 1, 30'000)));
  tell(SnapshotEnd{});
  expect_violation("devices that take more than 8 MiB");
}

TEST_F(HostileScannerTest, AFloodOfChangesIsServedAndNothingElseStops) {
  configure({"a", "b"});
  const std::jthread actuator = serve({{1, "a"}, {2, "b"}});
  tell_devices({});
  flood([](unsigned i) -> ScannerMessage {
    Device changed = device(i % 64);
    changed.number = static_cast<std::uint16_t>(1 + i % 127);
    if (i % 3 == 0) return DeviceRemoved{changed.sysname};
    return changed;
  });
  expect_service();
}

TEST_F(HostileScannerTest, AFloodOfSnapshotsIsServedAndNothingElseStops) {
  configure({"a"});
  const std::jthread actuator = serve({{1, "a"}});
  flood([](unsigned i) -> ScannerMessage {
    if (i % 100 == 0) return SnapshotBegin{};
    if (i % 100 == 99) return SnapshotEnd{};
    return device(i % 4000);
  });
  expect_service();
}

TEST_F(HostileScannerTest, AllDevicesThatTwoMachinesWantAreNoBurden) {
  configure({"a", "b"});
  const std::jthread actuator = serve({{1, "a"}, {2, "b"}});
  std::vector<Device> devices;
  for (unsigned port = 0; port < kMaxDevices; ++port) devices.push_back(device(port));
  tell_devices(devices);
  for (unsigned i = 0; i < 20; ++i) ASSERT_TRUE(tell(device(i)));
  const auto begin = std::chrono::steady_clock::now();
  expect_service();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
}

// One address for many ports: whichever of them is meant, requests stay few.
TEST_F(HostileScannerTest, ForgedDuplicatesAreAskedForNowAndThenOnly) {
  configure({"a"});
  std::vector<Device> devices;
  for (unsigned port = 0; port < 200; ++port) {
    devices.push_back(device(port));
    devices.back().bus = devices.back().number = 1;
  }
  tell_devices(devices);
  tell_domains({{1, "a"}});
  const auto end = std::chrono::steady_clock::now() + 1s;
  int attaches = 0;
  while (std::chrono::steady_clock::now() < end) {
    const auto datagram = actuator().receive(50);
    if (!datagram) continue;
    const Request request = decode_request(*datagram);
    attaches += std::holds_alternative<AttachHostdev>(request.what) ? 1 : 0;
    if (std::holds_alternative<DescribeDomain>(request.what))
      tell(XmlChunk{request.id, "<domain id='1'><devices/></domain>"});
    tell(Result{request.id, Outcome::kDone, 0, "", 1});
  }
  EXPECT_GT(attaches, 0);
  EXPECT_LE(attaches, 64);
  expect_service();
}

TEST_F(HostileScannerTest, SilenceIsNoLifeButHarmsNothing) {
  configure({"a"});
  const std::jthread actuator = serve({{1, "a"}});
  ASSERT_TRUE(supervisor().send(encode(Ping{})));
  while (const auto datagram = supervisor().receive(500))
    EXPECT_FALSE(std::holds_alternative<Pong>(decode_policy_message(*datagram)));
  expect_service();
}

}  // namespace
}  // namespace whawty::hostile
