// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// When two messages say the same, member by member: an encoder that forgot one would not show in its output.
#pragma once

#include "protocol/actuator_to_matcher.h"
#include "protocol/matcher_to_actuator.h"
#include "protocol/matcher_to_scanner.h"
#include "protocol/matcher_to_supervisor.h"
#include "protocol/scanner_to_matcher.h"
#include "protocol/supervisor_to_matcher.h"

namespace whawty::fuzz {

inline bool same(const Device& a, const Device& b) {
  return a == b;
}
inline bool same(const DeviceRemoved& a, const DeviceRemoved& b) {
  return a.sysname == b.sysname;
}

inline bool same(const DomainListed& a, const DomainListed& b) {
  return a.uuid == b.uuid && a.name == b.name && a.active == b.active;
}
inline bool same(const DomainChanged& a, const DomainChanged& b) {
  return a.uuid == b.uuid && a.name == b.name;
}
inline bool same(const XmlChunk& a, const XmlChunk& b) {
  return a.request == b.request && a.data == b.data;
}
inline bool same(const Result& a, const Result& b) {
  return a.request == b.request && a.outcome == b.outcome && a.libvirt_code == b.libvirt_code &&
         a.message == b.message && a.microseconds == b.microseconds;
}
inline bool same(const DomainStalled& a, const DomainStalled& b) {
  return a.uuid == b.uuid;
}

inline bool same(const DescribeDomain& a, const DescribeDomain& b) {
  return a.domain == b.domain;
}
inline bool same(const AttachHostdev& a, const AttachHostdev& b) {
  return a.domain == b.domain && a.hostdev == b.hostdev && a.digest == b.digest;
}
inline bool same(const DetachHostdev& a, const DetachHostdev& b) {
  return a.domain == b.domain && a.hostdev == b.hostdev;
}

inline bool same(const ConfigFile& a, const ConfigFile& b) {
  return a.name == b.name && a.machine == b.machine;
}
inline bool same(const ConfigCommit& a, const ConfigCommit& b) {
  return a.in_use_since == b.in_use_since;
}

inline bool same(const Status& a, const Status& b) {
  return a == b;
}
inline bool same(ScanRequest a, ScanRequest b) {
  return a == b;
}

// Kinds that say nothing but themselves.
template <class Kind>
requires std::is_empty_v<Kind>
bool same(const Kind&, const Kind&) {
  return true;
}

template <class... Kinds>
bool same(const std::variant<Kinds...>& a, const std::variant<Kinds...>& b) {
  return a.index() == b.index() &&
         std::visit([&](const auto& kind) { return same(kind, std::get<std::decay_t<decltype(kind)>>(b)); },
                    a);
}

inline bool same(const Request& a, const Request& b) {
  return a.id == b.id && same(a.what, b.what);
}

}  // namespace whawty::fuzz
