// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The meaning of the product, case by case.
#include "matcher/decided/plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>

#include "matcher/configuration/config_loader.h"

namespace whawty {
namespace {

// The devices of these tests. The webcam and the scale have twins of the same vendor and product.
const Device kWebcam{"1-1", 1,  5,     0x046d,  0x0825, 0xef, {0x0e}, {{"ID_SERIAL_SHORT", "A"}},
                     {},    {}, false, Digest{}};
const Device kWebcamTwin{"1-2", 1,  6,     0x046d,  0x0825, 0xef, {0x0e}, {{"ID_SERIAL_SHORT", "B"}},
                         {},    {}, false, Digest{}};
const Device kScale{"2-1", 2, 7, 0x0922, 0x8003, 0, {0x03}, {}, {}, {}, false, Digest{}};
const Device kHub{"1-3", 1, 9, 0x0424, 0x2514, 0x09, {0x09}, {}, {}, {}, false, Digest{}};
const Device kHubByInterface{"1-4", 1, 10, 0x0424, 0x2514, 0, {0x03, 0x09}, {}, {}, {}, false, Digest{}};
const Device kRootHub{"usb1", 1, 1, 0x1d6b, 0x0002, 0x09, {0x09}, {}, {}, {}, false, Digest{}};
const Device kNameless{"2-2", 2, 8, 0, 0x0001, 0, {0x03}, {}, {}, {}, false, Digest{}};

Device used(Device device, std::vector<HostUse> uses) {
  device.host_uses = std::move(uses);
  return device;
}
Device mounted(Device device) {
  return used(std::move(device), {{HostUseKind::kMounted, "sdb1"}});
}
Device silent(Device device) {
  device.digest.reset();
  return device;
}
Device barred(Device device) {
  device.authorized = false;
  device.interface_classes.clear();
  return device;
}
Device driven(Device device, DriverKind driver) {
  device.driver = driver;
  if (driver == DriverKind::kHost) device.host_driver = "usbhid";
  return device;
}
Device keyboard(Device device) {
  return used(std::move(device), {{HostUseKind::kKeyboard, "input5"}});
}

DeviceMap devices(std::initializer_list<Device> list) {
  DeviceMap map;
  for (const Device& device : list) map[device.sysname] = device;
  return map;
}

Uuid uuid_of(const std::string& name) {
  return {0, std::hash<std::string>{}(name)};
}

Hostdev by_address(const Device& device) {
  return {device.bus, device.number, 0, 0};
}
Hostdev by_ids(const Device& device) {
  return {0, 0, device.vendor, device.product};
}

// Whether the hostdevs are marked as those that this daemon attached.
enum class Marked { kNo, kYes };

DomainView running(const std::string& name, const std::vector<Hostdev>& hostdevs = {},
                   Marked marked = Marked::kNo) {
  DomainView view{uuid_of(name), name, {}, true};
  for (const Hostdev& hostdev : hostdevs) view.hostdevs.push_back({hostdev, marked == Marked::kYes, {}});
  return view;
}
// A guest that has died of these devices.
DomainView shy_of(const std::string& name, const std::vector<Device>& devices) {
  DomainView view = running(name);
  for (const Device& device : devices) view.put_aside.insert(device.sysname);
  return view;
}
// Given a device by this daemon when the device had this mark; kWebcam has mark 0.
DomainView given(const std::string& name, const Device& device, std::uint64_t mark) {
  return {uuid_of(name), name, {{hostdev_of(device), true, mark}}, true};
}
DomainView busy(const std::string& name, const std::vector<Hostdev>& hostdevs = {}) {
  DomainView view = running(name, hostdevs);
  view.settled = false;
  return view;
}

// With a hostdev whose device was missing when it started, or when it was attached.
DomainView lacking(const std::string& name, const Hostdev& hostdev, Marked marked = Marked::kNo) {
  DomainView view = running(name, {hostdev}, marked);
  view.hostdevs.front().missing = true;
  return view;
}

// "a: vendor-id: 0x046d; b: bus: 1, device: 5": each machine with one rule.
Config config(const std::string& text) {
  std::string yaml = "machines:\n";
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find("; ", at), text.size());
    const std::string machine = text.substr(at, end - at);
    const std::size_t colon = machine.find(':');
    yaml += "  " + machine.substr(0, colon) + ":\n    devices:\n    - {" + machine.substr(colon + 2) + "}\n";
    at = end + 2;
  }
  if (text.empty()) yaml = "{}";
  const std::vector<ConfigText> files{{"test.yml", "", yaml}};
  const auto loaded = load_config(files);
  if (const auto* const error = std::get_if<ConfigError>(&loaded)) throw std::runtime_error(error->message);
  return std::get<LoadedConfig>(loaded).config;
}

