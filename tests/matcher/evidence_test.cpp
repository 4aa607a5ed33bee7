// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// What the journal is told beside the lines: as fields.
#include <gmock/gmock.h>

#include "common/record.h"
#include "tests/matcher/world.h"

namespace whawty {
namespace {

using testing::ElementsAre;
using testing::Pair;

class EvidenceTest : public WorldTest {
 protected:
  // The only record.
  Fields only() const {
    EXPECT_EQ(records.size(), 1U);
    return records.empty() ? Fields{} : records.front();
  }
  static Fields of(Event event, Fields fields) {
    fields.emplace("MESSAGE_ID", message_id(event));
    fields.emplace("POLICY_SHA256", "p1");
    return fields;
  }
  void begin_with(std::initializer_list<Device> devices, const std::string& machines = kWebcamToA) {
    configure(machines, "interval: 1h", "p1");
    snapshot(devices);
  }

  const Fields webcam_{{"USB_DEVICE", "001/005"},
                       {"USB_ID", "046d:0825"},
                       {"USB_PORT", "1-1"},
                       {"USB_SERIAL", "3187B60"},
                       {"USB_DIGEST", std::string(64, '0')}};
  const Fields guest_{{"GUEST_NAME", "a"}, {"GUEST_UUID", "00000000-0000-0007-0000-000000000001"}};

  // All of these.
  static Fields sum(std::initializer_list<Fields> parts) {
    Fields all;
    for (const Fields& part : parts) all.insert(part.begin(), part.end());
    return all;
  }
};

TEST_F(EvidenceTest, AnAttachAndTheDetachOfWhatLeft) {
  begin_with({});
  plug_unanswered(webcam());
  now += 41ms;
  const std::string id = std::to_string(requests.front().id);
  settle();
  EXPECT_EQ(only(), of(Event::kAttached, sum({webcam_,
                                              guest_,
                                              {{"CHANGE", "attach"},
                                               {"RULE", "a[0]"},
                                               {"REQUEST_ID", id},
                                               {"OUTCOME", "done"},
                                               {"DURATION_USEC", "41000"}}})));
  records.clear();
  unplug_unanswered("1-1");
  const std::string next = std::to_string(requests.front().id);
  settle();
  EXPECT_EQ(only(), of(Event::kDetached, sum({guest_,
                                              {{"USB_DEVICE", "001/005"},
                                               {"USB_ID", "046d:0825"},
                                               {"CHANGE", "detach"},
                                               {"REASON", "it left the host"},
                                               {"REQUEST_ID", next},
                                               {"OUTCOME", "done"},
                                               {"DURATION_USEC", "0"}}})));
}

TEST_F(EvidenceTest, AFailureHasWhatLibvirtSaid) {
  a.error = "no\nfree \xff port";
  begin_with({webcam()});
  EXPECT_TRUE(records.empty()) << "the first one is not said";
  pass(1s);
  const Fields fields = only();
  EXPECT_EQ(fields.at("MESSAGE_ID"), message_id(Event::kFailed));
  EXPECT_EQ(fields.at("CHANGE"), "attach");
  EXPECT_EQ(fields.at("OUTCOME"), "failed");
  EXPECT_EQ(fields.at("LIBVIRT_CODE"), "1");
  EXPECT_EQ(fields.at("LIBVIRT_MESSAGE"), "no\nfree \xff port");
}

TEST_F(EvidenceTest, WhatWorkedInVainFailed) {
  a.in_vain = true;
  begin_with({webcam()});
  pass(1s);
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].at("MESSAGE_ID"), message_id(Event::kAttached));
  EXPECT_EQ(records[1].at("MESSAGE_ID"), message_id(Event::kFailed));
}

TEST_F(EvidenceTest, ARefusalHasItsReason) {
  begin_with({mounted(webcam())});
  EXPECT_EQ(only(),
            of(Event::kRefused,
               sum({webcam_, {{"GUEST_NAME", "a"}, {"RULE", "a[0]"}, {"REASON", "sdb1 is mounted"}}})));
}

TEST_F(EvidenceTest, APlugThatNoRuleWants) {
  begin_with({}, "a: bus: 9");
  plug(webcam());
  EXPECT_EQ(only(), of(Event::kUnwanted, webcam_));
}

TEST_F(EvidenceTest, TheSerialIsWhateverTheDeviceSays) {
  const std::string serial = "x\nMESSAGE_ID=" + std::string(2000, '\0');
  begin_with({with_serial(webcam(), serial)});
  EXPECT_EQ(only().at("USB_SERIAL"), serial.substr(0, 1024));
}

TEST_F(EvidenceTest, AnAlarm) {
  a.odd =
      "<hostdev mode='subsystem' type='usb'><source missing='yes'><vendor id='0x046d'/><product id='0x0825'/>"
      "<address bus='1' device='5'/></source><alias name='ua-whawty-usb-1'/></hostdev>";
  begin_with({scale()});
  ASSERT_FALSE(records.empty());
  EXPECT_EQ(records.front(),
            of(Event::kAlarm, {{"USB_DEVICE", "001/005"}, {"USB_ID", "046d:0825"}, {"GUEST_NAME", "a"}}));
}

TEST_F(EvidenceTest, ThePolicyIsTheOneByWhichItWasDecided) {
  begin_with({});
  plug_unanswered(webcam());
  std::deque<Request> waiting;
  waiting.swap(requests);
  configure("a: vendor-id: 0x046d; b: bus: 9", "interval: 1h", "p2");
  requests.insert(requests.begin(), waiting.begin(), waiting.end());
  settle();
  ASSERT_FALSE(records.empty());
  EXPECT_EQ(records.front().at("POLICY_SHA256"), "p1");
  records.clear();
  unplug("1-1");
  EXPECT_EQ(only().at("POLICY_SHA256"), "p2");
}

TEST_F(EvidenceTest, WhatIsLeftOutOfTheLogHasNoRecordEither) {
  configure("a: bus: 9", "interval: 1h, max-reconnects: 0", "p1");
  snapshot({});
  for (std::uint16_t number = 1; number <= 20; ++number) plug(webcam(number));
  EXPECT_EQ(records.size(), 3U);
}

}  // namespace
}  // namespace whawty
