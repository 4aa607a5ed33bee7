// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "tool/check.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>

#include "tests/matcher/corpus.h"
#include "tests/values.h"

namespace whawty {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<ConfigText> files_of(const std::filesystem::path& input) {
  if (!is_directory(input)) return {{input.filename(), "", read_file(input)}};
  std::vector<ConfigText> files;
  for (const auto& entry : std::filesystem::directory_iterator(input / "machines.d"))
    files.push_back({"machines.d" / entry.path().filename(), entry.path().stem(), read_file(entry.path())});
  std::ranges::sort(files, {}, &ConfigText::file);
  files.insert(files.begin(), {"config.yml", "", read_file(input / "config.yml")});
  return files;
}

// What the daemon says stands beside each file.
class CheckCorpus : public testing::TestWithParam<CorpusCase> {};

TEST_P(CheckCorpus, TheFirstMistakeIsTheDaemons) {
  const std::vector<Finding> found = mistakes(files_of(GetParam().input));
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found[0].message + '\n', read_file(GetParam().expectation));
  for (const Finding& one : found)
    for (const char c : one.message) EXPECT_TRUE(c >= ' ' && c <= '~');
}
INSTANTIATE_TEST_SUITE_P(Bad, CheckCorpus,
                         testing::ValuesIn(corpus(WHAWTY_CORPUS "/bad", ".yml", ".message")), kByName);

class GoodCorpus : public testing::TestWithParam<CorpusCase> {};

TEST_P(GoodCorpus, HasNoMistake) {
  EXPECT_THAT(mistakes(files_of(GetParam().input)), IsEmpty());
}
INSTANTIATE_TEST_SUITE_P(Good, GoodCorpus,
                         testing::ValuesIn(corpus(WHAWTY_CORPUS "/good", ".yml", ".expected")), kByName);

TEST(Mistakes, ThoseOfOtherFilesAreToldToo) {
  const std::vector<ConfigText> files{{"config.yml", "", "{}"},
                                      {"machines.d/a.yml", "a", "devices: [bus: x]"},
                                      {"machines.d/b.yml", "b", "devices: [bus: 1]"},
                                      {"machines.d/c.yml", "c", "what: 1"}};
  const std::vector<Finding> found = mistakes(files);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_THAT(found[0].message, HasSubstr("machines.d/a.yml:1:16: devices[0].bus: 'x' is not a number"));
  EXPECT_THAT(found[0].source, ElementsAre("devices: [bus: x]", "               ^"));
  EXPECT_THAT(found[1].message, HasSubstr("machines.d/c.yml:1:1: what: unknown key"));
}

// Two webcams with one serial number, and a scale.
Host host() {
  Host host;
  for (const Device& device : {webcam(), webcam(6, "1-2"), scale()})
    host.devices.emplace(device.sysname, device);
  host.domains.emplace();
  for (const char* const name : {"a", "b", "Webcam"}) host.domains->push_back({{name, {}, true}});
  return host;
}

std::vector<std::string> warnings_of(const std::string& yaml, const Host& host = whawty::host()) {
  const std::vector<ConfigText> files{{"c.yml", "", yaml}};
  std::vector<std::string> messages;
  for (const Finding& one : warnings(std::get<LoadedConfig>(load_config(files)), files, host))
    messages.push_back(one.message);
  return messages;
}

struct Case {
  const char* name;
  std::string machines;  // as yaml_of() takes them
  std::vector<std::string> expected;
};
void PrintTo(const Case& one, std::ostream* out) {
  *out << one.name;
}
class Warn : public testing::TestWithParam<Case> {};

TEST_P(Warn, OfWhatIsProbablyWrong) {
  std::vector<testing::Matcher<std::string>> expected;
  for (const std::string& one : GetParam().expected) expected.push_back(HasSubstr(one));
  EXPECT_THAT(warnings_of(yaml_of(GetParam().machines)), testing::ElementsAreArray(expected));
}

INSTANTIATE_TEST_SUITE_P(
    Cases, Warn,
    testing::Values(
        Case{"good", "a: vendor-id: 0x0922, product-id: 0x8003", {}},
        Case{"device number",
             "a: bus: 2, device: 7",
             {"c.yml:1:41: a[0] names the device number 7, which changes"}},
        Case{"serial of none",
             "a: udev: {env: [{name: ID_SERIAL_SHORT, equals: X}]}",
             {"a[0] names a serial number that no device has now: ID_SERIAL_SHORT X"}},
        Case{"serial of two",
             "a: udev: {env: [{name: ID_SERIAL_SHORT, equals: 3187B60}]}",
             {"a[0] names a serial number that 2 devices have: 001/005 046d:0825 serial=3187B60 port=1-1, "
              "001/006"}},
        Case{"serial of another model",
             "a: vendor-id: 0x0922, udev: {env: [{name: ID_SERIAL_SHORT, equals: 3187B60}]}",
             {"a[0] names a serial number that no device has now"}},
        Case{"path without bus",
             "a: udev: {env: [{name: ID_PATH, pattern: x}]}",
             {"a[0] tests ID_PATH without bus"}},
        Case{"path with bus", "a: bus: 1, udev: {env: [{name: ID_PATH, pattern: x}]}", {}},
        Case{"tags",
             "a: udev: {env: [{name: TAGS, pattern: x}, {name: CURRENT_TAGS, pattern: x}]}",
             {"a[0] never matches: TAGS is no variable here; write tags:", "write current-tags:"}},
        Case{"shadow",
             "a: vendor-id: 0x0922 | product-id: 1 | vendor-id: 0x0922, bus: 9",
             {"a[2] gives nothing that a[0] does not give"}},
        Case{"shadow of a pattern",
             "a: udev: {env: [{name: A, pattern: 'x+'}]} | udev: {tags: [t], env: [{name: A, equals: axxb}]}",
             {"a[1] gives nothing that a[0] does not give"}},
        Case{"no shadow", "a: bus: 9, vendor-id: 0x0922 | bus: 8, vendor-id: 0x0922 | bus: 9", {}},
        Case{"no shadow on what the host uses",
             "a: bus: 9 | bus: 9, vendor-id: 2, allow-host-device: true",
             {}},
        Case{"two machines",
             "a: vendor-id: 0x0922; b: bus: 9 | bus: 2",
             {"b[1] and a[0] both match 002/007 0922:8003 port=2-1"}},
        Case{"unknown domain", "c: bus: 9", {"c.yml:1:27: libvirt knows no domain c"}},
        Case{"other case", "webcam: bus: 9", {"libvirt knows no domain webcam; it knows Webcam"}}));

TEST(Warn, NothingIsSaidOfDomainsThatAreNotKnown) {
  Host unknown = host();
  unknown.domains.reset();
  EXPECT_THAT(warnings_of(yaml_of("c: bus: 9"), unknown), IsEmpty());
}

TEST(Warn, TheLineOfTheFileStandsBelow) {
  const std::vector<ConfigText> files{{"config.yml", "", "{}"},
                                      {"machines.d/a.yml", "a", "devices:\n- bus: 2\n  device: 7\n"}};
  const LoadedConfig loaded = std::get<LoadedConfig>(load_config(files));
  EXPECT_EQ(findings_text({}, warnings(loaded, files, host()), {}),
            "warning: machines.d/a.yml:2:3: a[0] names the device number 7, which changes at every plug\n"
            "        - bus: 2\n"
            "          ^\n");
}

}  // namespace
}  // namespace whawty
