// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// docs/tool.md shows what the program prints, to a user without privileges.
#include <gmock/gmock.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "tests/process.h"

namespace whawty {
namespace {

constexpr uid_t kNobody = 65534;
constexpr std::string_view kCommand = "$ whawty-libvirt-usb-hotplugctl ";

struct Screen {
  std::vector<std::string> arguments;
  std::string output;
};

// What stands in blocks of code: commands, and what they print up to a blank line or the end of the block.
std::vector<Screen> screens_of(std::istream& document) {
  std::vector<Screen> screens;
  bool inside = false;
  for (std::string line; std::getline(document, line);) {
    if (line.starts_with(kCommand)) {
      std::istringstream words(line.substr(kCommand.size()));
      screens.push_back({{std::istream_iterator<std::string>(words), {}}, ""});
      inside = true;
    } else if (line.empty() || line == "```") {
      inside = false;
    } else if (inside) {
      screens.back().output += line + '\n';
    }
  }
  return screens;
}

std::string printed(const std::vector<std::string>& arguments) {
  Process tool(WHAWTY_TOOL, Process::Log::kFile);
  tool.environment = {{"COLUMNS", "80"}, {"LC_ALL", "C.UTF-8"}};
  tool.before_exec = [] {
    if (::chdir(WHAWTY_CORPUS) != 0 || (::geteuid() == 0 && ::setuid(kNobody) != 0)) ::_exit(1);
  };
  tool.start(arguments);
  tool.wait();
  return tool.log();
}

// Where nobody cannot go, as in root's home, the program cannot be run without privileges.
bool nobody_can_run_it() {
  return in_child([] {
           if (::geteuid() == 0 && ::setuid(kNobody) != 0) return 1;
           return ::access(WHAWTY_TOOL, X_OK) == 0 && ::access(WHAWTY_CORPUS "/config.yml", R_OK) == 0 ? 0
                                                                                                       : 1;
         }) == 0;
}

TEST(ToolDocument, ShowsWhatIsPrinted) {
  if (!nobody_can_run_it()) GTEST_SKIP() << "the build folder is not for everybody to read";
  std::ifstream document(WHAWTY_DOCUMENT);
  const std::vector<Screen> screens = screens_of(document);
  EXPECT_GT(screens.size(), 8U);
  for (const auto& [arguments, output] : screens)
    EXPECT_EQ(printed(arguments), output) << testing::PrintToString(arguments);
}

}  // namespace
}  // namespace whawty
