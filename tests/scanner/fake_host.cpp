// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "fake_host.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <net/route.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <vector>

namespace whawty::fake {
namespace {

namespace fs = std::filesystem;

void check(bool done, const std::string& what) {
  if (!done) throw std::system_error(errno, std::generic_category(), what);
}

fs::path directory(const std::string& sysname) {
  return "/sys/devices/pci0/" + sysname;
}

void write(const fs::path& path, const std::string& content) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << content;
}

// Whoever has the file open reads what is written.
void write_in_place(const std::string& path, const std::string& content) {
  fs::create_directories(fs::path(path).parent_path());
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  check(::pwrite(file, content.data(), content.size(), 0) == static_cast<ssize_t>(content.size()), path);
  check(::ftruncate(file, static_cast<off_t>(content.size())) == 0, path);
  ::close(file);
}

unsigned minor(const UsbDevice& device) {
  return (device.bus - 1) * 128 + device.number - 1;
}

std::string database_of(const UsbDevice& device) {
  return "/run/udev/data/c189:" + std::to_string(minor(device));
}

// MurmurHash2 with seed 0: how systemd's monitor filter hashes the subsystem and the type.
std::uint32_t hash(std::string_view text) {
  constexpr std::uint32_t kMix = 0x5bd1e995;
  auto h = static_cast<std::uint32_t>(text.size());
  for (; text.size() >= 4; text.remove_prefix(4)) {
    std::uint32_t k = 0;
    std::memcpy(&k, text.data(), sizeof k);
    k *= kMix;
    k ^= k >> 24;
    h = (h * kMix) ^ (k * kMix);
  }
  for (std::size_t i = text.size(); i-- > 0;) h ^= static_cast<std::uint32_t>(text[i]) << (8 * i);
  if (!text.empty()) h *= kMix;
  h ^= h >> 13;
  h *= kMix;
  return h ^ (h >> 15);
}

// The header of udevd's messages: struct monitor_netlink_header in systemd's
// src/libsystemd/sd-device/device-monitor.c.
struct Header {
  char prefix[8] = "libudev";
  std::uint32_t magic = htonl(0xfeedcafe);
  std::uint32_t header_size = sizeof(Header);
  std::uint32_t properties_offset = sizeof(Header);
  std::uint32_t properties_size = 0;
  std::uint32_t subsystem = 0;
  std::uint32_t type = 0;
  std::uint32_t tags[2] = {0, 0};
};

constexpr std::uint32_t kUdevGroup = 2;

}  // namespace

UsbDevice device(const std::string& sysname, unsigned bus, unsigned number) {
  return {sysname,
          bus,
          number,
          {{"idVendor", "046d"},
           {"idProduct", "0825"},
           {"bDeviceClass", "00"},
           {"maxchild", "0"},
           {"authorized", "1"},
           {sysname + ":1.0/bInterfaceClass", "03"}},
          "",
          ""};
}

Host::Host() : netlink_(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT)) {
  check(netlink_ >= 0, "netlink");
  if (::getenv(kOwnNamespaces) == nullptr)
    throw std::logic_error("this test mounts on /sys and /run: it is to be started by ctest, in namespaces");
  for (const char* const place : {"/sys", "/run"})
    check(::mount("fake", place, "tmpfs", 0, "mode=755") == 0, std::string("mount on ") + place);
  // libudev would otherwise insist that /sys be a sysfs.
  ::setenv("SYSTEMD_DEVICE_VERIFY_SYSFS", "0", 1);
  fs::create_directories("/sys/bus/usb/devices");
  fs::create_directories("/sys/devices/pci0");
  fs::create_directories("/sys/class");
  fs::create_directories("/sys/fs");
  fs::create_directories("/sys/dev/char");
  count_event();
  fs::create_directories("/run/udev/data");
  write("/run/udev/control", "");
  mount();
  write_list("swaps", "Filename\tType\tSize\tUsed\tPriority\n");
}

Host::~Host() {
  ::umount2("/sys", MNT_DETACH);
  ::umount2("/run", MNT_DETACH);
  ::close(netlink_);
}

