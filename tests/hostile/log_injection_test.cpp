// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Whatever a device, a guest or libvirt calls itself: one line of the log each, of printable ASCII, from
// which the same bytes can be read.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "common/bounds.h"
#include "common/log.h"
#include "matcher/configuration/config_loader.h"
#include "matcher/reconciler.h"
#include "matcher/said/messages.h"
#include "tests/fuzz/printable.h"

namespace whawty {
namespace {

using namespace std::chrono_literals;
using fuzz::is_a_printable_line;
using fuzz::take_value;
using fuzz::unescaped;

// Texts that have made, or could make, more or less of a line than they are.
std::vector<std::string> texts() {
  std::vector<std::string> texts{
      "",
      " ",
      "a b",
      "\"",
      "\"quoted\"",
      "\\",
      "\\x41",
      "\\\"",
      "a\nb",
      "a\r\nb",
      "<3>error",
      "x port=1-1 to b by b[0] in 1 ms",
      " = ",
      "A = B",
      "\x1b[2J\x1b]0;title\x07",
      "\x9b"
      "31m",
      "\xe2\x80\xae"
      "rtl",           // right-to-left override
      "\xe2\x80\xa8",  // line separator
      "\xef\xbb\xbf",  // byte order mark
      "\xc3\xbc",      // well-formed
      "\xc3",          // cut short
      "\xc0\xaf",      // overlong
      "\xed\xa0\x80",  // surrogate
      "\xf5\x80\x80\x80",
      "%s%n",
      std::string("a\0b", 3),
      std::string(32 * 1024, '\xff'),
  };
  for (int byte = 0; byte < 256; ++byte) {
    texts.emplace_back(1, static_cast<char>(byte));
    texts.push_back('a' + std::string(1, static_cast<char>(byte)) + 'b');
  }
  return texts;
}

class InjectionTest : public testing::TestWithParam<std::string> {};

INSTANTIATE_TEST_SUITE_P(Texts, InjectionTest, testing::ValuesIn(texts()));

// What log::line writes for a message: all of it.
std::string written(const std::string& message) {
  const int file = ::memfd_create("log", MFD_CLOEXEC);
  const int before = ::dup(STDERR_FILENO);
  ::dup2(file, STDERR_FILENO);
  log::line(log::Level::kInfo, message);
  ::dup2(before, STDERR_FILENO);
  ::close(before);
  std::string text(message.size() + 1000, '\0');
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(::pread(file, text.data(), text.size(), 0), 0)));
  ::close(file);
  return text;
}

void expect_one_line(const std::string& message) {
  EXPECT_TRUE(is_a_printable_line(message)) << message;
  const std::string text = written(message);
  EXPECT_TRUE(text.ends_with(": " + message + '\n'));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
}

// The value between two texts of a line; the rest of the line begins with the second.
std::string value_in(std::string_view line, std::string_view before, std::string_view after) {
  const std::size_t at = line.find(before);
  if (at == std::string_view::npos) return "not in the line";
  line.remove_prefix(at + before.size());
  const auto value = take_value(line, after.empty() ? std::string_view(" ") : after.substr(0, 1));
  EXPECT_TRUE(line.starts_with(after)) << line;
  return value.value_or("not to be read");
}

Device device() {
  return {"1-1", 1, 5, 0x046d, 0x0825, 0, {0x0e}, {}, {}, {}, false, Digest{}};
}

TEST_P(InjectionTest, OfASerial) {
  Device hostile = device();
  hostile.properties = {{"ID_SERIAL_SHORT", GetParam()}};
  const std::string name = name_of(hostile);
  expect_one_line(name);
  EXPECT_EQ(value_in(name, "serial=", " port=1-1"), GetParam());
}

TEST_P(InjectionTest, OfAPropertysValue) {
  Device hostile = device();
  hostile.properties = {{"NAME", GetParam()}};
  const std::vector<std::string> lines = listing_of(hostile);
  ASSERT_EQ(lines.size(), 4U);
  for (const std::string& line : lines) expect_one_line(line);
  std::string_view value = lines[1];
  ASSERT_TRUE(value.starts_with("  NAME = "));
  EXPECT_EQ(fuzz::unshown(value.substr(9)), GetParam());
}

TEST_P(InjectionTest, OfAPropertysName) {
  Device hostile = device();
  hostile.properties = {{GetParam(), "value = x"}};
  const std::vector<std::string> lines = listing_of(hostile);
  ASSERT_EQ(lines.size(), 4U);
  for (const std::string& line : lines) expect_one_line(line);
  std::string_view line = std::string_view(lines[1]).substr(2);
  EXPECT_EQ(take_value(line, " "), GetParam());
  EXPECT_EQ(line, " = value = x");
}

