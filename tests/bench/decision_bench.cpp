// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// How the time that a decision takes grows with devices, machines and rules. Each device has the udev
// properties that a real one has, each machine a rule on a serial number, and each device is wanted by one
// machine, which runs and has it. Printed are medians: of a plan for which nothing is remembered, as after a
// reload, and of one after one device changed; each as a multiple of that with ten devices and ten machines.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "matcher/decided/plan.h"

namespace whawty {
namespace {

using Milliseconds = std::chrono::duration<double, std::milli>;

constexpr std::size_t kProperties = 40;  // with the serial number

std::string serial(std::size_t number) {
  return "SERIAL-" + std::to_string(number);
}

Device device(std::size_t number) {
  Device device;
  device.bus = static_cast<std::uint16_t>(1 + number / 127);
  device.number = static_cast<std::uint16_t>(1 + number % 127);
  device.sysname = std::to_string(device.bus) + "-" + std::to_string(device.number);
  device.vendor = 0x046d;
  device.product = 0x0825;
  device.interface_classes = {0x0e, 0x01};
  device.digest = Digest{};
  for (std::size_t i = 1; i < kProperties; ++i)
    device.properties.push_back({"ID_PROPERTY_" + std::to_string(100 + i), "a value of the usual length"});
  device.properties.push_back({"ID_SERIAL_SHORT", serial(number)});
  return device;
}

struct Size {
  std::size_t devices, machines;
  std::size_t rules = 1;  // of a machine
};

struct Host {
  DeviceMap devices;
  std::vector<DomainView> domains;
  Config config;
};

Host host(const Size& size) {
  Host host;
  for (std::size_t i = 0; i < size.machines; ++i) {
    Machine machine{"machine-" + std::to_string(i), {}};
    for (std::size_t j = 0; j < size.rules; ++j) {
      Rule rule;
      rule.properties = {{"ID_SERIAL_SHORT", serial(j * size.machines + i), {}}};
      machine.rules.push_back(rule);
    }
    host.domains.push_back({{1, i}, machine.name, {}});
    host.config.machines.push_back(std::move(machine));
  }
  for (std::size_t i = 0; i < size.devices; ++i) {
    const Device one = device(i);
    if (i < size.machines) host.domains[i].hostdevs.push_back({hostdev_of(one), true, {}});
    host.devices.emplace(one.sysname, one);
  }
  return host;
}

double median(std::size_t runs, const std::function<Milliseconds()>& run) {
  std::vector<double> times;
  for (std::size_t i = 0; i < runs; ++i) times.push_back(run().count());
  std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(runs / 2), times.end());
  return times[runs / 2];
}

// Not to be left out, since nobody looks at what it finds.
std::size_t found = 0;

Milliseconds plan_of(const Host& host, const Rulebook& rules) {
  const auto begin = std::chrono::steady_clock::now();
  found += plan(host.devices, host.domains, rules).attaches.size();
  return std::chrono::steady_clock::now() - begin;
}

struct Times {
  double reload, event;  // ms
};

Times measure(const Size& size) {
  Host host = whawty::host(size);
  const double reload = median(9, [&] {
    const auto begin = std::chrono::steady_clock::now();
    const Rulebook rules(host.config);
    plan_of(host, rules);
    return std::chrono::steady_clock::now() - begin;
  });
  const Rulebook rules(host.config);
  plan_of(host, rules);
  std::uint8_t changes = 0;
  const double event = median(51, [&] {
    host.devices.begin()->second.interface_classes[0] = ++changes;
    return plan_of(host, rules);
  });
  return {reload, event};
}

void print() {
  constexpr Size kSizes[] = {{10, 10},     {100, 100},   {400, 400},    {1000, 1000},
                             {4096, 1000}, {10, 10'000}, {10, 1000, 10}};
  std::printf("%-44s %20s %20s\n", "decision: devices, machines, rules in all", "after a reload",
              "after an event");
  Times floor{};
  for (const Size& size : kSizes) {
    const Times times = measure(size);
    if (floor.event == 0) floor = times;
    std::printf("%12zu %12zu %18zu %9.2f ms %6.0f x %9.3f ms %6.1f x\n", size.devices, size.machines,
                size.machines * size.rules, times.reload, times.reload / floor.reload, times.event,
                times.event / floor.event);
  }
}

}  // namespace
}  // namespace whawty

int main() {
  whawty::print();
  return whawty::found == static_cast<std::size_t>(-1) ? 1 : 0;
}
