// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/known/domain_table.h"

#include <gmock/gmock.h>

#include "common/bounds.h"
#include "common/text.h"
#include "tests/values.h"

namespace whawty {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

const Result kDone{1, Outcome::kDone, 0, "", 10};
const Hostdev kWebcam{1, 5, 0x046d, 0x0825};

// Libvirt's domain a.
class DomainTableTest : public testing::Test {
 protected:
  void change() { table_.take(DomainChanged{kUuid, "a"}, now_); }
  void list(bool active, std::uint32_t run = 1) { table_.take(DomainListed{kUuid, "a", active, run}, now_); }
  bool is_stale_when_listed(std::uint32_t run = 1) {
    list(true, run);
    return !table_.stale(now_).empty();
  }
  void describe_off() { table_.describe(kUuid, kDone, "<domain/>", now_); }
  void describe(const std::string& sources) {
    table_.asked(kUuid);
    table_.describe(kUuid, kDone, "<domain id='1'><devices>" + sources + "</devices></domain>", now_);
  }
  bool is_settled() const { return table_.views().at(0).settled; }
  static std::string source(int number, const std::string& attributes = "") {
    return concat("<hostdev type='usb'><source", attributes, "><vendor id='0x046d'/><product id='0x0825'/>",
                  "<address bus='1' device='", number, "'/></source></hostdev>");
  }

