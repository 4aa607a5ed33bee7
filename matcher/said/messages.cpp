// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/said/messages.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "common/hostdev_text.h"
#include "common/text.h"
#include "matcher/said/remedy.h"

namespace whawty {
namespace {

std::string numbers(const Hostdev& hostdev) {
  std::string text;
  if (hostdev.bus != 0) text = address_of(hostdev);
  if (hostdev.bus != 0 && hostdev.vendor != 0) text += ' ';
  if (hostdev.vendor != 0) text += ids_of(hostdev);
  return text;
}

const std::string* property(const Device& device, const std::string& name) {
  const auto& all = device.properties;
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const Property& one) { return one.name == name; });
  return found == all.end() ? nullptr : &found->value;
}

std::string list_of(const std::vector<std::string>& tags) {
  std::string text;
  for (const std::string& tag : tags) text += ' ' + show_word(tag);
  return text;
}

const char* text_of(HostUseKind kind) {
  switch (kind) {
    case HostUseKind::kMounted:
      return " is mounted";
    case HostUseKind::kSwap:
      return " is swap";
    case HostUseKind::kHeld:
      return " is a part of another block device";
    case HostUseKind::kSettling:
      return " was in use just now";
    case HostUseKind::kUnknown:
      return " may be in use: that could not be read";
    case HostUseKind::kDefaultRoute:
      return " carries a default route";
    case HostUseKind::kKeyboard:
      return " is the only keyboard of the local console";
  }
  return "";
}

}  // namespace

std::string name_of(const Device& device) {
  std::string text = numbers({device.bus, device.number, device.vendor, device.product});
  const std::string* const serial = property(device, "ID_SERIAL_SHORT");
  if (serial != nullptr) text += " serial=" + show_word(*serial);
  return text + " port=" + device.sysname;
}

std::string names_in(const Device& device) {
  std::string text;
  for (const auto& [name, shown] : {std::pair{"ID_VENDOR", " vendor="}, {"ID_MODEL", " model="}})
    if (const std::string* const value = property(device, name)) text += shown + show_word(*value);
  return text;
}

std::string name_of(const Hostdev& hostdev) {
  return numbers(hostdev);
}

std::string rule_name(const std::string& machine, std::size_t rule) {
  return concat(show_name(machine), '[', rule, ']');
}

std::string reason_of(DetachReason reason) {
  switch (reason) {
    case DetachReason::kLeftHost:
      return "it left the host";
    case DetachReason::kNoRule:
      return "no rule gives it the device";
    case DetachReason::kHub:
      return "a hub cannot be passed through";
    case DetachReason::kNotAuthorized:
      return "the host does not authorize it";
    case DetachReason::kTakenBack:
      return "the host's driver had taken it back";
    case DetachReason::kMissing:
      return "its device was missing, and QEMU takes any that it can open instead";
  }
  return {};
}

std::string text_of(const Empty& empty) {
  const std::string hostdev = concat("the hostdev of ", name_of(empty.hostdev));
  const std::string machine = concat("machine ", show_name(empty.machine));
  if (!empty.kept)
    return concat("ALARM: libvirt gave ", machine, ' ', hostdev,
                  ", whose device was not there: QEMU takes any that it can open instead; it is detached");
  if (empty.hostdev.missing)
    return concat(machine, " keeps ", hostdev,
                  ", whose device was missing: QEMU takes any that it can open instead; virsh detach-device "
                  "ends that");
  return concat(
      machine, " keeps ", hostdev,
      ", whose device left the host, or QEMU let go of it: the guest may not have been told, and the "
      "next device with that number may be the guest's; virsh detach-device ends that");
}

std::string text_of(const DomainNote& note) {
  using Kind = DomainNote::Kind;
  const std::string machine = "machine " + show_name(note.domain);
  switch (note.kind) {
    case Kind::kListFailed:
      return concat("listing the domains failed: ", escape(note.detail), ": trying again");
    case Kind::kListWorks:
      return "listing the domains works again";
    case Kind::kStalled:
      return machine + " does not answer: nothing is done for it until a call that hangs returns";
    case Kind::kBusy:
      return machine +
             " is busy: libvirt has not described it for two minutes, since another operation on it does not "
             "end: nothing is done for it until then; see `virsh domjobinfo`, and whether its QEMU hangs";
    case Kind::kNotDescribed:
      return concat(machine, ": libvirt does not describe it: ", escape(note.detail));
    case Kind::kUnreadable:
      return concat(machine, ": ", note.detail);
    case Kind::kTooManyHostdevs:
      return concat(machine, ": it has more than ", note.count, " USB hostdevs");
    case Kind::kNoRoom:
      return concat(machine, ": it has more USB hostdevs than there is room for: ", note.count,
                    " of all domains");
    case Kind::kUnidentified:
      return concat(machine, ": ", note.count,
                    " of its USB hostdevs cannot be identified by bus and device or vendor and product: left "
                    "alone");
  }
  return {};
}

std::string text_of(const std::vector<HostUse>& uses) {
  std::string text;
  for (const HostUse& use : uses)
    text += concat(text.empty() ? "" : ", ", show_word(use.name), text_of(use.kind));
  return text;
}

std::string duration_text(std::chrono::nanoseconds duration) {
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
  return milliseconds < 10'000 ? concat(milliseconds, " ms") : concat(milliseconds / 1000, " s");
}

std::string failure_text(const Result& failure) {
  if (failure.outcome == Outcome::kNotListed)
    return "the domain is not in the list of those that may be changed: name the domain in the file of "
           "--domains and start the daemon anew";
  const std::string_view remedy = remedy_of(failure);
  return concat(failure.libvirt_code != 0 ? "libvirt says: " : "", escape(failure.message),
                remedy.empty() ? "" : ": ", remedy);
}

std::vector<std::string> listing_of(const Device& device) {
  std::vector<std::string> lines{concat("device ", name_of(device))};
  for (const Property& one : device.properties)
    lines.push_back(concat("  ", show_word(one.name), " = ", show(one.value)));
  if (!device.digest) lines.emplace_back("  (it does not answer: nothing more is known of it)");
  if (device.properties_omitted)
    lines.emplace_back("  (more properties and tags than a record holds: none can be matched)");
  lines.push_back("  tags:" + list_of(device.tags));
  lines.push_back("  current tags:" + list_of(device.current_tags));
  for (const HostUse& use : device.host_uses)
    lines.push_back(concat(
        "  the host: ", show_word(use.name),
        use.kind == HostUseKind::kKeyboard ? " is a keyboard of the local console" : text_of(use.kind)));
  if (!device.authorized) lines.emplace_back("  the host: has not authorized it");
  if (device.driver == DriverKind::kHost)
    lines.push_back(concat("  the host: its driver ", show_word(device.host_driver), " has it"));
  return lines;
}

}  // namespace whawty
