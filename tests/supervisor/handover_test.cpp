// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "supervisor/handover.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include "common/log.h"
#include "protocol/supervisor_to_matcher.h"
#include "protocol/violation.h"

namespace whawty {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Interrupted = Handover::Interrupted;
using Verdict = Handover::Verdict;

constexpr std::time_t kNow = 1'700'000'000;

ConfigFiles config(const std::string& name) {
  ConfigFiles config;
  config.files.push_back({name, "", Fd(::memfd_create("config", MFD_CLOEXEC))});
  config.files.push_back({name + "/machine", "machine", Fd(::memfd_create("config", MFD_CLOEXEC))});
  return config;
}

// The other end of a matcher's channel.
class Matcher {
 public:
  Channel& channel() { return supervisor_; }

  // What it was told since: the names of files, and "commit SINCE".
  std::vector<std::string> told() {
    std::vector<std::string> told;
    for (Received received; matcher_.receive(received);) {
      const ControlMessage message = decode_control_message(received.datagram);
      const auto* const file = std::get_if<ConfigFile>(&message);
      EXPECT_EQ(static_cast<bool>(received.attached), file != nullptr);
      told.push_back(file != nullptr
                         ? file->name
                         : "commit " + std::to_string(std::get<ConfigCommit>(message).in_use_since));
    }
    return told;
  }

 private:
  std::pair<Fd, Fd> ends_ = Channel::pair();
  Channel supervisor_{std::move(ends_.first)};
  Channel matcher_{std::move(ends_.second)};
};

class HandoverTest : public testing::Test {
 protected:
  // A first configuration that is in use.
  void use(const std::string& name) {
    handover_.read(config(name));
    handover_.begin(matcher_.channel());
    EXPECT_EQ(handover_.accepted(kNow), Verdict::kInUse);
    matcher_.told();
  }

  // Another one that is offered, and not yet answered.
  void reload(const std::string& name) {
    handover_.read(config(name));
    handover_.offer(matcher_.channel());
  }

  Matcher matcher_;
  Handover handover_;
};

TEST_F(HandoverTest, TheFirstOneIsNew) {
  handover_.read(config("a"));
  EXPECT_TRUE(handover_.waits());
  handover_.begin(matcher_.channel());
  EXPECT_THAT(matcher_.told(), ElementsAre("a", "a/machine", "commit 0"));
  EXPECT_EQ(handover_.keeping(), "");
  EXPECT_EQ(handover_.accepted(kNow), Verdict::kInUse);
  EXPECT_FALSE(handover_.waits());
  EXPECT_EQ(handover_.keeping(), ". Keeping the configuration of " + log::time_of_day(kNow) + '.');
}

TEST_F(HandoverTest, WithoutAFirstOneThereIsNone) {
  handover_.read(config("a"));
  handover_.begin(matcher_.channel());
  EXPECT_EQ(handover_.rejected(), Verdict::kNone);
}

TEST_F(HandoverTest, UntilTheFirstOneIsAnsweredEachMatcherIsOfferedIt) {
  handover_.read(config("a"));
  handover_.begin(matcher_.channel());
  matcher_.told();
  EXPECT_EQ(handover_.ended(), Interrupted::kNothing);
  handover_.begin(matcher_.channel());
  EXPECT_THAT(matcher_.told(), ElementsAre("a", "a/machine", "commit 0"));
}

TEST_F(HandoverTest, AMatcherThatStartsIsOfferedTheOneInUse) {
  use("a");
  EXPECT_EQ(handover_.ended(), Interrupted::kNothing);
  handover_.begin(matcher_.channel());
  EXPECT_THAT(matcher_.told(), ElementsAre("a", "a/machine", "commit " + std::to_string(kNow)));
  EXPECT_TRUE(handover_.waits());
  EXPECT_EQ(handover_.accepted(kNow + 60), Verdict::kAsBefore);
  EXPECT_FALSE(handover_.waits());
  EXPECT_EQ(handover_.keeping(), ". Keeping the configuration of " + log::time_of_day(kNow) + '.');
}

TEST_F(HandoverTest, ANewOneReplacesTheOneInUse) {
  use("a");
  reload("b");
  EXPECT_THAT(matcher_.told(), ElementsAre("b", "b/machine", "commit 0"));
  EXPECT_EQ(handover_.accepted(kNow + 60), Verdict::kInUse);
  handover_.begin(matcher_.channel());
  EXPECT_THAT(matcher_.told(), ElementsAre("b", "b/machine", "commit " + std::to_string(kNow + 60)));
}

TEST_F(HandoverTest, OneThatIsRejectedOrDroppedLeavesTheOneInUse) {
  use("a");
  reload("b");
  EXPECT_EQ(handover_.rejected(), Verdict::kKept);
  reload("c");
  handover_.drop();
  EXPECT_FALSE(handover_.waits());
  matcher_.told();
  handover_.begin(matcher_.channel());
  EXPECT_THAT(matcher_.told(), ElementsAre("a", "a/machine", "commit " + std::to_string(kNow)));
}

TEST_F(HandoverTest, AnInterruptedOneIsReadAgainOnce) {
  use("a");
  for (int i = 0; i < 2; ++i) {
    for (const Interrupted expected : {Interrupted::kReadAgain, Interrupted::kGivenUp}) {
      reload("b");
      EXPECT_EQ(handover_.ended(), expected);
      EXPECT_FALSE(handover_.waits());
      handover_.begin(matcher_.channel());
      EXPECT_EQ(handover_.accepted(kNow + 60), Verdict::kAsBefore);
    }
  }
  reload("b");
  EXPECT_EQ(handover_.ended(), Interrupted::kReadAgain);
  reload("b");
  EXPECT_EQ(handover_.rejected(), Verdict::kKept);
  reload("b");
  EXPECT_EQ(handover_.ended(), Interrupted::kReadAgain) << "an answer starts the count over";
}

TEST_F(HandoverTest, AnswersToNoOfferAreViolations) {
  EXPECT_THROW(handover_.accepted(kNow), Violation);
  EXPECT_THROW(handover_.rejected(), Violation);
  use("a");
  EXPECT_THROW(handover_.accepted(kNow), Violation);
  handover_.begin(matcher_.channel());
  EXPECT_THROW(handover_.rejected(), Violation) << "an earlier matcher had accepted it";
}

TEST_F(HandoverTest, AMatcherThatHasEndedIsNoError) {
  handover_.read(config("a"));
  std::pair<Fd, Fd> ends = Channel::pair();
  Channel channel(std::move(ends.first));
  ends.second.reset();
  EXPECT_NO_THROW(handover_.begin(channel));
  EXPECT_THAT(matcher_.told(), IsEmpty());
}

}  // namespace
}  // namespace whawty