// The same, and all machines keep what somebody else attached.
Config keeping(const std::string& text) {
  Config kept = config(text);
  for (Machine& machine : kept.machines) machine.keep_foreign = true;
  return kept;
}

// What a plan does, in words.
using Words = std::vector<std::string>;

std::string attach(const std::string& machine, const Device& device) {
  return "attach " + device.sysname + " to " + machine;
}
std::string detach(const std::string& machine, const Hostdev& hostdev, const std::string& why) {
  return "detach " + std::to_string(hostdev.bus) + "/" + std::to_string(hostdev.device) + " " +
         std::to_string(hostdev.vendor) + ":" + std::to_string(hostdev.product) + " from " + machine + ": " +
         why;
}
std::string conflict(const std::string& machine, const Device& device, const std::string& holder) {
  return machine + " wants " + device.sysname + " of " + holder;
}

// The hostdev of no device that is kept, or that was attached in vain.
std::string kept(const std::string& machine, const Hostdev& hostdev) {
  return machine + " keeps " + std::to_string(hostdev.bus) + "/" + std::to_string(hostdev.device) + " empty";
}
std::string alarm(const std::string& machine, const Hostdev& hostdev) {
  return "ALARM: " + kept(machine, hostdev);
}

std::string refusal(const std::string& machine, const Device& device) {
  return machine + " is refused " + device.sysname;
}

struct Case {
  std::string title;
  DeviceMap devices;
  std::vector<DomainView> domains;
  Config config;
  Words expected;
};

std::ostream& operator<<(std::ostream& out, const Case& example) {
  return out << example.title;
}

std::string name_in(const std::vector<DomainView>& domains, const Uuid& uuid) {
  return std::find_if(domains.begin(), domains.end(), [&](const DomainView& one) { return one.uuid == uuid; })
      ->name;
}

Words in_words(const Plan& plan, const std::vector<DomainView>& domains) {
  static const char* const kReasons[] = {"left", "no rule", "hub", "not authorized", "taken back", "missing"};
  Words words;
  for (const Detach& one : plan.detaches)
    words.push_back(
        detach(name_in(domains, one.domain), one.hostdev, kReasons[static_cast<int>(one.reason)]));
  for (const Attach& one : plan.attaches)
    words.push_back("attach " + one.sysname + " to " + name_in(domains, one.domain));
  for (const Conflict& one : plan.conflicts)
    words.push_back(one.machine + " wants " + one.sysname + " of " + one.holder);
  for (const Refusal& one : plan.refusals) words.push_back(one.machine + " is refused " + one.sysname);
  for (const Empty& one : plan.empties)
    words.push_back(one.kept ? kept(one.machine, one.hostdev) : alarm(one.machine, one.hostdev));
  return words;
}

class PlanTest : public testing::TestWithParam<Case> {};

TEST_P(PlanTest, IsAsExpected) {
  const Case& example = GetParam();
  EXPECT_EQ(in_words(plan(example.devices, example.domains, example.config), example.domains),
            example.expected)
      << example.title;
}

INSTANTIATE_TEST_SUITE_P(
    Attach, PlanTest,
    testing::Values(Case{"a matching device is attached to its running guest",
                         devices({kWebcam}),
                         {running("a")},
                         config("a: vendor-id: 0x046d"),
                         {attach("a", kWebcam)}},
                    Case{"every device that matches is attached, and no other",
                         devices({kWebcam, kWebcamTwin, kScale}),
                         {running("a")},
                         config("a: vendor-id: 0x046d"),
                         {attach("a", kWebcam), attach("a", kWebcamTwin)}},
                    Case{"what a guest has already is not attached again",
                         devices({kWebcam}),
                         {running("a", {hostdev_of(kWebcam)})},
                         config("a: vendor-id: 0x046d"),
                         {}},
                    Case{"also if its hostdev gives the address only",
                         devices({kWebcam, kWebcamTwin}),
                         {running("a", {by_address(kWebcam)})},
                         config("a: vendor-id: 0x046d"),
                         {attach("a", kWebcamTwin)}},
                    Case{"also if its hostdev gives vendor and product only",
                         devices({kWebcam}),
                         {running("a", {by_ids(kWebcam)})},
                         config("a: vendor-id: 0x046d"),
                         {}},
                    Case{"a hostdev without address stands for the twin that nobody has by address",
                         devices({kWebcam, kWebcamTwin}),
                         {running("a", {by_ids(kWebcam)}), running("b", {hostdev_of(kWebcam)})},
                         config("a: vendor-id: 0x046d; b: device: 5"),
                         {conflict("a", kWebcam, "b")}},
                    Case{"a hostdev without address stands for the twin that the machine's rules want",
                         devices({kWebcam, kWebcamTwin}),
                         {running("a", {by_ids(kWebcam)})},
                         config("a: device: 6"),
                         {}},
                    Case{"a machine that is off or missing is skipped",
                         devices({kWebcam}),
                         {running("b")},
                         config("a: vendor-id: 0x046d"),
                         {}},
                    Case{"a guest that is not in the configuration is left alone",
                         devices({kWebcam, kScale}),
                         {running("x", {hostdev_of(kScale), {3, 3, 1, 1}})},
                         config("a: vendor-id: 0x046d"),
                         {}},
                    Case{"nothing is planned for a guest that is being changed",
                         devices({kWebcam, kScale}),
                         {busy("a", {hostdev_of(kScale)})},
                         config("a: vendor-id: 0x046d"),
                         {}},
                    Case{"without configuration nothing happens",
                         devices({kWebcam}),
                         {running("a", {hostdev_of(kWebcam)})},
                         config(""),
                         {}}));

