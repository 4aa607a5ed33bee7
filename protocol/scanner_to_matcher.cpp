// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "protocol/scanner_to_matcher.h"

#include <algorithm>

#include "protocol/frame.h"
#include "protocol/schema/scanner_to_matcher.capnp.h"

namespace whawty {
namespace {

constexpr std::size_t kMaxSysname = 64;
constexpr std::size_t kMaxInterfaces = 256;
constexpr std::size_t kMaxListed = 1024;
constexpr std::size_t kMaxName = 256;
constexpr std::size_t kMaxValue = 32 * 1024;

using DataList = capnp::List<capnp::Data>;

void write_list(DataList::Builder list, const std::vector<std::string>& items) {
  for (unsigned i = 0; i < items.size(); ++i) list.set(i, frame::data(items[i]));
}

void write_device(schema::Device::Builder record, const Device& device) {
  record.setSysname(frame::data(device.sysname));
  record.setBus(device.bus);
  record.setNumber(device.number);
  record.setVendor(device.vendor);
  record.setProduct(device.product);
  record.setDeviceClass(device.device_class);
  record.setInterfaceClasses({device.interface_classes.data(), device.interface_classes.size()});
  auto properties = record.initProperties(static_cast<unsigned>(device.properties.size()));
  for (unsigned i = 0; i < device.properties.size(); ++i) {
    properties[i].setName(frame::data(device.properties[i].name));
    properties[i].setValue(frame::data(device.properties[i].value));
  }
  write_list(record.initTags(static_cast<unsigned>(device.tags.size())), device.tags);
  write_list(record.initCurrentTags(static_cast<unsigned>(device.current_tags.size())), device.current_tags);
  record.setPropertiesOmitted(device.properties_omitted);
  if (device.digest) frame::write_digest(record.initDigest(), *device.digest);
  auto uses = record.initHostUses(static_cast<unsigned>(device.host_uses.size()));
  for (unsigned i = 0; i < device.host_uses.size(); ++i) {
    uses[i].setKind(static_cast<std::uint8_t>(device.host_uses[i].kind));
    uses[i].setName(frame::data(device.host_uses[i].name));
  }
  record.setAuthorized(device.authorized);
  record.setDriver(static_cast<std::uint8_t>(device.driver));
  record.setHostDriver(frame::data(device.host_driver));
}

std::string read_sysname(capnp::Data::Reader data) {
  std::string name = frame::bytes(data, 1, kMaxSysname, "a sysfs name");
  constexpr std::string_view kAllowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.:_-";
  if (name.find_first_not_of(kAllowed) != std::string::npos)
    throw Violation("a sysfs name that the kernel would not give");
  return name;
}

std::vector<std::string> read_tags(DataList::Reader list) {
  frame::bounded<std::size_t>(list.size(), 0, kMaxListed, "the number of tags");
  std::vector<std::string> tags;
  tags.reserve(list.size());  // a vector that grows takes up to twice the memory
  for (const capnp::Data::Reader tag : list) tags.push_back(frame::bytes(tag, 1, kMaxName, "a tag"));
  return tags;
}

std::vector<Property> read_properties(capnp::List<schema::Property>::Reader list) {
  frame::bounded<std::size_t>(list.size(), 0, kMaxListed, "the number of properties");
  std::vector<Property> properties;
  properties.reserve(list.size());
  for (const schema::Property::Reader property : list) {
    properties.push_back({frame::bytes(property.getName(), 1, kMaxName, "a property's name"),
                          frame::bytes(property.getValue(), 0, kMaxValue, "a property's value")});
    if (properties.size() > 1 && properties[properties.size() - 2].name >= properties.back().name)
      throw Violation("properties that are not sorted");
  }
  return properties;
}

std::vector<HostUse> read_host_uses(capnp::List<schema::HostUse>::Reader list) {
  frame::bounded<std::size_t>(list.size(), 0, kMaxHostUses, "the number of the host's uses");
  constexpr auto kLast = static_cast<std::uint8_t>(kLastHostUseKind);
  std::vector<HostUse> uses;
  for (const schema::HostUse::Reader use : list) {
    const auto kind = frame::bounded<std::uint8_t>(use.getKind(), 0, kLast, "a kind of the host's use");
    uses.push_back({static_cast<HostUseKind>(kind),
                    frame::bytes(use.getName(), 1, kMaxHostUseName, "the name of what the host uses")});
    if (uses.size() > 1 && uses[uses.size() - 2] >= uses.back())
      throw Violation("uses of the host that are not sorted");
  }
  return uses;
}

void read_driver(schema::Device::Reader record, Device& device) {
  constexpr auto kLast = static_cast<std::uint8_t>(kLastDriverKind);
  device.driver =
      static_cast<DriverKind>(frame::bounded<std::uint8_t>(record.getDriver(), 0, kLast, "a kind of driver"));
  const bool named = device.driver == DriverKind::kHost;
  device.host_driver =
      frame::bytes(record.getHostDriver(), named ? 1 : 0, named ? kMaxDriverName : 0, "the name of a driver");
}

Device read_device(schema::Device::Reader record) {
  Device device;
  device.sysname = read_sysname(record.getSysname());
  device.bus = frame::bounded<std::uint16_t>(record.getBus(), 1, kMaxBus, "a bus");
  device.number = frame::bounded<std::uint16_t>(record.getNumber(), 1, kMaxDeviceNumber, "a device number");
  device.vendor = record.getVendor();
  device.product = record.getProduct();
  device.device_class = record.getDeviceClass();
  const capnp::Data::Reader classes = record.getInterfaceClasses();
  frame::bounded<std::size_t>(classes.size(), 0, kMaxInterfaces, "the number of interfaces");
  device.interface_classes.assign(classes.begin(), classes.end());
  device.properties = read_properties(record.getProperties());
  device.tags = read_tags(record.getTags());
  device.current_tags = read_tags(record.getCurrentTags());
  device.properties_omitted = record.getPropertiesOmitted();
  if (record.hasDigest()) device.digest = frame::read_digest(record.getDigest());
  device.host_uses = read_host_uses(record.getHostUses());
  device.authorized = record.getAuthorized();
  read_driver(record, device);
  return device;
}

ScannerMessage read_message(schema::ScannerMessage::Reader message) {
  switch (message.which()) {
    case schema::ScannerMessage::SNAPSHOT_BEGIN:
      return SnapshotBegin{};
    case schema::ScannerMessage::DEVICE:
      return read_device(message.getDevice());
    case schema::ScannerMessage::REMOVED:
      return DeviceRemoved{read_sysname(message.getRemoved())};
    case schema::ScannerMessage::SNAPSHOT_END:
      return SnapshotEnd{};
    case schema::ScannerMessage::PONG:
      return Pong{};
  }
  throw Violation("a scanner message of an unknown kind");
}

struct Writer {
  schema::ScannerMessage::Builder message;
  void operator()(const SnapshotBegin&) { message.setSnapshotBegin(); }
  void operator()(const Device& device) { write_device(message.initDevice(), device); }
  void operator()(const DeviceRemoved& removed) { message.setRemoved(frame::data(removed.sysname)); }
  void operator()(const Pong&) { message.setPong(); }
  void operator()(const SnapshotEnd&) { message.setSnapshotEnd(); }
};

}  // namespace

Datagram encode(const ScannerMessage& message) {
  frame::Builder builder(std::holds_alternative<Device>(message) ? frame::kMaxWords : 64);
  std::visit(Writer{builder.initRoot<schema::ScannerMessage>()}, message);
  return frame::finish(builder);
}

ScannerMessage decode_scanner_message(const Datagram& datagram) {
  return frame::decode<schema::ScannerMessage>(datagram, read_message);
}

}  // namespace whawty
