// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "common/record.h"

#include <cstdint>

namespace whawty {

std::string_view message_id(Event event) {
  switch (event) {
    case Event::kUnwanted:
      return "00d41a19295f4929a21de0d46fd2a497";
    case Event::kRefused:
      return "59a125e4c64045cb9d09382259bffadb";
    case Event::kFailed:
      return "4421cc7450954eb694a58dcaeba4a759";
    case Event::kAttached:
      return "653ef1ebe1714db7a5d45f03816f5885";
    case Event::kDetached:
      return "332faf83da9745bf9d1ccd92ba4bbcd9";
    case Event::kAlarm:
      return "fb5a06ed9a99434ca1072bcf55aaf0c9";
    case Event::kPolicyLoaded:
      return "efca70cb5b8e4301bf287334bb5e0fd9";
    case Event::kPolicyRefused:
      return "138c5c1fc1a64e508bee74f6f428bede";
    case Event::kReceipt:
      return "6e50f4c539934eb2a8c521fc0a726f48";
  }
  return {};
}

// "NAME\n", the length as a little-endian number of eight bytes, the value, "\n": no byte of the value can
// end it.
std::string field(std::string_view name, std::string_view value) {
  std::string text(name);
  text += '\n';
  for (unsigned shift = 0; shift < 64; shift += 8)
    text += static_cast<char>(static_cast<std::uint64_t>(value.size()) >> shift & 0xff);
  text += value;
  return text + '\n';
}

Record::Record(Event event) {
  add("MESSAGE_ID", message_id(event));
}

Record& Record::add(const Record& fields) {
  bytes_ += fields.bytes_;
  return *this;
}

Record& Record::add(std::string_view name, std::string_view value) {
  bytes_ += field(name, value.substr(0, kMaxValue));
  return *this;
}

}  // namespace whawty