INSTANTIATE_TEST_SUITE_P(
    Detach, PlanTest,
    testing::Values(
        Case{"what left the host is detached, whatever the rules say",
             devices({}),
             {running("a", {hostdev_of(kWebcam)})},
             config("a: vendor-id: 0x046d"),
             {detach("a", hostdev_of(kWebcam), "left")}},
        Case{"what matches no rule is detached, whoever attached it",
             devices({kScale}),
             {running("a", {hostdev_of(kScale)})},
             config("a: vendor-id: 0x046d"),
             {detach("a", hostdev_of(kScale), "no rule")}},
        Case{"a hostdev is detached with the numbers that the live XML gives",
             devices({kScale}),
             {running("a", {by_address(kScale)})},
             config("a: vendor-id: 0x046d"),
             {detach("a", by_address(kScale), "no rule")}},
        Case{"a hostdev whose numbers another device now has is detached",
             devices({kWebcam}),
             {running("a", {{1, 5, 0x0922, 0x8003}})},
             config("a: vendor-id: 0x0922"),
             {detach("a", {1, 5, 0x0922, 0x8003}, "left")}},
        Case{"a device that is still the one which was attached stays",
             devices({kWebcam}),
             {given("a", kWebcam, 0)},
             config("a: vendor-id: 0x046d"),
             {}},
        Case{"another one with the same numbers is attached when the old hostdev is gone, not before",
             devices({kWebcam}),
             {given("a", kWebcam, 1)},
             config("a: vendor-id: 0x046d"),
             {detach("a", hostdev_of(kWebcam), "left")}},
        Case{"so it is if it goes to another machine",
             devices({kWebcam}),
             {given("a", kWebcam, 1), running("b")},
             config("a: bus: 9; b: vendor-id: 0x046d"),
             {detach("a", hostdev_of(kWebcam), "left")}},
        Case{"and a domain that is no machine keeps its numbers from the others",
             devices({kWebcam}),
             {given("x", kWebcam, 1), running("b")},
             config("b: vendor-id: 0x046d"),
             {conflict("b", kWebcam, "x")}},
        Case{"the old number of a device that came back is detached, and the new one attached",
             devices({kWebcam}),
             {running("a", {{1, 4, 0x046d, 0x0825}})},
             config("a: vendor-id: 0x046d"),
             {detach("a", {1, 4, 0x046d, 0x0825}, "left"), attach("a", kWebcam)}},
        Case{"a hub that somebody attached is detached",
             devices({kHub}),
             {running("a", {hostdev_of(kHub)})},
             config("a: vendor-id: 0x0424"),
             {detach("a", hostdev_of(kHub), "hub")}}));

