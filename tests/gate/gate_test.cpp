// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// What passes the gate, said a second time, by hand; and that nothing else does: each bit of each message
// that passes is turned over, and every procedure that libvirt has, and many that it has not, is called.
#include "gate/gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/hostdev_alias.h"
#include "common/hostdev_xml.h"
#include "tests/gate/passing.h"

namespace whawty {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

using rpc::attach;
using rpc::describe;
using rpc::detach;
using rpc::domain;
using rpc::events;
using rpc::feature;
using rpc::Frame;
using rpc::kKnownXml;
using rpc::kName;
using rpc::kNewXml;
using rpc::kUuid;
using rpc::list;
using rpc::look_up;
using rpc::Passing;
using rpc::passing;
using rpc::text;
using rpc::uuid;
using rpc::words;

constexpr Uuid kOtherUuid{0x0123456789abcdef, 0xfedcba9876543211};
constexpr Hostdev kHostdev{3, 5, 0x046d, 0x0825};

class GateTest : public testing::Test {
 protected:
  // A gate that knows the domain, and has no unanswered call.
  static Gate gate(AllowedDomains domains = {}, bool may_go = true) {
    Gate gate(std::move(domains), [may_go](const Hostdev&) { return may_go; });
    name(gate, kName);
    return gate;
  }

  // libvirtd says what the domain is called.
  static void name(Gate& gate, const std::string& name, const Uuid& of = kUuid) {
    gate.from_client(look_up(of, 999).bytes(), {});
    gate.from_server(rpc::reply(look_up(of, 999), domain(name, of)).bytes(), {});
  }

  static bool passes(Gate& gate, const std::string& frame) {
    try {
      return !gate.from_client(frame, {});
    } catch (const Refused&) {
      return false;
    }
  }
  static bool passes(Gate& gate, const Frame& frame) { return passes(gate, frame.bytes()); }
  static bool passes(const Frame& frame) {
    Gate fresh = gate();
    return passes(fresh, frame);
  }

