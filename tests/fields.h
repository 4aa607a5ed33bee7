// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Records of the journal, read back: written from the protocol's description, not from the code that writes
// them. https://systemd.io/JOURNAL_NATIVE_PROTOCOL/
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace whawty {

using Fields = std::map<std::string, std::string>;

// Both forms: "NAME=value\n", and a line with the name, the length in eight bytes, the value and a line
// break.
inline Fields fields_in(std::string_view bytes) {
  Fields fields;
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    if (end == std::string_view::npos) {
      ADD_FAILURE() << "the last line does not end";
      break;
    }
    const std::string line(bytes.substr(0, end));
    bytes.remove_prefix(end + 1);
    const std::size_t equals = line.find('=');
    std::string value = equals == line.npos ? "" : line.substr(equals + 1);
    if (equals == line.npos) {
      std::uint64_t length = 0;
      for (std::size_t i = 8; i-- > 0;)
        length = length << 8 | (i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0xff);
      bytes.remove_prefix(std::min<std::size_t>(8, bytes.size()));
      if (length >= bytes.size() || bytes[length] != '\n') {
        ADD_FAILURE() << line << " is not as long as it says";
        break;
      }
      value = bytes.substr(0, length);
      bytes.remove_prefix(length + 1);
    }
    const std::string name = line.substr(0, equals);
    EXPECT_EQ(name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"), name.npos) << name;
    EXPECT_TRUE(fields.emplace(name, value).second) << name << " is there twice";
  }
  return fields;
}

}  // namespace whawty
