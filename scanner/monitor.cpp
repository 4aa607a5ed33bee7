// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "scanner/monitor.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "common/fd.h"
#include "common/log.h"
#include "common/text.h"

namespace whawty {
namespace {

constexpr int kReceiveBuffer = 8 * 1024 * 1024;  // bytes: a few thousand events

constexpr const char* kUsb = "usb";
constexpr const char* kInterface = "usb_interface";

// Disks, keyboards, and the screens of a local console.
constexpr const char* kBlock = "block";
constexpr const char* kOfHost[] = {kBlock, "input", "drm", "graphics", "vtconsole"};

// Each bus is a folder "usb1" in the path of its devices.
bool is_below_usb(udev_device* device) {
  const char* const path = udev_device_get_devpath(device);
  return path == nullptr || std::string_view(path).find("/usb") != std::string_view::npos;
}

// An interface is "3-6.3:1.0", its device "3-6.3".
void note(udev_device* device, Hints& hints) {
  const char* const name = udev_device_get_subsystem(device);
  const std::string_view subsystem = name == nullptr ? "" : name;
  if (subsystem != kUsb) {
    // What is made of a USB disk is looked for as long as that is there; a host may have a great many others.
    hints.of_host = hints.of_host || subsystem != kBlock || is_below_usb(device);
    return;
  }
  const std::string sysname = udev_device_get_sysname(device);
  const char* const type = udev_device_get_devtype(device);
  if (type != nullptr && std::string_view(type) == kInterface) {
    hints.interfaces.insert(sysname.substr(0, sysname.find(':')));
  } else {
    hints.sysnames.insert(sysname);
  }
}

// libudev returns a negative errno.
void check(int result, const char* step) {
  if (result < 0) throw std::system_error(-result, std::generic_category(), step);
}

// libudev cannot be told which descriptor to use, but the lowest free one is what the kernel gives. So all
// below this one are taken meanwhile.
UdevMonitor monitor_at(int number, udev* udev) {
  std::vector<Fd> below;
  for (;;) {
    Fd next(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0));
    if (!next) throw std::system_error(errno, std::generic_category(), "udev monitor");
    if (next.get() >= number) break;
    below.push_back(std::move(next));
  }
  return UdevMonitor(udev_monitor_new_from_netlink(udev, "udev"));
}

}  // namespace

Monitor::Monitor(udev* udev, int number) : monitor_(monitor_at(number, udev)) {
  if (!monitor_) throw std::system_error(errno, std::generic_category(), "udev monitor");
  if (fd() != number)
    throw std::runtime_error(concat("the udev monitor is descriptor ", fd(), ", not ", number));
  for (const char* const type : {"usb_device", kInterface})
    check(udev_monitor_filter_add_match_subsystem_devtype(monitor_.get(), kUsb, type),
          "udev monitor's filter");
  for (const char* const subsystem : kOfHost)
    check(udev_monitor_filter_add_match_subsystem_devtype(monitor_.get(), subsystem, nullptr),
          "udev monitor's filter");
  // Without privileges the system's limit holds (net.core.rmem_max); what overflows the buffer costs a
  // rescan.
  udev_monitor_set_receive_buffer_size(monitor_.get(), kReceiveBuffer);
  check(udev_monitor_enable_receiving(monitor_.get()), "udev monitor");
  if (!udevd_runs())
    log::warning(
        "udevd does not run here: devices are found at each interval only, without udev's properties and "
        "tags");
}

Hints Monitor::take() {
  expect_same_udev();
  Hints hints;
  for (int count = 0; count < kMaxEvents; ++count) {
    errno = 0;
    const UdevDevice device(udev_monitor_receive_device(monitor_.get()));
    if (device) {
      note(device.get(), hints);
      continue;
    }
    if (errno == EINTR) continue;
    if (errno == EAGAIN) break;
    // EINVAL: an event that libudev does not understand. It is as good as lost.
    if (errno != ENOBUFS && errno != EINVAL)
      throw std::system_error(errno, std::generic_category(), "udev monitor");
    hints.lost = true;
  }
  return hints;
}

}  // namespace whawty