  static std::string refusal(Gate& gate, const Frame& frame) {
    try {
      gate.from_client(frame.bytes(), {});
    } catch (const Refused& refused) {
      return refused.what();
    }
    return "it passed";
  }
};

TEST_F(GateTest, TheCallsOfTheDaemonPass) {
  EXPECT_EQ(passing().size(), kCallRules.size()) << "each row of the table is here";
  for (const Passing& one : passing()) EXPECT_TRUE(passes(one.frame)) << one.name;
}

// A frame with another length would be another frame: that is the relay's.
TEST_F(GateTest, NoOtherBitOfThemMayBeTurned) {
  int tried = 0;
  for (const Passing& one : passing()) {
    const std::string frame = one.frame.bytes();
    for (std::size_t at = 4; at < frame.size(); ++at)
      for (int bit = 0; bit < 8; ++bit, ++tried) {
        std::string other = frame;
        other[at] = static_cast<char>(other[at] ^ 1 << bit);
        Gate fresh = gate();
        EXPECT_EQ(passes(fresh, other), rpc::is_passing(other))
            << one.name << ", byte " << at << ", bit " << bit;
      }
  }
  EXPECT_GT(tried, 7'000);
}

TEST_F(GateTest, NoneOfThemMayHaveAByteMoreOrLess) {
  for (const Passing& one : passing()) {
    for (const std::string& more : {words({0}), words({1}), std::string(1, '\0')}) {
      Frame longer = one.frame;
      longer.arguments += more;
      EXPECT_FALSE(passes(longer)) << one.name;
    }
    for (std::size_t length = 0; length < one.frame.arguments.size(); ++length) {
      Frame shorter = one.frame;
      shorter.arguments.resize(length);
      EXPECT_FALSE(passes(shorter)) << one.name << ' ' << length;
    }
  }
}

// The last procedure of libvirt 11 is below 460. Arguments of all kinds, harmless and harmful ones.
TEST_F(GateTest, NoOtherProcedureOfAnyProgramPasses) {
  const std::string of = domain(kName, kUuid);
  const std::string disk = "<disk type='block'><source dev='/dev/sda'/><target dev='vdz'/></disk>";
  std::vector<std::string> arguments = {"",
                                        words({0}),
                                        words({1}),
                                        of,
                                        uuid(kUuid),
                                        of + words({0}),
                                        of + words({1}),
                                        of + text(disk) + words({1}),
                                        text(disk),
                                        text(disk) + words({0}),
                                        of + text("/tmp/save"),
                                        of + text(kNewXml) + words({1}),
                                        of + text(kKnownXml) + words({1}),
                                        of + text("info usb") + words({1}),
                                        words({1, 1}),
                                        words({1, 2})};
  for (const Passing& one : passing()) arguments.push_back(one.frame.arguments);
  Gate nothing_unanswered = gate();
  int tried = 0;
  int passed = 0;
  // The third and fourth: QEMU's (its monitor) and LXC's.
  for (const std::uint32_t program : {rpc::kRemote, rpc::kKeepAlive, 0x20008087U, 0x00068000U, 0U, ~0U})
    for (std::uint32_t procedure = 0; procedure <= 600; ++procedure)
      for (const std::uint32_t type : {0U, 1U, 2U, 3U, 4U, 5U, 6U})
        for (const std::string& argument : arguments) {
          // With another type than a call's, arguments of a few kinds will do.
          if (type != 0 && argument.size() > 8) continue;
          const Frame frame{procedure, argument, type == 2 ? 0U : 1U, program, 1, type};
          ++tried;
          if (rpc::is_passing(frame.bytes())) {
            ++passed;
          } else {
            ASSERT_FALSE(passes(nothing_unanswered, frame)) << program << ' ' << procedure << ' ' << type;
          }
        }
  EXPECT_GT(tried, 100'000);
  EXPECT_GE(passed, static_cast<int>(passing().size()));
  RecordProperty("tried", tried);
}

TEST_F(GateTest, NoOtherNumbersPass) {
  for (std::uint32_t number = 0; number <= 64; ++number) {
    EXPECT_EQ(passes(feature(number)), number == 10 || number == 14 || number == 15) << number;
    EXPECT_EQ(passes(events(number)), number == 0 || number == 15 || number == 19) << number;
    EXPECT_EQ(passes({273, words({1, number})}), number == 0) << number;
    EXPECT_EQ(passes(attach(domain(kName, kUuid), kNewXml, number)), number == 1) << number;
    EXPECT_EQ(passes(detach(domain(kName, kUuid), kKnownXml, number)), number == 1) << number;
  }
  // Passwords are VIR_DOMAIN_XML_SECURE.
  for (std::uint32_t flags = 1; flags <= 64; ++flags)
    EXPECT_FALSE(passes({14, domain(kName, kUuid) + words({flags})})) << flags;
  for (const char* const uri :
       {"", "qemu:///session", "qemu:///system?", "xen:///", "qemu:///systems", "QEMU:///system"})
    EXPECT_FALSE(passes({1, words({1}) + text(uri) + words({0})})) << uri;
  EXPECT_FALSE(passes({1, words({0, 0})})) << "no name";
}

TEST_F(GateTest, EventsOfOneDomainAreNotAskedFor) {
  EXPECT_FALSE(passes({316, words({0, 1}) + domain(kName, kUuid)}));
}

TEST_F(GateTest, ADetachNamesAHostdevByAnyOfItsNumbers) {
  for (const Hostdev named : {Hostdev{3, 5, 0, 0}, {0, 0, 0x046d, 0x0825}, kHostdev})
    EXPECT_TRUE(passes(detach(domain(kName, kUuid), hostdev_xml(named))));
}

TEST_F(GateTest, TheXmlIsThatOfItsCallAndNothingElse) {
  const std::string disk = "<disk type='file'><source file='/etc/shadow'/><target dev='vdz'/></disk>";
  for (const std::string& xml :
       {std::string(), disk, kKnownXml, kNewXml + disk, kNewXml + "\n", "\n" + kNewXml,
        kNewXml + std::string(1, '\0'), kNewXml + kNewXml, "<!DOCTYPE a>" + kNewXml})
    EXPECT_FALSE(passes(attach(domain(kName, kUuid), xml))) << xml;
  for (const std::string& xml :
       {std::string(), disk, kNewXml, kKnownXml + disk, kKnownXml + " ", kKnownXml + kKnownXml})
    EXPECT_FALSE(passes(detach(domain(kName, kUuid), xml))) << xml;
}

TEST_F(GateTest, ADomainIsOneThatLibvirtdHasNamed) {
  Gate fresh({}, [](const Hostdev&) { return true; });
  for (const Frame& frame : {describe(), attach(), detach()})
    EXPECT_THAT(refusal(fresh, frame), HasSubstr("a domain that libvirtd has not named"));
  name(fresh, kName);
  for (const Frame& frame : {describe(), attach(), detach()}) {
    Gate again = gate();
    EXPECT_TRUE(passes(again, frame));
  }
  Gate other = gate();
  EXPECT_THAT(refusal(other, attach(domain(kName, kOtherUuid))), HasSubstr("has not named"));
  EXPECT_THAT(refusal(other, attach(domain("other", kUuid))), HasSubstr("another domain's name"));
  EXPECT_THAT(refusal(other, attach(domain("", kUuid))), HasSubstr("another domain's name"));
  EXPECT_THAT(refusal(other, attach(domain(kName + std::string(1, '\0'), kUuid))),
              HasSubstr("another domain's"));
}

TEST_F(GateTest, TheIdOfADomainSaysNothing) {
  for (const std::uint32_t id : {0U, 1U, 0xffffffffU}) EXPECT_TRUE(passes(attach(domain(kName, kUuid, id))));
}

TEST_F(GateTest, DomainsAreNamedByListsAndLookUpsOnly) {
  const std::string named = domain("a", kUuid) + domain("b", kOtherUuid);
  Gate gate({}, [](const Hostdev&) { return true; });
  // Not by events, not by errors, and not by the answer to another call.
  gate.from_server(Frame{333, words({0}) + domain("a", kUuid), 0, rpc::kRemote, 1, 2}.bytes(), {});
  for (const auto& [call, status] : {std::pair{list(), 1U}, {feature(15), 0U}}) {
    ASSERT_TRUE(passes(gate, call));
    gate.from_server(rpc::reply(call, words({2}) + named + words({2}), status).bytes(), {});
  }
  EXPECT_THAT(refusal(gate, describe(domain("a", kUuid))), HasSubstr("has not named"));
  ASSERT_TRUE(passes(gate, list()));
  gate.from_server(rpc::reply(list(), words({2}) + named + words({2})).bytes(), {});
  EXPECT_TRUE(passes(gate, describe(domain("a", kUuid))));
  gate.from_server(rpc::reply(describe(), text("<domain/>")).bytes(), {});
  EXPECT_TRUE(passes(gate, describe(domain("b", kOtherUuid))));
}

TEST_F(GateTest, ALookUpNamesOneDomain) {
  Gate gate({}, [](const Hostdev&) { return true; });
  ASSERT_TRUE(passes(gate, look_up()));
  gate.from_server(rpc::reply(look_up(), domain("a", kUuid) + domain("b", kOtherUuid)).bytes(), {});
  EXPECT_TRUE(passes(gate, describe(domain("a", kUuid))));
  gate.from_server(rpc::reply(describe(), text("")).bytes(), {});
  EXPECT_FALSE(passes(gate, describe(domain("b", kOtherUuid))));
}

TEST_F(GateTest, ListsThatEndTooEarlyAreNone) {
  for (const std::string& arguments : {std::string(), words({1}), words({2}) + domain("a", kUuid),
                                       words({0xffffffff}) + domain("a", kUuid)}) {
    Gate fresh = gate();
    ASSERT_TRUE(passes(fresh, list()));
    EXPECT_THROW(fresh.from_server(rpc::reply(list(), arguments).bytes(), {}), Malformed);
  }
  Gate fresh = gate();
  ASSERT_TRUE(passes(fresh, list()));
  EXPECT_NO_THROW(fresh.from_server(rpc::reply(list(), words({0, 0})).bytes(), {}));
}

TEST_F(GateTest, ADomainWithANameBeyondItsBoundIsUnknownAndHarmsNothing) {
  Gate gate({}, [](const Hostdev&) { return true; });
  const std::string longest(kMaxDomainName, 'x');
  for (const std::string& unknown : {std::string(), longest + "x"}) {
    name(gate, unknown);
    EXPECT_FALSE(passes(gate, describe(domain(unknown, kUuid))));
  }
  name(gate, longest);
  EXPECT_TRUE(passes(gate, describe(domain(longest, kUuid))));
  EXPECT_LE(attach(domain(longest, kUuid),
                   marked_hostdev_xml({999, 127, 0xffff, 0xffff}, hostdev_alias(~0ULL, ~0ULL)))
                .bytes()
                .size(),
            kMaxCall);
}

TEST_F(GateTest, AnEarlierNameStaysKnownForAWhile) {
  Gate fresh = gate();
  name(fresh, "second");
  EXPECT_TRUE(passes(fresh, describe()));
  fresh.from_server(rpc::reply(describe(), text("")).bytes(), {});
  for (const char* const next : {"third", "fourth", "second", "fifth"}) name(fresh, next);
  EXPECT_FALSE(passes(fresh, describe())) << "four names came after it";
  EXPECT_TRUE(passes(fresh, describe(domain("second", kUuid))));
}

TEST_F(GateTest, OfVeryManyDomainsTheOneNotNamedForLongestIsForgotten) {
  Gate gate({}, [](const Hostdev&) { return true; });
  const auto nth = [](std::uint64_t n) { return Uuid{1, n}; };
  for (std::uint64_t n = 0; n < kMaxDomainsNamed; ++n) name(gate, "a", nth(n));
  name(gate, "a", nth(0));
  name(gate, "a", nth(kMaxDomainsNamed));
  const auto known = [&](std::uint64_t n) {
    const Frame frame = describe(domain("a", nth(n)));
    if (!passes(gate, frame)) return false;
    gate.from_server(rpc::reply(frame, text("")).bytes(), {});
    return true;
  };
  EXPECT_TRUE(known(0));
  EXPECT_FALSE(known(1));
  EXPECT_TRUE(known(2));
  EXPECT_TRUE(known(kMaxDomainsNamed));
}

TEST_F(GateTest, WithAListOnlyItsDomainsAreChanged) {
  for (const std::string& entry : {kName, to_string(kUuid)})
    for (const Frame& frame : {attach(), detach()}) {
      Gate listed = gate(AllowedDomains{{entry}});
      EXPECT_TRUE(passes(listed, frame)) << entry;
    }
  for (const std::set<std::string>& list : {std::set<std::string>{}, {"other"}, {to_string(kOtherUuid)}}) {
    Gate gate = GateTest::gate(AllowedDomains{list});
    for (const Frame& frame : {attach(), detach()})
      EXPECT_THAT(refusal(gate, frame), HasSubstr("a domain that is not in the list"));
    EXPECT_TRUE(passes(gate, describe())) << "reading is no change";
  }
}

// What libvirtd called it last counts, and not what the client says.
TEST_F(GateTest, TheNameThatCountsForTheListIsTheLastOne) {
  Gate into = gate(AllowedDomains{{"mine"}});
  name(into, "mine");
  EXPECT_TRUE(passes(into, attach(domain("mine", kUuid))));
  Gate out_of = gate(AllowedDomains{{kName}});
  name(out_of, "theirs");
  EXPECT_FALSE(passes(out_of, attach())) << "by the name that it had";
  EXPECT_FALSE(passes(out_of, attach(domain("theirs", kUuid))));
}

TEST_F(GateTest, ADeviceThatMayNotGoIsAnsweredAndNotAttached) {
  Gate fresh = gate({}, false);
  const auto answer = fresh.from_client(attach().bytes(), {});
  ASSERT_TRUE(answer);
  EXPECT_EQ(message_in(*answer).header, (Header{rpc::kRemote, 1, 160, 1, 1, 1}));
  EXPECT_THAT(*answer, HasSubstr("Did not find USB device"));
  EXPECT_TRUE(passes(fresh, detach())) << "the serial is free again";
}

TEST_F(GateTest, TheHostIsAskedAboutTheDeviceOfTheXmlAndForAttachesOnly) {
  std::vector<Hostdev> asked;
  Gate gate({}, [&](const Hostdev& hostdev) {
    asked.push_back(hostdev);
    return true;
  });
  name(gate, kName);
  EXPECT_TRUE(passes(gate, detach()));
  EXPECT_FALSE(passes(gate, attach(domain("other", kUuid))));
  EXPECT_THAT(asked, testing::IsEmpty());
  Frame frame = attach();
  frame.serial = 2;
  EXPECT_TRUE(passes(gate, frame));
  EXPECT_THAT(asked, testing::ElementsAre(kHostdev));
}

TEST_F(GateTest, SerialsOfUnansweredCallsAreNotUsedAgain) {
  Gate fresh = gate();
  ASSERT_TRUE(passes(fresh, list()));
  EXPECT_THAT(refusal(fresh, Frame{66}), HasSubstr("the serial of an unanswered call"));
  fresh.from_server(rpc::reply(list(), words({0, 0})).bytes(), {});
  EXPECT_TRUE(passes(fresh, Frame{66}));
}

TEST_F(GateTest, OnlySoManyCallsAreUnanswered) {
  Gate fresh = gate();
  Frame call{66};
  for (call.serial = 1; call.serial <= kCalls; ++call.serial) ASSERT_TRUE(passes(fresh, call)) << call.serial;
  EXPECT_THAT(refusal(fresh, call), HasSubstr("too many unanswered calls"));
  EXPECT_TRUE(passes(fresh, rpc::keep_alive(1))) << "these have no answer";
  fresh.from_server(rpc::reply({66, "", 2}, words({0})).bytes(), {});
  EXPECT_TRUE(passes(fresh, call));
}

TEST_F(GateTest, LibvirtdAnswersWhatItWasAsked) {
  for (const Frame& reply : {rpc::reply(list(), words({0, 0})), rpc::reply({66, "", 2}, "")}) {
    Gate fresh = gate();
    ASSERT_TRUE(passes(fresh, Frame{66}));
    EXPECT_THROW(fresh.from_server(reply.bytes(), {}), Malformed);
  }
  Gate fresh = gate();
  ASSERT_TRUE(passes(fresh, Frame{66}));
  EXPECT_NO_THROW(fresh.from_server(rpc::reply({66}, "").bytes(), {}));
  EXPECT_THROW(fresh.from_server(rpc::reply({66}, "").bytes(), {}), Malformed) << "once";
}

TEST_F(GateTest, AWayToSayWhoItIsThatCannotPassIsSaid) {
  const auto offered = [](std::vector<std::uint32_t> ways) {
    Gate fresh = gate();
    ways.insert(ways.begin(), static_cast<std::uint32_t>(ways.size()));
    passes(fresh, Frame{66});
    fresh.from_server(rpc::reply({66}, words(ways)).bytes(), {});
  };
  constexpr std::uint32_t kNone = 0;
  constexpr std::uint32_t kSasl = 1;
  constexpr std::uint32_t kPolkit = 2;
  EXPECT_NO_THROW(offered({}));
  EXPECT_NO_THROW(offered({kNone}));
  EXPECT_NO_THROW(offered({kPolkit, kSasl}));
  EXPECT_THROW(offered({kSasl}), std::runtime_error);
  EXPECT_THROW(offered({kSasl, kPolkit}), std::runtime_error);
}

TEST_F(GateTest, LibvirtdSendsRepliesAndEvents) {
  for (const std::uint32_t type : {0U, 3U, 4U, 5U, 6U, 7U}) {
    Gate fresh = gate();
    EXPECT_THROW(fresh.from_server(Frame{333, "", 0, rpc::kRemote, 1, type}.bytes(), {}), Malformed) << type;
  }
  Gate fresh = gate();
  EXPECT_NO_THROW(fresh.from_server(Frame{333, "anything", 0, rpc::kRemote, 1, 2}.bytes(), {}));
  EXPECT_NO_THROW(fresh.from_server(rpc::keep_alive(1).bytes(), {}));
  EXPECT_THROW(fresh.from_server(Frame{1, "", 0, rpc::kKeepAlive, 1, 1}.bytes(), {}), Malformed);
}

// What the gate says of a change by itself.
TEST_F(GateTest, AChangeHasAReceiptBeforeItIsAskedForAndOneWhenItIsAnswered) {
  using namespace std::chrono_literals;
  using enum Receipt::Stage;
  using testing::ElementsAre;
  Gate gate = GateTest::gate();
  const Gate::Clock::time_point start{1000s};
  gate.from_client(attach().bytes(), start);
  EXPECT_THAT(gate.take_receipts(), ElementsAre(Receipt{true, kUuid, kHostdev, 17}));
  gate.from_server(rpc::reply(attach(), "").bytes(), start + 41ms);
  EXPECT_THAT(gate.take_receipts(), ElementsAre(Receipt{true, kUuid, kHostdev, 17, kDone, 0, 41ms}));
  gate.from_client(detach().bytes(), start);
  gate.from_server(rpc::reply(detach(), words({55, 0, 0}), 1).bytes(), start + 5s);
  EXPECT_THAT(gate.take_receipts(), ElementsAre(Receipt{false, kUuid, kHostdev, 0},
                                                Receipt{false, kUuid, kHostdev, 0, kFailed, 55, 5s}));
  EXPECT_THAT(gate.take_receipts(), testing::IsEmpty()) << "once";
}

TEST(Receipt, IsOneLine) {
  using enum Receipt::Stage;
  const std::string begin =
      "receipt: attach of 003/005 046d:0825, domain 01234567-89ab-cdef-fedc-ba9876543210: ";
  EXPECT_EQ(text_of({true, kUuid, kHostdev, 17}), begin + "asked");
  EXPECT_EQ(text_of({true, kUuid, kHostdev, 17, kDone, 0, std::chrono::milliseconds(41)}),
            begin + "done, 41 ms");
  EXPECT_EQ(text_of({true, kUuid, kHostdev, 17, kFailed, 55, std::chrono::seconds(5)}),
            begin + "failed, error 55, 5000 ms");
}

TEST_F(GateTest, NothingElseHasOne) {
  Gate gate = GateTest::gate();
  for (const Frame& frame : {describe(), look_up(kUuid, 2), list()}) {
    gate.from_client(frame.bytes(), {});
    gate.from_server(rpc::reply(frame, words({0, 0}), 1).bytes(), {});
  }
  EXPECT_THAT(gate.take_receipts(), testing::IsEmpty());
}

TEST_F(GateTest, OnlyAClientThatWasNotLetInMayStartAgain) {
  const Frame open = rpc::open();
  Gate gate({}, [](const Hostdev&) { return true; });
  EXPECT_TRUE(gate.may_start_again());
  ASSERT_TRUE(passes(gate, open));
  EXPECT_FALSE(gate.may_start_again()) << "the call is unanswered";
  gate.from_server(rpc::reply(open, "an error", 1).bytes(), {});
  EXPECT_TRUE(gate.may_start_again());
  ASSERT_TRUE(passes(gate, open));
  gate.from_server(rpc::reply(open, "").bytes(), {});
  EXPECT_FALSE(gate.may_start_again()) << "it is open";
}

TEST_F(GateTest, CallsAreCounted) {
  Gate fresh = gate();
  const Gate::Clock::time_point now{std::chrono::hours(1)};
  for (int i = 0; i < kCallsAtOnce; ++i) {
    EXPECT_LE(fresh.pause(now), Gate::Clock::duration::zero()) << i;
    fresh.from_client(rpc::keep_alive(1).bytes(), now);
  }
  EXPECT_GT(fresh.pause(now), Gate::Clock::duration::zero());
  EXPECT_LE(fresh.pause(now + std::chrono::seconds(1)), Gate::Clock::duration::zero());
}

TEST_F(GateTest, EitherSideHasItsLongestFrame) {
  EXPECT_THROW(first_call(words({kMaxCall + 1})), Malformed);
  EXPECT_EQ(first_call(words({kMaxCall})), std::nullopt);
  EXPECT_THROW(first_answer(words({kMaxAnswer + 1})), Malformed);
  EXPECT_EQ(first_answer(words({kMaxAnswer})), std::nullopt);
}

TEST_F(GateTest, TheLogSaysWhatWasTried) {
  Gate fresh = gate();
  EXPECT_EQ(refusal(fresh, {.procedure = 12, .arguments = domain(kName, kUuid), .serial = 9}),
            "ALARM: the actuator tried procedure 12 of program 0x20008086, version 1, type 0, status 0, "
            "serial 9: no "
            "message of this kind may pass. Its 36 bytes: ....webcam-test..#Eg........vT2.....");
  const std::string said = refusal(fresh, attach(domain(kName, kUuid), std::string(2000, 'x')));
  EXPECT_THAT(
      said, AllOf(HasSubstr("XML of another form"), HasSubstr("xxx"), Not(HasSubstr(std::string(300, 'x')))));
}

}  // namespace
}  // namespace whawty
