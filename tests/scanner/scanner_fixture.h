// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// A scanner on a fake host, and its matcher.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/text.h"
#include "fake_host.h"
#include "fake_matcher.h"
#include "protocol/violation.h"
#include "scanner/readers.h"
#include "scanner/route_monitor.h"
#include "scanner/scanner.h"
#include "scanner/udev.h"

namespace whawty {

inline int occurrences(const std::string& text, const std::string& part) {
  int count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

// A scanner on a thread of its own, and its matcher.
class ScannerTest : public testing::Test {
 protected:
  enum End { kRuns, kPeerClosed, kViolation };

  ScannerTest() : ScannerTest(Channel::pair()) {}
  ~ScannerTest() override { close(); }

  void start() {
    readers_.emplace(read_device, patience_);
    thread_ = std::jthread([this] {
      thread_id_ = ::gettid();
      try {
        Scanner(*readers_, monitor_, routes_, files_, channel_).serve();
      } catch (const PeerClosed&) {
        end_ = kPeerClosed;
      } catch (const Violation&) {
        end_ = kViolation;
      }
    });
  }

  // Starts it on a host with these devices and reads the first snapshot.
  void start_with(const std::vector<fake::UsbDevice>& devices) {
    for (const fake::UsbDevice& device : devices) host_.plug(device);
    start();
    ASSERT_THAT(matcher_->snapshot(), testing::SizeIs(devices.size()));
  }

  // Closes the matcher's end and waits for the scanner's.
  End close() {
    matcher_.reset();
    if (thread_.joinable()) thread_.join();
    host_.release_all();
    readers_.reset();
    return end_;
  }

  // Nothing that happened so far is still to be told: a device with a last name is the next that is heard of.
  void expect_no_more() {
    host_.plug(fake::device("9-9", 9, 9));
    host_.event("add", "9-9");
    EXPECT_EQ(matcher_->expect<Device>().sysname, "9-9");
  }

  // Lets the channel fill up, so that the scanner has to wait for its matcher. The first snapshot is then
  // unread.
  void start_behind() {
    for (unsigned i = 1; i <= 30; ++i) {
      fake::UsbDevice device = fake::device("2-" + std::to_string(i), 2, i);
      device.database = "E:A=" + std::string(30'000, 'x') + "\n";
      host_.plug(device);
    }
    start();
    pollfd room{channel_.fd(), POLLOUT, 0};
    while (::poll(&room, 1, 0) != 0) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    // The rest of the snapshot is queued when it waits and goes on waiting.
    for (int looks = 0; looks < 20; looks = sleeps() ? looks + 1 : 0)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }

  // Whether the scanner's thread waits, by itself and not for a processor.
  bool sleeps() const {
    std::ifstream file(concat("/proc/self/task/", thread_id_.load(), "/stat"));
    std::string stat;
    std::getline(file, stat);
    return stat.find(") S ") != std::string::npos;
  }

  fake::Host host_;
  Udev udev_{udev_new()};
  Monitor monitor_{udev_.get(), 200};  // numbers that no test needs
  RouteMonitor routes_{201};
  Readers::Clock::duration patience_ = std::chrono::seconds(60);  // longer than any test
  std::optional<Readers> readers_;
  ProcFiles files_{fake::Host::kProc};
  std::optional<fake::Matcher> matcher_;
  Channel channel_;
  std::atomic<End> end_ = kRuns;
  std::atomic<pid_t> thread_id_ = 0;
  std::jthread thread_;
  fake::UsbDevice mouse_ = fake::device("1-2", 1, 2);

 private:
  explicit ScannerTest(std::pair<Fd, Fd> ends)
      : matcher_(std::move(ends.first)), channel_(std::move(ends.second)) {}
};

}  // namespace whawty
