// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// JSON to write: values that are put together from the inside out. ASCII only, so that no text of a device
// does anything to a terminal; each byte that is not UTF-8 is U+FFFD, as for the patterns of rules.
#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace whawty {

class Json {
 public:
  Json() = default;  // null
  static Json of(std::string_view text);
  static Json of(const std::string& text) { return of(std::string_view(text)); }
  static Json of(const char* text) { return of(std::string_view(text)); }
  template <std::integral Value>
  static Json of(Value value) {
    if constexpr (std::is_same_v<Value, bool>) {
      return Json(value ? "true" : "false");
    } else {
      return Json(std::to_string(value));
    }
  }
  static Json list(const std::vector<Json>& items);
  static Json object(const std::vector<std::pair<const char*, Json>>& members);

  // Of each element of a range what the function makes of it.
  static Json list_of(const auto& range, const auto& function) {
    std::vector<Json> items;
    for (const auto& one : range) items.push_back(function(one));
    return list(items);
  }

  const std::string& text() const { return text_; }

 private:
  explicit Json(std::string text) : text_(std::move(text)) {}

  std::string text_ = "null";
};

}  // namespace whawty
