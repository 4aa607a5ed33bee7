// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The log: one line, one write(2), on stderr. Under systemd's journal (JOURNAL_STREAM names it) a line starts
// with its priority as sd-daemon(3) defines it; elsewhere with the local time.
// A line with a record goes to the journal with it instead, by a socket of its own, if there is one.
#pragma once

#include <ctime>
#include <string>
#include <string_view>

#include "common/record.h"
#include "common/text.h"

namespace whawty::log {

enum class Level { kError = 3, kWarning = 4, kInfo = 6, kDebug = 7 };

// Names the process in every line, ignores SIGPIPE, and learns the time zone, the environment and whether
// stderr is a terminal, which a sealed process no longer can.
void start(std::string_view process);

// True when WHAWTY_LIBVIRT_USB_HOTPLUGD_DEBUG is in the environment, whatever its value.
bool debug_enabled();

// Whether stderr is a terminal, where people read. The journal is none.
bool on_terminal();

// Whether stderr is the journal.
bool in_journal();

// From now on records are sent by this descriptor: a datagram socket, connected to the journal, that does not
// block.
void record_to(int journal);

// Whether they are sent anywhere.
bool takes_records();

// Writes one line. Bytes that are not printable ASCII or well-formed UTF-8 text of ours must be escaped by
// the caller (whawty::escape); control characters that slip through are replaced, so that a message never
// makes two lines.
void line(Level level, std::string_view message, const Record& record = {});

// The same for a process that is about to end. Which unit has sent a record, the journal asks when it reads
// it, and does not find out any more: `journalctl -u` would not show it. So the line goes the way of lines
// without a record, and the record has the field LINE instead of a message.
void last_line(Level level, std::string_view message, const Record& record);

template <class... Values>
void error(const Values&... values) {
  line(Level::kError, concat(values...));
}
template <class... Values>
void warning(const Values&... values) {
  line(Level::kWarning, concat(values...));
}
template <class... Values>
void info(const Values&... values) {
  line(Level::kInfo, concat(values...));
}

// "09:14:02", local time. Valid after start().
std::string time_of_day(std::time_t when);

}  // namespace whawty::log
