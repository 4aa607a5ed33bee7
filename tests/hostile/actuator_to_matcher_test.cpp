// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// An actuator that has been taken over, and a matcher that is not to be.
#include <chrono>
#include <functional>
#include <set>

#include "common/bounds.h"
#include "tests/hostile/matcher_test.h"

namespace whawty::hostile {
namespace {

using namespace std::chrono_literals;

constexpr int kMaxDescriptionsAtATime = 8;

class HostileActuatorTest : public MatcherTest {
 protected:
  // At work: one device that machine a wants, and a list request that waits for its answer.
  void start() {
    configure({"a"});
    tell_devices({device(1)});
  }

  void send_xml(std::uint64_t request, std::string_view xml) {
    for (; !xml.empty(); xml.remove_prefix(std::min(xml.size(), kMaxXmlChunk)))
      ASSERT_TRUE(tell(XmlChunk{request, std::string(xml.substr(0, kMaxXmlChunk))}));
  }

  // Waits until all that was told so far has been taken in: what is told of a ping comes after it.
  void catch_up() {
    ASSERT_TRUE(supervisor().send(encode(Ping{})));
    const std::uint64_t id = expect<Ping>().id;
    ASSERT_TRUE(tell(Pong{}));
    ASSERT_TRUE(tell(Result{id, Outcome::kDone, 0, "", 1}));
    while (const auto datagram = supervisor().receive())
      if (std::holds_alternative<Pong>(decode_policy_message(*datagram))) return;
    FAIL() << "it does not answer";
  }
};

// What ends the matcher at once: said while the list request of that number waits, and the last words.
struct Nonsense {
  friend void PrintTo(const Nonsense& nonsense, std::ostream* out) { *out << nonsense.name; }

  const char* name;
  std::function<std::vector<ActuatorMessage>(std::uint64_t list)> messages;
  std::string words;
};

std::vector<Nonsense> all_nonsense() {
  using Messages = std::vector<ActuatorMessage>;
  const auto result_of_nothing = [](auto) { return Messages{Result{4711, Outcome::kDone, 0, "", 1}}; };
  const auto xml_of_nothing = [](auto) { return Messages{XmlChunk{4711, "<domain/>"}}; };
  const auto xml_of_a_list = [](auto list) { return Messages{XmlChunk{list, "<domain/>"}}; };
  return {
      {"ResultOfNothing", result_of_nothing, "a result that was not asked for"},
      {"ResultTwice",
       [](auto list) {
         return Messages{Result{list, Outcome::kDone, 0, "", 1}, Result{list, Outcome::kDone, 0, "", 1}};
       },
       "a result that was not asked for"},
      {"DomainAfterTheList",
       [](auto list) {
         return Messages{Result{list, Outcome::kDone, 0, "", 1}, DomainListed{uuid(1), "a", true}};
       },
       "a domain that was not asked for"},
      {"XmlOfNothing", xml_of_nothing, "XML that was not asked for"},
      {"XmlOfAList", xml_of_a_list, "XML that was not asked for"},
      {"TooManyListed",
       [](auto) {
         Messages messages;
         for (unsigned i = 0; i <= 4096; ++i) messages.push_back(DomainListed{uuid(i), "x", false});
         return messages;
       },
       "more than 4096 domains"},
      {"TooManyEvents",
       [](auto) {
         Messages messages;
         for (unsigned i = 0; i <= 4096; ++i) messages.push_back(DomainChanged{uuid(i), "x"});
         return messages;
       },
       "more than 4096 domains"},
  };
}

class ActuatorNonsenseTest : public HostileActuatorTest, public testing::WithParamInterface<Nonsense> {};

TEST_P(ActuatorNonsenseTest, EndsTheMatcherWithOneLine) {
  start();
  const auto messages = GetParam().messages(expect<ListDomains>().id);
  for (const ActuatorMessage& message : messages) tell(message);
  expect_violation(GetParam().words);
}

INSTANTIATE_TEST_SUITE_P(All, ActuatorNonsenseTest, testing::ValuesIn(all_nonsense()),
                         [](const auto& test) { return std::string(test.param.name); });

TEST_F(HostileActuatorTest, GarbageEndsTheMatcherWithOneLine) {
  expect_end_by_garbage(kMatcherToActuator);
}

TEST_F(HostileActuatorTest, ADescriptorEndsTheMatcher) {
  ASSERT_TRUE(actuator().send(encode(ActuatorMessage{DomainStalled{uuid(1)}}), {0}));
  expect_violation("a message with a descriptor");
}

TEST_F(HostileActuatorTest, AnXmlOverTheLimitEndsTheMatcher) {
  start();
  tell_domains({{1, "a"}});
  const std::uint64_t id = expect<DescribeDomain>().id;
  send_xml(id, std::string(kMaxXml, ' '));
  EXPECT_TRUE(matcher_.runs());
  tell(XmlChunk{id, " "});
  expect_violation("an XML larger than 1 MiB");
}

// Texts of 1 MiB that are made to cost much more: what each says of itself is repeated until it is full.
struct Bomb {
  friend void PrintTo(const Bomb& bomb, std::ostream* out) { *out << bomb.name; }