INSTANTIATE_TEST_SUITE_P(
    KeepForeign, PlanTest,
    testing::Values(
        Case{"what somebody else attached stays, though no rule asks for it",
             devices({kScale}),
             {running("a", {hostdev_of(kScale)})},
             keeping("a: vendor-id: 0x046d"),
             {}},
        Case{"also a hub, and what left the host",
             devices({kHub}),
             {running("a", {hostdev_of(kHub), hostdev_of(kScale)})},
             keeping("a: vendor-id: 0x046d"),
             {kept("a", hostdev_of(kScale))}},
        Case{"what this daemon attached is detached when no rule asks for it any more",
             devices({kScale}),
             {running("a", {hostdev_of(kScale)}, Marked::kYes)},
             keeping("a: vendor-id: 0x046d"),
             {detach("a", hostdev_of(kScale), "no rule")}},
        Case{"and when it left the host",
             devices({}),
             {running("a", {hostdev_of(kWebcam)}, Marked::kYes)},
             keeping("a: vendor-id: 0x046d"),
             {detach("a", hostdev_of(kWebcam), "left")}},
        Case{"a machine that does not keep them loses them all, marked or not",
             devices({kScale, kWebcam}),
             {running("a", {hostdev_of(kScale)}, Marked::kYes), running("b", {hostdev_of(kWebcam)})},
             config("a: bus: 9; b: bus: 9"),
             {detach("a", hostdev_of(kScale), "no rule"), detach("b", hostdev_of(kWebcam), "no rule")}},
        Case{"what somebody else attached to one machine is not attached to another",
             devices({kWebcam}),
             {running("a", {hostdev_of(kWebcam)}), running("b")},
             keeping("a: bus: 9; b: vendor-id: 0x046d"),
             {conflict("b", kWebcam, "a")}},
        Case{"nor a second time to the machine that has it, however its hostdev names it",
             devices({kWebcam}),
             {running("a", {by_ids(kWebcam)})},
             keeping("a: vendor-id: 0x046d"),
             {}},
        Case{"what came with the numbers of a foreign hostdev that stayed belongs to that guest",
             devices({kWebcam}),
             {running("a", {by_address(kWebcam)}), running("b")},
             keeping("a: bus: 9; b: vendor-id: 0x046d"),
             {conflict("b", kWebcam, "a")}}));

INSTANTIATE_TEST_SUITE_P(WithoutADigest, PlanTest,
                         testing::Values(Case{"a device is attached to nobody",
                                              devices({silent(kWebcam)}),
                                              {running("a")},
                                              config("a: vendor-id: 0x046d"),
                                              {}},
                                         Case{"it stays where it is, whatever its mark was",
                                              devices({silent(kWebcam)}),
                                              {given("a", kWebcam, 7)},
                                              config("a: vendor-id: 0x046d"),
                                              {}},
                                         Case{"and whether a rule gives it or not",
                                              devices({silent(kWebcam)}),
                                              {given("a", kWebcam, 7)},
                                              config("a: bus: 9"),
                                              {}},
                                         Case{"it has left where its numbers are no one's",
                                              devices({silent(kWebcamTwin)}),
                                              {given("a", kWebcam, 7)},
                                              config("a: vendor-id: 0x046d"),
                                              {detach("a", hostdev_of(kWebcam), "left")}}));

INSTANTIATE_TEST_SUITE_P(
    Missing, PlanTest,
    testing::Values(
        Case{"in a guest that is not configured it is in no machine's way",
             devices({kWebcam}),
             {lacking("x", by_ids(kWebcam)), running("b")},
             config("b: vendor-id: 0x046d"),
             {attach("b", kWebcam)}},
        Case{"nor is its address",
             devices({kWebcam}),
             {lacking("x", hostdev_of(kWebcam)), running("b")},
             config("b: vendor-id: 0x046d"),
             {attach("b", kWebcam)}},
        Case{"nor the address of another device",
             devices({kWebcam}),
             {lacking("x", {1, 5, 0x0922, 0x8003}), running("b")},
             config("b: vendor-id: 0x046d"),
             {attach("b", kWebcam)}},
        Case{"a machine that keeps it gets the device all the same",
             devices({kWebcam}),
             {lacking("a", by_ids(kWebcam))},
             keeping("a: vendor-id: 0x046d"),
             {attach("a", kWebcam), kept("a", by_ids(kWebcam))}},
        Case{"it is kept as anything else that somebody attached",
             devices({}),
             {lacking("a", by_ids(kWebcam))},
             keeping("a: vendor-id: 0x046d"),
             {kept("a", by_ids(kWebcam))}},
        Case{"a machine that does not keep it loses it, and gets nothing before: QEMU could take it",
             devices({kWebcam, kScale}),
             {lacking("a", by_ids(kWebcam)), running("b")},
             config("a: bus: 1; b: bus: 2"),
             {detach("a", by_ids(kWebcam), "missing"), attach("b", kScale)}},
        Case{"what waits for that goes to no other machine meanwhile",
             devices({kWebcam}),
             {lacking("a", by_ids(kWebcam)), running("b")},
             config("a: bus: 1; b: bus: 1"),
             {detach("a", by_ids(kWebcam), "missing"), conflict("b", kWebcam, "a")}},
        Case{"what this daemon attached in vain is detached, with an alarm",
             devices({kWebcam}),
             {lacking("a", hostdev_of(kWebcam), Marked::kYes)},
             config("a: vendor-id: 0x046d"),
             {detach("a", hostdev_of(kWebcam), "missing"), alarm("a", hostdev_of(kWebcam))}},
        Case{"also from a machine that keeps what others attached",
             devices({}),
             {lacking("a", hostdev_of(kWebcam), Marked::kYes)},
             keeping("a: vendor-id: 0x046d"),
             {detach("a", hostdev_of(kWebcam), "missing"), alarm("a", hostdev_of(kWebcam))}},
        Case{"another machine does not wait until it is gone",
             devices({kWebcam}),
             {lacking("a", by_ids(kWebcam)), running("b")},
             config("a: bus: 9; b: vendor-id: 0x046d"),
             {detach("a", by_ids(kWebcam), "missing"), attach("b", kWebcam)}},
        Case{"nor does the first of two that match",
             devices({kWebcam}),
             {lacking("b", hostdev_of(kWebcam)), running("a")},
             keeping("a: vendor-id: 0x046d; b: vendor-id: 0x046d"),
             {attach("a", kWebcam), conflict("b", kWebcam, "a"), kept("b", hostdev_of(kWebcam))}},
        Case{"it does not make a second keyboard of the console one too many",
             devices({keyboard(kWebcam), keyboard(kScale)}),
             {lacking("x", by_ids(kScale)), running("a")},
             config("a: vendor-id: 0x046d"),
             {attach("a", kWebcam)}}));