  DomainTable table_;
  Clock::time_point now_{1000s};
};

TEST_F(DomainTableTest, AnEventIsNewerThanTheListThatComesAfterIt) {
  change();
  table_.begin_list();
  list(false);
  EXPECT_THAT(table_.stale(now_), ElementsAre(kUuid));
}

TEST_F(DomainTableTest, WhatAListDoesNotNameIsGoneUnlessARequestIsUnansweredOrAnEventCame) {
  table_.begin_list();
  list(true);
  table_.asked(kUuid);
  table_.begin_list();
  table_.end_list(kDone, {kUuid});
  EXPECT_TRUE(table_.knows(kUuid)) << "a request is unanswered";
  table_.begin_list();
  change();
  table_.end_list(kDone, {});
  EXPECT_TRUE(table_.knows(kUuid)) << "an event came";
  table_.asked(kUuid);
  table_.begin_list();
  table_.end_list(kDone, {});
  EXPECT_FALSE(table_.knows(kUuid));
}

TEST_F(DomainTableTest, WhatWasDescribedIsNotToBeAgainAsLongAsNothingIsHeardOfIt) {
  list(true);
  EXPECT_THAT(table_.stale(now_), ElementsAre(kUuid)) << "it is new";
  describe("");
  now_ += kDescribedFor - 1ms;
  EXPECT_FALSE(is_stale_when_listed());
  now_ += 1ms;
  EXPECT_TRUE(is_stale_when_listed()) << "an event may have been lost";
  describe("");
  EXPECT_FALSE(is_stale_when_listed());
  change();
  EXPECT_THAT(table_.stale(now_), ElementsAre(kUuid));
}

TEST_F(DomainTableTest, WhatWasDescribedLongAgoCountsUntilItIsDescribedAgain) {
  list(true);
  describe("");
  EXPECT_TRUE(is_settled());
  now_ += kDescribedFor;
  EXPECT_TRUE(is_stale_when_listed());
  EXPECT_TRUE(is_settled()) << "libvirt may take long to describe it, and nothing was heard of it";
  table_.asked(kUuid);
  EXPECT_TRUE(is_settled());
  table_.describe(kUuid, {1, Outcome::kStalled, 0, "", 0}, "", now_);
  EXPECT_TRUE(is_settled()) << "there was no place for the call";
  table_.asked(kUuid);
  change();
  EXPECT_FALSE(is_settled());
  table_.asked(kUuid);
  EXPECT_FALSE(is_settled()) << "only a description tells what happened";
  describe("");
  EXPECT_TRUE(is_settled());
}

TEST_F(DomainTableTest, ADescriptionThatAnEventOvertookDoesNotCount) {
  list(true);
  table_.asked(kUuid);
  change();
  table_.describe(kUuid, kDone, "<domain id='1'/>", now_);
  EXPECT_FALSE(is_settled());
  describe("");
  EXPECT_TRUE(is_settled());
}

TEST_F(DomainTableTest, OneThatLibvirtIsBusyWithIsNotSettled) {
  list(true);
  describe("");
  table_.describe(kUuid, {1, Outcome::kFailed, 68, "no job", 0}, "", now_);
  EXPECT_FALSE(is_settled());
}

TEST_F(DomainTableTest, OneThatRunsUnderAnotherIdIsToBeDescribed) {
  list(true);
  describe("");
  EXPECT_FALSE(is_stale_when_listed(1));
  EXPECT_TRUE(is_stale_when_listed(2)) << "it was started anew, and nobody said so";
}

TEST_F(DomainTableTest, OneThatWasSeenOffIsToBeDescribedWhenItRuns) {
  list(true);
  describe("");
  list(false);
  EXPECT_TRUE(is_stale_when_listed());
}

TEST_F(DomainTableTest, OneThatWasDescribedInVainIsToBeDescribedAtEachList) {
  for (const Result& result : {kDone, Result{1, Outcome::kFailed, 1, "no", 10}}) {
    list(true);
    describe("");
    table_.describe(kUuid, result, "<domain", now_);
    EXPECT_TRUE(is_stale_when_listed());
    table_.asked(kUuid);
    table_.describe(kUuid, result, "<domain", now_);
    EXPECT_TRUE(is_stale_when_listed());
  }
}

TEST_F(DomainTableTest, OneWhoseXmlHasNoIdThatIsANumberIsToBeDescribedAtEachList) {
  list(true, 0);
  table_.describe(kUuid, kDone, "<domain id='x'/>", now_);
  table_.asked(kUuid);
  EXPECT_TRUE(is_stale_when_listed(0));
}

TEST_F(DomainTableTest, WhoDoubtsHasAllDescribedThatAreListedNext) {
  list(true);
  describe("");
  table_.doubt();
  EXPECT_THAT(table_.stale(now_), IsEmpty());
  EXPECT_TRUE(is_stale_when_listed());
}

TEST_F(DomainTableTest, TheFirstDescriptionIsWaitedForForASecond) {
  change();
  EXPECT_TRUE(table_.waits_for_one({}, now_ + 999ms));
  EXPECT_FALSE(table_.waits_for_one({}, now_ + 1s));
}

TEST_F(DomainTableTest, WhatIsMissingIsHeldByNobody) {
  change();
  describe(source(5, " missing='yes'"));
  EXPECT_THAT(table_.holders_of(kWebcam), IsEmpty());
  EXPECT_THAT(table_.last_held_by(kUuid), IsEmpty());
  describe(source(5));
  EXPECT_THAT(table_.holders_of(kWebcam), ElementsAre(kUuid));
  EXPECT_THAT(table_.last_held_by(kUuid), ElementsAre(kWebcam));
}

TEST_F(DomainTableTest, WhatItHadIsKnownUntilItRunsAgain) {
  change();
  describe(source(5));
  describe_off();
  EXPECT_THAT(table_.last_held_by(kUuid), ElementsAre(kWebcam));
  describe("");
  EXPECT_THAT(table_.last_held_by(kUuid), IsEmpty());
}

TEST_F(DomainTableTest, ADeviceThatIsDisconnectedTwiceLeavesOneOrphan) {
  change();
  describe(source(5));
  for (int i = 0; i < 2; ++i) table_.disconnected(kWebcam);
  EXPECT_THAT(table_.views().at(0).orphans, ElementsAre(kWebcam));
}

TEST_F(DomainTableTest, ItMayHaveSoManyHostdevsAndNoMore) {
  std::string sources;
  for (std::size_t i = 0; i < kMaxHostdevs; ++i) sources += source(static_cast<int>(1 + i % 127));
  change();
  describe(sources);
  EXPECT_THAT(table_.take_notes(), IsEmpty());
  describe(sources + source(1));
  EXPECT_THAT(table_.take_notes(),
              ElementsAre(DomainNote{DomainNote::Kind::kTooManyHostdevs, "a", "", kMaxHostdevs}));
}

}  // namespace
}  // namespace whawty
