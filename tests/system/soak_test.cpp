// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Ten thousand plugs and pulls. What the processes have of memory and descriptors when each port has been
// used once, they have at the end.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "common/text.h"
#include "system_test.h"

namespace whawty {
namespace {

namespace fs = std::filesystem;
using testing::SizeIs;

// Many ports, none of which is used so often as to look like a device that comes and goes, nor is a root
// port.
constexpr unsigned kLaps = 5;
constexpr unsigned kBuses = 50;
constexpr unsigned kPortsOfABus = 20;
constexpr unsigned kPortsOfAHub = 4;
constexpr unsigned kTogether = 5;  // devices that come, and go, before the next ones do
constexpr unsigned kPlugsOfALap = kBuses * kPortsOfABus;

// The matcher keeps the times of all reconnects within a minute, 40 KiB. How much malloc keeps depends on how
// many events met. Measured: nothing in most runs, 60 KiB when the machine was busy. The smallest block that
// malloc has, 32 bytes, lost at each event makes 250.
constexpr long kSlackKib = 192;

const char* const kProcesses[] = {"", "scanner", "matcher", "actuator"};

struct Usage {
  std::string pid;
  long descriptors = 0;
  long kib = 0;  // memory of its own: heap, stacks, what it changed of its programs' data
};

long sum_of(const fs::path& rollup, const std::vector<std::string>& fields) {
  std::ifstream file(rollup);
  long sum = 0;
  for (std::string line; std::getline(file, line);)
    for (const std::string& field : fields)
      if (line.starts_with(field + ':')) sum += std::atol(line.c_str() + field.size() + 1);
  return sum;
}

class SoakTest : public SystemTest {
 protected:
  void SetUp() override {
    if (!is_real_root()) GTEST_SKIP() << "only root sees what a sealed process has";
    libvirt_.define("even");
    libvirt_.define("odd");
    start(
        config("  even: {devices: [{udev: {env: [{name: ID_SERIAL_SHORT, pattern: '[02468]$'}]}}]}\n"
               "  odd: {devices: [{vendor-id: 0x046d, udev: {tags: [camera]}}]}\n"));
  }

  // The n-th device of all. Its port is that of another one in each lap, its number and serial are not.
  static fake::UsbDevice nth(unsigned n) {
    const unsigned bus = 1 + n % kBuses;
    const unsigned port = n / kBuses % kPortsOfABus;
    const unsigned number = 2 + n / kBuses % 126;
    const std::string path = concat(bus, '-', 1 + port / kPortsOfAHub, '.', 1 + port % kPortsOfAHub);
    fake::UsbDevice device = fake::device(path, bus, number);
    device.database = concat("E:ID_SERIAL_SHORT=CAM", n, "\nG:camera\nQ:fresh\n");
    return device;
  }

  bool come_to_have(unsigned devices) const {
    return eventually(
        [&] { return libvirt_.hostdevs("even").size() + libvirt_.hostdevs("odd").size() == devices; });
  }

  void lap(unsigned number) {
    const unsigned end = (number + 1) * kPlugsOfALap;
    for (unsigned n = number * kPlugsOfALap; n < end; n += kTogether) {
      for (unsigned i = 0; i < kTogether; ++i) plug(nth(n + i));
      ASSERT_TRUE(come_to_have(kTogether)) << n;
      for (unsigned i = 0; i < kTogether; ++i) unplug(nth(n + i));
      ASSERT_TRUE(come_to_have(0)) << n;
    }
  }

  Usage usage_of(const std::string& process) const {
    Usage usage{daemon_.status("Pid", process), 0, 0};
    const fs::path proc = fs::path("/proc") / usage.pid;
    for (const auto& thread :
         fs::directory_iterator(proc / "task")) {  // those of the scanner do not share all
      const fs::directory_iterator descriptors(thread.path() / "fd");
      usage.descriptors += std::distance(fs::begin(descriptors), fs::end(descriptors));
    }
    usage.kib = sum_of(proc / "smaps_rollup", {"Anonymous", "Swap"});
    return usage;
  }
};

TEST_F(SoakTest, TenThousandPlugsAndPullsLeaveNothingBehind) {
  ASSERT_NO_FATAL_FAILURE(lap(0));
  std::map<std::string, Usage> before;
  for (const char* const process : kProcesses) before[process] = usage_of(process);
  for (unsigned number = 1; number < kLaps; ++number) ASSERT_NO_FATAL_FAILURE(lap(number));
  for (const auto& [process, first] : before) {
    SCOPED_TRACE(process.empty() ? "supervisor" : process);
    const Usage last = usage_of(process);
    EXPECT_EQ(last.pid, first.pid);
    EXPECT_GT(first.descriptors, 0);
    EXPECT_EQ(last.descriptors, first.descriptors);
    EXPECT_GT(first.kib, 0);
    EXPECT_LE(last.kib, first.kib + kSlackKib);
  }
  EXPECT_THAT(libvirt_.changes(), SizeIs(2 * kLaps * kPlugsOfALap));
}

}  // namespace
}  // namespace whawty
