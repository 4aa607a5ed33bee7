// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "tool/explanation.h"

#include <gmock/gmock.h>

#include "common/hostdev_alias.h"
#include "tests/matcher/config_text.h"
#include "tests/values.h"
#include "tool/changes.h"

namespace whawty {
namespace {

using testing::HasSubstr;

DomainView guest(const std::string& name, const std::vector<LiveHostdev>& hostdevs = {},
                 bool settled = true) {
  return {{0, std::hash<std::string>{}(name)}, name, hostdevs, settled};
}
LiveHostdev ours(const Device& device) {
  return {hostdev_of(device), true, mark_of(device.digest.value())};
}
DeviceMap map_of(const Device& device) {
  return {{device.sysname, device}};
}

std::string explained(const Device& device, const std::vector<DomainView>& domains,
                      const std::string& machines, const std::string& keys = "interval: 1h") {
  const DeviceMap devices = map_of(device);
  const Rulebook rules(config(machines, keys));
  return explanation_text(explain({&devices.begin()->second}, devices, domains, rules), rules, {});
}

struct Case {
  const char* name;
  Device device;
  std::vector<DomainView> domains;
  std::string machines;
  std::string line;
};
void PrintTo(const Case& one, std::ostream* out) {
  *out << one.name;
}
class Explain : public testing::TestWithParam<Case> {};

TEST_P(Explain, SaysWhoGetsItAndWhyNotTheOthers) {
  EXPECT_THAT(explained(GetParam().device, GetParam().domains, GetParam().machines),
              HasSubstr(GetParam().line));
}

const std::string kBoth = "a: vendor-id: 0x046d; b: bus: 9 | bus: 1";

INSTANTIATE_TEST_SUITE_P(
    Cases, Explain,
    testing::Values(
        Case{"gets", webcam(), {guest("a"), guest("b")}, kBoth, "\n  a: gets it, by a[0]\n"},
        Case{"the order",
             webcam(),
             {guest("a"), guest("b")},
             kBoth,
             "\n  b: wants it, by b[1]: it stays with a\n"},
        Case{"does not run",
             webcam(),
             {guest("b")},
             kBoth,
             "\n  a: wants it, by a[0]: the machine does not run\n  b: gets it, by b[1]\n"},
        Case{"the holder keeps it",
             webcam(),
             {guest("a"), guest("b", {ours(webcam())})},
             kBoth,
             "\n  a: wants it, by a[0]: it stays with b\n  b: has it, by b[1]\n"},
        Case{"the holder is no machine",
             webcam(),
             {guest("a"), guest("x", {ours(webcam())})},
             kBoth,
             "\n  x: has it, and is no machine: it keeps it\n  a: wants it, by a[0]: it stays with x\n"},
        Case{"the holder loses it",
             webcam(),
             {guest("a"), guest("c", {ours(webcam())})},
             kBoth + "; c: bus: 8",
             "\n  a: gets it, by a[0], when what has to be detached first is gone\n"},
        Case{"loses",
             webcam(),
             {guest("c", {ours(webcam())})},
             "c: bus: 8",
             "\n  c: loses it: no rule gives it the device\n    c[0]: bus: expected 8, is 1\n"},
        Case{"the host uses it",
             mounted(webcam()),
             {guest("a")},
             "a: bus: 1",
             "\n  a: wants it, by a[0]: it stays with the host: sdb1 is mounted; to allow it"},
        Case{"the host allows it",
             mounted(webcam()),
             {guest("a")},
             "a: bus: 1 | bus: 1, allow-host-device: true",
             "\n  a: gets it, by a[1]\n"},
        Case{"not authorized",
             not_authorized(webcam()),
             {guest("a")},
             "a: bus: 1",
             "\n  a: wants it, by a[0]: it stays with the host, which has not authorized it\n"},
        Case{"no vendor id",
             device_at("1-1", 2, 0),
             {guest("a")},
             "a: bus: 1",
             "no guest can have it: it has no vendor id\n"},
        Case{"silent",
             silent(webcam()),
             {guest("a")},
             "a: bus: 1",
             ": it does not answer, so nothing is done with it\n"},
        Case{"not settled",
             webcam(),
             {guest("a", {}, false)},
             "a: bus: 1",
             ": libvirt does not tell what the machine has\n"},
        Case{"a name that needs quotes",
             webcam(),
             {guest("a b")},
             "a b: bus: 1",
             "\n  \"a b\": gets it, by \"a b\"[0]\n"},
        Case{"vendor",
             webcam(),
             {},
             "a: vendor-id: 0x0922",
             "    a[0]: vendor-id: expected 0x0922, is 0x046d\n"},
        Case{"text",
             webcam(),
             {},
             "a: udev: {env: [{name: ID_SERIAL_SHORT, equals: 'a b'}]}",
             "    a[0]: ID_SERIAL_SHORT: expected \"a b\", is 3187B60\n"},
        Case{"pattern",
             webcam(),
             {},
             "a: udev: {env: [{name: ID_SERIAL_SHORT, pattern: '^x'}]}",
             "    a[0]: ID_SERIAL_SHORT: expected pattern ^x, is 3187B60\n"},
        Case{"no such variable",
             webcam(),
             {},
             "a: udev: {env: [{name: NONE, equals: ''}]}",
             "    a[0]: NONE: expected \"\", is not there\n"},
        Case{"tag",
             tagged(webcam(), {"seat", "x y"}),
             {},
             "a: udev: {tags: [seat, u]}",
             "    a[0]: tags: expected u, is seat \"x y\"\n"},
        Case{"current tag",
             webcam(),
             {},
             "a: udev: {current-tags: [u]}",
             "    a[0]: current-tags: expected u, is none\n"},
        Case{"hostile text",
             with_serial(webcam(), "\x1b[2J\n"),
             {},
             "a: udev: {env: [{name: ID_SERIAL_SHORT, equals: x}]}",
             "expected x, is \"\\x1b[2J\\x0a\"\n"}));

TEST(Explain, WhatIsKeptIsKept) {
  LiveHostdev foreign = ours(webcam());
  foreign.ours = false;
  EXPECT_THAT(explained(webcam(), {guest("a", {foreign})}, "a: bus: 9", "foreign-devices: keep"),
              HasSubstr("\n  a: has it, though no rule matches; nothing is done about it now\n"));
}

TEST(PlanText, IsWhatTheDaemonWouldDo) {
  DeviceMap devices = map_of(webcam());
  devices.emplace("2-1", mounted(scale()));
  const std::vector<DomainView> domains{guest("a"), guest("b", {ours(webcam())})};
  const Rulebook rules(config("a: bus: 1; b: bus: 2; c: bus: 3"));
  const Plan next = plan(devices, domains, rules);
  EXPECT_EQ(plan_text(next, devices, domains, rules, {}),
            "detach 001/005 046d:0825 serial=3187B60 port=1-1 from b: no rule gives it the device\n"
            "002/007 0922:8003 port=2-1 stays with the host: sdb1 is mounted; machine b wants it by b[0]\n"
            "machine c does not run\n");
  EXPECT_EQ(plan_text({}, {}, {}, Rulebook(Config{}), {}), "nothing to attach or detach\n");
}

TEST(PlanJson, NamesTheMachinesOfWhichItTellsNothing) {
  const Rulebook rules(config("a: bus: 1; b: bus: 2"));
  const std::vector<DomainView> domains{guest("a", {}, false)};
  const std::string json = plan_json({}, {}, domains, rules).text();
  EXPECT_THAT(json, HasSubstr("\"not_running\": [\"b\"], \"not_described\": [\"a\"]"));
}

TEST(Comparison, MovesAreWhatAReloadChangesInTheEnd) {
  const DeviceMap devices = map_of(webcam());
  const std::vector<DomainView> domains{guest("a"), guest("b")};
  const Rulebook to_a(config("a: bus: 1")), to_b(config("b: bus: 1; a: bus: 2")), none(config("a: bus: 2"));
  EXPECT_EQ(compare(devices, domains, to_a, to_b).moves, (std::vector<Move>{{"1-1", "a", "b"}}));
  EXPECT_EQ(compare(devices, domains, to_a, none).moves, (std::vector<Move>{{"1-1", "a", ""}}));
  EXPECT_EQ(compare(devices, domains, none, to_b).moves, (std::vector<Move>{{"1-1", "", "b"}}));
  EXPECT_EQ(compare(devices, domains, to_a, to_a).moves, std::vector<Move>());
  EXPECT_EQ(comparison_text(compare(devices, domains, to_a, none), devices, {}),
            "001/005 046d:0825 serial=3187B60 port=1-1 goes from a to the host\n");
}

TEST(Comparison, SaysOfWhichMachinesItCannotTell) {
  const DeviceMap devices = map_of(webcam());
  const Rulebook before(config("a: bus: 1; b: bus: 2")), after(config("c: bus: 1; b: bus: 2"));
  const Comparison found = compare(devices, {guest("a", {}, false), guest("x", {}, false)}, before, after);
  EXPECT_EQ(comparison_text(found, devices, {}),
            "no device would move\n"
            "machine b does not run\n"
            "machine c does not run\n"
            "machine a: libvirt does not tell what it has\n");
  EXPECT_EQ(comparison_json(found, devices).text(),
            "{\"moves\": [], \"not_running\": [\"b\", \"c\"], \"not_described\": [\"a\"]}");
}

}  // namespace
}  // namespace whawty
