// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/configuration/config_loader.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>

#include "common/sandbox.h"
#include "common/text.h"
#include "matcher/decided/rulebook.h"
#include "tests/matcher/config_text.h"
#include "tests/matcher/corpus.h"
#include "tests/process.h"

namespace whawty {
namespace {

using testing::HasSubstr;

// As the supervisor hands them over: the main file, then those of machines.d sorted by name.
std::vector<ConfigText> files_of(const std::filesystem::path& input) {
  if (!is_directory(input)) return {{input.filename(), "", read_file(input)}};
  std::vector<ConfigText> files;
  for (const auto& entry : std::filesystem::directory_iterator(input / "machines.d"))
    files.push_back({"machines.d" / entry.path().filename(), entry.path().stem(), read_file(entry.path())});
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.file < b.file; });
  files.insert(files.begin(), {"config.yml", "", read_file(input / "config.yml")});
  return files;
}

std::string result_of(const std::vector<ConfigText>& files) {
  const auto result = load_config(files);
  if (const auto* const error = std::get_if<ConfigError>(&result)) return error->message + "\n";
  return to_text(std::get<LoadedConfig>(result));
}

std::string result_of(const std::string& content) {
  return result_of({ConfigText{"config.yml", "", content}});
}

std::string repeated(int times, const std::string& text) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

// A configuration whose only condition is this line.
std::string with_condition(const std::string& line) {
  return "machines: {a: {devices: [{" + line + "}]}}";
}

class ConfigCorpus : public testing::TestWithParam<CorpusCase> {};

TEST_P(ConfigCorpus, GivesWhatStandsBesideIt) {
  EXPECT_EQ(result_of(files_of(GetParam().input)), read_file(GetParam().expectation));
}

INSTANTIATE_TEST_SUITE_P(Good, ConfigCorpus,
                         testing::ValuesIn(corpus(WHAWTY_CORPUS "/good", ".yml", ".expected")), kByName);
INSTANTIATE_TEST_SUITE_P(Bad, ConfigCorpus,
                         testing::ValuesIn(corpus(WHAWTY_CORPUS "/bad", ".yml", ".message")), kByName);

// What the files of the corpus do not have.
TEST(Config, ReadsAnIntervalLikeThis) {
  for (const auto& [text, result] : {std::pair{"5s", "interval 5000000000 ns"},
                                     {"1m30s", "interval 90000000000 ns"},
                                     {"'300ms'", "interval 300000000 ns"},
                                     {"", "interval 5000000000 ns"},
                                     {"~", "interval 5000000000 ns"},
                                     {"'0'", "interval 5000000000 ns"},
                                     {"-0s", "interval 5000000000 ns"},
                                     {"1ns", "interval 1 ns"},
                                     {"''", "interval: '' is not a duration"},
                                     {"[5s]", "interval: a list instead of a text"}})
    EXPECT_THAT(result_of(concat("interval: ", text, '\n')), HasSubstr(result)) << text;
}

TEST(Config, ReadsANumberLikeThis) {
  for (const auto& [line, result] :
       {std::pair{"bus: 1", "    bus 1\n"},
        {"device: 1", "    device 1\n"},
        {"vendor-id: 0xffff", "    vendor ffff\n"},
        {"product-id: 0x0825", "    product 0825\n"},
        {"vendor-id: 0X046D", "    vendor 046d\n"},
        {"vendor-id: 0b100_0110_1101", "    vendor 046d\n"},
        {"vendor-id: +1133", "    vendor 046d\n"},
        {"device: 009", "    device 9\n"},
        {"bus: -1", "bus: -1 is out of range; expected 1 to 999"},
        {"device: 0", "device: 0 is out of range; expected 1 to 127"},
        {"vendor-id: -1", "vendor-id: -1 is out of range"},
        {"product-id: 65536", "product-id: 65536 is out of range; expected 0x0000 to 0xffff"},
        {"product-id: 99999999999999999999", "99999999999999999999 is out of range"},
        {"bus: 010", "'010' starts with a zero, as octal numbers do; write 10\n"},
        {"bus: 000", "bus: 000 is out of range; expected 1 to 999"},
        {"bus: 0a", "'0a' is not a number; expected an integer\n"},
        {"bus: 1.5", "'1.5' is not a number; expected an integer\n"},
        {"bus: {}", "bus: a mapping instead of an integer\n"}})
    EXPECT_THAT(result_of(with_condition(line)), HasSubstr(result)) << line;
}

