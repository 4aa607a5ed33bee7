// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The bounds on what processes take from each other, from devices and from guests. All of them are here, and
// in the table at the end, which docs/bounds.md shows.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace whawty {

// Channels.
inline constexpr std::size_t kMaxDatagram = 64 * 1024;  // bytes
inline constexpr std::size_t kMaxQueued = 8192;         // datagrams

// Devices, as the scanner tells them.
inline constexpr std::size_t kMaxDevices = 4096;
inline constexpr std::size_t kMaxFootprint = 8 * 1024 * 1024;  // bytes, of all devices
inline constexpr std::uint16_t kMaxBus = 999;
inline constexpr std::uint16_t kMaxDeviceNumber = 127;
inline constexpr std::size_t kMaxSysname = 64;      // bytes
inline constexpr std::size_t kMaxInterfaces = 256;  // of a device, as all of these
inline constexpr std::size_t kMaxProperties = 1024;
inline constexpr std::size_t kMaxPropertyName = 256;         // bytes
inline constexpr std::size_t kMaxPropertyValue = 32 * 1024;  // bytes
inline constexpr std::size_t kMaxTags = 1024;
inline constexpr std::size_t kMaxTag = 256;  // bytes
inline constexpr std::size_t kMaxHostUses = 16;
inline constexpr std::size_t kMaxHostUseName = 32;            // bytes
inline constexpr std::size_t kMaxDriverName = 32;             // bytes
inline constexpr std::size_t kMaxProcList = 4 * 1024 * 1024;  // bytes

// Requests to the actuator, and calls of libvirt.
inline constexpr std::size_t kMaxRequestsInFlight = 64;
inline constexpr std::size_t kMaxDescriptions = 8;
inline constexpr std::size_t kMaxChangesOfDomain = 1;
inline constexpr int kRequestsPerSecond = 500;
inline constexpr int kRequestsAtOnce = 1000;
inline constexpr std::size_t kAttachCalls = 2;
inline constexpr std::size_t kDescriptionCalls = 2;
inline constexpr std::size_t kCallsOfHung = 1;
inline constexpr std::size_t kAttachAndDescriptionCalls = 3;
inline constexpr std::size_t kCallsOfGuests = 4;
inline constexpr std::size_t kCalls = 5;
inline constexpr std::chrono::seconds kStuckAfter{12};
inline constexpr std::chrono::seconds kBlockedAfter{45};
inline constexpr std::chrono::seconds kDescribedFor{300};

// What the gate takes in.
inline constexpr std::size_t kMaxCall = 2 * 1024;           // bytes
inline constexpr std::size_t kMaxAnswer = 8 * 1024 * 1024;  // bytes
inline constexpr int kCallsPerSecond = 3 * kRequestsPerSecond;
inline constexpr int kCallsAtOnce = 3 * kRequestsAtOnce;
inline constexpr std::size_t kMaxDomainsNamed = 16 * 1024;
inline constexpr std::size_t kMaxNamesOfDomain = 4;

// Domains, as the actuator tells them.
inline constexpr std::size_t kMaxDomains = 4096;
inline constexpr std::size_t kMaxHostdevs = 256;  // of a domain
inline constexpr std::size_t kMaxHostdevsOfAll = 2 * kMaxDevices;
inline constexpr std::size_t kMaxDomainName = 1024;     // bytes
inline constexpr std::size_t kMaxXml = 1024 * 1024;     // bytes
inline constexpr std::size_t kMaxXmlChunk = 48 * 1024;  // bytes
inline constexpr std::ptrdiff_t kMaxXmlTags = 65'536;
inline constexpr std::size_t kMaxResultMessage = 1024;     // bytes
inline constexpr std::size_t kMaxDomainList = 256 * 1024;  // bytes

// The configuration.
inline constexpr std::size_t kMaxConfigBytes = 1024 * 1024;  // of one file
inline constexpr std::size_t kMaxConfigFiles = 1000;
inline constexpr std::size_t kMaxYamlDepth = 32;
inline constexpr std::size_t kMaxYamlNodes = 100'000;
inline constexpr std::size_t kMaxYamlMarks = 300'000;
inline constexpr std::size_t kMaxYamlText = 1024 * 1024;            // bytes
inline constexpr std::int64_t kMaxPatternMemory = 8 * 1024 * 1024;  // bytes

