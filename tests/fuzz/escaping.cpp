// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "common/text.h"
#include "tests/fuzz/printable.h"
#include "tests/fuzz/targets.h"

namespace whawty::fuzz {

bool escaping(std::string_view bytes) {
  require(is_a_printable_line(escape(bytes)), "escape() gives more than a printable line");
  require(is_a_printable_line(show(bytes)), "show() gives more than a printable line");
  require(is_a_printable_line(show_word(bytes)), "show_word() gives more than a printable line");
  require(is_a_printable_line(show_name(bytes)), "show_name() gives more than a printable line");
  require(unescaped(escape(bytes)) == bytes, "escape() does not give the bytes back");
  require(unshown(show(bytes)) == bytes, "show() does not give the bytes back");
  // A blank ends a word.
  const std::string line = show_word(bytes) + " rest";
  std::string_view rest = line;
  require(take_value(rest, " ") == bytes, "show_word() does not give the bytes back");
  require(rest == " rest", "show_word() takes a part of the line with it");
  return true;
}

}  // namespace whawty::fuzz
