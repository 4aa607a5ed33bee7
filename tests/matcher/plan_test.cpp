// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The meaning of the product, case by case.
#include "matcher/decided/plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>

#include "common/text.h"
#include "tests/matcher/config_text.h"
#include "tests/values.h"

namespace whawty {
namespace {

// The devices of these tests. The webcam has a twin of the same vendor and product.
const Device kWebcam = webcam();
const Device kTwin = twin_of_webcam();
const Device kScale = scale();
const Device kNameless = device_at("2-2", 8, 0, 0x0001);

Device hub(const std::string& port, std::uint16_t number, std::uint8_t device_class,
           const std::vector<std::uint8_t>& classes) {
  Device device = device_at(port, number, 0x0424, 0x2514);
  device.device_class = device_class;
  device.interface_classes = classes;
  return device;
}
const Device kHub = hub("1-3", 9, kHubClass, {kHubClass});
const Device kHubByInterface = hub("1-4", 10, 0, {0x03, kHubClass});
const Device kHubByDevice = hub("usb1", 1, kHubClass, {});

Device of_qemu(Device device) {
  device.driver = DriverKind::kUsbfs;
  return device;
}

// Hostdevs that somebody else attached, or this daemon; that this daemon attached when the device had this
// mark, which of the webcam is 0; whose device was missing.
LiveHostdev foreign(const Hostdev& hostdev) {
  return {hostdev, false, {}};
}
LiveHostdev foreign(const Device& device) {
  return foreign(hostdev_of(device));
}
LiveHostdev ours(const Device& device) {
  return {hostdev_of(device), true, {}};
}
LiveHostdev marked(const Device& device, std::uint64_t mark) {
  return {hostdev_of(device), true, mark};
}
LiveHostdev missing(LiveHostdev hostdev) {
  hostdev.missing = true;
  return hostdev;
}

const LiveHostdev kMissingWebcam = missing(foreign(by_ids(kWebcam)));

DomainView guest(const std::string& name, const std::vector<LiveHostdev>& hostdevs = {}) {
  return {{0, std::hash<std::string>{}(name)}, name, hostdevs, true};
}
DomainView busy(DomainView view) {
  view.settled = false;
  return view;
}
// The devices of its hostdevs were disconnected.
DomainView orphaned(DomainView view) {
  view.orphans.assign(view.hostdevs.begin(), view.hostdevs.end());
  return view;
}
// It has died of the device.
DomainView shy_of(const Device& device, DomainView view) {
  view.put_aside = {device.sysname};
  return view;
}

struct Rules {
  Rules(const char* of_machines, const char* at_the_top = "interval: 1h")
      : machines(of_machines), keys(at_the_top) {}
  std::string machines;
  std::string keys;
};
// The machines keep what somebody else attached.
Rules keeping(const char* machines) {
  return {machines, "foreign-devices: keep"};
}

struct Case {
  std::string title;
  std::vector<Device> devices;
  std::vector<DomainView> domains;
  Rules rules;
  std::string expected;
  std::set<std::string> put_aside{};
  std::set<std::string> taken_back{};
};

Case given(const std::string& title, const std::vector<Device>& devices,
           const std::vector<DomainView>& domains, const Rules& rules, const std::string& expected) {
  return {title, devices, domains, rules, expected};
}
// The webcam is.
Case put_aside(Case one) {
  one.put_aside = {kWebcam.sysname};
  return one;
}
Case taken_back(Case one) {
  one.taken_back = {kWebcam.sysname};
  return one;
}

std::ostream& operator<<(std::ostream& out, const Case& one) {
  return out << one.title;
}

std::string name_of(const std::string& sysname) {
  for (const auto& [device, name] :
       {std::pair{&kWebcam, "webcam"}, {&kTwin, "twin"}, {&kScale, "scale"}, {&kHub, "hub"}})
    if (device->sysname == sysname) return name;
  return sysname;
}

// Of the device whose numbers it has, if it has all of them.
std::string name_of(const Hostdev& hostdev) {
  for (const Device* const device : {&kWebcam, &kTwin, &kScale, &kHub})
    if (hostdev == hostdev_of(*device)) return name_of(device->sysname);
  const std::string address = concat(hostdev.bus, '/', hostdev.device);
  const std::string ids = concat(hex(hostdev.vendor, 4), ':', hex(hostdev.product, 4));
  return hostdev.vendor == 0 ? address : hostdev.bus == 0 ? ids : address + ' ' + ids;
}

// What a plan does.
std::string in_words(const Plan& plan, const std::vector<DomainView>& domains) {
  static const char* const kReasons[] = {"left", "no rule", "hub", "not authorized", "taken back", "missing"};
  const auto name_in = [&](const Uuid& uuid) {
    return std::find_if(domains.begin(), domains.end(),
                        [&](const DomainView& one) { return one.uuid == uuid; })
        ->name;
  };
  std::string words;
  const auto say = [&](const auto&... parts) { words += concat(words.empty() ? "" : "; ", parts...); };
  for (const Detach& one : plan.detaches)
    say("detach ", name_of(one.hostdev), " from ", name_in(one.domain), ": ",
        kReasons[static_cast<int>(one.reason)]);
  for (const Attach& one : plan.attaches) say("attach ", name_of(one.sysname), " to ", name_in(one.domain));
  for (const Conflict& one : plan.conflicts)
    say(one.machine, " wants ", name_of(one.sysname), " of ", one.holder);
  for (const Refusal& one : plan.refusals) say(one.machine, " is refused ", name_of(one.sysname));
  for (const Empty& one : plan.empties)
    say(one.kept ? "" : "ALARM: ", one.machine, one.kept ? " keeps " : " has ", name_of(one.hostdev),
        ", empty");
  for (const Contested& one : plan.contested)
    say(name_of(one.sysname), " is contested", one.settled ? "" : " in a busy domain");
  return words;
}

class PlanTest : public testing::TestWithParam<Case> {};

TEST_P(PlanTest, IsAsExpected) {
  const Case& one = GetParam();
  DeviceMap devices;
  for (const Device& device : one.devices) devices[device.sysname] = device;
  const Plan made =
      plan(devices, one.domains, config(one.rules.machines, one.rules.keys), one.put_aside, one.taken_back);
  EXPECT_EQ(in_words(made, one.domains), one.expected) << one.title;
}

INSTANTIATE_TEST_SUITE_P(
    Attach, PlanTest,
    testing::ValuesIn(std::vector{
        given("a matching device is attached to its running guest", {kWebcam}, {guest("a")}, "a: bus: 1",
              "attach webcam to a"),
        given("every device that matches is attached, and no other", {kWebcam, kTwin, kScale}, {guest("a")},
              "a: bus: 1", "attach webcam to a; attach twin to a"),
        given("what a guest has already is not attached again", {kWebcam}, {guest("a", {foreign(kWebcam)})},
              "a: bus: 1", ""),
        given("also if its hostdev gives the address only", {kWebcam, kTwin},
              {guest("a", {foreign(by_address(kWebcam))})}, "a: bus: 1", "attach twin to a"),
        given("also if its hostdev gives vendor and product only", {kWebcam},
              {guest("a", {foreign(by_ids(kWebcam))})}, "a: bus: 1", ""),
        given("a hostdev without address stands for the twin that nobody has by address", {kWebcam, kTwin},
              {guest("a", {foreign(by_ids(kWebcam))}), guest("b", {foreign(kWebcam)})},
              "a: bus: 1; b: device: 5", "a wants webcam of b"),
        given("a hostdev without address stands for the twin that the machine's rules want", {kWebcam, kTwin},
              {guest("a", {foreign(by_ids(kWebcam))})}, "a: device: 6", ""),
        given("and for the first of those that they want", {kWebcam, kTwin},
              {guest("a", {foreign(by_ids(kWebcam))})}, "a: bus: 1", "attach twin to a"),
        given("a machine that is off or missing is skipped", {kWebcam}, {guest("b")}, "a: bus: 1", ""),
        given("a guest that is not in the configuration is left alone", {kWebcam, kScale},
              {guest("x", {foreign(kScale), foreign(Hostdev{3, 3, 1, 1})})}, "a: bus: 1", ""),
        given("nothing is planned for a guest that is being changed", {kWebcam, kScale},
              {busy(guest("a", {foreign(kScale)}))}, "a: bus: 1", ""),
        given("without configuration nothing happens", {kWebcam}, {guest("a", {foreign(kWebcam)})}, "",
              "")}));

INSTANTIATE_TEST_SUITE_P(
    Detach, PlanTest,
    testing::ValuesIn(std::vector{
        given("what left the host is detached, whatever the rules say", {}, {guest("a", {foreign(kWebcam)})},
              "a: bus: 1", "detach webcam from a: left"),
        given("what matches no rule is detached, whoever attached it", {kScale, kWebcam},
              {guest("a", {ours(kScale)}), guest("b", {foreign(kWebcam)})}, "a: bus: 9; b: bus: 9",
              "detach scale from a: no rule; detach webcam from b: no rule"),
        given("a hostdev is detached with the numbers that the live XML gives", {kScale},
              {guest("a", {foreign(by_address(kScale))})}, "a: bus: 1", "detach 2/7 from a: no rule"),
        given("a hostdev whose numbers another device now has is detached", {kWebcam},
              {guest("a", {foreign(Hostdev{1, 5, 0x0922, 0x8003})})}, "a: vendor-id: 0x0922",
              "detach 1/5 0922:8003 from a: left"),
        given("one of another product of that vendor is none of the device", {kWebcam},
              {guest("a", {foreign(Hostdev{0, 0, 0x046d, 0x0826})})}, "a: bus: 1",
              "detach 046d:0826 from a: left; attach webcam to a"),
        given("one whose device was disconnected is detached, though its numbers are back", {kWebcam},
              {orphaned(guest("a", {foreign(kWebcam)}))}, "a: bus: 1", "detach webcam from a: left"),
        given("in a domain that is no machine it is in the way of what has them now", {kWebcam},
              {orphaned(guest("x", {foreign(by_ids(kWebcam))})), guest("b")}, "b: bus: 1",
              "b wants webcam of x"),
        given("a device that is still the one which was attached stays", {kWebcam},
              {guest("a", {marked(kWebcam, 0)})}, "a: bus: 1", ""),
        given("another one with the same numbers is attached when the old hostdev is gone, not before",
              {kWebcam}, {guest("a", {marked(kWebcam, 1)})}, "a: bus: 1", "detach webcam from a: left"),
        given("so it is if it goes to another machine", {kWebcam},
              {guest("a", {marked(kWebcam, 1)}), guest("b")}, "a: bus: 9; b: bus: 1",
              "detach webcam from a: left"),
        given("and a domain that is no machine keeps its numbers from the others", {kWebcam},
              {guest("x", {marked(kWebcam, 1)}), guest("b")}, "b: bus: 1", "b wants webcam of x"),
        given("the old number of a device that came back is detached, and the new one attached", {kWebcam},
              {guest("a", {foreign(Hostdev{1, 4, 0x046d, 0x0825})})}, "a: bus: 1",
              "detach 1/4 046d:0825 from a: left; attach webcam to a"),
        given("a hub that somebody attached is detached", {kHub}, {guest("a", {foreign(kHub)})},
              "a: vendor-id: 0x0424", "detach hub from a: hub")}));

INSTANTIATE_TEST_SUITE_P(
    KeepForeign, PlanTest,
    testing::ValuesIn(std::vector{
        given("what somebody else attached stays, though no rule asks for it", {kScale},
              {guest("a", {foreign(kScale)})}, keeping("a: bus: 1"), ""),
        given("also a hub, and what left the host", {kHub}, {guest("a", {foreign(kHub), foreign(kScale)})},
              keeping("a: vendor-id: 0x046d"), "a keeps scale, empty"),
        given("what this daemon attached is detached when no rule asks for it any more", {kScale},
              {guest("a", {ours(kScale)})}, keeping("a: bus: 1"), "detach scale from a: no rule"),
        given("and when it left the host", {}, {guest("a", {ours(kWebcam)})}, keeping("a: bus: 1"),
              "detach webcam from a: left"),
        given("what somebody else attached to one machine is not attached to another", {kWebcam},
              {guest("a", {foreign(kWebcam)}), guest("b")}, keeping("a: bus: 9; b: bus: 1"),
              "b wants webcam of a"),
        given("nor a second time to the machine that has it, however its hostdev names it", {kWebcam},
              {guest("a", {foreign(by_ids(kWebcam))})}, keeping("a: bus: 1"), ""),
        given("what came with the numbers of a foreign hostdev that stayed belongs to that guest", {kWebcam},
              {guest("a", {foreign(by_address(kWebcam))}), guest("b")}, keeping("a: bus: 9; b: bus: 1"),
              "b wants webcam of a")}));

INSTANTIATE_TEST_SUITE_P(
    WithoutADigest, PlanTest,
    testing::ValuesIn(std::vector{
        given("a device is attached to nobody", {silent(kWebcam)}, {guest("a")}, "a: bus: 1", ""),
        given("it stays where it is, whatever its mark was", {silent(kWebcam)},
              {guest("a", {marked(kWebcam, 7)})}, "a: bus: 1", ""),
        given("and whether a rule gives it or not", {silent(kWebcam)}, {guest("a", {marked(kWebcam, 7)})},
              "a: bus: 9", ""),
        given("it has left where its numbers are no one's", {silent(kTwin)},
              {guest("a", {marked(kWebcam, 7)})}, "a: bus: 1", "detach webcam from a: left")}));

INSTANTIATE_TEST_SUITE_P(
    Missing, PlanTest,
    testing::ValuesIn(std::vector{
        given("in a guest that is not configured it is in no machine's way", {kWebcam},
              {guest("x", {kMissingWebcam}), guest("b")}, "b: bus: 1", "attach webcam to b"),
        given("nor is its address", {kWebcam}, {guest("x", {missing(foreign(kWebcam))}), guest("b")},
              "b: bus: 1", "attach webcam to b"),
        given("nor the address of another device", {kWebcam},
              {guest("x", {missing(foreign(Hostdev{1, 5, 0x0922, 0x8003}))}), guest("b")}, "b: bus: 1",
              "attach webcam to b"),
        given("a machine that keeps it gets the device all the same", {kWebcam},
              {guest("a", {kMissingWebcam})}, keeping("a: bus: 1"),
              "attach webcam to a; a keeps 046d:0825, empty"),
        given("it is kept as anything else that somebody attached", {}, {guest("a", {kMissingWebcam})},
              keeping("a: bus: 1"), "a keeps 046d:0825, empty"),
        given("a machine that does not keep it loses it, and gets nothing before: QEMU could take it",
              {kWebcam, kScale}, {guest("a", {kMissingWebcam}), guest("b")}, "a: bus: 1; b: bus: 2",
              "detach 046d:0825 from a: missing; attach scale to b"),
        given("what waits for that goes to no other machine meanwhile", {kWebcam},
              {guest("a", {kMissingWebcam}), guest("b")}, "a: bus: 1; b: bus: 1",
              "detach 046d:0825 from a: missing; b wants webcam of a"),
        given("what this daemon attached in vain is detached, with an alarm", {kWebcam},
              {guest("a", {missing(ours(kWebcam))})}, "a: bus: 1",
              "detach webcam from a: missing; ALARM: a has webcam, empty"),
        given("also from a machine that keeps what others attached", {},
              {guest("a", {missing(ours(kWebcam))})}, keeping("a: bus: 1"),
              "detach webcam from a: missing; ALARM: a has webcam, empty"),
        given("another machine does not wait until it is gone", {kWebcam},
              {guest("a", {kMissingWebcam}), guest("b")}, "a: bus: 9; b: bus: 1",
              "detach 046d:0825 from a: missing; attach webcam to b"),
        given("nor does the first of two that match", {kWebcam},
              {guest("b", {missing(foreign(kWebcam))}), guest("a")}, keeping("a: bus: 1; b: bus: 1"),
              "attach webcam to a; b wants webcam of a; b keeps webcam, empty"),
        given("it does not make a second keyboard of the console one too many",
              {keyboard(kWebcam), keyboard(kScale)},
              {guest("x", {missing(foreign(by_ids(kScale)))}), guest("a")}, "a: bus: 1",
              "attach webcam to a")}));

INSTANTIATE_TEST_SUITE_P(
    PutAsideForAGuest, PlanTest,
    testing::ValuesIn(std::vector{
        given("a device is not attached, and all others are", {kWebcam, kTwin}, {shy_of(kWebcam, guest("a"))},
              "a: bus: 1", "attach twin to a"),
        given("another machine gets it as if that one were off, and there is no conflict", {kWebcam},
              {shy_of(kWebcam, guest("a")), guest("b")}, "a: bus: 1; b: bus: 1", "attach webcam to b"),
        given("and keeps it", {kWebcam}, {shy_of(kWebcam, guest("a")), guest("b", {foreign(kWebcam)})},
              "a: bus: 1; b: bus: 1", ""),
        given("who has it nevertheless keeps it", {kWebcam},
              {shy_of(kWebcam, guest("a", {foreign(kWebcam)}))}, "a: bus: 1", "")}));

INSTANTIATE_TEST_SUITE_P(Never, PlanTest,
                         testing::ValuesIn(std::vector{
                             given("hubs are never attached", {kHub, kHubByInterface, kHubByDevice},
                                   {guest("a")}, "a: bus: 1", ""),
                             given("a device of vendor 0, which libvirt cannot name, is not attached",
                                   {kNameless}, {guest("a")}, "a: bus: 2", "")}));

INSTANTIATE_TEST_SUITE_P(
    Several, PlanTest,
    testing::ValuesIn(std::vector{
        given("of two machines that want a device the first in the configuration gets it", {kWebcam},
              {guest("a"), guest("b")}, "b: bus: 1; a: bus: 1", "attach webcam to b; a wants webcam of b"),
        given("the first that runs", {kWebcam}, {guest("a")}, "b: bus: 1; a: bus: 1", "attach webcam to a"),
        given("who has it keeps it", {kWebcam}, {guest("a", {foreign(kWebcam)}), guest("b")},
              "b: bus: 1; a: bus: 1", "b wants webcam of a"),
        given("also while it is being changed", {kWebcam}, {busy(guest("a", {foreign(kWebcam)})), guest("b")},
              "b: bus: 1; a: bus: 1", "b wants webcam of a"),
        given("a guest that is being changed and comes first is waited for", {kWebcam},
              {busy(guest("a")), guest("b")}, "a: bus: 1; b: bus: 1", "b wants webcam of a"),
        given("what a guest outside the configuration has is left there", {kWebcam},
              {guest("x", {foreign(kWebcam)}), guest("a")}, "a: bus: 1", "a wants webcam of x"),
        given("a move is detached first, and attached once nobody has it", {kWebcam},
              {guest("a", {foreign(kWebcam)}), guest("b")}, "b: bus: 1; a: vendor-id: 0x0922",
              "detach webcam from a: no rule"),
        given("twins go to the guests that their properties say", {kWebcam, kTwin}, {guest("a"), guest("b")},
              "a: udev: {env: [{name: ID_SERIAL_SHORT, equals: TWIN}]}; b: udev: {env: [{name: "
              "ID_SERIAL_SHORT, equals: 3187B60}]}",
              "attach webcam to b; attach twin to a")}));

INSTANTIATE_TEST_SUITE_P(PutAside, PlanTest,
                         testing::ValuesIn(std::vector{
                             put_aside(given("a device is not attached and in nobody's way", {kWebcam, kTwin},
                                             {guest("a"), guest("b")}, "a: bus: 1; b: bus: 1",
                                             "attach twin to a; b wants twin of a")),
                             put_aside(given("its stale hostdev is detached all the same", {kWebcam},
                                             {guest("a", {foreign(Hostdev{1, 4, 0x046d, 0x0825})})},
                                             "a: bus: 1", "detach 1/4 046d:0825 from a: left")),
                             put_aside(given("a guest that has it keeps it", {kWebcam},
                                             {guest("a", {foreign(kWebcam)})}, "a: bus: 1", "")),
                             put_aside(given("as long as a rule says so", {kWebcam},
                                             {guest("a", {foreign(kWebcam)})}, "a: bus: 9",
                                             "detach webcam from a: no rule"))}));

INSTANTIATE_TEST_SUITE_P(
    HostProtection, PlanTest,
    testing::ValuesIn(std::vector{
        given("what the host is using stays with the host, whatever machine wants it", {mounted(kWebcam)},
              {guest("a"), guest("b")}, "a: bus: 1; b: bus: 1", "a is refused webcam; b is refused webcam"),
        given("unless the rule allows it", {mounted(kWebcam)}, {guest("a")},
              "a: bus: 1, allow-host-device: true", "attach webcam to a"),
        given("a later machine whose rule allows it gets it", {mounted(kWebcam)},
              {guest("a"), guest("b"), guest("c")},
              "a: bus: 1; b: bus: 1, allow-host-device: true; c: bus: 1",
              "attach webcam to b; c wants webcam of b; a is refused webcam"),
        given("a rule that allows it and does not match allows nothing", {mounted(kWebcam)},
              {guest("a"), guest("b")}, "a: bus: 1; b: bus: 2, allow-host-device: true",
              "a is refused webcam"),
        given("a guest that has it keeps it", {mounted(kWebcam)},
              {guest("a", {foreign(kWebcam)}), guest("b")}, "a: bus: 1; b: bus: 1", "b wants webcam of a"),
        given("a machine that is off is refused nothing", {mounted(kWebcam)}, {guest("b")}, "a: bus: 1", ""),
        given("a twin that the host does not use is attached", {mounted(kWebcam), kTwin}, {guest("a")},
              "a: bus: 1", "attach twin to a; a is refused webcam"),
        given("a hub is not even refused", {mounted(kHub)}, {guest("a")},
              "a: bus: 1, allow-host-device: true", "")}));

INSTANTIATE_TEST_SUITE_P(
    HostKeyboard, PlanTest,
    testing::ValuesIn(std::vector{
        given("the only keyboard stays with the host", {keyboard(kWebcam), kTwin}, {guest("a")}, "a: bus: 1",
              "attach twin to a; a is refused webcam"),
        given("unless the rule allows it", {keyboard(kWebcam)}, {guest("a")},
              "a: bus: 1, allow-host-device: true", "attach webcam to a"),
        given("one of two can be given away", {keyboard(kWebcam), keyboard(kScale)}, {guest("a")},
              "a: bus: 1", "attach webcam to a"),
        given("but not both at once", {keyboard(kWebcam), keyboard(kScale)}, {guest("a"), guest("b")},
              "a: bus: 1; b: bus: 2", "attach webcam to a; b is refused scale"),
        given("one that a guest has is not the host's any more", {keyboard(kWebcam), keyboard(kScale)},
              {guest("a", {foreign(kWebcam)}), guest("b")}, "a: bus: 1; b: bus: 2", "b is refused scale"),
        given("nor one that was allowed", {keyboard(kWebcam), keyboard(kScale)}, {guest("a"), guest("b")},
              "a: bus: 1, allow-host-device: true; b: bus: 2", "attach webcam to a; b is refused scale"),
        given("a second keyboard does not free a disk",
              {used(kWebcam, {{HostUseKind::kMounted, "sdb"}, {HostUseKind::kKeyboard, "input5"}}),
               keyboard(kScale)},
              {guest("a")}, "a: bus: 1", "a is refused webcam")}));

INSTANTIATE_TEST_SUITE_P(
    Authorization, PlanTest,
    testing::ValuesIn(std::vector{
        given("what the host has not authorized goes to nobody", {not_authorized(kWebcam)},
              {guest("a"), guest("b")}, "a: bus: 1; b: bus: 1", "a is refused webcam; b is refused webcam"),
        given("whatever a rule allows", {not_authorized(mounted(kWebcam))}, {guest("a")},
              "a: bus: 1, allow-host-device: true", "a is refused webcam"),
        given("what lost its authorization is detached", {not_authorized(kWebcam)},
              {guest("a", {marked(kWebcam, 0)}), guest("b")}, "a: bus: 1; b: bus: 1",
              "detach webcam from a: not authorized"),
        given("also if it does not answer", {silent(not_authorized(kWebcam))},
              {guest("a", {marked(kWebcam, 0)})}, "a: bus: 1", "detach webcam from a: not authorized"),
        given("whoever attached it", {not_authorized(kWebcam)}, {guest("a", {foreign(by_ids(kWebcam))})},
              "a: bus: 1", "detach 046d:0825 from a: not authorized"),
        given("but not where the machine keeps it, nor from a guest that is not configured",
              {not_authorized(kWebcam), not_authorized(kScale)},
              {guest("a", {foreign(kWebcam)}), guest("x", {foreign(kScale)})}, keeping("a: bus: 1"), ""),
        given("that a driver of the host has it is by itself no reason for anything",
              {driven(kWebcam), driven(kScale)}, {guest("a", {marked(kWebcam, 0)}), guest("b")},
              "a: bus: 1; b: bus: 2", "attach scale to b; webcam is contested")}));

// What a driver of the host has taken back is given anew: the detach is one plan's, the attach the next
// one's.
INSTANTIATE_TEST_SUITE_P(TakenBack, PlanTest,
                         testing::ValuesIn(std::vector{
                             taken_back(given("a hostdev of ours is detached", {driven(kWebcam)},
                                              {guest("a", {marked(kWebcam, 0)})}, "a: bus: 1",
                                              "detach webcam from a: taken back; webcam is contested")),
                             taken_back(given("not while its domain is busy", {driven(kWebcam)},
                                              {busy(guest("a", {marked(kWebcam, 0)}))}, "a: bus: 1",
                                              "webcam is contested in a busy domain")),
                             taken_back(given("not if QEMU has it by now", {of_qemu(kWebcam)},
                                              {guest("a", {marked(kWebcam, 0)})}, "a: bus: 1", "")),
                             taken_back(given("nor if nobody has it", {kWebcam},
                                              {guest("a", {marked(kWebcam, 0)})}, "a: bus: 1", "")),
                             taken_back(given("nor somebody else's hostdev", {driven(kWebcam)},
                                              {guest("a", {foreign(kWebcam)})}, "a: bus: 1", "")),
                             taken_back(given("nor in a domain that is not configured", {driven(kWebcam)},
                                              {guest("x", {marked(kWebcam, 0)})}, "a: bus: 1", "")),
                             taken_back(given("one that is free is attached", {driven(kWebcam)}, {guest("a")},
                                              "a: bus: 1", "attach webcam to a"))}));

TEST(PlanRules, WhoHasWhatIsToldWithTheReasonToLoseIt) {
  const DeviceMap devices{{kWebcam.sysname, kWebcam}, {kScale.sysname, kScale}};
  const std::vector<DomainView> domains{guest("a", {ours(kWebcam), ours(kScale), ours(kTwin)})};
  const Rulebook rules(config(kWebcamToA));
  const std::vector<Held> held = holdings(devices, domains, rules);
  ASSERT_EQ(held.size(), 2U);
  EXPECT_EQ(held[0].sysname, kWebcam.sysname);
  EXPECT_EQ(held[0].domain, domains[0].uuid);
  EXPECT_EQ(held[0].lost_by, std::nullopt);
  EXPECT_EQ(held[1].sysname, kScale.sysname);
  EXPECT_EQ(held[1].lost_by, DetachReason::kNoRule);
}

TEST(PlanRules, TheFirstThatMatchesGivesADeviceOfTheHostTheFirstThatAllowsItAndTheRefusalNamesTheFirst) {
  const auto made = [](const Device& device, const std::string& rules) {
    return plan({{device.sysname, device}}, {guest("a")}, config(rules));
  };
  const char kAllowing[] = "a: bus: 9 | vendor-id: 0x046d | bus: 1, allow-host-device: true";
  EXPECT_EQ(made(mounted(kWebcam), kAllowing).attaches.at(0).rule, 2U);
  EXPECT_EQ(made(kWebcam, kAllowing).attaches.at(0).rule, 1U);
  EXPECT_EQ(made(mounted(kWebcam), "a: bus: 9 | vendor-id: 0x046d | bus: 1").refusals,
            (std::vector<Refusal>{{"1-1", "a", 1, {{HostUseKind::kMounted, "sdb1"}}}}));
}

TEST(PlanRules, WhatNoRuleMatchesIsUnwantedWhoeverHasItAndWhetherAMachineRuns) {
  DeviceMap devices;
  for (const Device& device : {kWebcam, kTwin, kScale, kHub, kNameless, silent(device_at("3-1"))})
    devices[device.sysname] = device;
  const std::vector<std::string> made =
      plan(devices, {guest("x", {foreign(kTwin)})}, config("off: device: 5"), {}).unwanted;
  EXPECT_EQ(made, (std::vector{kTwin.sysname, kScale.sysname}));
  EXPECT_EQ(plan(devices, {}, config("off: device: 5"), {kScale.sysname}).unwanted,
            std::vector{kTwin.sysname});
}

}  // namespace
}  // namespace whawty
