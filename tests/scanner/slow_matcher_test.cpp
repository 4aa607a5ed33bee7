// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Backpressure: what happens while the matcher does not read.
#include <sys/socket.h>

#include <ctime>

#include "scanner_fixture.h"

namespace whawty {
namespace {

using fake::sysnames;
using testing::Contains;
using testing::SizeIs;

TEST_F(ScannerTest, LostEventsLeadToASnapshotAndOneLine) {
  constexpr int kSmall = 4096;  // bytes
  ASSERT_EQ(::setsockopt(monitor_.fd(), SOL_SOCKET, SO_RCVBUF, &kSmall, sizeof kSmall), 0);
  start_behind();
  testing::internal::CaptureStderr();
  host_.plug(mouse_);
  host_.event("change", "2-1", 100);
  EXPECT_THAT(matcher_->snapshot(), SizeIs(30));
  EXPECT_THAT(sysnames(matcher_->snapshot()), Contains("1-2"));
  expect_no_more();
  EXPECT_EQ(occurrences(testing::internal::GetCapturedStderr(), "lost"), 1);
}

TEST_F(ScannerTest, ASlowMatcherMissesNothing) {
  start_behind();
  host_.unplug("2-7");
  host_.event("remove", "2-7");
  host_.plug(mouse_);
  host_.event("add", "1-2");
  EXPECT_THAT(matcher_->snapshot(), SizeIs(30));
  EXPECT_EQ(matcher_->expect<Device>().sysname, "1-2");
  EXPECT_EQ(matcher_->expect<DeviceRemoved>().sysname, "2-7");
  expect_no_more();
}

TEST_F(ScannerTest, ASlowMatcherIsToldTheLastStateNotAllOfThem) {
  start_behind();
  for (const char* const id : {"0001", "0002", "0003", "0004"}) {
    host_.write_attribute("2-7", "idProduct", id);
    host_.event("change", "2-7");
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_THAT(matcher_->snapshot(), SizeIs(30));
  EXPECT_EQ(matcher_->expect<Device>().product, 4);
  expect_no_more();
}

TEST_F(ScannerTest, ASlowMatchersRequestsWaitUntilItReads) {
  start_behind();
  for (int i = 0; i < 5; ++i) matcher_->rescan();
  host_.plug(mouse_);
  EXPECT_THAT(matcher_->snapshot(), SizeIs(30));
  for (int i = 0; i < 5; ++i) EXPECT_THAT(matcher_->snapshot(), SizeIs(31));
  EXPECT_EQ(close(), kPeerClosed);
}

TEST_F(ScannerTest, WaitsForASlowMatcherWithoutWorking) {
  start_behind();
  matcher_->rescan();
  host_.event("change", "2-1");
  const std::clock_t before = std::clock();
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  EXPECT_LT(std::clock() - before, CLOCKS_PER_SEC / 10);
}

TEST_F(ScannerTest, EndsWhenAMatcherEndsThatIsBehind) {
  start_behind();
  matcher_->rescan();
  EXPECT_EQ(close(), kPeerClosed);
}

}  // namespace
}  // namespace whawty
