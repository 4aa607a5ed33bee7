// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "scanner/sysfs_classes.h"

#include <algorithm>

#include "common/sysfs.h"
#include "common/text.h"

namespace whawty {
namespace {

constexpr const char* kFileSystems = "/sys/fs/";
constexpr int kMaxSteps = 8;

std::string folder_of(const std::string& of) {
  return "/sys/class/" + of;
}

std::vector<std::string> names_in(const std::string& path) {
  const auto directory = SysfsDirectory::open(path);
  return directory ? directory->names() : std::vector<std::string>{};
}

// "../../devices/pci0" -> "devices/pci0"
std::string below_sys(std::string target) {
  constexpr std::string_view kUp = "../";
  while (target.starts_with(kUp)) target.erase(0, kUp.size());
  return target;
}

// The connectors of graphics cards are named "card0-HDMI-A-1". One for writing to memory is no screen.
bool is_connector(const std::string& name) {
  return name.starts_with("card") && name.find('-') != std::string::npos &&
         name.find("Writeback") == std::string::npos;
}

bool is_frame_buffer(const std::string& name) {
  return name.starts_with("fb") && name != "fbcon";
}

bool is_text_console(const std::string& name) {
  const std::string driver = class_attribute("vtconsole", name, "name").value_or("");
  return class_attribute("vtconsole", name, "bind") == "1" && driver.find("VGA") != std::string::npos;
}

}  // namespace

std::map<std::string, std::string> class_members(const std::string& of) {
  std::map<std::string, std::string> members;
  const auto directory = SysfsDirectory::open(folder_of(of));
  if (!directory) return members;
  for (const std::string& name : directory->names())
    if (auto target = directory->link(name)) members.emplace(name, below_sys(std::move(*target)));
  return members;
}

std::optional<std::string> class_attribute(const std::string& of, const std::string& member,
                                           const std::string& name) {
  const auto directory = SysfsDirectory::open(concat(folder_of(of), '/', member));
  return directory ? directory->attribute(name) : std::nullopt;
}

std::vector<std::string> class_names(const std::string& of, const std::string& folder) {
  return names_in(concat(folder_of(of), '/', folder));
}

std::map<std::string, std::string, std::less<>> usb_device_paths() {
  std::map<std::string, std::string, std::less<>> paths;
  const auto directory = SysfsDirectory::open(kUsbDevices);
  if (!directory) return paths;
  for (const std::string& name : directory->names()) {
    if (name.find(':') != std::string::npos) continue;  // an interface
    if (auto target = directory->link(name)) paths.emplace(below_sys(std::move(*target)), name);
  }
  return paths;
}

Names disks_of_btrfs() {
  Names disks;
  const std::string folder = std::string(kFileSystems) + "btrfs/";
  for (const std::string& one : names_in(folder))
    for (std::string& disk : names_in(concat(folder, one, "/devices"))) disks.insert(std::move(disk));
  return disks;
}

bool has_file_system(const std::string& disk) {
  constexpr const char* kTypes[] = {"ext4", "xfs", "f2fs", "nilfs2", "erofs"};
  return std::any_of(std::begin(kTypes), std::end(kTypes), [&](const char* type) {
    return SysfsDirectory::open(concat(kFileSystems, type, '/', disk)).has_value();
  });
}

bool is_below_any(const std::string& interface, const Names& interfaces) {
  constexpr std::string_view kUpper = "upper_";  // a link to each interface made of this one, masters too
  Names seen{interface};
  std::vector<std::string> level{interface};
  for (int step = 0; step <= kMaxSteps && !level.empty(); ++step) {
    std::vector<std::string> next;
    for (const std::string& one : level) {
      if (interfaces.contains(one)) return true;
      for (const std::string& name : class_names("net", one))
        if (name.starts_with(kUpper) && seen.insert(name.substr(kUpper.size())).second)
          next.push_back(name.substr(kUpper.size()));
    }
    level = std::move(next);
  }
  return false;
}

bool has_local_console() {
  bool connectors = false;
  for (const std::string& name : class_names("drm", "")) {
    const auto status = is_connector(name) ? class_attribute("drm", name, "status") : std::nullopt;
    if (!status) continue;
    if (*status != "disconnected") return true;  // "connected", or "unknown"
    connectors = true;
  }
  if (connectors) return false;
  const std::vector<std::string> buffers = class_names("graphics", "");
  const std::vector<std::string> consoles = class_names("vtconsole", "");
  return std::any_of(buffers.begin(), buffers.end(), is_frame_buffer) ||
         std::any_of(consoles.begin(), consoles.end(), is_text_console);
}

}  // namespace whawty
