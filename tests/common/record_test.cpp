// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "common/record.h"

#include <gmock/gmock.h>

#include <fstream>
#include <set>

#include "tests/fields.h"

namespace whawty {
namespace {

using testing::ElementsAre;
using testing::Pair;

std::set<std::string> ids() {
  std::set<std::string> ids;
  for (int event = 0; event <= static_cast<int>(kLastEvent); ++event)
    EXPECT_TRUE(ids.emplace(message_id(static_cast<Event>(event))).second) << event;
  return ids;
}

TEST(Record, EachEventHasAnIdOfItsOwn) {
  for (const std::string& id : ids()) {
    EXPECT_EQ(id.size(), 32U);
    EXPECT_EQ(id.find_first_not_of("0123456789abcdef"), id.npos) << id;
  }
}

TEST(Record, TheCatalogHasThemAllAndNoOther) {
  std::set<std::string> explained;
  std::ifstream catalog(WHAWTY_CATALOG);
  for (std::string line; std::getline(catalog, line);)
    if (line.starts_with("-- ")) explained.insert(line.substr(3));
  EXPECT_EQ(explained, ids());
}

TEST(Record, OneOfNothingIsEmpty) {
  EXPECT_TRUE(Record{}.empty());
  EXPECT_FALSE(Record{Event::kAlarm}.empty());
}

TEST(Record, FieldsComeBack) {
  Record about;
  about.add("C", "");
  Record record{Event::kAttached};
  record.add("A", "1").add("B_2", "two").add(about);
  EXPECT_THAT(fields_in(record.bytes()), ElementsAre(Pair("A", "1"), Pair("B_2", "two"), Pair("C", ""),
                                                     Pair("MESSAGE_ID", "653ef1ebe1714db7a5d45f03816f5885")));
}

TEST(Record, NoByteOfAValueEndsIt) {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  for (const std::string& value :
       {all, std::string("\nMESSAGE_ID=x\n"), std::string("\n"), std::string(255, '\n')}) {
    Record record;
    record.add("A", value).add("B", "b");
    EXPECT_THAT(fields_in(record.bytes()), ElementsAre(Pair("A", value), Pair("B", "b")));
  }
}

TEST(Record, ALongValueIsCut) {
  Record record;
  record.add("A", std::string(Record::kMaxValue, 'a')).add("B", std::string(Record::kMaxValue + 1, 'b'));
  EXPECT_THAT(fields_in(record.bytes()),
              ElementsAre(Pair("A", std::string(1024, 'a')), Pair("B", std::string(1024, 'b'))));
}

// As the protocol has it: https://systemd.io/JOURNAL_NATIVE_PROTOCOL/
TEST(Record, AFieldIsWhatTheJournalReads) {
  EXPECT_EQ(field("AB", std::string(258, 'x')),
            std::string("AB\n\x02\x01\0\0\0\0\0\0", 11) + std::string(258, 'x') + "\n");
}

}  // namespace
}  // namespace whawty
