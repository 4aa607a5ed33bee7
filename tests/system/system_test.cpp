// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "system_test.h"

#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <system_error>

#include "common/text.h"

namespace whawty {
namespace {

void check(bool done, const char* what) {
  if (!done) throw std::system_error(errno, std::generic_category(), what);
}

void write(const std::string& path, const std::string& text) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

// Mounts and networks of our own. Without privileges that takes a user namespace too, in which we are root.
void enter_namespaces() {
  const uid_t user = ::geteuid();
  const gid_t group = ::getegid();
  check(::unshare(CLONE_NEWNS | CLONE_NEWNET | (user == 0 ? 0 : CLONE_NEWUSER)) == 0, "unshare");
  if (user != 0) {
    write("/proc/self/setgroups", "deny");
    write("/proc/self/uid_map", concat("0 ", user, " 1"));
    write("/proc/self/gid_map", concat("0 ", group, " 1"));
  }
  check(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0, "private mounts");
  ::setenv(fake::kOwnNamespaces, "own", 1);
}

}  // namespace

fake::UsbDevice webcam(unsigned number) {
  fake::UsbDevice device = fake::device(concat("3-", number), 3, number);
  device.database = concat("E:ID_SERIAL_SHORT=CAM", number, "\nG:camera\nQ:fresh\n");
  return device;
}

Hostdev hostdev_of(const fake::UsbDevice& device) {
  return {static_cast<std::uint16_t>(device.bus), static_cast<std::uint16_t>(device.number), 0x046d, 0x0825};
}

std::string config(const std::string& machines, const std::string& interval) {
  return "interval: " + interval + "\nmachines:\n" + machines;
}

std::string wants_all(const std::string& machine) {
  return "  " + machine + ":\n    devices:\n    - vendor-id: 0x046d\n";
}

std::string wants(const std::string& machine, unsigned number) {
  return concat("  ", machine,
                ":\n    devices:\n    - udev:\n        env:\n        - name: ID_SERIAL_SHORT\n",
                "          equals: CAM", number, '\n');
}

bool is_real_root() {
  std::ifstream map("/proc/self/uid_map");
  unsigned inside = 0;
  unsigned outside = 0;
  unsigned count = 0;
  map >> inside >> outside >> count;
  return count >= 65536;
}

SystemTest::SystemTest() {
  // Where an unprivileged user can reach it, wherever the build tree is.
  std::filesystem::create_directories("/run/tree");
  check(::mount(WHAWTY_TREE, "/run/tree", nullptr, MS_BIND, nullptr) == 0, "mounting the programs");
  std::filesystem::create_directories("/run/user");
  std::filesystem::permissions("/run/user", std::filesystem::perms::all);
  daemon_.environment = {{"LIBVIRT_DEFAULT_URI", "qemu:///system?socket=/run/libvirt-rpc"},
                         {"XDG_RUNTIME_DIR", "/run/user"}};
}

SystemTest::~SystemTest() {
  if (HasFailure()) std::cerr << "The log:\n" << daemon_.log();
}

void SystemTest::write_file(const std::string& name, const std::string& text) {
  write("/run/etc/" + name, text);
}

void SystemTest::start(const std::string& text) {
  write_config(text);
  libvirt_.start();
  daemon_.start({"/run/etc/config.yml"});
  ASSERT_TRUE(daemon_.logs("using the configuration"));
  ASSERT_TRUE(eventually([&] { return libvirt_.listings() > 0; }));
}

void SystemTest::start_with_guest() {
  libvirt_.define("a");
  start(config(wants_all("a")));
}

void SystemTest::plug(const fake::UsbDevice& device) {
  host_.plug(device);
  host_.event("add", device.sysname);
}

void SystemTest::unplug(const fake::UsbDevice& device) {
  host_.unplug(device.sysname);
  host_.event("remove", device.sysname);
}

bool SystemTest::gets(const std::string& domain, const fake::UsbDevice& device, int milliseconds) {
  return eventually(
      [&] {
        const std::vector<Hostdev> has = libvirt_.hostdevs(domain);
        return std::find(has.begin(), has.end(), hostdev_of(device)) != has.end();
      },
      milliseconds);
}

bool SystemTest::ends_up_with(const std::string& domain, const std::vector<fake::UsbDevice>& devices) {
  std::vector<Hostdev> expected;
  for (const fake::UsbDevice& device : devices) expected.push_back(hostdev_of(device));
  return eventually([&] {
    std::vector<Hostdev> has = libvirt_.hostdevs(domain);
    return std::is_permutation(has.begin(), has.end(), expected.begin(), expected.end());
  });
}

int SystemTest::times(const std::string& change) const {
  const std::vector<std::string> changes = libvirt_.changes();
  return static_cast<int>(std::count(changes.begin(), changes.end(), change));
}

}  // namespace whawty

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (!testing::GTEST_FLAG(list_tests)) whawty::enter_namespaces();
  return RUN_ALL_TESTS();
}
