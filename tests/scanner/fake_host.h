// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// A host made of files: /sys and /run of the test's own mount namespace, and udevd's voice in its network
// namespace.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <thread>

namespace whawty::fake {

struct UsbDevice {
  std::string sysname;
  unsigned bus = 1;
  unsigned number = 1;
  std::map<std::string, std::string> attributes;  // file below the device's directory -> content
  std::string uevent;                             // lines beyond those of every device
  std::optional<std::string> database;  // lines of the udev data; nothing: udev has not processed it
};

// A device as udev leaves it: with attributes, one interface of class 03, and an empty database.
UsbDevice device(const std::string& sysname, unsigned bus, unsigned number);

class Host {
 public:
  // Fresh file systems; udevd runs on it.
  Host();
  ~Host();
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  void plug(const UsbDevice& device);
  void unplug(const std::string& sysname);
  void write_attribute(const std::string& sysname, const std::string& name, const std::string& content);
  void write_database(const UsbDevice& device);
  void stop_udevd();

  // Sends an event of that device as udevd does; more than once: as fast as it can.
  void event(const std::string& action, const std::string& sysname, int times = 1);

  // From now on whoever reads this attribute is held up until then() has been run, once; the attribute is
  // whole again after that. Destroy the result only after the attribute was read.
  std::jthread when_read(const std::string& sysname, const std::string& name, std::function<void()> then);

 private:
  int netlink_;
};

}  // namespace whawty::fake
