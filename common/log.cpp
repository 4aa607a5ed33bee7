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

// Whether stderr is the stream that systemd has connected to the journal: systemd.exec(5) wants device and
// inode compared, since a shell below a service passes the variable on to programs with another stderr.
bool is_journal(const struct stat* stderr_status) {
  const char* const stream = std::getenv("JOURNAL_STREAM");
  if (stream == nullptr) return false;
  // A policy need not allow to ask.
  return stderr_status == nullptr || concat(stderr_status->st_dev, ':', stderr_status->st_ino) == stream;
}

}  // namespace

void start(std::string_view process) {
  g_process = process;
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

void line(Level level, std::string_view message) {
  std::string text =
      g_journal ? concat('<', static_cast<int>(level), '>') : time_of_day(std::time(nullptr)) + ' ';
  text += g_process;
  text += ": ";
  const std::size_t start = text.size();
  text += message;
  for (std::size_t i = start; i < text.size(); ++i)
    if (static_cast<unsigned char>(text[i]) < 0x20 || text[i] == 0x7f) text[i] = '?';
  text += '\n';
  // A log that cannot be written must not stop the work it reports on.
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace whawty::log
