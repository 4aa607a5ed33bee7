// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "common/log.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <vector>

#include "common/fd.h"
#include "common/text.h"
#include "tests/fields.h"

namespace whawty {
namespace {

using testing::ElementsAre;
using testing::MatchesRegex;

// The log of a process of that environment. Each write(2) becomes one element.
class LogTest : public testing::Test {
 protected:
  LogTest() {
    for (const char* const name : {"JOURNAL_STREAM", "WHAWTY_LIBVIRT_USB_HOTPLUGD_DEBUG"}) ::unsetenv(name);
    ::setenv("TZ", "UTC", 1);
    int ends[2];
    // Datagrams keep the writes apart.
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
    reader_ = Fd(ends[0]);
    stderr_ = Fd(::dup(STDERR_FILENO));
    ::dup2(ends[1], STDERR_FILENO);
    ::close(ends[1]);
  }
  ~LogTest() override { ::dup2(stderr_.get(), STDERR_FILENO); }

  static std::string stream_of_stderr() {
    struct stat status = {};
    EXPECT_EQ(::fstat(STDERR_FILENO, &status), 0);
    return concat(status.st_dev, ':', status.st_ino);
  }

  std::vector<std::string> writes() const {
    std::vector<std::string> all;
    char text[4096];
    for (ssize_t length = 0; (length = ::read(reader_.get(), text, sizeof text)) > 0;)
      all.emplace_back(text, static_cast<std::size_t>(length));
    return all;
  }

  Fd reader_, stderr_;
};

TEST_F(LogTest, ALineIsOneWriteWithTimeAndProcess) {
  log::start("matcher");
  log::info("attached ", 3, " devices");
  log::warning("second");
  EXPECT_THAT(writes(),
              ElementsAre(MatchesRegex("[0-9][0-9]:[0-9][0-9]:[0-9][0-9] matcher: attached 3 devices\n"),
                          MatchesRegex("........ matcher: second\n")));
}

TEST_F(LogTest, ForTheJournalALineBeginsWithItsPriority) {
  ::setenv("JOURNAL_STREAM", stream_of_stderr().c_str(), 1);
  ::setenv("WHAWTY_LIBVIRT_USB_HOTPLUGD_DEBUG", "", 1);
  log::start("matcher");
  log::error("a");
  log::warning("b");
  log::info("c");
  log::line(log::Level::kDebug, "d");
  EXPECT_THAT(writes(),
              ElementsAre("<3>matcher: a\n", "<4>matcher: b\n", "<6>matcher: c\n", "<7>matcher: d\n"));
}

TEST_F(LogTest, TheJournalOfAnotherStderrDoesNotCount) {
  const std::string own = stream_of_stderr();
  for (const std::string& stream : {own + "0", std::string("1:2"), std::string()}) {
    ::setenv("JOURNAL_STREAM", stream.c_str(), 1);
    log::start("matcher");
    log::info("a");
    EXPECT_THAT(writes(), ElementsAre(MatchesRegex("..:..:.. matcher: a\n"))) << stream;
  }
}

TEST_F(LogTest, ControlCharactersNeverMakeASecondLine) {
  ::setenv("JOURNAL_STREAM", stream_of_stderr().c_str(), 1);
  log::start("matcher");
  for (int c = 0; c < 256; ++c) {
    log::info("a", static_cast<char>(c), "b");
    const char shown = c < 0x20 || c == 0x7f ? '?' : static_cast<char>(c);
    EXPECT_THAT(writes(), ElementsAre(concat("<6>matcher: a", shown, "b\n"))) << c;
  }
}

// A journal, as systemd has it at its socket.
class JournalTest : public LogTest {
 protected:
  JournalTest() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
    journal_ = Fd(ends[0]);
    to_journal_ = Fd(ends[1]);
    ::setenv("JOURNAL_STREAM", stream_of_stderr().c_str(), 1);
    log::start("matcher");
    log::record_to(to_journal_.get());
  }
  ~JournalTest() override { log::record_to(-1); }