// Decisions.
inline constexpr std::size_t kMaxClaimsKept = 256 * 1024;

// What devices and guests may do again and again.
inline constexpr std::size_t kLinesPerMinute = 3;
inline constexpr std::size_t kMaxSubjects = 4096;
inline constexpr unsigned kMaxReconnects = 10;
inline constexpr unsigned kHubFactor = 4;
inline constexpr unsigned kBesideFactor = 2;
inline constexpr unsigned kHubsInARow = 5;  // that USB knows
inline constexpr unsigned kRootPortFactor = kHubFactor + (kHubsInARow - 1) * kBesideFactor;
inline constexpr std::size_t kMaxPorts = kMaxDevices;
inline constexpr std::size_t kMaxRootPorts = 1024;
inline constexpr std::size_t kMaxSuspects = kMaxDevices;

enum class Unit { kCount, kBytes, kSeconds, kPerSecond, kPerMinute };

struct Bound {
  const char* what;
  std::uint64_t value;
  Unit unit;
  const char* reason;
};

inline constexpr Bound kBounds[] = {
    {"datagram", kMaxDatagram, Unit::kBytes, "a message is read as a whole"},
    {"datagrams that wait for a peer that does not read", kMaxQueued, Unit::kCount,
     "two snapshots of all devices"},
    {"devices", kMaxDevices, Unit::kCount, "32 buses with 127 devices each have 4,064"},
    {"all devices together", kMaxFootprint, Unit::kBytes,
     "what the matcher has memory for, twice while a snapshot replaces what was known"},
    {"number of a bus", kMaxBus, Unit::kCount, "from 1, with the three digits of a device's node"},
    {"number of a device", kMaxDeviceNumber, Unit::kCount, "from 1, as USB has it"},
    {"name of a device in sysfs", kMaxSysname, Unit::kBytes, "far longer than a port path"},
    {"interfaces of a device", kMaxInterfaces, Unit::kCount, "the kernel takes 32"},
    {"properties of a device", kMaxProperties, Unit::kCount, "udev has some fifty"},
    {"name of a property", kMaxPropertyName, Unit::kBytes, "far longer than those of udev's rules"},
    {"value of a property", kMaxPropertyValue, Unit::kBytes, "half a datagram"},
    {"tags of a device, and current ones", kMaxTags, Unit::kCount, "of either; udev has a few"},
    {"tag", kMaxTag, Unit::kBytes, "as the name of a property"},
    {"uses of a device by the host", kMaxHostUses, Unit::kCount, "one is enough to keep it from guests"},
    {"name of what the host uses", kMaxHostUseName, Unit::kBytes, "the kernel's names are shorter"},
    {"name of a driver of the host that has a device", kMaxDriverName, Unit::kBytes,
     "it is cut to that, for the log only"},
    {"list of mounts, swap or routes", kMaxProcList, Unit::kBytes, "some ten thousand mounts"},
    {"unanswered requests", kMaxRequestsInFlight, Unit::kCount, "one of them is kept for a ping"},
    {"unanswered requests for descriptions", kMaxDescriptions, Unit::kCount,
     "their XML together is what the matcher has memory for"},
    {"attaches and detaches that are asked for of one domain", kMaxChangesOfDomain, Unit::kCount,
     "libvirt makes them one after the other"},
    {"requests taken in", kRequestsPerSecond, Unit::kPerSecond,
     "more than all domains of a large host described at each interval"},
    {"requests taken in at once", kRequestsAtOnce, Unit::kCount, "after a time with fewer"},
    {"attaches that run at a time", kAttachCalls, Unit::kCount, "if one hangs, a place is left"},
    {"descriptions that run at a time", kDescriptionCalls, Unit::kCount, "if one hangs, a place is left"},
    {"of either, for domains whose calls hung before", kCallsOfHung, Unit::kCount,
     "a guest that hangs again and again does not delay the others"},
    {"attaches and descriptions together", kAttachAndDescriptionCalls, Unit::kCount,
     "each kind leaves a place to the other"},
    {"attaches, descriptions and detaches together", kCallsOfGuests, Unit::kCount,
     "a place is left to detaches"},
    {"all calls together", kCalls, Unit::kCount,
     "libvirtd reads no further call of a connection with so many; the last never waits for a guest"},
    {"time that a call runs, or a request waits for a place", kStuckAfter.count(), Unit::kSeconds,
     "a call then counts as stuck, and a request is refused"},
    {"time that calls wait and none begins or ends", kBlockedAfter.count(), Unit::kSeconds,
     "then the workers end, since all places of a new connection are free"},
    {"time that the description of a guest counts if nothing is heard of it", kDescribedFor.count(),
     Unit::kSeconds,
     "libvirt tells of each change; should it fail to, that is found while somebody may still look for it"},
    {"call of libvirt's client, at the gate", kMaxCall, Unit::kBytes,
     "an attach with the longest name of a domain"},
    {"answer of libvirtd, at the gate", kMaxAnswer, Unit::kBytes,
     "libvirt's own bounds on texts (4 MiB) and lists of domains come before"},
    {"calls that pass the gate", kCallsPerSecond, Unit::kPerSecond, "a request makes three at most"},
    {"calls that pass the gate at once", kCallsAtOnce, Unit::kCount, "after a time with fewer"},
    {"domains that the gate knows by name", kMaxDomainsNamed, Unit::kCount,
     "as many as libvirt lists; then the one goes that was not named for the longest time"},
    {"names of such a domain", kMaxNamesOfDomain, Unit::kCount,
     "a call that is on its way may have an earlier one"},
    {"domains", kMaxDomains, Unit::kCount, "more than any host runs"},
    {"USB hostdevs of a domain", kMaxHostdevs, Unit::kCount, "more than it can have ports for"},
    {"USB hostdevs of all domains", kMaxHostdevsOfAll, Unit::kCount,
     "more than a host has devices; the plan holds them all in memory"},
    {"name of a domain", kMaxDomainName, Unit::kBytes,
     "libvirt makes the name of a file of it, which is shorter"},
    {"XML of a domain", kMaxXml, Unit::kBytes, "many times what libvirt writes for a guest"},
    {"part of it in a datagram", kMaxXmlChunk, Unit::kBytes, "leaves room for the rest of the message"},
    {"tags of an XML", kMaxXmlTags, Unit::kCount, "each takes up to 128 bytes of the parser's memory"},
    {"message of libvirt in a result", kMaxResultMessage, Unit::kBytes, "it is cut to that, for the log"},
    {"list of `--domains`", kMaxDomainList, Unit::kBytes,
     "what the command line of a process can hold with ease"},
    {"file of the configuration", kMaxConfigBytes, Unit::kBytes, "far more than anybody writes"},
    {"files in `machines.d`", kMaxConfigFiles, Unit::kCount,
     "at a reload, three descriptors are open for each"},
    {"levels of YAML", kMaxYamlDepth, Unit::kCount, "a configuration needs 7"},
    {"nodes of YAML", kMaxYamlNodes, Unit::kCount, "those of aliases counted; a rule needs about 10"},
    {"brackets, commas, colons and quotes of YAML", kMaxYamlMarks, Unit::kCount,
     "what the parser takes memory for before there are nodes"},
    {"text that aliases copy", kMaxYamlText, Unit::kBytes, "as much as a file can have without them"},
    {"memory of one pattern", kMaxPatternMemory, Unit::kBytes,
     "a pattern that needs more is searched more slowly, and finds the same"},
    {"matches of a device and a machine that are remembered", kMaxClaimsKept, Unit::kCount,
     "some megabytes; then they are found anew"},
    {"lines of the log about what a device or guest drives", kLinesPerMinute, Unit::kPerMinute,
     "for each subject"},
    {"subjects whose lines are counted", kMaxSubjects, Unit::kCount, "all others are one"},
    {"reconnects of a device at its port", kMaxReconnects, Unit::kPerMinute, "or what `max-reconnects` says"},
    {"reconnects behind a hub, as a multiple of that", kHubFactor, Unit::kCount,
     "and only if those without its worst port are more than twice that"},
    {"reconnects behind a port of the host's own hubs, as a multiple", kRootPortFactor, Unit::kCount,
     "the most that can be: each of the four hubs before the last one adds two"},
    {"ports watched for reconnects", kMaxPorts, Unit::kCount, "as many as there can be devices"},
    {"ports of the host's own hubs watched beyond these", kMaxRootPorts, Unit::kCount,
     "more than any host has, and no device adds one"},
    {"devices of guests watched for deaths of QEMU", kMaxSuspects, Unit::kCount,
     "as many as there can be devices"},
};

}  // namespace whawty
