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

#include "common/fd.h"

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

// In the environment of a process with namespaces of its own; no other can be such a host.
inline constexpr const char* kOwnNamespaces = "WHAWTY_NAMESPACES";

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

  // Gives an interface, "3-6.3:1.0", to a driver; none: takes it away.
  void drive(const std::string& interface, const std::string& driver);
  void stop_udevd();

  // What udev has of the device cannot be read from now on, as a folder stands in its place; until
  // write_database.
  void spoil_database(const UsbDevice& device);

  // Shows something in a class of sysfs, "block", at that path below /sys; or no longer. A name of folders,
  // "sdb/holders/dm-0", is an attribute too.
  void show(const std::string& of, const std::string& name, const std::string& path,
            const std::map<std::string, std::string>& attributes = {});
  void hide(const std::string& of, const std::string& name);

  // A disk of a USB device, with one partition: sdb and sdb1 are 8:16 and 8:17 as long as nothing else is
  // said.
  void show_disk(const std::string& sysname, const std::string& number_of_partition = "8:17");

  // A file below the folder kProc, which stands for /proc, in place: who has it open reads it.
  void write_list(const std::string& name, const std::string& content);
  static constexpr const char* kProc = "/run/proc";

  // A list of mounts with "/" and these devices, by number and name: {"8:17", "/dev/sdb1"}.
  void mount(const std::map<std::string, std::string>& devices = {});

  // Sends an event of that device, or interface, as udevd does; more than once: as fast as it can.
  void event(const std::string& action, const std::string& sysname, int times = 1);

  // Sends one of something of another subsystem, "block", at that path below /sys.
  void event_of(const std::string& subsystem, const std::string& path);

  // The kernel sends an event of something, and counts it, as it does when a device comes or leaves.
  void count_event();

  // udevd has something to do, or no longer.
  void occupy_udevd(bool busy);

  // The kernel says that a network interface has changed: the loopback, which comes up or goes down. Up, it
  // can have a default route.
  void change_interface();
  void add_default_route();

  // From now on whoever reads this attribute is held up until then() has been run, once; the attribute is
  // whole again after that. Destroy the result only after the attribute was read.
  std::jthread when_read(const std::string& sysname, const std::string& name, std::function<void()> then);

  // From now on whoever reads this attribute waits until it is released: as the kernel does it with a device
  // whose driver is busy.
  void hold(const std::string& sysname, const std::string& name);
  void release(const std::string& sysname, const std::string& name);
  void release_all() { held_.clear(); }  // who waits reads nothing

 private:
  void send(const std::string& subsystem, const std::string& type, const std::string& properties, int times);

  int netlink_;
  int events_ = 1000;               // that the kernel has sent
  std::map<std::string, Fd> held_;  // by path
};

}  // namespace whawty::fake
