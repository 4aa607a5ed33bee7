// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// All that fuzzing has found, and all that it starts from, in every build.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "tests/fuzz/seeds.h"
#include "tests/fuzz/targets.h"

namespace whawty::fuzz {
namespace {

namespace fs = std::filesystem;

std::string content_of(const fs::path& file) {
  std::ostringstream content;
  content << std::ifstream(file, std::ios::binary).rdbuf();
  return std::move(content).str();
}

// The folders of a target: what was found, and what other tests have anyway.
std::vector<fs::path> folders(const std::string& target) {
  const fs::path corpus = WHAWTY_CORPUS;
  std::vector<fs::path> folders{corpus / "fuzz" / target};
  if (target == "configuration") folders.push_back(corpus / "config");
  if (target == "domain_xml") folders.push_back(corpus / "domain_xml");
  return folders;
}

class FuzzTest : public testing::TestWithParam<Target> {};

TEST_P(FuzzTest, WhatWasFoundStaysFixed) {
  for (const fs::path& folder : folders(GetParam().name)) {
    if (!fs::exists(folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (!entry.is_regular_file()) continue;
      SCOPED_TRACE(entry.path());
      EXPECT_NO_THROW(GetParam().run(content_of(entry.path())));
    }
  }
}

TEST_P(FuzzTest, SeedsGetBehindTheFirstChecks) {
  const std::vector<std::string> all = seeds(GetParam().name);
  EXPECT_FALSE(all.empty());
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_TRUE(GetParam().run(all[i])) << "seed " << i;
}

// A little of what libFuzzer does, where there is none.
TEST_P(FuzzTest, SeedsWithBytesChangedHarmNothing) {
  std::minstd_rand random(7);
  for (const std::string& seed : seeds(GetParam().name)) {
    for (int i = 0; i < 300; ++i) {
      std::string mutant = seed;
      for (auto changes = random() % 4 + 1; changes > 0; --changes)
        mutant[random() % mutant.size()] = static_cast<char>(random());
      ASSERT_NO_THROW(GetParam().run(mutant)) << testing::PrintToString(mutant);
      ASSERT_NO_THROW(GetParam().run(mutant.substr(0, random() % mutant.size())));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, FuzzTest, testing::ValuesIn(kTargets),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace whawty::fuzz