INSTANTIATE_TEST_SUITE_P(
    PutAsideForAGuest, PlanTest,
    testing::Values(Case{"a device is not attached, and all others are",
                         devices({kWebcam, kWebcamTwin}),
                         {shy_of("a", {kWebcam})},
                         config("a: vendor-id: 0x046d"),
                         {attach("a", kWebcamTwin)}},
                    Case{"another machine gets it as if that one were off, and there is no conflict",
                         devices({kWebcam}),
                         {shy_of("a", {kWebcam}), running("b")},
                         config("a: vendor-id: 0x046d; b: vendor-id: 0x046d"),
                         {attach("b", kWebcam)}},
                    Case{"and keeps it",
                         devices({kWebcam}),
                         {shy_of("a", {kWebcam}), running("b", {hostdev_of(kWebcam)})},
                         config("a: vendor-id: 0x046d; b: vendor-id: 0x046d"),
                         {}},
                    Case{"who has it nevertheless keeps it",
                         devices({kWebcam}),
                         {[] {
                           DomainView view = shy_of("a", {kWebcam});
                           view.hostdevs.push_back({hostdev_of(kWebcam), false, {}});
                           return view;
                         }()},
                         config("a: vendor-id: 0x046d"),
                         {}}));

INSTANTIATE_TEST_SUITE_P(
    Never, PlanTest,
    testing::Values(Case{"hubs are never attached",
                         devices({kHub, kHubByInterface, kRootHub}),
                         {running("a")},
                         config("a: bus: 1; b: vendor-id: 0x1d6b"),
                         {}},
                    Case{"a device of vendor 0, which libvirt cannot name, is not attached",
                         devices({kNameless}),
                         {running("a")},
                         config("a: bus: 2"),
                         {}}));

INSTANTIATE_TEST_SUITE_P(
    Several, PlanTest,
    testing::Values(Case{"of two machines that want a device the first in the configuration gets it",
                         devices({kWebcam}),
                         {running("a"), running("b")},
                         config("b: vendor-id: 0x046d; a: vendor-id: 0x046d"),
                         {attach("b", kWebcam), conflict("a", kWebcam, "b")}},
                    Case{"the first that runs",
                         devices({kWebcam}),
                         {running("a")},
                         config("b: vendor-id: 0x046d; a: vendor-id: 0x046d"),
                         {attach("a", kWebcam)}},
                    Case{"who has it keeps it",
                         devices({kWebcam}),
                         {running("a", {hostdev_of(kWebcam)}), running("b")},
                         config("b: vendor-id: 0x046d; a: vendor-id: 0x046d"),
                         {conflict("b", kWebcam, "a")}},
                    Case{"also while it is being changed",
                         devices({kWebcam}),
                         {busy("a", {hostdev_of(kWebcam)}), running("b")},
                         config("b: vendor-id: 0x046d; a: vendor-id: 0x046d"),
                         {conflict("b", kWebcam, "a")}},
                    Case{"a guest that is being changed and comes first is waited for",
                         devices({kWebcam}),
                         {busy("a"), running("b")},
                         config("a: vendor-id: 0x046d; b: vendor-id: 0x046d"),
                         {conflict("b", kWebcam, "a")}},
                    Case{"what a guest outside the configuration has is left there",
                         devices({kWebcam}),
                         {running("x", {hostdev_of(kWebcam)}), running("a")},
                         config("a: vendor-id: 0x046d"),
                         {conflict("a", kWebcam, "x")}},
                    Case{"a move is detached first, and attached once nobody has it",
                         devices({kWebcam}),
                         {running("a", {hostdev_of(kWebcam)}), running("b")},
                         config("b: vendor-id: 0x046d; a: vendor-id: 0x0922"),
                         {detach("a", hostdev_of(kWebcam), "no rule")}},
                    Case{"twins go to the guests that their properties say",
                         devices({kWebcam, kWebcamTwin}),
                         {running("a"), running("b")},
                         config("a: udev: {env: [{name: ID_SERIAL_SHORT, equals: B}]}; b: udev: {env: "
                                "[{name: ID_SERIAL_SHORT, "
                                "equals: A}]}"),
                         {attach("b", kWebcam), attach("a", kWebcamTwin)}}));

