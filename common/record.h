// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// A record of the journal: what a line of the log says, as fields for programs.
// Format: https://systemd.io/JOURNAL_NATIVE_PROTOCOL/
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace whawty {

// What happened. The catalog says what each is, in systemd/*.catalog.
enum class Event {
  kUnwanted,       // a device was plugged that no rule wants
  kRefused,        // a rule wants a device that stays with the host
  kFailed,         // an attach or detach did not work
  kAttached,       // one did
  kDetached,       // likewise
  kAlarm,          // what must not happen
  kPolicyLoaded,   // a configuration is in use
  kPolicyRefused,  // one is not
  kReceipt,        // libvirtd has answered an attach or detach, says the gate
};
inline constexpr Event kLastEvent = Event::kReceipt;

// 32 hexadecimal digits, which no other event of any program has.
std::string_view message_id(Event event);

class Record {
 public:
  static constexpr std::size_t kMaxValue = 1024;  // bytes of a value; a longer one is cut

  // Of nothing: the line is all that there is.
  Record() = default;
  explicit Record(Event event);

  // All fields of another one.
  Record& add(const Record& fields);

  // The name has capitals, digits and underscores. The value may be any bytes: its length is said before it.
  Record& add(std::string_view name, std::string_view value);

  // Whether there is no field.
  bool empty() const { return bytes_.empty(); }

  // All fields, as the journal takes them.
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

// A field as the journal takes it.
std::string field(std::string_view name, std::string_view value);

}  // namespace whawty
