// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "tool/options.h"

#include <gmock/gmock.h>

namespace whawty {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0, end = 0; (end = text.find('\n', at)) != std::string::npos; at = end + 1)
    lines.push_back(text.substr(at, end - at));
  return lines;
}

ToolOptions parsed(std::vector<std::string> words) {
  std::vector<char*> arguments;
  words.insert(words.begin(), "tool");
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  return parse_tool_options(static_cast<int>(words.size()), arguments.data());
}

TEST(ToolOptions, OptionsStandAnywhere) {
  const ToolOptions options = parsed({"--from", "f", "plan", "new.yml", "--against=old.yml", "-j"});
  EXPECT_EQ(options.action, ToolOptions::Action::kRun);
  EXPECT_EQ(options.command, Command::kPlan);
  EXPECT_THAT(options.arguments, testing::ElementsAre("new.yml"));
  EXPECT_EQ(options.against, "old.yml");
  EXPECT_EQ(options.from, "f");
  EXPECT_TRUE(options.json);
}

TEST(ToolOptions, MistakesAreToldByName) {
  for (const auto& [words, what] : {
           std::pair<std::vector<std::string>, std::string>{{}, "no command"},
           {{"devies"}, "no such command: devies"},
           {{"check"}, "check: an argument is missing"},
           {{"check", "a", "b"}, "check: too many arguments"},
           {{"explain", "a", "--strict"}, "explain has no option -s"},
           {{"devices", "--wrong"}, "not an option, or its value is missing: --wrong"},
           {{"devices", "-zj", "./ctl"}, "not an option, or its value is missing: -z;"},
           {{"./ctl", "-zj"}, "not an option, or its value is missing: -z;"},
           {{"devices", "--from"}, "not an option, or its value is missing: -f;"},
           {{"plan", "new", "--against", ""}, "the value of -a is empty"},
           {{"plan", "new", "--against="}, "the value of -a is empty"},
           {{"devices", "-C", ""}, "the value of -C is empty"},
           {{"devices", "--from", ""}, "the value of -f is empty"},
           {{"devices", "-c", ""}, "the value of -c is empty"},
       }) {
    EXPECT_EQ(parsed(words).action, ToolOptions::Action::kUsageError);
    EXPECT_THAT(parsed(words).text, testing::StartsWith(what));
  }
  EXPECT_EQ(parsed({"check", "--help"}).action, ToolOptions::Action::kHelp);
}

TEST(ToolOptions, TheHelpFitsATerminal) {
  for (const std::string& line : lines_of(parsed({"--help"}).text)) EXPECT_LE(line.size(), 80U) << line;
}

}  // namespace
}  // namespace whawty
