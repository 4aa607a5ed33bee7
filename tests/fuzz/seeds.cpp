// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "tests/fuzz/seeds.h"

#include <stdexcept>

#include "protocol/actuator_to_matcher.h"
#include "protocol/matcher_to_actuator.h"
#include "protocol/matcher_to_scanner.h"
#include "protocol/matcher_to_supervisor.h"
#include "protocol/scanner_to_matcher.h"
#include "protocol/supervisor_to_matcher.h"
#include "tests/gate/passing.h"
#include "tests/values.h"

namespace whawty::fuzz {
namespace {

using Seeds = std::vector<std::string>;

// Each message twice: as a datagram, and as the content that its frame is made for.
template <class Message>
Seeds datagrams(const std::vector<Message>& messages) {
  Seeds seeds;
  for (const Message& message : messages) {
    const Datagram datagram = encode(message);
    const std::string bytes(reinterpret_cast<const char*>(datagram.data()), datagram.size());
    seeds.push_back('\0' + bytes);
    seeds.push_back('\1' + bytes.substr(8));
  }
  return seeds;
}

std::string bytes(std::initializer_list<int> values) {
  std::string text;
  for (const int value : values) text += static_cast<char>(value);
  return text;
}

// The values of reader.h's read_device(): port, bus, number, vendor, product, no hub, no interface, which of
// three properties, no tag, digest.
const std::string kDevice = bytes({0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 7});
const std::string kDeviceInUse = bytes({2, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 133});
const std::string kDeviceWithoutDigest = bytes({3, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 127});
const std::string kDeviceNotAuthorized = bytes({4, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 3});
const std::string kDeviceOfTheHost = bytes({0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 10});
const std::string kDeviceWithSerial = bytes({1, 1, 2, 0, 0, 0, 0, 0, 1, 2, 'x', 'x', 4, 0, 0, 0, 9});

Seeds worlds() {
  return {
      // One device; one domain named a, which lacks it.
      bytes({1}) + kDevice + bytes({1, 0, 1, 0}),
      // Two devices; a domain named b with a hostdev that this daemon attached and that is none of them.
      bytes({2}) + kDevice + kDeviceWithSerial + bytes({1, 1, 1, 1, 2, 2, 4, 2, 1}),
      // One device that the host is using, and one that it is not; the domain a.
      bytes({2}) + kDeviceInUse + kDevice + bytes({1, 0, 1, 0}),
      // One device that does not answer, and one that does; the domain a.
      bytes({2}) + kDeviceWithoutDigest + kDevice + bytes({1, 0, 1, 0}),
      // One device that is not authorized, and one that is; the domain a.
      bytes({2}) + kDeviceNotAuthorized + kDevice + bytes({1, 0, 1, 0}),
  };
}

// The kinds of events are those of reconciling.cpp.
Seeds stories() {
  const std::string snapshot =
      bytes({0}) + bytes({4}) + kDevice + bytes({5}) + kDeviceWithSerial + bytes({1});
  // It is asked to be described before the list has ended.
  const std::string listed = bytes({6, 1, 1, 0, 1, 1}) + bytes({10, 1, 0, 0, 0, 0, 1, 1});
  const std::string done = bytes({10, 0, 0, 0, 0, 0, 1, 1});
  const std::string failed = bytes({10, 0, 1, 9, 2, '\n', 0xff, 3, 1, 1});
  const std::string described = bytes({9, 0, 1, 1, 0}) + done;
  const std::string pause = bytes({14, 0, 2});
  // The domain a is given the device; the device leaves; the domain stops answering; its QEMU dies.
  const std::string attach = snapshot + listed + described + done + described;
  return {attach, snapshot + listed + described + failed + described + pause + failed + pause,
          attach + bytes({3}) + kDevice + bytes({8, 1, 1}) + bytes({12, 2}),
          // A driver of the host takes it back, and has it longer than it may.
          attach + bytes({4}) + kDeviceOfTheHost + bytes({14, 0, 8}) + bytes({0, 4}) + kDeviceOfTheHost +
              bytes({1}) + pause,
          attach + bytes({13, 0}) + pause + done + bytes({7, 1, 1, 0, 1, 0}) + described,
          attach + bytes({7, 1, 1, 0, 0, 1})};
}

// Each message that passes, all of them in a row, and what libvirtd answers.
Seeds frames() {
  Seeds seeds;
  std::string all;
  for (const rpc::Passing& one : rpc::passing()) {
    seeds.push_back(one.frame.bytes());
    all += seeds.back();
  }
  seeds.push_back(all);
  const std::string domains = rpc::domain("a", kUuid) + rpc::domain("b", {1, 2});
  seeds.push_back('S' + rpc::reply(rpc::list(), rpc::words({2}) + domains + rpc::words({2})).bytes());
  seeds.push_back('S' + rpc::keep_alive(1).bytes());
  return seeds;
}

}  // namespace

std::vector<std::string> seeds(std::string_view target) {
  if (target == "scanner_to_matcher")
    return datagrams<ScannerMessage>({SnapshotBegin{}, device_with_everything(), DeviceRemoved{"3-6.3"},
                                      SnapshotEnd{}, Pong{}, Unchanged{}, Awake{}});
  if (target == "matcher_to_scanner")
    return datagrams<ScanRequest>({ScanRequest::kRescan, ScanRequest::kPing, ScanRequest::kCheck});
  if (target == "matcher_to_actuator")
    return datagrams<Request>({{1, ListDomains{}},
                               {2, DescribeDomain{kUuid}},
                               {3, AttachHostdev{kUuid, kHostdev, kDigest}},
                               {4, DetachHostdev{kUuid, by_ids(webcam())}},
                               {5, DetachHostdev{kUuid, by_address(webcam())}},
                               {6, Ping{}}});
  if (target == "actuator_to_matcher")
    return datagrams<ActuatorMessage>(
        {DomainListed{kUuid, "a", true}, DomainChanged{kUuid, "b", {true, true}}, XmlChunk{2, "<domain/>"},
         Result{3, Outcome::kFailed, 38, "device in use\xff", 1'000'000}, DomainStalled{kUuid}, Awake{}});
  if (target == "supervisor_to_matcher")
    return datagrams<ControlMessage>({ConfigFile{"config.yml", ""}, ConfigFile{"machines.d/a.yml", "a"},
                                      ConfigCommit{1'700'000'000}, Ping{}});
  if (target == "matcher_to_supervisor")
    return datagrams<PolicyMessage>(
        {ConfigAccepted{}, ConfigRejected{}, Status{true, 1, 2, 3, 4}, Pong{}, Awake{}});
  if (target == "configuration")
    return {
        "{}",
        "interval: 1m30s\nforeign-devices: keep\nmachines:\n  a:\n    devices:\n    - vendor-id: 0x046d\n",
        "{}\x01"
        "a\ndevices:\n- udev: {env: [{name: A, pattern: '^(x|y)+$'}], tags: [t]}\n"};
  if (target == "domain_xml")
    return {
        "<domain id='1'><devices><hostdev mode='subsystem' type='usb'><source><vendor id='0x046d'/>"
        "<product id='0x0825'/><address bus='3' device='5'/></source>"
        "<alias name='ua-whawty-usb-3-5-1700000000000000'/></hostdev></devices></domain>"};
  if (target == "matching") return worlds();
  if (target == "escaping") return {"plain", "a \"b\" \\ \n\x1b[2J\xe2\x80\xae", std::string("\0", 1)};
  if (target == "reconciling") return stories();
  if (target == "gate") return frames();
  throw std::invalid_argument("no target: " + std::string(target));
}

}  // namespace whawty::fuzz
