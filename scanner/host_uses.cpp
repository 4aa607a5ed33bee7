// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "scanner/host_uses.h"

#include <algorithm>
#include <optional>
#include <sstream>

#include "common/bounds.h"
#include "common/sysfs.h"
#include "common/text.h"
#include "scanner/sysfs_classes.h"

namespace whawty {
namespace {

// Names of the kernel are shorter; what is not cannot be told, and is cut.
std::string fitting(const std::string& name) {
  return name.substr(0, kMaxHostUseName);
}

// What the kernel's lists say of mounts and swap.
struct DiskLists {
  std::optional<Mounted> mounted;  // nothing: could not be read
  std::optional<Names> swaps;
  Names of_file_systems;
};

std::vector<HostUseKind> kinds_of(const std::string& name, const DiskLists& lists) {
  std::vector<HostUseKind> kinds;
  const std::string number = class_attribute("block", name, "dev").value_or("");
  if (lists.of_file_systems.contains(name) || has_file_system(name) ||
      (lists.mounted && (lists.mounted->numbers.contains(number) || lists.mounted->names.contains(name))))
    kinds.push_back(HostUseKind::kMounted);
  if (lists.swaps && lists.swaps->contains(name)) kinds.push_back(HostUseKind::kSwap);
  if (!class_names("block", name + "/holders").empty()) kinds.push_back(HostUseKind::kHeld);
  if (!lists.mounted || !lists.swaps) kinds.push_back(HostUseKind::kUnknown);
  return kinds;
}

// Requests that are under way: the ninth number of a block device's statistics.
// https://docs.kernel.org/block/stat.html
bool under_way(const std::string& counters) {
  constexpr int kInFlight = 9;
  std::istringstream numbers(counters);
  std::string number;
  for (int i = 0; i < kInFlight; ++i) numbers >> number;
  return number != "0";
}

}  // namespace

void HostUses::look(Clock::time_point now) {
  last_look_ = now;
  usb_ = usb_device_paths();
  known_.clear();
  for (const auto& [path, sysname] : usb_) known_.insert(sysname);
  uses_.clear();
  settling_ = watches_ = has_interfaces_ = has_keyboards_ = false;
  look_at_disks(now);
  look_at_interfaces(now);
  look_at_keyboards();
}

HostUses::Clock::time_point HostUses::next(Clock::time_point now) const {
  auto next = Clock::time_point::max();
  if (watches_) next = now + (settling_ ? kSettlingInterval : kLookInterval);
  for (const auto& [path, last] : carried_)
    if (last < last_look_) next = std::min(next, std::max(now, last + kRouteGrace));
  return next;
}

std::vector<HostUse> HostUses::of(const std::string& sysname) const {
  const auto found = uses_.find(sysname);
  if (found == uses_.end()) return {};
  std::vector<HostUse> uses = found->second;
  std::sort(uses.begin(), uses.end());
  uses.erase(std::unique(uses.begin(), uses.end()), uses.end());
  if (uses.size() > kMaxHostUses) uses.resize(kMaxHostUses);
  return uses;
}

void HostUses::look_at_disks(Clock::time_point now) {
  DiskLists lists;
  if (const auto text = files_.mounts()) lists.mounted = parse_mountinfo(*text);
  // Something is always mounted.
  if (lists.mounted && lists.mounted->numbers.empty()) lists.mounted.reset();
  if (const auto text = files_.swaps()) lists.swaps = parse_swaps(*text);
  lists.of_file_systems = disks_of_btrfs();
  std::map<std::string, Disk> disks;
  for (const auto& [name, path] : class_members("block")) {
    const std::string owner = owner_of(path);
    if (owner.empty()) continue;
    watches_ = true;
    const std::vector<HostUseKind> kinds = kinds_of(name, lists);
    for (const HostUseKind kind : kinds) add(owner, kind, name);
    if (!kinds.empty()) {
      disks[path] = {{}, now, true};
    } else if (settles(path, name, now, disks)) {
      add(owner, HostUseKind::kSettling, name);
      settling_ = true;
    }
  }
  disks_ = std::move(disks);
}

bool HostUses::settles(const std::string& path, const std::string& name, Clock::time_point now,
                       std::map<std::string, Disk>& disks) {
  const auto before = disks_.find(path);
  if (before == disks_.end()) return false;
  const std::string counters = class_attribute("block", name, "stat").value_or("");
  const Disk& last = before->second;
  const bool still = !last.in_use && counters == last.counters && !under_way(counters);
  const Disk disk{counters, still ? last.since : now, false};
  if (now - disk.since >= kQuiet) return false;
  disks[path] = disk;
  return true;
}

void HostUses::look_at_interfaces(Clock::time_point now) {
  Names carriers;
  const std::optional<std::string> routes = files_.routes();
  const std::optional<std::string> ipv6_routes = files_.ipv6_routes();
  if (routes) carriers.merge(parse_routes(*routes));
  if (ipv6_routes) carriers.merge(parse_ipv6_routes(*ipv6_routes));
  std::erase_if(carried_, [now](const auto& last) { return now - last.second >= kRouteGrace; });
  for (const auto& [name, path] : class_members("net")) {
    const std::string owner = owner_of(path);
    if (owner.empty()) continue;
    has_interfaces_ = true;
    if (is_below_any(name, carriers)) carried_[path] = now;
    if (carried_.contains(path)) add(owner, HostUseKind::kDefaultRoute, name);
    if (routes && ipv6_routes) continue;
    add(owner, HostUseKind::kUnknown, name);
    watches_ = true;
  }
}

void HostUses::look_at_keyboards() {
  std::map<std::string, std::string> of_usb;  // owner -> name of one of its keyboards
  for (const auto& [name, path] : class_members("input")) {
    if (!name.starts_with("input")) continue;  // its handlers: event3, mouse0
    constexpr std::string_view kVirtual = "devices/virtual/";
    const auto ev = class_attribute("input", name, "capabilities/ev");
    const auto key = class_attribute("input", name, "capabilities/key");
    if (path.starts_with(kVirtual) || !ev || !key || !is_keyboard(*ev, *key)) continue;
    const std::string owner = owner_of(path);
    if (owner.empty()) return;  // one that no guest can get
    of_usb.emplace(owner, name);
  }
  has_keyboards_ = !of_usb.empty();
  if (of_usb.empty() || !has_local_console()) return;
  for (const auto& [owner, name] : of_usb) add(owner, HostUseKind::kKeyboard, name);
}

// The USB device that something is a part of: the longest path that leads to it. Or nothing.
std::string HostUses::owner_of(const std::string& path) const {
  for (std::size_t end = path.rfind('/'); end != std::string::npos && end > 0; end = path.rfind('/', end - 1))
    if (const auto found = usb_.find(std::string_view(path).substr(0, end)); found != usb_.end())
      return found->second;
  return {};
}

void HostUses::add(const std::string& owner, HostUseKind kind, const std::string& name) {
  uses_[owner].push_back({kind, fitting(name)});
}

}  // namespace whawty
