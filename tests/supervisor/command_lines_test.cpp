// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// What the supervisor writes is what a worker reads.
#include "supervisor/command_lines.h"

#include <getopt.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "common/descriptors.h"
#include "common/text.h"
#include "common/worker.h"

namespace whawty {
namespace {

using testing::IsEmpty;

WorkerOptions parsed(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "worker");
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  ::optind = 0;  // getopt(3) begins anew
  return parse_worker_options(static_cast<int>(arguments.size()), pointers.data());
}

const WorkerSettings kPlain{"qemu:///system", {}, true, false};

TEST(CommandLines, WhatIsUsualIsNotSaid) {
  EXPECT_THAT(scanner_arguments(kPlain), IsEmpty());
  EXPECT_THAT(matcher_arguments(kPlain), IsEmpty());
  const WorkerOptions options = parsed(actuator_arguments(kPlain));
  EXPECT_TRUE(options.landlock);
  EXPECT_FALSE(options.host_mounts);
  EXPECT_FALSE(options.domains);
}

TEST(CommandLines, TheGateGetsTheUriAndTheActuatorTheGate) {
  EXPECT_EQ(parsed(gate_arguments(kPlain)).connect, "qemu:///system");
  const WorkerOptions options = parsed(actuator_arguments(kPlain));
  EXPECT_EQ(options.connect, concat("qemu+unix:///system?socket=/proc/self/fd/", kActuatorToGate));
  EXPECT_EQ(options.libvirt, "qemu:///system");
}

TEST(CommandLines, AllAreToldToGoWithoutLandlock) {
  WorkerSettings settings = kPlain;
  settings.landlock = false;
  for (const auto& arguments : {scanner_arguments(settings), matcher_arguments(settings),
                                actuator_arguments(settings), gate_arguments(settings)})
    EXPECT_FALSE(parsed(arguments).landlock);
}

TEST(CommandLines, OnlyTheScannerGetsTheHostsMounts) {
  WorkerSettings settings = kPlain;
  settings.host_mounts = true;
  EXPECT_TRUE(parsed(scanner_arguments(settings)).host_mounts);
  EXPECT_FALSE(parsed(matcher_arguments(settings)).host_mounts);
  EXPECT_FALSE(parsed(actuator_arguments(settings)).host_mounts);
  EXPECT_FALSE(parsed(gate_arguments(settings)).host_mounts);
}

TEST(CommandLines, OnlyTheActuatorAndTheGateGetTheDomains) {
  WorkerSettings settings = kPlain;
  const std::vector<std::vector<std::string>> lists{{}, {"a"}, {"a", "--no-domain", "-x", ""}};
  for (const std::vector<std::string>& domains : lists) {
    settings.domains = domains;
    EXPECT_EQ(parsed(actuator_arguments(settings)).domains,
              std::set<std::string>(domains.begin(), domains.end()));
    EXPECT_EQ(parsed(gate_arguments(settings)).domains,
              std::set<std::string>(domains.begin(), domains.end()));
    EXPECT_FALSE(parsed(scanner_arguments(settings)).domains);
    EXPECT_FALSE(parsed(matcher_arguments(settings)).domains);
  }
}

TEST(CommandLines, AllButTheScannerAreToldOfTheJournal) {
  WorkerSettings settings = kPlain;
  EXPECT_FALSE(parsed(gate_arguments(settings)).journal);
  settings.journal = true;
  EXPECT_TRUE(parsed(matcher_arguments(settings)).journal);
  EXPECT_TRUE(parsed(actuator_arguments(settings)).journal);
  EXPECT_TRUE(parsed(gate_arguments(settings)).journal);
  EXPECT_FALSE(parsed(scanner_arguments(settings)).journal);
}

// Whatever list there is.
TEST(CommandLines, WhereTheMatcherObservesNoDomainMayBeChanged) {
  WorkerSettings settings = kPlain;
  EXPECT_FALSE(parsed(matcher_arguments(settings)).observe);
  settings.observe = true;
  for (const auto& domains : {std::optional<std::vector<std::string>>{}, {{"a", "b"}}}) {
    settings.domains = domains;
    EXPECT_TRUE(parsed(matcher_arguments(settings)).observe);
    EXPECT_EQ(parsed(actuator_arguments(settings)).domains, std::set<std::string>{});
    EXPECT_EQ(parsed(gate_arguments(settings)).domains, std::set<std::string>{});
    EXPECT_FALSE(parsed(scanner_arguments(settings)).domains);
  }
}

TEST(CommandLines, WhatTheSupervisorDoesNotWriteIsRefused) {
  EXPECT_THROW(parsed({"--help"}), std::runtime_error);
}

}  // namespace
}  // namespace whawty
