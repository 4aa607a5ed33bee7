// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/known/device_table.h"

#include <gtest/gtest.h>

#include "common/bounds.h"
#include "common/text.h"
#include "protocol/violation.h"
#include "tests/values.h"

namespace whawty {
namespace {

DeviceTable with_snapshot(std::initializer_list<Device> devices) {
  DeviceTable table;
  table.apply(SnapshotBegin{});
  for (const Device& one : devices) table.apply(one);
  table.apply(SnapshotEnd{});
  return table;
}

std::vector<Hostdev> left_of(DeviceTable& table) {
  std::vector<Hostdev> numbers;
  for (const DeviceTable::Left& left : table.take_left()) numbers.push_back(left.numbers);
  return numbers;
}

TEST(DeviceTable, IsCompleteAfterTheFirstSnapshot) {
  DeviceTable table;
  EXPECT_FALSE(table.apply(SnapshotBegin{}));
  EXPECT_TRUE(table.apply(device_at("1-1")));
  EXPECT_FALSE(table.complete());
  EXPECT_TRUE(table.in_snapshot());
  EXPECT_TRUE(table.apply(SnapshotEnd{})) << "a decision may depend on it, even without a device";
  EXPECT_TRUE(table.complete());
  EXPECT_FALSE(table.in_snapshot());
}

TEST(DeviceTable, ASnapshotThatShowsNothingNewChangesNothing) {
  DeviceTable table = with_snapshot({device_at("1-1")});
  EXPECT_FALSE(table.apply(SnapshotBegin{}));
  EXPECT_FALSE(table.apply(device_at("1-1")));
  EXPECT_FALSE(table.apply(SnapshotEnd{}));
}

TEST(DeviceTable, NoChangeIsToldOfWhatWasToldOnly) {
  DeviceTable table;
  EXPECT_THROW(table.apply(Unchanged{}), Violation) << "nothing was told";
  table = with_snapshot({device_at("1-1")});
  EXPECT_FALSE(table.apply(Unchanged{}));
  EXPECT_EQ(table.devices().size(), 1U);
  table.apply(SnapshotBegin{});
  EXPECT_THROW(table.apply(Unchanged{}), Violation) << "it is being told";
}

TEST(DeviceTable, WhatASnapshotDoesNotNameIsGone) {
  DeviceTable table = with_snapshot({device_at("1-1"), device_at("1-2")});
  table.apply(SnapshotBegin{});
  table.apply(device_at("1-2"));
  EXPECT_EQ(table.devices().size(), 2U) << "until the snapshot has ended";
  EXPECT_TRUE(table.apply(SnapshotEnd{}));
  EXPECT_EQ(table.devices().size(), 1U);
  EXPECT_TRUE(table.devices().contains("1-2"));
  EXPECT_EQ(left_of(table), std::vector{hostdev_of(device_at("1-1"))});
}

TEST(DeviceTable, TheNewestRecordOfANameReplacesTheOlder) {
  DeviceTable table = with_snapshot({device_at("1-1", 2)});
  EXPECT_TRUE(table.apply(device_at("1-1", 3)));
  EXPECT_EQ(table.devices().at("1-1").number, 3);
  EXPECT_FALSE(table.apply(device_at("1-1", 3)));
}

TEST(DeviceTable, ARemovedDeviceIsGone) {
  DeviceTable table = with_snapshot({device_at("1-1")});
  EXPECT_FALSE(table.apply(DeviceRemoved{"1-2"}));
  EXPECT_TRUE(table.apply(DeviceRemoved{"1-1"}));
  EXPECT_TRUE(table.devices().empty());
}

TEST(DeviceTable, WhatTheProtocolDoesNotAllowIsAViolation) {
  EXPECT_THROW(with_snapshot({}).apply(SnapshotEnd{}), Violation);
  DeviceTable table;
  table.apply(SnapshotBegin{});
  EXPECT_THROW(table.apply(SnapshotBegin{}), Violation);
  EXPECT_THROW(table.apply(DeviceRemoved{"1-1"}), Violation);
  table.apply(device_at("1-1"));
  EXPECT_THROW(table.apply(device_at("1-1")), Violation);
}

TEST(DeviceTable, MoreDevicesThanAreAllowedAreAViolation) {
  DeviceTable table = with_snapshot({});
  for (std::size_t i = 0; i < kMaxDevices; ++i) table.apply(device_at("1-" + std::to_string(i)));
  EXPECT_FALSE(table.apply(device_at("1-0"))) << "one that is known is no further one";
  EXPECT_THROW(table.apply(device_at("2-1")), Violation);
}

// Devices of as much as there is room for, at ports of this bus.
std::size_t apply_all_that_fit(DeviceTable& table, int bus, char value = 'x') {
  const auto large = [&](std::size_t i) {
    Device device = device_at(concat(bus, '-', i));
    device.properties = {{"A", std::string(kMaxPropertyValue, value)}};
    return device;
  };
  const std::size_t fit = kMaxFootprint / footprint(large(0));
  for (std::size_t i = 0; i < fit; ++i) table.apply(large(i));
  return fit;
}

TEST(DeviceTable, MoreMemoryThanIsAllowedIsAViolation) {
  DeviceTable table = with_snapshot({});
  apply_all_that_fit(table, 1);
  apply_all_that_fit(table, 1, 'y');
  EXPECT_EQ(table.devices().begin()->second.properties[0].value[0], 'y') << "a new record replaces the old";
  EXPECT_THROW(apply_all_that_fit(table, 2), Violation);
}

TEST(DeviceTable, ASnapshotMayBeOfAsMuchMemoryAsTheOneBefore) {
  DeviceTable table = with_snapshot({});
  apply_all_that_fit(table, 1);
  table.apply(SnapshotBegin{});
  const std::size_t fit = apply_all_that_fit(table, 2);
  table.apply(SnapshotEnd{});
  EXPECT_EQ(table.devices().size(), fit);
  table.apply(SnapshotBegin{});
  apply_all_that_fit(table, 2);
  apply_all_that_fit(table, 3);
  EXPECT_THROW(table.apply(SnapshotEnd{}), Violation) << "of both at once";
}

TEST(DeviceTable, TellsPortAndDigestOfWhatLeft) {
  DeviceTable table = with_snapshot({with_digest(device_at("1-1"), {7}), silent(device_at("1-2"))});
  table.apply(DeviceRemoved{"1-1"});
  table.apply(DeviceRemoved{"1-2"});
  const std::vector<DeviceTable::Left> left = table.take_left();
  ASSERT_EQ(left.size(), 2U);
  EXPECT_EQ(left[0].port, "1-1");
  EXPECT_EQ(left[0].digest, Digest{7});
  EXPECT_EQ(left[1].port, "1-2");
  EXPECT_FALSE(left[1].digest);
}

TEST(DeviceTable, TellsWhatWasDisconnectedEvenIfItIsBack) {
  DeviceTable table = with_snapshot({connected_at("100", device_at("1-1"))});
  table.apply(connected_at("100", device_at("1-1")));
  EXPECT_TRUE(table.take_left().empty());
  table.apply(connected_at("200", device_at("1-1")));
  EXPECT_EQ(left_of(table), std::vector{hostdev_of(device_at("1-1"))}) << "connected again, numbered alike";
  table.apply(connected_at("200", device_at("1-1", 3)));
  EXPECT_EQ(left_of(table), std::vector{hostdev_of(device_at("1-1"))}) << "numbered anew";
  table.apply(DeviceRemoved{"1-1"});
  EXPECT_EQ(left_of(table), std::vector{hostdev_of(device_at("1-1", 3))});
  EXPECT_TRUE(table.take_left().empty());
}

TEST(DeviceTable, ADeviceThatUdevHasYetToProcessIsStillTheSame) {
  DeviceTable table = with_snapshot({device_at("1-1")});
  table.apply(connected_at("100", device_at("1-1")));
  EXPECT_TRUE(table.take_left().empty());
}

}  // namespace
}  // namespace whawty
