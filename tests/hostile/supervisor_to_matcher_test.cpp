// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// A supervisor's channel that brings what no supervisor sends.
#include <fcntl.h>

#include "common/bounds.h"
#include "tests/hostile/matcher_test.h"

namespace whawty::hostile {
namespace {

struct Message {
  ControlMessage message;
  std::size_t descriptors = 0;
};

struct Nonsense {
  friend void PrintTo(const Nonsense& nonsense, std::ostream* out) { *out << nonsense.name; }

  const char* name;
  std::vector<Message> messages;
  std::string words;
};

const ConfigFile kMain{"config.yml", ""};
const ConfigFile kMachine{"machines.d/a.yml", "a"};

class HostileSupervisorTest : public MatcherTest, public testing::WithParamInterface<Nonsense> {};

TEST_P(HostileSupervisorTest, EndsTheMatcherWithOneLine) {
  configure({"a"});
  const Fd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  for (const Message& one : GetParam().messages)
    ASSERT_TRUE(supervisor().send(encode(one.message), std::vector<int>(one.descriptors, null.get())));
  expect_violation(GetParam().words);
}

INSTANTIATE_TEST_SUITE_P(
    All, HostileSupervisorTest,
    testing::Values(
        Nonsense{"MachineFirst", {{kMachine, 1}}, "configuration files out of order"},
        Nonsense{"TwoMainFiles", {{kMain, 1}, {kMain, 1}}, "configuration files out of order"},
        Nonsense{"CommitOfNothing", {{ConfigCommit{}}}, "a configuration without a file"},
        Nonsense{"FileWithoutDescriptor", {{kMain}}, "a descriptor too few or too many"},
        Nonsense{"FileWithTwoDescriptors", {{kMain, 2}}, "a datagram with more than one descriptor"},
        Nonsense{"FileWithTenDescriptors", {{kMain, 10}}, "a datagram with more than one descriptor"},
        Nonsense{
            "CommitWithDescriptor", {{kMain, 1}, {ConfigCommit{}, 1}}, "a descriptor too few or too many"},
        Nonsense{"PingWithDescriptor", {{Ping{}, 1}}, "a descriptor too few or too many"},
        Nonsense{"PingTwice", {{Ping{}}, {Ping{}}}, "a ping before the last one was answered"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST_F(MatcherTest, GarbageOfTheSupervisorEndsTheMatcherWithOneLine) {
  expect_end_by_garbage(kMatcherToSupervisor);
}

TEST_F(MatcherTest, MoreFilesThanThereMayBeEndTheMatcher) {
  configure({"a"});
  ASSERT_TRUE(offer("{}"));
  for (int i = 0; i < 1001 && offer("devices: []\n", "m" + std::to_string(i)); ++i) continue;
  expect_violation("too many configuration files");
}

constexpr std::size_t kMaxText = 1024 * 1024;  // bytes of one file

// A file of the administrator may be any nonsense, too: it is refused, and the matcher goes on.
class YamlBombTest : public MatcherTest,
                     public testing::WithParamInterface<std::pair<const char*, const char*>> {};

TEST_P(YamlBombTest, IsRefusedAndTheMatcherGoesOn) {
  configure({"a"});
  std::string yaml = GetParam().first;
  while (yaml.size() + std::string_view(GetParam().second).size() <= kMaxText) yaml += GetParam().second;
  ASSERT_TRUE(offer(yaml));
  ASSERT_TRUE(supervisor().send(encode(ConfigCommit{})));
  bool rejected = false;
  while (const auto datagram = supervisor().receive(rejected ? 100 : 10'000))
    rejected = rejected || std::holds_alternative<ConfigRejected>(decode_policy_message(*datagram));
  EXPECT_TRUE(rejected);
  EXPECT_EQ(matcher_.end(), kExitPeerClosed);
  EXPECT_EQ(matcher_.lines().size(), lines_before_ + 1);
  RecordProperty("growth_kib", static_cast<int>(matcher_.growth()));
}

INSTANTIATE_TEST_SUITE_P(All, YamlBombTest,
                         testing::Values(std::pair{"", "[["}, std::pair{"[", ",a"}, std::pair{"", "- -\n"},
                                         std::pair{"{", "a: b,"}, std::pair{"", "? "},
                                         std::pair{"machines: {a: {devices: [", "{bus: 1},"}));

}  // namespace
}  // namespace whawty::hostile
