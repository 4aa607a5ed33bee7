// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/configuration/utf8.h"

namespace whawty {
namespace {

// What the first byte of a character of several bytes demands. The second byte's range is what keeps overlong
// forms, surrogates and numbers over U+10FFFF out: RFC 3629, section 4.
struct Lead {
  std::size_t length;
  unsigned char first, last;
  unsigned char second_least, second_most;
};
constexpr Lead kLeads[] = {
    {2, 0xc2, 0xdf, 0x80, 0xbf}, {3, 0xe0, 0xe0, 0xa0, 0xbf}, {3, 0xe1, 0xec, 0x80, 0xbf},
    {3, 0xed, 0xed, 0x80, 0x9f}, {3, 0xee, 0xef, 0x80, 0xbf}, {4, 0xf0, 0xf0, 0x90, 0xbf},
    {4, 0xf1, 0xf3, 0x80, 0xbf}, {4, 0xf4, 0xf4, 0x80, 0x8f},
};

bool within(char c, unsigned char least, unsigned char most) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= least && byte <= most;
}

}  // namespace

std::size_t utf8_length(std::string_view text) {
  if (text.empty()) return 0;
  if (within(text[0], 0x00, 0x7f)) return 1;
  for (const Lead& lead : kLeads) {
    if (!within(text[0], lead.first, lead.last)) continue;
    if (text.size() < lead.length || !within(text[1], lead.second_least, lead.second_most)) return 0;
    for (std::size_t i = 2; i < lead.length; ++i)
      if (!within(text[i], 0x80, 0xbf)) return 0;
    return lead.length;
  }
  return 0;
}

}  // namespace whawty
