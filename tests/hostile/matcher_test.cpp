// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "tests/hostile/matcher_test.h"

#include <sys/mman.h>
#include <unistd.h>

#include "common/bounds.h"

namespace whawty::hostile {

Device device(unsigned port) {
  return {"1-" + std::to_string(port),
          static_cast<std::uint16_t>(1 + port / 127),
          static_cast<std::uint16_t>(1 + port % 127),
          0x046d,
          0x0825,
          0,
          {0x03},
          {{"ID_SERIAL_SHORT", std::to_string(port)}},
          {"seat"},
          {"seat"},
          false,
          Digest{port, 0, 0, 0}};
}

Uuid uuid(std::uint64_t domain) {
  return {7, domain};
}

bool MatcherTest::offer(const std::string& content, const std::string& machine) {
  const Fd file(::memfd_create("config", MFD_CLOEXEC));
  return ::write(file.get(), content.data(), content.size()) == static_cast<ssize_t>(content.size()) &&
         supervisor().send(encode(ConfigFile{"config.yml", machine}), {file.get()});
}

void MatcherTest::configure(const std::vector<std::string>& machines) {
  std::string yaml = "interval: 1h\nmachines:\n";
  for (const std::string& machine : machines)
    yaml += "  " + machine + ":\n    devices: [{vendor-id: 0x046d}]\n";
  ASSERT_TRUE(offer(yaml));
  ASSERT_TRUE(supervisor().send(encode(ConfigCommit{})));
  ASSERT_TRUE(is_answered());
  lines_before_ = matcher_.lines().size();
}

bool MatcherTest::is_answered() {
  while (const auto datagram = supervisor().receive())
    if (std::holds_alternative<ConfigAccepted>(decode_policy_message(*datagram))) return true;
  return false;
}

void MatcherTest::tell_devices(const std::vector<Device>& devices) {
  ASSERT_TRUE(tell(SnapshotBegin{}));
  for (const Device& one : devices) ASSERT_TRUE(tell(one));
  ASSERT_TRUE(tell(SnapshotEnd{}));
}

void MatcherTest::tell_domains(const std::map<std::uint64_t, std::string>& domains) {
  const std::uint64_t id = expect<ListDomains>().id;
  for (const auto& [number, name] : domains) ASSERT_TRUE(tell(DomainListed{uuid(number), name, true}));
  ASSERT_TRUE(tell(Result{id, Outcome::kDone, 0, "", 1}));
}

std::jthread MatcherTest::serve(std::map<std::uint64_t, std::string> domains) {
  return std::jthread([this, domains = std::move(domains)](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const auto datagram = actuator().receive(50);
      if (!datagram) continue;
      const Request request = decode_request(*datagram);
      if (std::holds_alternative<ListDomains>(request.what))
        for (const auto& [number, name] : domains) tell(DomainListed{uuid(number), name, true});
      if (std::holds_alternative<DescribeDomain>(request.what))
        tell(XmlChunk{request.id, "<domain id='1'><devices/></domain>"});
      tell(Result{request.id, Outcome::kDone, 0, "", 1});
    }
  });
}

void MatcherTest::expect_service() {
  EXPECT_TRUE(offer("{}"));
  EXPECT_TRUE(supervisor().send(encode(ConfigCommit{})));
  EXPECT_TRUE(is_answered());
  EXPECT_EQ(matcher_.end(), kExitPeerClosed);
  EXPECT_LE(matcher_.growth(), kMaxGrowth);
  RecordProperty("growth_kib", static_cast<int>(matcher_.growth()));
}

void MatcherTest::expect_end_by_garbage(int channel) {
  for (const std::size_t length : {std::size_t{1}, std::size_t{7}, std::size_t{8}, std::size_t{16},
                                   std::size_t{1000}, std::size_t{4096}, kMaxDatagram}) {
    Datagram garbage(length);
    for (std::byte& byte : garbage) byte = static_cast<std::byte>(random_() >> 8);
    Worker matcher(WHAWTY_MATCHER, 3);
    ASSERT_TRUE(matcher.peer(channel).send(garbage));
    EXPECT_EQ(matcher.wait(), kExitFailure) << length;
    EXPECT_EQ(matcher.lines().size(), 1U) << length;
  }
}

void MatcherTest::expect_violation(const std::string& words) {
  EXPECT_EQ(matcher_.wait(), kExitFailure);
  const std::vector<std::string> lines = matcher_.lines();
  ASSERT_EQ(lines.size(), lines_before_ + 1) << testing::PrintToString(lines);
  EXPECT_THAT(lines.back(), testing::EndsWith("matcher: " + words));
  EXPECT_LE(matcher_.growth(), kMaxGrowth);
}

}  // namespace whawty::hostile
