// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "scanner/device_reader.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <vector>

#include "common/bounds.h"
#include "common/sysfs.h"
#include "common/text.h"
#include "protocol/scanner_to_matcher.h"
#include "scanner/udev.h"
#include "scanner/udev_data.h"

namespace whawty {
namespace {

// A device that comes and goes is looked at again at its next event; there is no point in chasing it.
constexpr int kAttempts = 3;

// What sysfs says that no correct device could.
struct Nonsense : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The device left while it was being read.
struct Gone {};

// Why udev's record of it cannot be read.
struct Unread {
  int error;
};

template <std::unsigned_integral Number>
Number parse(const std::string& name, const std::string& text, int base) {
  Number number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number, base);
  if (error != std::errc{} || rest != end) throw Nonsense(concat(name, " is '", escape(text), "'"));
  return number;
}

template <std::unsigned_integral Number>
Number number(const SysfsDirectory& directory, const std::string& name, int base) {
  const std::optional<std::string> text = directory.attribute(name);
  if (!text) throw Gone{};
  return parse<Number>(name, *text, base);
}

Device numbers(const SysfsDirectory& directory, const std::string& sysname) {
  Device device;
  device.sysname = sysname;
  device.number = number<std::uint16_t>(directory, "devnum", 10);
  device.bus = number<std::uint16_t>(directory, "busnum", 10);
  device.vendor = number<std::uint16_t>(directory, "idVendor", 16);
  device.product = number<std::uint16_t>(directory, "idProduct", 16);
  device.device_class = number<std::uint8_t>(directory, "bDeviceClass", 16);
  device.authorized = number<std::uint8_t>(directory, "authorized", 10) != 0;
  return device;
}

// An interface's driver, by its path in sysfs. Of several drivers of the host the first is named.
void add_driver(const std::string& path, Device& device) {
  const std::string name = path.substr(path.rfind('/') + 1, kMaxDriverName);
  if (name.empty() || device.driver == DriverKind::kHost) return;
  device.driver = name == "usbfs" ? DriverKind::kUsbfs : DriverKind::kHost;
  if (device.driver == DriverKind::kHost) device.host_driver = name;
}

void read_interfaces(const SysfsDirectory& directory, Device& device) {
  for (const std::string& child : directory.names()) {
    if (child.find(':') == std::string::npos) continue;  // an interface is "3-6.3:1.0"
    const std::string name = child + "/bInterfaceClass";
    // An interface may leave alone, when the device's configuration is changed.
    const auto text = directory.attribute(name);
    if (!text) continue;
    device.interface_classes.push_back(parse<std::uint8_t>(name, *text, 16));
    if (const auto driver = directory.link(child + "/driver")) add_driver(*driver, device);
  }
}

// All for which the kernel does not take the device's lock.
Device facts(const SysfsDirectory& directory, const std::string& sysname) {
  Device device = numbers(directory, sysname);
  read_interfaces(directory, device);
  return device;
}

std::vector<Property> properties(udev_device* handle) {
  std::vector<Property> properties;
  udev_list_entry* entry = nullptr;
  udev_list_entry_foreach(entry, udev_device_get_properties_list_entry(handle)) {
    const std::string_view name = udev_list_entry_get_name(entry);
    if (name == "TAGS" || name == "CURRENT_TAGS") continue;  // these are the lists of tags
    const char* const value = udev_list_entry_get_value(entry);
    properties.push_back({std::string(name), value == nullptr ? "" : value});
  }
  std::sort(properties.begin(), properties.end(),
            [](const Property& a, const Property& b) { return a.name < b.name; });
  return properties;
}

std::vector<std::string> names(udev_list_entry* first) {
  std::vector<std::string> names;
  udev_list_entry* entry = nullptr;
  udev_list_entry_foreach(entry, first) names.emplace_back(udev_list_entry_get_name(entry));
  std::sort(names.begin(), names.end());
  return names;
}

// Whether udev has a record of the device. libudev says no, too, if it cannot read it.
bool has_record(udev_device* handle) {
  const dev_t number = udev_device_get_devnum(handle);
  if (udev_device_get_is_initialized(handle) > 0) return true;
  const int error = number == 0 ? ENOENT : record_error(number);
  if (error == ENOENT) return false;
  throw Unread{error == 0 ? EAGAIN : error};  // it may have come just now
}

bool awaits_udev(const SysfsDirectory& directory) {
  if (!udevd_runs()) return false;
  // Kernels without power management do not have this one; then only udev's event says that the device is
  // ready.
  const std::optional<std::string> connected = directory.attribute("power/connected_duration");
  return !connected || parse<std::uint64_t>("connected_duration", *connected, 10) < kPatienceWithUdev;
}

// What the matcher would find wrong with the record; empty when it takes it.
std::string_view objection(const Device& device) {
  return fits_datagram(device) ? objection_to(device) : "message too large";
}

Reading fitted(Device device) {
  const std::string_view first = objection(device);
  if (first.empty()) return {std::move(device), {}};
  omit_properties(device);
  const std::string_view second = objection(device);
  if (!second.empty()) return {std::nullopt, concat("is left out: ", second)};
  return {
      std::move(device),
      concat("is told without its properties and tags, no rule that asks for them will match it: ", first)};
}

UdevDevice open_handle(udev* udev, const std::string& sysname) {
  UdevDevice handle(udev_device_new_from_subsystem_sysname(udev, "usb", sysname.c_str()));
  if (handle) return handle;
  if (errno != ENOENT && errno != ENODEV)
    throw std::system_error(errno, std::generic_category(), "udev device");
  throw Gone{};
}

Reading read_once(udev* udev, const std::string& sysname, const std::vector<HostUse>& uses) {
  const auto directory = SysfsDirectory::open(concat(kUsbDevices, '/', sysname));
  if (!directory) return {};
  const UdevDevice handle = open_handle(udev, sysname);
  const bool has_udevs_record = has_record(handle.get());  // if so, libudev has it from here on
  Device device = facts(*directory, sysname);
  device.properties = properties(handle.get());
  device.tags = names(udev_device_get_tags_list_entry(handle.get()));
  device.current_tags = names(udev_device_get_current_tags_list_entry(handle.get()));
  device.digest = digest_of(*directory);
  if (!device.digest) throw Gone{};
  device.host_uses = uses;
  const bool waits = !has_udevs_record && awaits_udev(*directory);
  // libudev reads by path: only if the directory is still alive, and the number the same, was all of it one
  // device.
  if (number<std::uint16_t>(*directory, "devnum", 10) != device.number) throw Gone{};
  return waits ? Reading{} : fitted(std::move(device));
}

}  // namespace

Reading read_device(udev* udev, const std::string& sysname, const std::vector<HostUse>& uses) {
  Reading reading;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    try {
      return read_once(udev, sysname, uses);
    } catch (const Gone&) {
      reading = {};
    } catch (const Unread& unread) {
      reading = {std::nullopt,
                 concat("stays what it was, udev's record of it cannot be read: ",
                        std::generic_category().message(unread.error)),
                 true};
    } catch (const Nonsense& error) {
      return {std::nullopt, concat("is left out: ", error.what())};
    }
  }
  return reading;
}

std::optional<Device> read_facts(const std::string& sysname) {
  try {
    const auto directory = SysfsDirectory::open(concat(kUsbDevices, '/', sysname));
    if (!directory) return std::nullopt;
    return fitted(facts(*directory, sysname)).device;
  } catch (const Gone&) {
    return std::nullopt;
  } catch (const Nonsense&) {
    return std::nullopt;
  }
}

}  // namespace whawty
