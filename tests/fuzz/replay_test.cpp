// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// In every build: all that fuzzing has found, all that it starts from, and a fixed part of what it may try.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <ostream>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

#include "common/fd.h"
#include "tests/fuzz/mutator.h"
#include "tests/fuzz/seeds.h"
#include "tests/fuzz/targets.h"

namespace whawty::fuzz {

// Else the name of a test would have addresses in it, and be another one in every run.
static void PrintTo(const Target& target, std::ostream* out) {
  *out << target.name;
}

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

// In the same order everywhere.
std::vector<fs::path> files_of(const std::string& target) {
  std::vector<fs::path> files;
  for (const fs::path& folder : folders(target)) {
    if (!fs::exists(folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(folder))
      if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

class FuzzTest : public testing::TestWithParam<Target> {};

TEST_P(FuzzTest, WhatWasFoundStaysFixed) {
  for (const fs::path& file : files_of(GetParam().name)) {
    SCOPED_TRACE(file);
    EXPECT_NO_THROW(GetParam().run(content_of(file)));
  }
}

TEST_P(FuzzTest, SeedsGetBehindTheFirstChecks) {
  const std::vector<std::string> all = seeds(GetParam().name);
  EXPECT_FALSE(all.empty());
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_TRUE(GetParam().run(all[i])) << "seed " << i;
}

// What fuzzing starts from.
std::vector<std::string> start_of(const std::string& target) {
  std::vector<std::string> all = seeds(target);
  for (const fs::path& file : files_of(target)) all.push_back(content_of(file));
  return all;
}

// The input on trial is in a file, which stays if the program does not survive it.
class OnTrial {
 public:
  explicit OnTrial(const std::string& target)
      : path_(fs::absolute("input-of-" + target)),
        file_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600)) {}

  const fs::path& path() const { return path_; }
  void is(const std::string& input) const {
    const auto size = static_cast<ssize_t>(input.size());
    if (::ftruncate(file_.get(), 0) != 0 || ::pwrite(file_.get(), input.data(), input.size(), 0) != size)
      throw std::system_error(errno, std::generic_category(), path_);
  }
  void over() const { fs::remove(path_); }

 private:
  fs::path path_;
  Fd file_;
};

TEST_P(FuzzTest, AFixedNumberOfInputsFromAFixedSeedHarmsNothing) {
  constexpr int kInputs = 20'000;
  const OnTrial trial(GetParam().name);
  Mutator mutator(1, start_of(GetParam().name));
  for (int i = 0; i < kInputs; ++i) {
    const std::string input = mutator.next();
    trial.is(input);
    bool taken = false;
    ASSERT_NO_THROW(taken = GetParam().run(input)) << "input " << i << ", which is in " << trial.path();
    if (taken) mutator.keep(input);
  }
  trial.over();
}

// A change of this number is a change of all inputs. FNV-1a.
TEST(MutatorTest, MakesTheSameInputsOnEveryMachine) {
  Mutator mutator(1, {"one", "another", ""});
  std::uint64_t digest = 0xcbf29ce484222325;
  for (int i = 0; i < 10'000; ++i) {
    const std::string input = mutator.next();
    ASSERT_LE(input.size(), Mutator::kMaxSize);
    for (const char byte : input + '\n') digest = (digest ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
    if (i % 3 == 0) mutator.keep(input);
  }
  EXPECT_EQ(digest, 15494530765617410709U);
}

INSTANTIATE_TEST_SUITE_P(Targets, FuzzTest, testing::ValuesIn(kTargets),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace whawty::fuzz