TEST(Config, RefusesAFileThatIsLargerThanOneMebibyte) {
  const std::string largest = "{}\n#" + std::string(1024 * 1024 - 4, 'x');
  EXPECT_EQ(result_of(largest), "interval 5000000000 ns\n");
  EXPECT_EQ(result_of(largest + "x"), "config.yml:1:1: the file is larger than 1048576 bytes\n");
}

TEST(Config, RefusesDeepNestingBeforeItCostsStack) {
  constexpr int kLevels = 100'000;
  const std::string lists = std::string(kLevels, '[') + std::string(kLevels, ']');
  EXPECT_EQ(result_of(lists), "config.yml:1:33: nested deeper than 32 levels\n");
  EXPECT_EQ(result_of(repeated(kLevels, "- ")), "config.yml:1:65: nested deeper than 32 levels\n");
  EXPECT_THAT(result_of("a: " + lists.substr(0, 30) + lists.substr(kLevels, 30)),
              HasSubstr("a: unknown key"));
}

TEST(Config, RefusesControlCharactersAndWhatIsNotUtf8) {
  EXPECT_EQ(result_of(std::string("{}\n\0", 4)), "config.yml:2:1: control character \\x00 in the text\n");
  EXPECT_EQ(result_of("{} #\x04\nrubbish"), "config.yml:1:5: control character \\x04 in the text\n");
  EXPECT_EQ(result_of("{} #\x7f"), "config.yml:1:5: control character \\x7f in the text\n");
  EXPECT_EQ(result_of("{} #\xc2\x9f"), "config.yml:1:5: control character \\xc2\\x9f in the text\n");
  EXPECT_EQ(result_of("{} #\xc2\xa0\xc2\x85\n"), "interval 5000000000 ns\n");
  EXPECT_EQ(result_of("\xff\xfe{}"), "config.yml:1:1: byte \\xff is not UTF-8 text\n");
}

TEST(Config, TakesAByteOrderMarkAndCarriageReturns) {
  EXPECT_EQ(result_of("\xef\xbb\xbfinterval: 1ns\r\nmachines: {}\r\n"), "interval 1 ns\n");
}

TEST(Config, SaysWhereABracketStartsThatTheEndOfTheTextLeavesOpen) {
  EXPECT_EQ(
      result_of("interval: [1, 2"),
      "config.yml:1:11: the [ that opens here is not closed; expected ], or single quotes around a text\n");
  EXPECT_EQ(
      result_of("{interval: 5s"),
      "config.yml:1:1: the { that opens here is not closed; expected }, or single quotes around a text\n");
}