TEST_P(InjectionTest, OfTags) {
  Device hostile = device();
  hostile.tags = {GetParam(), "seat"};
  hostile.current_tags = {"seat", GetParam(), GetParam()};
  const std::vector<std::string> lines = listing_of(hostile);
  ASSERT_EQ(lines.size(), 3U);
  for (const std::string& line : lines) expect_one_line(line);
  EXPECT_EQ(value_in(lines[1], "  tags: ", " seat"), GetParam());
  EXPECT_EQ(value_in(lines[2], "  current tags: seat ", " "), GetParam());
}

// A reconciler whose lines are checked.
class Log final : public Output {
 public:
  void send(const Request& request) override { sent.push_back(request); }
  void ask(ScanRequest) override {}
  void report(const Status&) override {}
  void pong() override {}
  void say(log::Level, const std::string& line) override {
    expect_one_line(line);
    lines.push_back(line);
  }

  // What stands between the two texts in the only line that begins with the first and holds the second.
  std::string between(const std::string& before, const std::string& after) const {
    std::string found = "in no line";
    for (const std::string& line : lines) {
      const std::size_t end = line.rfind(after);
      if (!line.starts_with(before) || end == std::string::npos || end < before.size()) continue;
      EXPECT_EQ(found, "in no line");
      found = line.substr(before.size(), end - before.size());
    }
    return found;
  }

  std::vector<Request> sent;
  std::vector<std::string> lines;
};

class ReconcilerInjectionTest : public InjectionTest {
 protected:
  // One domain of that name, which a device is about to be attached to, if it is a machine.
  void start(const std::string& domain, const std::string& machine) {
    Config config;
    config.machines.push_back({machine, {}});
    config.machines.back().rules.emplace_back().vendor = 0x046d;
    reconciler_.use(config, now_);
    reconciler_.take(SnapshotBegin{}, now_);
    reconciler_.take(device(), now_);
    reconciler_.take(SnapshotEnd{}, now_);
    reconciler_.step(now_);
    take(DomainListed{{1, 1}, domain, true});
    reconciler_.step(now_);
    answer(0, Outcome::kDone, "");
  }

  void describe() {
    take(XmlChunk{log_.sent.back().id, "<domain id='1'/>"});
    answer(log_.sent.size() - 1, Outcome::kDone, "");
  }

  void take(const ActuatorMessage& message) { reconciler_.take(message, now_); }

  void answer(std::size_t request, Outcome outcome, const std::string& message) {
    take(Result{log_.sent.at(request).id, outcome, 38, message, 1});
    now_ += 500ms;
    reconciler_.step(now_);
  }

  // What a message of libvirt, and a name, are cut to before they come here.
  const std::string text_ = GetParam().substr(0, kMaxResultMessage);

  Log log_;
  Reconciler reconciler_{log_, true};
  Clock::time_point now_{1000s};
};

INSTANTIATE_TEST_SUITE_P(Texts, ReconcilerInjectionTest, testing::ValuesIn(texts()));

TEST_P(ReconcilerInjectionTest, OfLibvirtAboutAnAttach) {
  start("a", "a");
  describe();
  answer(2, Outcome::kFailed, text_);
  describe();
  ASSERT_TRUE(std::holds_alternative<AttachHostdev>(log_.sent.back().what));
  answer(log_.sent.size() - 1, Outcome::kFailed, text_);
  EXPECT_EQ(unescaped(log_.between("cannot attach 001/005 046d:0825 port=1-1 to a by a[0]: libvirt says: ",
                                   ": trying again")),
            text_);
}

TEST_P(ReconcilerInjectionTest, OfLibvirtAboutADescription) {
  start("a", "a");
  answer(1, Outcome::kFailed, text_);
  EXPECT_EQ(unescaped(log_.between("machine a: libvirt does not describe it: ", "")), text_);
}

TEST_P(ReconcilerInjectionTest, OfADomainsName) {
  if (text_.empty()) return;  // no message holds such a name
  start(text_, text_);
  describe();
  answer(2, Outcome::kDone, "");
  const std::string attached = log_.between("attached 001/005 046d:0825 port=1-1 to ", "[0] in ");
  std::string_view rest = attached;
  EXPECT_EQ(take_value(rest, " "), text_);
  EXPECT_EQ(rest, " by " + attached.substr(0, attached.size() - rest.size()))
      << "the rule begins with the same name";
  const std::string guest = log_.between("guest ", " running");
  rest = guest;
  EXPECT_EQ(take_value(rest, " "), text_);
  EXPECT_EQ(rest, " 00000000-0000-0001-0000-000000000001");
}

TEST_P(ReconcilerInjectionTest, OfADomainsXml) {
  start("a", "a");
  take(XmlChunk{log_.sent.back().id, '<' + text_ + "/>"});
  answer(1, Outcome::kDone, "");
  // It is said that it makes no sense, whatever that is.
  EXPECT_TRUE(log_.between("machine a: domain XML: ", "") != "in no line");
}

}  // namespace
}  // namespace whawty
