// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "common/log.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

namespace whawty::log {
namespace {

std::string g_process = "whawty-libvirt-usb-hotplugd";
bool g_journal = false;
bool g_debug = false;
bool g_terminal = false;
int g_records = -1;

// As the journal has it of all that a unit writes to stderr.
constexpr std::string_view kIdentifier = "whawty-libvirt-usb-hotplugd";

// Whether stderr is the stream that systemd has connected to the journal: systemd.exec(5) wants device and
// inode compared, since a shell below a service passes the variable on to programs with another stderr.
bool is_journal(const struct stat* stderr_status) {
  const char* const stream = std::getenv("JOURNAL_STREAM");
  if (stream == nullptr) return false;
  // A policy need not allow to ask.
  return stderr_status == nullptr || concat(stderr_status->st_dev, ':', stderr_status->st_ino) == stream;
}

// Control characters that slip through never make a second line.
std::string one_line(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return text;
}

// The text is in the field with this name. False if the journal does not take it now: it is full, or its
// socket is gone.
bool send(Level level, std::string_view name, const std::string& text, const Record& record) {
  const std::string datagram = field(name, text) + field("PRIORITY", concat(static_cast<int>(level))) +
                               field("SYSLOG_IDENTIFIER", kIdentifier) + record.bytes();
  return ::write(g_records, datagram.data(), datagram.size()) == static_cast<ssize_t>(datagram.size());
}

}  // namespace

void start(std::string_view process) {
  g_process = process;
  g_records = -1;
  g_debug = std::getenv("WHAWTY_LIBVIRT_USB_HOTPLUGD_DEBUG") != nullptr;
  // A socket, as that of the journal, is not asked: its policy need not allow it.
  struct stat status = {};
  const bool known = ::fstat(STDERR_FILENO, &status) == 0;
  g_journal = is_journal(known ? &status : nullptr);
  g_terminal = known && S_ISCHR(status.st_mode) && ::isatty(STDERR_FILENO) == 1;
  // Whoever reads the log may go away before this process does.
  static_cast<void>(::signal(SIGPIPE, SIG_IGN));  // fails for unknown signals only
  ::tzset();
}

bool on_terminal() {
  return g_terminal;
}

bool in_journal() {
  return g_journal;
}

void record_to(int journal) {
  g_records = journal;
}

bool takes_records() {
  return g_records >= 0;
}

bool debug_enabled() {
  return g_debug;
}

std::string time_of_day(std::time_t when) {
  // localtime_r, other than localtime, does not look at the time zone's file again.
  std::tm local{};
  ::localtime_r(&when, &local);
  char text[16];
  return std::string(text, std::strftime(text, sizeof text, "%H:%M:%S", &local));
}

void line(Level level, std::string_view message, const Record& record) {
  const std::string said = one_line(concat(g_process, ": ", message));
  if (takes_records() && !record.empty() && send(level, "MESSAGE", said, record)) return;
  const std::string text =
      concat(g_journal ? concat('<', static_cast<int>(level), '>') : time_of_day(std::time(nullptr)) + ' ',
             said, '\n');
  // A log that cannot be written must not stop the work it reports on.
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
}

void last_line(Level level, std::string_view message, const Record& record) {
  line(level, message);
  if (takes_records()) send(level, "LINE", one_line(concat(g_process, ": ", message)), record);
}

}  // namespace whawty::log
