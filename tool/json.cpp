// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "tool/json.h"

#include <algorithm>

#include "common/text.h"
#include "matcher/configuration/utf8.h"
#include "tool/text_layout.h"

namespace whawty {
namespace {

constexpr char32_t kReplacement = 0xfffd;
constexpr char32_t kFirstAstral = 0x10000;

std::string unit(char32_t value) {
  return "\\u" + hex(value, 4);
}

std::string escaped(char32_t code) {
  if (code == '"' || code == '\\') return {'\\', static_cast<char>(code)};
  if (code >= ' ' && code <= '~') return {static_cast<char>(code)};
  if (code < kFirstAstral) return unit(code);
  const char32_t rest = code - kFirstAstral;
  return unit(0xd800 + (rest >> 10)) + unit(0xdc00 + (rest & 0x3ff));
}

}  // namespace

Json Json::of(std::string_view text) {
  std::string json = "\"";
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    json += escaped(length > 0 ? code_point(text.substr(0, length)) : kReplacement);
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return Json(json + '"');
}

Json Json::list(const std::vector<Json>& items) {
  std::string json;
  for (const Json& item : items) json += (json.empty() ? "" : ", ") + item.text_;
  return Json('[' + json + ']');
}

Json Json::object(const std::vector<std::pair<const char*, Json>>& members) {
  std::string json;
  for (const auto& [name, value] : members)
    json += concat(json.empty() ? "" : ", ", '"', name, "\": ", value.text_);
  return Json('{' + json + '}');
}

}  // namespace whawty