  const char* name;
  std::string begin, repeated, end;
  bool refused = true;  // otherwise a domain without hostdevs

  std::string xml() const {
    std::string text = begin;
    while (text.size() + repeated.size() + end.size() <= kMaxXml) text += repeated;
    return text + end;
  }
};

class XmlBombTest : public HostileActuatorTest, public testing::WithParamInterface<Bomb> {};

// As many at a time as there may be, and then the same again.
TEST_P(XmlBombTest, IsATextLikeAnyOther) {
  start();
  std::map<std::uint64_t, std::string> domains;
  for (std::uint64_t i = 1; i <= kMaxDescriptionsAtATime; ++i) domains[i] = "d" + std::to_string(i);
  tell_domains(domains);
  std::vector<std::uint64_t> requests;
  for (std::size_t i = 0; i < kMaxDescriptionsAtATime; ++i) requests.push_back(expect<DescribeDomain>().id);
  const std::string xml = GetParam().xml();
  for (const std::uint64_t request : requests) send_xml(request, xml);
  for (const std::uint64_t request : requests) ASSERT_TRUE(tell(Result{request, Outcome::kDone, 0, "", 1}));
  catch_up();
  expect_service();
  EXPECT_EQ(matcher_.lines_with(": domain XML: "), GetParam().refused ? kMaxDescriptionsAtATime : 0);
}

INSTANTIATE_TEST_SUITE_P(
    All, XmlBombTest,
    testing::Values(Bomb{"Nesting", "<domain id='1'>", "<a>", ""},
                    Bomb{"NestingWithText", "<domain id='1'>", "<a>x", ""},
                    Bomb{"Elements", "<domain id='1'>", "<a/>", "</domain>"},
                    Bomb{"ElementsAndText", "<domain id='1'>", "x<a/>", "</domain>"},
                    Bomb{"Attributes", "<domain id='1' ", "a='' ", "/>", false},
                    Bomb{"Text", "<domain id='1'>", "x", "</domain>", false},
                    Bomb{"References", "<domain id='1'>", "&amp;", "</domain>", false},
                    Bomb{"Entities", "<!DOCTYPE domain [<!ENTITY a 'xx'>", "<!ENTITY b '&a;&a;&a;'>",
                         "]><domain id='1'>&b;</domain>", false},
                    Bomb{"Instructions", "<domain id='1'>", "<?a?>", "</domain>"},
                    Bomb{"CharacterData", "<domain id='1'>", "<![CDATA[]]>", "</domain>"}),
    [](const auto& test) { return std::string(test.param.name); });

std::string with_hostdevs(std::size_t count, const std::string& source) {
  std::string xml = "<domain id='1'><devices>";
  for (std::size_t i = 0; i < count; ++i)
    xml += "<hostdev type='usb'><source>" + source + "</source></hostdev>";
  return xml + "</devices></domain>";
}

// All domains that there may be, each with all the hostdevs that it may have, and the name of a machine.
TEST_F(HostileActuatorTest, AllHostdevsOfAllDomainsAreNoBurden) {
  start();
  std::map<std::uint64_t, std::string> domains;
  for (std::uint64_t i = 1; i <= 4096; ++i) domains[i] = "a";
  tell_domains(domains);
  const std::string xml = with_hostdevs(256, "<vendor id='7'/><product id='7'/>");
  // It decides when all are described, or on those that are after a second.
  bool decided = false;
  for (std::size_t described = 0; described < domains.size() || !decided;) {
    const auto datagram = actuator().receive();
    ASSERT_TRUE(datagram) << described << " are described";
    const Request request = decode_request(*datagram);
    decided = decided || std::holds_alternative<DetachHostdev>(request.what);
    if (!std::holds_alternative<DescribeDomain>(request.what)) continue;
    send_xml(request.id, xml);
    ASSERT_TRUE(tell(Result{request.id, Outcome::kDone, 0, "", 1}));
    ++described;
  }
  expect_service();
}

// Whatever libvirt is said to say of each domain, it is not kept.
TEST_F(HostileActuatorTest, LongNamesAndLongComplaintsAreNoBurden) {
  start();
  std::map<std::uint64_t, std::string> domains;
  for (std::uint64_t i = 1; i <= 4096; ++i)
    domains[i] = std::to_string(i) + std::string(kMaxDomainName - 4, '\xff');
  tell_domains(domains);
  for (std::size_t i = 0; i < domains.size(); ++i) {
    const std::uint64_t id = expect<DescribeDomain>().id;
    ASSERT_TRUE(tell(Result{id, Outcome::kFailed, 1, std::string(kMaxResultMessage, '\xff'), 1}));
  }
  catch_up();
  expect_service();
  EXPECT_LE(matcher_.growth(), kMaxGrowth / 2) << "with all that it is to keep it takes 8 MiB";
  // The log is cut for this test, but what is there is one line each.
  for (const std::string& line : matcher_.lines()) EXPECT_LE(line.size(), 8 * kMaxDomainName + 200);
}

TEST_F(HostileActuatorTest, AFloodOfEventsIsServedAndNothingElseStops) {
  start();
  const auto end = std::chrono::steady_clock::now() + 2s;
  std::set<std::uint64_t> unanswered;
  const std::jthread reader([&](const std::stop_token& stop) {
    while (!stop.stop_requested())
      if (const auto datagram = actuator().receive(20)) unanswered.insert(decode_request(*datagram).id);
  });
  for (unsigned i = 0; std::chrono::steady_clock::now() < end; ++i) {
    ASSERT_TRUE(tell(DomainChanged{uuid(i % 4096), std::to_string(i)}));
    ASSERT_TRUE(tell(DomainStalled{uuid(i % 5000)}));
  }
  expect_service();
  EXPECT_LE(unanswered.size(), kMaxRequestsInFlight);
}

TEST_F(HostileActuatorTest, OnesThatDoNotExistAreNobody) {
  start();
  tell_domains({{1, "a"}});
  const std::uint64_t id = expect<DescribeDomain>().id;
  ASSERT_TRUE(tell(DomainStalled{uuid(4711)}));
  ASSERT_TRUE(tell(Result{id, Outcome::kNoDomain, 42, "", 1}));
  expect_service();
}

// A machine that takes a second to describe keeps nobody waiting at full speed.
TEST_F(HostileActuatorTest, AnActuatorThatSaysNothingCostsNoTime) {
  start();
  std::this_thread::sleep_for(1s);
  expect_service();
  EXPECT_LT(matcher_.cpu_milliseconds(), 300);
}

}  // namespace
}  // namespace whawty::hostile