TEST(PlanPutAside, ADeviceThatIsPutAsideIsNotAttachedAndInNobodysWay) {
  const std::vector<DomainView> domains{running("a"), running("b")};
  const Config both = config("a: vendor-id: 0x046d; b: vendor-id: 0x046d");
  const Plan result = plan(devices({kWebcam, kWebcamTwin}), domains, both, {kWebcam.sysname});
  EXPECT_EQ(in_words(result, domains), (Words{attach("a", kWebcamTwin), conflict("b", kWebcamTwin, "a")}));
}

TEST(PlanPutAside, ItsStaleHostdevIsDetachedAllTheSame) {
  const std::vector<DomainView> domains{running("a", {{1, 4, 0x046d, 0x0825}})};
  const Plan result = plan(devices({kWebcam}), domains, config("a: vendor-id: 0x046d"), {kWebcam.sysname});
  EXPECT_EQ(in_words(result, domains), Words{detach("a", {1, 4, 0x046d, 0x0825}, "left")});
}

TEST(PlanPutAside, AGuestThatHasItKeepsItAsLongAsARuleSaysSo) {
  const std::vector<DomainView> domains{running("a", {hostdev_of(kWebcam)})};
  for (const auto& [rules, words] :
       {std::pair{"a: vendor-id: 0x046d", Words{}},
        std::pair{"a: bus: 9", Words{detach("a", hostdev_of(kWebcam), "no rule")}}})
    EXPECT_EQ(in_words(plan(devices({kWebcam}), domains, config(rules), {kWebcam.sysname}), domains), words);
}

INSTANTIATE_TEST_SUITE_P(
    HostProtection, PlanTest,
    testing::Values(Case{"what the host is using stays with the host, whatever machine wants it",
                         devices({mounted(kWebcam)}),
                         {running("a"), running("b")},
                         config("a: vendor-id: 0x046d; b: vendor-id: 0x046d"),
                         {refusal("a", kWebcam), refusal("b", kWebcam)}},
                    Case{"unless the rule allows it",
                         devices({mounted(kWebcam)}),
                         {running("a")},
                         config("a: vendor-id: 0x046d, allow-host-device: true"),
                         {attach("a", kWebcam)}},
                    Case{"which false does not",
                         devices({mounted(kWebcam)}),
                         {running("a")},
                         config("a: vendor-id: 0x046d, allow-host-device: false"),
                         {refusal("a", kWebcam)}},
                    Case{"a later machine whose rule allows it gets it",
                         devices({mounted(kWebcam)}),
                         {running("a"), running("b"), running("c")},
                         config("a: bus: 1; b: bus: 1, allow-host-device: true; c: bus: 1"),
                         {attach("b", kWebcam), conflict("c", kWebcam, "b"), refusal("a", kWebcam)}},
                    Case{"a rule that allows it and does not match allows nothing",
                         devices({mounted(kWebcam)}),
                         {running("a"), running("b")},
                         config("a: bus: 1; b: bus: 2, allow-host-device: true"),
                         {refusal("a", kWebcam)}},
                    Case{"a guest that has it keeps it",
                         devices({mounted(kWebcam)}),
                         {running("a", {hostdev_of(kWebcam)}), running("b")},
                         config("a: bus: 1; b: bus: 1"),
                         {conflict("b", kWebcam, "a")}},
                    Case{"a machine that is off is refused nothing",
                         devices({mounted(kWebcam)}),
                         {running("b")},
                         config("a: bus: 1"),
                         {}},
                    Case{"a twin that the host does not use is attached",
                         devices({mounted(kWebcam), kWebcamTwin}),
                         {running("a")},
                         config("a: bus: 1"),
                         {attach("a", kWebcamTwin), refusal("a", kWebcam)}},
                    Case{"a hub is not even refused",
                         devices({mounted(kHub)}),
                         {running("a")},
                         config("a: bus: 1, allow-host-device: true"),
                         {}}));

