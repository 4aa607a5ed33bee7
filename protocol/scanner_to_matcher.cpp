// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "protocol/scanner_to_matcher.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "common/bounds.h"
#include "protocol/frame.h"
#include "protocol/schema/scanner_to_matcher.capnp.h"

namespace whawty {
namespace {

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

// One item more than is allowed shows that there are more.
template <class List>
unsigned count_to_read(const List& list, std::size_t at_most) {
  return std::min(list.size(), static_cast<unsigned>(at_most) + 1);
}

std::vector<std::string> read_tags(DataList::Reader list) {
  const unsigned count = count_to_read(list, kMaxTags);
  std::vector<std::string> tags;
  tags.reserve(count);  // a vector that grows takes up to twice the memory
  for (unsigned i = 0; i < count; ++i) tags.push_back(frame::bytes(list[i]));
  return tags;
}

std::vector<Property> read_properties(capnp::List<schema::Property>::Reader list) {
  const unsigned count = count_to_read(list, kMaxProperties);
  std::vector<Property> properties;
  properties.reserve(count);
  for (unsigned i = 0; i < count; ++i)
    properties.push_back({frame::bytes(list[i].getName()), frame::bytes(list[i].getValue())});
  return properties;
}

std::vector<HostUse> read_host_uses(capnp::List<schema::HostUse>::Reader list) {
  std::vector<HostUse> uses;
  for (unsigned i = 0; i < count_to_read(list, kMaxHostUses); ++i)
    uses.push_back({static_cast<HostUseKind>(list[i].getKind()), frame::bytes(list[i].getName())});
  return uses;
}

void expect_none(std::string_view objection) {
  if (!objection.empty()) throw Violation(std::string(objection));
}

Device read_device(schema::Device::Reader record) {
  Device device;
  device.sysname = frame::bytes(record.getSysname());
  device.bus = record.getBus();
  device.number = record.getNumber();
  device.vendor = record.getVendor();
  device.product = record.getProduct();
  device.device_class = record.getDeviceClass();
  const capnp::Data::Reader classes = record.getInterfaceClasses();
  device.interface_classes.assign(classes.begin(), classes.end());
  device.properties = read_properties(record.getProperties());
  device.tags = read_tags(record.getTags());
  device.current_tags = read_tags(record.getCurrentTags());
  device.properties_omitted = record.getPropertiesOmitted();
  if (record.hasDigest()) device.digest = frame::read_digest(record.getDigest());
  device.host_uses = read_host_uses(record.getHostUses());
  device.authorized = record.getAuthorized();
  device.driver = static_cast<DriverKind>(record.getDriver());
  device.host_driver = frame::bytes(record.getHostDriver());
  expect_none(objection_to(device));
  return device;
}

DeviceRemoved read_removed(capnp::Data::Reader sysname) {
  DeviceRemoved removed{frame::bytes(sysname)};
  expect_none(objection_to_sysname(removed.sysname));
  return removed;
}

ScannerMessage read_message(schema::ScannerMessage::Reader message) {
  switch (message.which()) {
    case schema::ScannerMessage::SNAPSHOT_BEGIN:
      return SnapshotBegin{};
    case schema::ScannerMessage::DEVICE:
      return read_device(message.getDevice());
    case schema::ScannerMessage::REMOVED:
      return read_removed(message.getRemoved());
    case schema::ScannerMessage::SNAPSHOT_END:
      return SnapshotEnd{};
    case schema::ScannerMessage::PONG:
      return Pong{};
    case schema::ScannerMessage::UNCHANGED:
      return Unchanged{};
    case schema::ScannerMessage::AWAKE:
      return Awake{};
  }
  throw Violation("a scanner message of an unknown kind");
}

struct Writer {
  schema::ScannerMessage::Builder message;
  void operator()(const SnapshotBegin&) { message.setSnapshotBegin(); }
  void operator()(const Device& device) { write_device(message.initDevice(), device); }
  void operator()(const DeviceRemoved& removed) { message.setRemoved(frame::data(removed.sysname)); }
  void operator()(const Pong&) { message.setPong(); }
  void operator()(const Unchanged&) { message.setUnchanged(); }
  void operator()(const Awake&) { message.setAwake(); }
  void operator()(const SnapshotEnd&) { message.setSnapshotEnd(); }
};

// How many words parts of a message take: https://capnproto.org/encoding.html
template <class Struct>
constexpr std::size_t kWords = Struct::_capnpPrivate::dataWordSize + Struct::_capnpPrivate::pointerCount;
constexpr std::size_t kPointer = 1;
constexpr std::size_t kTag = 1;  // before the structs of a list

std::size_t words_of(const std::string& bytes) {
  return (bytes.size() + sizeof(capnp::word) - 1) / sizeof(capnp::word);
}

std::size_t words_of(const std::vector<std::string>& items) {
  std::size_t words = items.size() * kPointer;
  for (const std::string& item : items) words += words_of(item);
  return words;
}

std::size_t words_of(const Device& device) {
  std::size_t words = kPointer + kWords<schema::ScannerMessage> + kWords<schema::Device> +
                      words_of(device.sysname) + words_of(device.host_driver) + words_of(device.tags) +
                      words_of(device.current_tags);
  words += (device.interface_classes.size() + sizeof(capnp::word) - 1) / sizeof(capnp::word);
  words += kTag + device.properties.size() * kWords<schema::Property>;
  for (const Property& property : device.properties)
    words += words_of(property.name) + words_of(property.value);
  if (device.digest) words += kWords<schema::Digest>;
  words += kTag + device.host_uses.size() * kWords<schema::HostUse>;
  for (const HostUse& use : device.host_uses) words += words_of(use.name);
  return words;
}

}  // namespace

bool fits_datagram(const Device& device) {
  return words_of(device) <= frame::kMaxWords;
}

Datagram encode(const ScannerMessage& message) {
  frame::Builder builder(std::holds_alternative<Device>(message) ? frame::kMaxWords : 64);
  std::visit(Writer{builder.initRoot<schema::ScannerMessage>()}, message);
  return frame::finish(builder);
}

ScannerMessage decode_scanner_message(const Datagram& datagram) {
  return frame::decode<schema::ScannerMessage>(datagram, read_message);
}

}  // namespace whawty
