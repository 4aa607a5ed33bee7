// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "supervisor/handover.h"

#include <fcntl.h>

#include <cerrno>
#include <system_error>
#include <utility>
#include <vector>

#include "common/log.h"
#include "protocol/supervisor_to_matcher.h"
#include "protocol/violation.h"

namespace whawty {
namespace {

void send(const ConfigFiles& config, std::time_t in_use_since, Channel& matcher) {
  // All copies before the first message, so that a lack of descriptors leaves the matcher as it is.
  std::vector<Fd> contents;
  for (const ConfigCopy& file : config.files) {
    contents.emplace_back(::fcntl(file.content.get(), F_DUPFD_CLOEXEC, 0));
    if (!contents.back())
      throw std::system_error(errno, std::generic_category(), "handing over the configuration");
  }
  try {
    for (std::size_t i = 0; i < contents.size(); ++i)
      matcher.send(encode(ConfigFile{config.files[i].name, config.files[i].machine}), std::move(contents[i]));
    matcher.send(encode(ConfigCommit{in_use_since}));
  } catch (const PeerClosed&) {
    // Reading from the matcher will show the same, and end the generation.
  }
}

}  // namespace

void Handover::begin(Channel& matcher) {
  reoffered_ = in_use_.has_value();
  if (!in_use_) return offer(matcher);
  send(*in_use_, in_use_since_, matcher);
}

void Handover::offer(Channel& matcher) const {
  send(read_.value(), 0, matcher);
}

void Handover::expect_offer() const {
  if (!waits()) throw Violation("an answer to no configuration");
}

Handover::Verdict Handover::accepted(std::time_t now) {
  expect_offer();
  if (std::exchange(reoffered_, false)) return Verdict::kAsBefore;
  in_use_ = std::exchange(read_, std::nullopt);
  in_use_since_ = now;
  interrupted_ = false;
  return Verdict::kInUse;
}

Handover::Verdict Handover::rejected() {
  expect_offer();
  if (reoffered_) throw Violation("rejecting a configuration that was accepted before");
  if (!in_use_) return Verdict::kNone;
  read_.reset();
  interrupted_ = false;
  return Verdict::kKept;
}

Handover::Interrupted Handover::ended() {
  if (!in_use_ || !read_) return Interrupted::kNothing;
  read_.reset();
  interrupted_ = !interrupted_;
  return interrupted_ ? Interrupted::kReadAgain : Interrupted::kGivenUp;
}

std::string Handover::keeping() const {
  return in_use_ ? ". Keeping the configuration of " + log::time_of_day(in_use_since_) + '.' : "";
}

}  // namespace whawty