INSTANTIATE_TEST_SUITE_P(HostKeyboard, PlanTest,
                         testing::Values(Case{"the only keyboard stays with the host",
                                              devices({keyboard(kWebcam), kWebcamTwin}),
                                              {running("a")},
                                              config("a: bus: 1"),
                                              {attach("a", kWebcamTwin), refusal("a", kWebcam)}},
                                         Case{"unless the rule allows it",
                                              devices({keyboard(kWebcam)}),
                                              {running("a")},
                                              config("a: bus: 1, allow-host-device: true"),
                                              {attach("a", kWebcam)}},
                                         Case{"one of two can be given away",
                                              devices({keyboard(kWebcam), keyboard(kScale)}),
                                              {running("a")},
                                              config("a: bus: 1"),
                                              {attach("a", kWebcam)}},
                                         Case{"but not both at once",
                                              devices({keyboard(kWebcam), keyboard(kScale)}),
                                              {running("a"), running("b")},
                                              config("a: bus: 1; b: bus: 2"),
                                              {attach("a", kWebcam), refusal("b", kScale)}},
                                         Case{"one that a guest has is not the host's any more",
                                              devices({keyboard(kWebcam), keyboard(kScale)}),
                                              {running("a", {hostdev_of(kWebcam)}), running("b")},
                                              config("a: bus: 1; b: bus: 2"),
                                              {refusal("b", kScale)}},
                                         Case{"nor one that was allowed",
                                              devices({keyboard(kWebcam), keyboard(kScale)}),
                                              {running("a"), running("b")},
                                              config("a: bus: 1, allow-host-device: true; b: bus: 2"),
                                              {attach("a", kWebcam), refusal("b", kScale)}},
                                         Case{"a second keyboard does not free a disk",
                                              devices({used(kWebcam, {{HostUseKind::kMounted, "sdb"},
                                                                      {HostUseKind::kKeyboard, "input5"}}),
                                                       keyboard(kScale)}),
                                              {running("a")},
                                              config("a: bus: 1"),
                                              {refusal("a", kWebcam)}}));

INSTANTIATE_TEST_SUITE_P(
    Authorization, PlanTest,
    testing::Values(Case{"what the host has not authorized goes to nobody",
                         devices({barred(kWebcam)}),
                         {running("a"), running("b")},
                         config("a: vendor-id: 0x046d; b: vendor-id: 0x046d"),
                         {refusal("a", kWebcam), refusal("b", kWebcam)}},
                    Case{"whatever a rule allows",
                         devices({barred(mounted(kWebcam))}),
                         {running("a")},
                         config("a: vendor-id: 0x046d, allow-host-device: true"),
                         {refusal("a", kWebcam)}},
                    Case{"what lost its authorization is detached",
                         devices({barred(kWebcam)}),
                         {given("a", kWebcam, 0), running("b")},
                         config("a: bus: 1; b: bus: 1"),
                         {detach("a", hostdev_of(kWebcam), "not authorized")}},
                    Case{"also if it does not answer",
                         devices({silent(barred(kWebcam))}),
                         {given("a", kWebcam, 0)},
                         config("a: bus: 1"),
                         {detach("a", hostdev_of(kWebcam), "not authorized")}},
                    Case{"whoever attached it",
                         devices({barred(kWebcam)}),
                         {running("a", {by_ids(kWebcam)})},
                         config("a: bus: 1"),
                         {detach("a", by_ids(kWebcam), "not authorized")}},
                    Case{"but not where the machine keeps it, nor from a guest that is not configured",
                         devices({barred(kWebcam), barred(kScale)}),
                         {running("a", {hostdev_of(kWebcam)}), running("x", {hostdev_of(kScale)})},
                         keeping("a: bus: 1"),
                         {}},
                    Case{"that a driver of the host has it is by itself no reason for anything",
                         devices({driven(kWebcam, DriverKind::kHost), driven(kScale, DriverKind::kHost)}),
                         {given("a", kWebcam, 0), running("b")},
                         config("a: bus: 1; b: bus: 2"),
                         {attach("b", kScale)}}));

