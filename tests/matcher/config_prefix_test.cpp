// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// A file that was cut off, at each byte. libyaml is the judge: the original's parser is a port of it.
#include <gtest/gtest.h>
#include <yaml.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "common/text.h"
#include "matcher/configuration/config_loader.h"
#include "tests/matcher/corpus.h"

namespace whawty {
namespace {

bool libyaml_takes(std::string_view text) {
  yaml_parser_t parser;
  if (yaml_parser_initialize(&parser) == 0) throw std::bad_alloc();
  yaml_parser_set_input_string(&parser, reinterpret_cast<const unsigned char*>(text.data()), text.size());
  bool taken = true;
  for (bool more = true; more;) {
    yaml_event_t event;
    taken = yaml_parser_parse(&parser, &event) != 0;
    more = taken && event.type != YAML_STREAM_END_EVENT;
    if (taken) yaml_event_delete(&event);
  }
  yaml_parser_delete(&parser);
  return taken;
}

bool loads(const std::filesystem::path& file, std::string_view text) {
  std::vector<ConfigText> files{{file.filename(), "", std::string(text)}};
  if (file.parent_path().filename() == "machines.d")
    files = {{"config.yml", "", "{}"}, {file.filename(), file.stem(), std::string(text)}};
  return std::holds_alternative<LoadedConfig>(load_config(files));
}

std::vector<std::filesystem::path> good_files() {
  std::vector<std::filesystem::path> files{WHAWTY_EXAMPLE};
  for (const auto& entry : std::filesystem::recursive_directory_iterator(WHAWTY_CORPUS "/good"))
    if (entry.path().extension() == ".yml") files.push_back(entry.path());
  std::sort(files.begin() + 1, files.end());
  return files;
}

// Where a file may end in any case: not worth a look.
bool ends_in_comment_or_blank(std::string_view prefix) {
  const std::string_view line = prefix.substr(prefix.rfind('\n') + 1);
  return line.empty() || line.ends_with(' ') || line.starts_with('#') || line.find(" #") != line.npos;
}

// The lines within which, or at whose end, a file may end: a bar wherever it may.
std::string accepted_prefixes(const std::filesystem::path& file) {
  const std::string text = read_file(file);
  std::string shown, line;
  bool any = false;
  std::uint64_t number = 1;
  for (std::size_t length = 0; length <= text.size(); ++length) {
    const std::string_view prefix = std::string_view(text).substr(0, length);
    const bool accepted = loads(file, prefix);
    EXPECT_TRUE(!accepted || libyaml_takes(prefix)) << file << " of " << length << " bytes: " << line;
    if (accepted && !ends_in_comment_or_blank(prefix)) {
      line += '|';
      any = true;
    }
    const bool ends = length == text.size() || text[length] == '\n';
    if (!ends) line += escape(text.substr(length, 1));
    if (!ends) continue;
    if (any) shown += concat(decimal(number, 3), ' ', line, '\n');
    line.clear();
    any = false;
    ++number;
  }
  return shown;
}

TEST(ConfigPrefix, IsTakenOnlyWhereAFileMayEnd) {
  std::string shown =
      "Where the good files of this folder and the example may end and are still taken: lines with a bar\n"
      "wherever they may, but for blanks and comments. Of a cut within a number or a plain text YAML cannot\n"
      "tell.\n";
  for (const std::filesystem::path& file : good_files())
    shown += concat('\n', file.lexically_relative(WHAWTY_CORPUS).string(), '\n', accepted_prefixes(file));
  const std::string written = testing::TempDir() + "prefixes.txt";
  std::ofstream(written) << shown;
  EXPECT_TRUE(shown == read_file(WHAWTY_CORPUS "/prefixes.txt"))
      << "compare " << written << " with tests/corpus/config/prefixes.txt";
}

}  // namespace
}  // namespace whawty
