// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// What passes the gate, said a second time, by hand: one message for each row of its table, and what may be
// another number in it. Nothing of the gate is used for it.
#pragma once

#include <regex>
#include <set>
#include <string>
#include <vector>

#include "tests/gate/rpc.h"

namespace whawty::rpc {

// The domain that libvirtd has named.
inline constexpr Uuid kUuid{0x0123456789abcdef, 0xfedcba9876543210};
inline const std::string kName = "webcam-test";

inline const std::string kKnownXml =
    "<hostdev mode='subsystem' type='usb' managed='yes'><source><vendor id='0x046d'/><product id='0x0825'/>"
    "<address bus='3' device='5'/></source></hostdev>";
inline const std::string kNewXml =
    "<hostdev mode='subsystem' type='usb' managed='yes'><source><vendor id='0x046d'/><product id='0x0825'/>"
    "<address bus='3' device='5'/></source><alias name='ua-whawty-usb-00000000000000ab-17'/></hostdev>";

inline Frame open() {
  return {1, words({1}) + text("qemu:///system") + words({0})};
}
inline Frame feature(std::uint32_t number) {
  return {60, words({number})};
}
inline Frame events(std::uint32_t number) {
  return {316, words({number, 0})};
}
inline Frame list() {
  return {273, words({1, 0})};
}
inline Frame look_up(const Uuid& of = kUuid, std::uint32_t serial = 1) {
  return {24, uuid(of), serial};
}
inline Frame describe(const std::string& of = domain(kName, kUuid)) {
  return {14, of + words({0})};
}
inline Frame attach(const std::string& of = domain(kName, kUuid), const std::string& xml = kNewXml,
                    std::uint32_t flags = 1) {
  return {160, of + text(xml) + words({flags})};
}
inline Frame detach(const std::string& of = domain(kName, kUuid), const std::string& xml = kKnownXml,
                    std::uint32_t flags = 1) {
  return {161, of + text(xml) + words({flags})};
}

struct Passing {
  const char* name;
  Frame frame;
  std::set<std::size_t> free = {};  // the bytes of it that may be others
};

inline std::set<std::size_t> bytes(std::size_t first, std::size_t count, std::set<std::size_t> others = {}) {
  for (std::size_t i = 0; i < count; ++i) others.insert(first + i);
  return others;
}
inline constexpr std::size_t kHeader = 28;
inline constexpr std::size_t kSerialAt = 20;
inline constexpr std::size_t kIdAt = kHeader + 4 + 12 + 16;

inline const std::vector<Passing>& passing() {
  static const std::set<std::size_t> serial = bytes(kSerialAt, 4);
  static const std::set<std::size_t> serial_and_id = bytes(kIdAt, 4, serial);
  static const std::vector<Passing> all{
      {"AuthList", {66}, serial},
      {"AuthPolkit", {70}, serial},
      {"Open", open(), serial},
      {"Close", {2}, serial},
      {"EventCallbacks", feature(15), serial},
      {"CloseCallback", feature(14), serial},
      {"KeepAlive", feature(10), serial},
      {"RegisterClose", {360}, serial},
      {"Lifecycle", events(0), serial},
      {"DeviceRemoved", events(15), serial},
      {"DeviceAdded", events(19), serial},
      {"List", list(), serial},
      {"LookUp", look_up(), bytes(kHeader, 16, serial)},
      {"Describe", describe(), serial_and_id},
      {"Attach", attach(), serial_and_id},
      {"Detach", detach(), serial_and_id},
      {"Ping", keep_alive(1)},
      {"Pong", keep_alive(2)},
  };
  return all;
}

// The numbers of the XML may be others, each within its bounds and in one way of writing it.
inline bool is_xml(const std::string& xml, bool is_new) {
  static const std::string begin = "<hostdev mode='subsystem' type='usb' managed='yes'><source>";
  static const std::string ids = "<vendor id='0x(?!0000)[0-9a-f]{4}'/><product id='0x[0-9a-f]{4}'/>";
  static const std::string address =
      "<address bus='[1-9][0-9]{0,2}' device='([1-9]|[1-9][0-9]|1[01][0-9]|12[0-7])'/>";
  static const std::regex known(begin + "(" + ids + address + "|" + ids + "|" + address +
                                ")</source></hostdev>");
  static const std::regex to_be(
      begin + ids + address +
      "</source><alias name='ua-whawty-usb-[0-9a-f]{16}-(0|[1-9][0-9]*)'/></hostdev>");
  std::smatch found;
  if (!is_new) return std::regex_match(xml, known);
  if (!std::regex_match(xml, found, to_be)) return false;
  const std::string occasion = found[2];
  return occasion.size() < 20 || (occasion.size() == 20 && occasion <= "18446744073709551615");
}

// Whether a frame is one of these but for what may be another.
inline bool is_passing(const std::string& frame) {
  for (const Passing& one : passing()) {
    const std::string expected = one.frame.bytes();
    bool same = frame.size() == expected.size();
    for (std::size_t at = 0; same && at < frame.size(); ++at)
      same = frame[at] == expected[at] || one.free.contains(at);
    if (same) return true;
  }
  constexpr std::size_t kXmlAt = kIdAt + 8;
  if (frame.size() < kXmlAt + 4) return false;
  for (const bool is_new : {true, false}) {
    const std::size_t size =
        static_cast<unsigned char>(frame[kXmlAt - 2]) * 256U + static_cast<unsigned char>(frame[kXmlAt - 1]);
    const std::string xml = frame.substr(kXmlAt, size);
    std::string expected =
        (is_new ? attach(domain(kName, kUuid), xml) : detach(domain(kName, kUuid), xml)).bytes();
    if (frame.size() != expected.size() || !is_xml(xml, is_new)) continue;
    expected.replace(kSerialAt, 4, frame, kSerialAt, 4).replace(kIdAt, 4, frame, kIdAt, 4);
    if (frame == expected) return true;
  }
  return false;
}

}  // namespace whawty::rpc
