// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "common/line_limit.h"

#include "common/bounds.h"
#include "common/text.h"

namespace whawty {
namespace {

using namespace std::chrono_literals;

constexpr LineLimit::Clock::duration kMinute = 1min;
constexpr LineLimit::Clock::duration kBetweenLooks = 1s;

// What all subjects share for which there is no room.
const char kAllOthers[] = "other subjects";

}  // namespace

bool LineLimit::admit(const std::string& subject, Clock::time_point now) {
  const std::string key = subject.substr(0, kMaxSubject) + (subject.size() > kMaxSubject ? "..." : "");
  const bool room = counts_.size() < kMaxSubjects || counts_.contains(key);
  const auto [entry, added] = counts_.try_emplace(room ? key : kAllOthers, Count{now});
  Count& count = entry->second;
  // One with lines that were left out waits for left_out() to say so.
  if (count.left_out == 0 && now - count.since >= kMinute) count = {now};
  if (count.written < kLinesPerMinute) {
    ++count.written;
    return true;
  }
  ++count.left_out;
  return false;
}

std::vector<std::string> LineLimit::left_out(Clock::time_point now) {
  if (now < next_look_) return {};
  next_look_ = now + kBetweenLooks;
  std::vector<std::string> lines;
  for (auto& [subject, count] : counts_) {
    if (count.left_out == 0 || now - count.since < kMinute) continue;
    lines.push_back(concat(count.left_out, count.left_out == 1 ? " more line" : " more lines", " about ",
                           subject, count.left_out == 1 ? " was" : " were", " left out within a minute"));
    count = {now, 1};  // the line itself counts
  }
  std::erase_if(counts_, [now](const auto& entry) { return now - entry.second.since >= kMinute; });
  return lines;
}

}  // namespace whawty