void Host::plug(const UsbDevice& device) {
  const fs::path place = directory(device.sysname);
  std::ostringstream uevent;
  uevent << "MAJOR=189\nMINOR=" << minor(device) << "\nDEVNAME=bus/usb/" << device.bus << '/' << device.number
         << "\nDEVTYPE=usb_device\n"
         << device.uevent;
  write(place / "uevent", uevent.str());
  write(place / "busnum", std::to_string(device.bus) + '\n');
  write(place / "devnum", std::to_string(device.number) + '\n');
  write(place / "descriptors", "descriptors of " + device.sysname);
  for (const auto& [name, content] : device.attributes) write(place / name, content + '\n');
  fs::create_symlink("../../../bus/usb", place / "subsystem");
  write_database(device);
  fs::create_symlink("../../../devices/pci0/" + device.sysname, "/sys/bus/usb/devices/" + device.sysname);
  const fs::path number = "/sys/dev/char/189:" + std::to_string(minor(device));
  fs::remove(number);
  fs::create_symlink("../../devices/pci0/" + device.sysname, number);
  count_event();
}

void Host::unplug(const std::string& sysname) {
  fs::remove("/sys/bus/usb/devices/" + sysname);
  std::vector<fs::path> numbers;
  for (const auto& entry : fs::directory_iterator("/sys/dev/char"))
    if (fs::read_symlink(entry.path()).filename() == sysname) numbers.push_back(entry.path());
  for (const fs::path& number : numbers) fs::remove(number);
  fs::remove_all(directory(sysname));
  count_event();
}

void Host::write_attribute(const std::string& sysname, const std::string& name, const std::string& content) {
  write(directory(sysname) / name, content + '\n');
}

void Host::write_database(const UsbDevice& device) {
  const std::string file = database_of(device);
  if (!device.database || fs::is_directory(file)) fs::remove(file);
  if (!device.database) return;
  write(file + ".new", "I:1\n" + *device.database);
  fs::rename(file + ".new", file);
}

void Host::drive(const std::string& interface, const std::string& driver) {
  const fs::path link = directory(interface.substr(0, interface.find(':'))) / interface / "driver";
  fs::remove(link);
  if (!driver.empty()) fs::create_symlink("../../../../bus/usb/drivers/" + driver, link);
}

void Host::spoil_database(const UsbDevice& device) {
  fs::remove(database_of(device));
  fs::create_directory(database_of(device));
}

void Host::stop_udevd() {
  fs::remove("/run/udev/control");
}

void Host::show(const std::string& of, const std::string& name, const std::string& path,
                const std::map<std::string, std::string>& attributes) {
  fs::create_directories("/sys/" + path);
  for (const auto& [attribute, content] : attributes) write("/sys/" + path + '/' + attribute, content + '\n');
  const std::string link = "/sys/class/" + of + '/' + name;
  fs::create_directories("/sys/class/" + of);
  if (!fs::is_symlink(link)) fs::create_symlink("../../" + path, link);
}

void Host::hide(const std::string& of, const std::string& name) {
  fs::remove_all(fs::canonical("/sys/class/" + of + '/' + name));
  fs::remove("/sys/class/" + of + '/' + name);
}

void Host::show_disk(const std::string& sysname, const std::string& number_of_partition) {
  const std::string disk = "devices/pci0/" + sysname + '/' + sysname + ":1.0/host3/target3:0:0/block/sdb";
  const std::string idle = "1 0 8 1 0 0 0 0 0 1 1";
  show("block", "sdb", disk, {{"dev", "8:16"}, {"stat", idle}});
  show("block", "sdb1", disk + "/sdb1", {{"dev", number_of_partition}, {"stat", idle}});
}

void Host::write_list(const std::string& name, const std::string& content) {
  write_in_place(std::string(kProc) + '/' + name, content);
}

void Host::mount(const std::map<std::string, std::string>& devices) {
  std::string list = "22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw\n";
  for (const auto& [number, device] : devices)
    list += "30 22 " + number + " / /mnt rw,relatime shared:9 - vfat " + device + " rw\n";
  write_list("self/mountinfo", list);
}

