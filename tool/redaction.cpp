// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "common/bounds.h"
#include "common/hostdev_alias.h"
#include "common/sha256.h"
#include "common/text.h"
#include "tool/record.h"

namespace whawty {
namespace {

// Shorter ones are found at the end of these variables only: elsewhere they may mean anything.
constexpr std::size_t kShortest = 6;  // bytes
constexpr const char* kSerials[] = {"ID_SERIAL_SHORT", "ID_USB_SERIAL_SHORT"};
constexpr const char* kEndWithSerial[] = {"ID_SERIAL", "ID_USB_SERIAL"};

Digest digest_of(const std::string& salt, std::string_view bytes) {
  return sha256(salt + '\0' + std::string(bytes));
}

bool is_one_of(const std::string& name, const auto& names) {
  return std::any_of(std::begin(names), std::end(names), [&](const char* one) { return name == one; });
}

std::string lower(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

class Redaction {
 public:
  Redaction(const Host& host, const std::string& salt) : salt_(salt) {
    for (const auto& [sysname, device] : host.devices)
      for (const auto& [name, value] : device.properties)
        if (is_one_of(name, kSerials) && !value.empty()) serials_.push_back(value);
    // The longest first, of which another may be a part.
    const auto key = [](const std::string& serial) { return std::pair(-std::ssize(serial), serial); };
    std::ranges::sort(serials_, {}, key);
    serials_.erase(std::unique(serials_.begin(), serials_.end()), serials_.end());
  }

  void apply(Device& device) const {
    for (auto& [name, value] : device.properties) value = value_of(name, value);
    for (auto* const tags : {&device.tags, &device.current_tags})
      for (std::string& tag : *tags) tag = without_serials(std::move(tag), kMaxTag);
    for (HostUse& use : device.host_uses) use.name = without_serials(std::move(use.name), kMaxHostUseName);
    std::ranges::sort(device.host_uses);
    const auto same = std::unique(device.host_uses.begin(), device.host_uses.end());
    device.host_uses.erase(same, device.host_uses.end());
    if (device.digest) device.digest = digest(*device.digest);
  }

  // The same for the device and for what an alias keeps of it.
  std::uint64_t mark(std::uint64_t mark) const { return digest_of(salt_, concat("mark ", mark))[0]; }

 private:
  Digest digest(const Digest& digest) const {
    Digest other =
        digest_of(salt_, concat("digest ", digest[0], ' ', digest[1], ' ', digest[2], ' ', digest[3]));
    other[0] = mark(mark_of(digest));
    return other;
  }

  std::string token(const std::string& serial) const {
    return "REDACTED" + hex(digest_of(salt_, "serial " + serial)[0], 16);
  }

  std::string value_of(const std::string& name, std::string value) const {
    if (is_one_of(name, kSerials)) return value.empty() ? value : token(value);
    if (is_one_of(name, kEndWithSerial))
      for (const std::string& serial : serials_)
        if (value == serial || value.ends_with('_' + serial))
          return value.substr(0, value.size() - serial.size()) + token(serial);
    return without_serials(std::move(value), kMaxPropertyValue);
  }

  // Others write a serial number with other letters, as the kernel does in the name of a network interface.
  std::string without_serials(std::string text, std::size_t at_most) const {
    for (const std::string& serial : serials_) {
      if (serial.size() < kShortest) continue;
      const std::string by = token(serial), small = lower(serial);
      for (std::size_t at = 0; (at = lower(text).find(small, at)) != std::string::npos; at += by.size())
        text.replace(at, serial.size(), by);
    }
    return text.substr(0, at_most);
  }

  const std::string& salt_;
  std::vector<std::string> serials_;
};

}  // namespace

Host redacted(const Host& host, const std::string& salt) {
  Host other = host;
  const Redaction redaction(host, salt);
  for (auto& [sysname, device] : other.devices) redaction.apply(device);
  if (other.domains)
    for (Domain& domain : *other.domains)
      for (LiveHostdev& hostdev : domain.hostdevs)
        if (hostdev.mark) hostdev.mark = redaction.mark(*hostdev.mark);
  return other;
}

}  // namespace whawty
