// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// All five processes together on a host made of files, with a libvirt made of memory. Everything that they
// touch lies in the /run and /sys of the test's own mount namespace.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "daemon.h"
#include "libvirt.h"
#include "tests/eventually.h"
#include "tests/scanner/fake_host.h"

namespace whawty {

// A device that udev has processed, with a serial of its own to match it by.
fake::UsbDevice webcam(unsigned number);
Hostdev hostdev_of(const fake::UsbDevice& device);

// A configuration that acts on events alone: its interval is an hour. The machines are lines below
// "machines:".
std::string config(const std::string& machines, const std::string& interval = "1h");

// One machine that shall have every device of webcam()'s vendor, or only the one with that devnum.
std::string wants_all(const std::string& machine);
std::string wants(const std::string& machine, unsigned number);

// Whether the test runs as root of all users, and not of a user namespace with one.
bool is_real_root();

class SystemTest : public testing::Test {
 protected:
  SystemTest();
  ~SystemTest() override;

  void write_config(const std::string& text) { write_file("config.yml", text); }
  void write_file(const std::string& name, const std::string& text);

  // Starts the daemon with that configuration and the libvirt, and waits until it is at work.
  void start(const std::string& text);

  // The same with one guest, a, which shall have every device of webcam()'s vendor.
  void start_with_guest();

  void reload() { daemon_.signal(SIGHUP); }

  void plug(const fake::UsbDevice& device);
  void unplug(const fake::UsbDevice& device);

  // Whether the domain has the device, or has exactly these devices, eventually.
  bool gets(const std::string& domain, const fake::UsbDevice& device, int milliseconds = 10'000);
  bool ends_up_with(const std::string& domain, const std::vector<fake::UsbDevice>& devices);

  // How often that change was asked for.
  int times(const std::string& change) const;

  fake::UsbDevice camera_ = webcam(5);  // not plugged yet

  fake::Host host_;
  fake::Libvirt libvirt_{"/run/libvirt"};
  fake::Daemon daemon_{"/run/tree/sbin/whawty-libvirt-usb-hotplugd"};
};

}  // namespace whawty