  std::vector<Fields> records() const {
    std::vector<Fields> all;
    char bytes[65536];
    for (ssize_t length = 0; (length = ::read(journal_.get(), bytes, sizeof bytes)) > 0;)
      all.push_back(fields_in({bytes, static_cast<std::size_t>(length)}));
    return all;
  }

  Fd journal_, to_journal_;
};

TEST_F(JournalTest, ALineWithARecordIsSentWithItAndNotWritten) {
  log::line(log::Level::kError, "what happened", Record{Event::kAlarm}.add("GUEST_NAME", "a\nb"));
  EXPECT_THAT(records(), ElementsAre(Fields{{"MESSAGE", "matcher: what happened"},
                                            {"PRIORITY", "3"},
                                            {"SYSLOG_IDENTIFIER", "whawty-libvirt-usb-hotplugd"},
                                            {"MESSAGE_ID", "fb5a06ed9a99434ca1072bcf55aaf0c9"},
                                            {"GUEST_NAME", "a\nb"}}));
  EXPECT_THAT(writes(), ElementsAre());
}

TEST_F(JournalTest, TheLastLineOfAProcessIsWrittenAndItsRecordIsNoSecondOne) {
  log::last_line(log::Level::kError, "what happened", Record{Event::kAlarm});
  EXPECT_THAT(records(), ElementsAre(Fields{{"LINE", "matcher: what happened"},
                                            {"PRIORITY", "3"},
                                            {"SYSLOG_IDENTIFIER", "whawty-libvirt-usb-hotplugd"},
                                            {"MESSAGE_ID", "fb5a06ed9a99434ca1072bcf55aaf0c9"}}));
  EXPECT_THAT(writes(), ElementsAre("<3>matcher: what happened\n"));
}

TEST_F(JournalTest, ALineWithoutOneIsWritten) {
  log::info("a");
  EXPECT_THAT(records(), ElementsAre());
  EXPECT_THAT(writes(), ElementsAre("<6>matcher: a\n"));
}

TEST_F(JournalTest, ItsTextIsOneLineToo) {
  log::line(log::Level::kInfo, "a\nb\x1b", Record{Event::kAlarm});
  EXPECT_EQ(records().at(0).at("MESSAGE"), "matcher: a?b?");
}

TEST_F(JournalTest, WhatTheJournalDoesNotTakeIsWritten) {
  std::size_t sent = 0;
  for (; writes().empty() && sent < 100'000; ++sent) log::line(log::Level::kInfo, "a", Record{Event::kAlarm});
  EXPECT_GT(sent, 2U);
  EXPECT_EQ(records().size(), sent - 1) << "it was full then";
  log::line(log::Level::kInfo, "b", Record{Event::kAlarm});
  EXPECT_EQ(records().size(), 1U) << "and has room again";
  journal_.reset();
  log::line(log::Level::kInfo, "c", Record{Event::kAlarm});
  EXPECT_THAT(writes(), ElementsAre("<6>matcher: c\n"));
}

TEST_F(JournalTest, WithoutASocketARecordIsALine) {
  log::record_to(-1);
  EXPECT_FALSE(log::takes_records());
  log::line(log::Level::kInfo, "a", Record{Event::kAlarm});
  EXPECT_THAT(writes(), ElementsAre("<6>matcher: a\n"));
}

TEST_F(LogTest, TheEnvironmentTurnsDebugModeOn) {
  log::start("matcher");
  EXPECT_FALSE(log::debug_enabled());
  ::setenv("WHAWTY_LIBVIRT_USB_HOTPLUGD_DEBUG", "", 1);
  log::start("matcher");
  EXPECT_TRUE(log::debug_enabled());
}

TEST_F(LogTest, ALogThatCannotBeWrittenStopsNobody) {
  log::start("matcher");
  const Fd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  ::dup2(full.get(), STDERR_FILENO);
  log::info("lost");
}

TEST_F(LogTest, TheTimeIsLocal) {
  ::setenv("TZ", "XXX-03:30", 1);
  log::start("matcher");
  EXPECT_EQ(log::time_of_day(0), "03:30:00");
  EXPECT_EQ(log::time_of_day(86399), "03:29:59");
}

}  // namespace
}  // namespace whawty