// What a driver of the host has taken back is given anew: the detach is one plan's, the attach the next
// one's.
struct TakenCase {
  std::string title;
  Device device;
  DomainView domain;
  Config config;
  Words expected;
  std::vector<std::pair<std::string, bool>> contested;  // and whether its domain is settled
};

std::ostream& operator<<(std::ostream& out, const TakenCase& example) {
  return out << example.title;
}

class TakenBackPlanTest : public testing::TestWithParam<TakenCase> {};

TEST_P(TakenBackPlanTest, IsAsExpected) {
  const TakenCase& example = GetParam();
  const std::vector<DomainView> domains{example.domain};
  const Plan made = plan(devices({example.device}), domains, example.config, {}, {example.device.sysname});
  EXPECT_EQ(in_words(made, domains), example.expected);
  std::vector<std::pair<std::string, bool>> contested;
  for (const Contested& one : made.contested) contested.emplace_back(one.sysname, one.settled);
  EXPECT_EQ(contested, example.contested);
}

DomainView busy_with(const Device& device) {
  DomainView view = given("a", device, 0);
  view.settled = false;
  return view;
}

INSTANTIATE_TEST_SUITE_P(
    Plan, TakenBackPlanTest,
    testing::Values(TakenCase{"a hostdev of ours is detached",
                              driven(kWebcam, DriverKind::kHost),
                              given("a", kWebcam, 0),
                              config("a: bus: 1"),
                              {detach("a", hostdev_of(kWebcam), "taken back")},
                              {{"1-1", true}}},
                    TakenCase{"not while its domain is busy",
                              driven(kWebcam, DriverKind::kHost),
                              busy_with(kWebcam),
                              config("a: bus: 1"),
                              {},
                              {{"1-1", false}}},
                    TakenCase{"not if QEMU has it by now",
                              driven(kWebcam, DriverKind::kUsbfs),
                              given("a", kWebcam, 0),
                              config("a: bus: 1"),
                              {},
                              {}},
                    TakenCase{
                        "nor if nobody has it", kWebcam, given("a", kWebcam, 0), config("a: bus: 1"), {}, {}},
                    TakenCase{"nor somebody else's hostdev",
                              driven(kWebcam, DriverKind::kHost),
                              running("a", {hostdev_of(kWebcam)}),
                              config("a: bus: 1"),
                              {},
                              {}},
                    TakenCase{"nor in a domain that is not configured",
                              driven(kWebcam, DriverKind::kHost),
                              given("x", kWebcam, 0),
                              config("a: bus: 1"),
                              {},
                              {}},
                    TakenCase{"one that is free is attached",
                              driven(kWebcam, DriverKind::kHost),
                              running("a"),
                              config("a: bus: 1"),
                              {attach("a", kWebcam)},
                              {}}));

TEST(PlanHostProtection, AnyMatchingRuleOfTheMachineMayAllowItAndTheRefusalNamesTheFirst) {
  const auto rules = [](const std::string& last) {
    const std::vector<ConfigText> files{
        {"test.yml", "", "machines: {a: {devices: [{bus: 9}, {vendor-id: 0x046d}, {bus: 1" + last + "}]}}"}};
    return std::get<LoadedConfig>(load_config(files)).config;
  };
  const std::vector<DomainView> domains{running("a")};
  const Plan allowed = plan(devices({mounted(kWebcam)}), domains, rules(", allow-host-device: true"));
  ASSERT_EQ(allowed.attaches.size(), 1U);
  EXPECT_EQ(allowed.attaches[0].rule, 2U);
  const Plan free = plan(devices({kWebcam}), domains, rules(", allow-host-device: true"));
  ASSERT_EQ(free.attaches.size(), 1U);
  EXPECT_EQ(free.attaches[0].rule, 1U);
  const Plan refused = plan(devices({mounted(kWebcam)}), domains, rules(""));
  EXPECT_EQ(refused.refusals, (std::vector<Refusal>{{"1-1", "a", 1, {{HostUseKind::kMounted, "sdb1"}}}}));
}

TEST(PlanOrder, TheRuleIsTheFirstThatMatches) {
  const std::vector<ConfigText> files{
      {"test.yml", "", "machines: {a: {devices: [{bus: 9}, {vendor-id: 0x046d}, {bus: 1}]}}"}};
  const auto loaded = load_config(files);
  const std::vector<DomainView> domains{running("a")};
  const Plan result = plan(devices({kWebcam}), domains, std::get<LoadedConfig>(loaded).config);
  ASSERT_EQ(result.attaches.size(), 1U);
  EXPECT_EQ(result.attaches[0].rule, 1U);
}

}  // namespace
}  // namespace whawty