void Host::event(const std::string& action, const std::string& sysname, int times) {
  const auto colon = sysname.find(':');
  const std::string type = colon == std::string::npos ? "usb_device" : "usb_interface";
  const std::string place = colon == std::string::npos ? sysname : sysname.substr(0, colon) + '/' + sysname;
  std::string properties;
  for (const std::string& line : {"ACTION=" + action, "DEVPATH=/devices/pci0/" + place,
                                  std::string("SUBSYSTEM=usb"), "DEVTYPE=" + type, std::string("SEQNUM=7")})
    properties.append(line).push_back('\0');
  send("usb", type, properties, times);
}

void Host::event_of(const std::string& subsystem, const std::string& path) {
  std::string properties;
  for (const std::string& line :
       {std::string("ACTION=change"), "DEVPATH=/" + path, "SUBSYSTEM=" + subsystem, std::string("SEQNUM=7")})
    properties.append(line).push_back('\0');
  send(subsystem, "", properties, 1);
}

void Host::send(const std::string& subsystem, const std::string& type, const std::string& properties,
                int times) {
  Header header;
  header.subsystem = htonl(hash(subsystem));
  if (!type.empty()) header.type = htonl(hash(type));
  header.properties_size = static_cast<std::uint32_t>(properties.size());
  std::string message(reinterpret_cast<const char*>(&header), sizeof header);
  message += properties;
  sockaddr_nl group{};
  group.nl_family = AF_NETLINK;
  group.nl_groups = kUdevGroup;
  for (int i = 0; i < times; ++i) {
    const ssize_t sent = ::sendto(netlink_, message.data(), message.size(), 0,
                                  reinterpret_cast<const sockaddr*>(&group), sizeof group);
    // ECONNREFUSED: nobody listens. ENOBUFS: a listener is full, which is what a flood is for.
    check(sent > 0 || errno == ECONNREFUSED || errno == ENOBUFS, "event");
  }
}

void Host::count_event() {
  write_in_place("/sys/kernel/uevent_seqnum", std::to_string(++events_) + '\n');
}

void Host::occupy_udevd(bool busy) {
  if (busy) write("/run/udev/queue", "");
  if (!busy) fs::remove("/run/udev/queue");
}

void Host::change_interface() {
  const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq loopback{};
  std::strcpy(loopback.ifr_name, "lo");
  check(::ioctl(socket.get(), SIOCGIFFLAGS, &loopback) == 0, "lo");
  loopback.ifr_flags = static_cast<short>(loopback.ifr_flags ^ IFF_UP);
  check(::ioctl(socket.get(), SIOCSIFFLAGS, &loopback) == 0, "lo");
}

void Host::add_default_route() {
  const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  char loopback[] = "lo";
  rtentry route{};
  route.rt_dst.sa_family = route.rt_genmask.sa_family = AF_INET;
  route.rt_flags = RTF_UP;
  route.rt_dev = loopback;
  check(::ioctl(socket.get(), SIOCADDRT, &route) == 0, "a default route");
}

void Host::hold(const std::string& sysname, const std::string& name) {
  const fs::path path = directory(sysname) / name;
  fs::rename(path, path.string() + ".whole");
  check(::mkfifo(path.c_str(), 0600) == 0, "mkfifo");
  held_[path] = Fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
}

void Host::release(const std::string& sysname, const std::string& name) {
  const fs::path path = directory(sysname) / name;
  std::string line;
  std::getline(std::ifstream(path.string() + ".whole"), line);
  line += '\n';
  fs::rename(path.string() + ".whole", path);
  const Fd fifo = std::move(held_.extract(path.string()).mapped());
  check(::write(fifo.get(), line.data(), line.size()) > 0, "release");
}

std::jthread Host::when_read(const std::string& sysname, const std::string& name,
                             std::function<void()> then) {
  const fs::path path = directory(sysname) / name;
  std::string content;
  std::getline(std::ifstream(path), content);
  fs::rename(path, path.string() + ".whole");
  check(::mkfifo(path.c_str(), 0600) == 0, "mkfifo");
  return std::jthread([path, content, then = std::move(then)] {
    const int fifo = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);  // waits for the reader
    fs::rename(path.string() + ".whole", path);
    then();
    const std::string line = content + '\n';
    if (::write(fifo, line.data(), line.size()) < 0) std::abort();
    ::close(fifo);
  });
}

}  // namespace whawty::fake