TEST(Config, ExplainsLongLinesInNoTime) {
  for (const std::string part :
       {"- ", "[],", "[ ]", "{a: ", "'' ", "a: ", "x:", "\t", "a:\n ", "*a ", "&a ", "\"\\d"}) {
    std::string text;
    while (text.size() < 50'000) text += part;
    EXPECT_THAT(result_of("a: [" + text), HasSubstr("config.yml:")) << part;
    EXPECT_THAT(result_of(text + "\n'"), HasSubstr("config.yml:")) << part;
    EXPECT_THAT(result_of("[{" + text + "]"), HasSubstr("config.yml:")) << part;
  }
}

TEST(Config, EndsAtAStrayCommaWhereTheParserWouldNot) {
  EXPECT_EQ(result_of(","),
            "config.yml:1:1: more text after the end of the document; expected one document\n");
}

TEST(Config, EscapesWhatAFileNameAndAValueHold) {
  EXPECT_EQ(result_of({ConfigText{"c\n.yml", "", "interval: \"\\e[31m\""}}),
            "c\\x0a.yml:1:11: interval: '\\x1b[31m' is not a number; expected a duration such as 300ms, 5s "
            "or 1m30s\n");
}

TEST(Config, NeedsAMainFileFirst) {
  EXPECT_EQ(result_of(std::vector<ConfigText>{}), "no main configuration file\n");
  EXPECT_EQ(result_of({ConfigText{"machines.d/a.yml", "a", "{}"}}), "no main configuration file\n");
}

TEST(Config, RefusesAFileOfMachinesDWhoseNameNamesNoMachine) {
  EXPECT_THAT(result_of({ConfigText{"config.yml", "", "{}"},
                         ConfigText{"machines.d/.yml", "", "devices: [{bus: 1}]"}}),
              HasSubstr("machines.d/.yml:1:1: the file's name names no machine"));
}

TEST(Config, RefusesASecondFileForTheSameMachine) {
  const ConfigText first{"machines.d/a.yml", "a", "devices: [{bus: 1}]"};
  const ConfigText second{"other.d/a.yml", "a", "devices: [{bus: 2}]"};
  const std::string expected =
      "other.d/a.yml:1:1: a second file for machine a; the first is machines.d/a.yml:1:1\n";
  EXPECT_EQ(result_of({{"config.yml", "", "{}"}, first, second}), expected);
  EXPECT_EQ(result_of({{"config.yml", "", with_condition("bus: 3")}, first, second}), expected);
}

// What stands below lists of ten aliases each, of which the last is a thousand times the first.
std::string aliases_of(const std::string& anchored) {
  std::string yaml = "a: &a " + anchored + "\n";
  for (const char name : {'b', 'c', 'd'}) {
    yaml += concat(name, ": &", name, " [", repeated(10, {'*', static_cast<char>(name - 1), ','}), "]\n");
  }
  return yaml;
}

TEST(Config, CountsWhatAliasesStandFor) {
  EXPECT_THAT(result_of(aliases_of("[x]")), HasSubstr("a: unknown key"));
  EXPECT_EQ(result_of(aliases_of("[" + repeated(100, "x,") + "]")),
            "config.yml:4:29: more than 100000 values, lists and mappings in one file\n");
  EXPECT_EQ(result_of(aliases_of(std::string(1000, 'x'))),
            "config.yml:4:32: anchors and aliases copy more than 1048576 bytes of text\n");
}

TEST(Config, CountsTheLevelsThatAliasesStandFor) {
  const std::string deep = std::string(20, '[') + std::string(20, ']');
  const auto below = [&](std::size_t levels) {
    return "{a: &a " + deep + ", b: " + std::string(levels, '[') + "*a" + std::string(levels, ']') + "}";
  };
  EXPECT_THAT(result_of(below(11)), HasSubstr("a: unknown key"));
  EXPECT_EQ(result_of(below(12)), "config.yml:1:65: nested deeper than 32 levels\n");
}

// A list in a mapping: two nodes beside its items.
std::string list_of(int items) {
  return "machines:\n" + repeated(items, "- a\n");
}

TEST(Config, HasNoMoreNodesThanThereIsMemoryFor) {
  EXPECT_EQ(result_of(list_of(99'998)),
            "config.yml:2:1: machines: a list instead of a mapping of keys to values\n");
  EXPECT_EQ(result_of(list_of(100'001)),
            "config.yml:100002:3: more than 100000 values, lists and mappings in one file\n");
}

TEST(Config, HasNoMoreBracketsThanThereIsMemoryFor) {
  EXPECT_EQ(result_of(repeated(300'000, "[")), "config.yml:1:17: nested deeper than 32 levels\n");
  EXPECT_EQ(result_of(repeated(300'001, "[")),
            "config.yml:1:300001: more than 300000 brackets, commas, colons and quotes in one file\n");
  EXPECT_EQ(result_of(repeated(3001, repeated(100, "[],") + "\n")),
            "config.yml:1001:1: more than 300000 brackets, commas, colons and quotes in one file\n")
      << "line breaks do not help";
}

TEST(Config, ThousandsOfRulesFit) {
  std::string yaml = "machines:\n";
  for (int i = 0; i < 5000; ++i)
    yaml += concat("  machine-", i, ":\n    devices:\n    - vendor-id: 0x046d\n      product-id: 0x0825\n",
                   "    - udev: {env: [{name: ID_SERIAL_SHORT, equals: 'A", i, "'}]}\n");
  EXPECT_THAT(result_of(yaml), HasSubstr("machine machine-4999\n"));
}

TEST(Config, RefusesAPatternThatIsTooLargeToSearchFor) {
  EXPECT_THAT(result_of(with_condition("udev: {env: [{name: A, pattern: '\\pL{100}'}]}")),
              HasSubstr("machine a"));
  EXPECT_EQ(
      result_of(with_condition("udev: {env: [{name: A, pattern: '\\pL{500}'}]}")),
      "config.yml:1:59: machines.a.devices[0].udev.env[0].pattern: not a regular expression that RE2 takes: "
      "pattern too large - compile failed\n");
}

TEST(Config, TellsWhereEachMachineAndItsRulesStand) {
  const auto result = load_config(
      std::vector<ConfigText>{{"config.yml", "", "machines:\n  a:\n  b:\n    devices: [bus: 1, {bus: 2}]\n"},
                              {"machines.d/a.yml", "a", "\ndevices:\n- bus: 3\n"}});
  const std::vector<MachinePlace>& places = std::get<LoadedConfig>(result).places;
  ASSERT_EQ(places.size(), 2U);
  EXPECT_EQ(places[0].file, 1U);
  ASSERT_EQ(places[0].rules.size(), 1U);
  EXPECT_EQ(places[0].rules[0].line, 3);
  EXPECT_EQ(places[1].file, 0U);
  EXPECT_EQ(places[1].name.line, 3);
  ASSERT_EQ(places[1].rules.size(), 2U);
  EXPECT_EQ(places[1].rules[1].column, 23);
}

// What the policy process does once it is sealed: loads, matches, forgets.
constexpr SyscallRule kMemoryOnly[] = {
    {SCMP_SYS(brk), kAnyArguments, "malloc"},
    {SCMP_SYS(mmap), kAnyArguments, "malloc"},
    {SCMP_SYS(munmap), kAnyArguments, "malloc"},
    {SCMP_SYS(futex), when(kFutexWake), "what is made once"},
    {SCMP_SYS(exit_group), kAnyArguments, "the test"},
};

int load_and_match_sealed() {
  const std::string content = read_file(WHAWTY_CORPUS "/good/every-condition.yml");
  Device device;
  device.properties = {{"ID_MODEL", std::string(32 * 1024, 'a') + "\xff"}};
  seal({.profile = kMemoryOnly});
  const auto good = load_config(std::vector<ConfigText>{{"config.yml", "", content}});
  const auto bad = load_config(std::vector<ConfigText>{{"config.yml", "", "machines: {a: &b [}"}});
  if (!std::holds_alternative<LoadedConfig>(good) || !std::holds_alternative<ConfigError>(bad)) return 1;
  Rulebook(std::get<LoadedConfig>(good).config).claims(device);
  return 0;
}

TEST(Config, LoadsAndMatchesWithNoSystemCallButThoseForMemory) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "a sanitizer makes system calls of its own";
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
  GTEST_SKIP() << "a sanitizer makes system calls of its own";
#endif
#endif
  EXPECT_EQ(in_child(load_and_match_sealed), 0);
}

}  // namespace
}  // namespace whawty
