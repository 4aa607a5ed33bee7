// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "actuator/calls.h"

#include <chrono>
#include <system_error>

#include "common/bounds.h"
#include "common/hostdev_alias.h"
#include "common/hostdev_text.h"
#include "common/log.h"

namespace whawty {
namespace {

using Answer = std::variant<std::monostate, CallError>;

bool failed(const Answer& answer) {
  return std::holds_alternative<CallError>(answer);
}

struct Calls {
  std::uint64_t request;
  Hypervisor& hypervisor;
  const Limits& limits;
  std::vector<ActuatorMessage>& yield;

  Answer operator()(const ListDomains&) const {
    const auto answer = hypervisor.list();
    if (const auto* const error = std::get_if<CallError>(&answer)) return *error;
    // No domain of the configuration can have a name that a message does not hold.
    for (const DomainListed& domain : std::get<0>(answer))
      if (!domain.name.empty() && domain.name.size() <= kMaxDomainName) yield.emplace_back(domain);
    return {};
  }

  Answer operator()(const DescribeDomain& describe) const {
    const auto answer = hypervisor.describe(describe.domain);
    if (const auto* const error = std::get_if<CallError>(&answer)) return *error;
    const std::string& xml = std::get<0>(answer);
    if (xml.size() > kMaxXml) return CallError{Outcome::kFailed, 0, "the domain's XML is too large"};
    for (std::size_t at = 0; at < xml.size(); at += kMaxXmlChunk)
      yield.emplace_back(XmlChunk{request, xml.substr(at, kMaxXmlChunk)});
    return {};
  }

  // Between the decision and the call, and during the call, a device can become another one with the same
  // numbers.
  Answer operator()(const AttachHostdev& attach) const {
    if (auto answer = allowed(attach.domain); failed(answer)) return answer;
    if (const auto before = look(attach); before != DeviceCheck::Finding::kMeant) return refusal(before);
    auto answer = hypervisor.attach(attach.domain, attach.hostdev, mark_of(attach.digest), request);
    if (failed(answer)) return answer;
    const DeviceCheck::Finding finding = look(attach);
    return finding == DeviceCheck::Finding::kMeant ? answer : undo(attach, finding);
  }

  static CallError refusal(DeviceCheck::Finding finding) {
    if (finding == DeviceCheck::Finding::kBarred)
      return {Outcome::kOtherDevice, 0, "the device is a hub, or the host has not authorized it"};
    return {Outcome::kOtherDevice, 0, "the device is no longer the one that was meant"};
  }

  Answer undo(const AttachHostdev& attach, DeviceCheck::Finding finding) const {
    const bool detached = !failed(hypervisor.detach(attach.domain, attach.hostdev));
    if (finding == DeviceCheck::Finding::kGone)
      return CallError{Outcome::kOtherDevice, 0, "the device left while it was attached"};
    if (finding == DeviceCheck::Finding::kBarred) return refusal(finding);
    const std::string device = address_of(attach.hostdev);
    const std::string domain = to_string(attach.domain);
    Record alarm{Event::kAlarm};
    alarm.add("USB_DEVICE", device).add("GUEST_UUID", domain).add("REQUEST_ID", concat(request));
    log::line(log::Level::kError,
              concat("ALARM: device ", device, " became another one while domain ", domain,
                     " was given it: ", detached ? "detached at once" : "it could NOT be detached"),
              alarm);
    return CallError{Outcome::kSwapped, 0, "the device became another one while it was attached"};
  }

  Answer operator()(const DetachHostdev& detach) const {
    if (auto answer = allowed(detach.domain); failed(answer)) return answer;
    return hypervisor.detach(detach.domain, detach.hostdev);
  }

  Answer allowed(const Uuid& domain) const {
    if (!limits.domains.is_set()) return {};
    const auto name = hypervisor.name(domain);
    if (const auto* const error = std::get_if<CallError>(&name)) return *error;
    if (limits.domains.allows(domain, std::get<0>(name))) return {};
    return CallError{Outcome::kNotListed, 0, {}};
  }

  DeviceCheck::Finding look(const AttachHostdev& attach) const {
    return limits.check.look(attach.hostdev, attach.digest);
  }
};

}  // namespace

std::vector<ActuatorMessage> carry_out(std::uint64_t request, const Call& call, Hypervisor& hypervisor,
                                       const Limits& limits) {
  const auto started = std::chrono::steady_clock::now();
  std::vector<ActuatorMessage> messages;
  Answer answer;
  try {
    answer = std::visit(Calls{request, hypervisor, limits, messages}, call);
  } catch (const std::system_error& error) {
    // sysfs could not be read. What was attached nevertheless shows in the domain's XML.
    answer = CallError{Outcome::kFailed, 0, error.what()};
  }
  const auto took =
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - started);
  Result result{request, Outcome::kDone, 0, {}, static_cast<std::uint64_t>(took.count())};
  if (const auto* const error = std::get_if<CallError>(&answer)) {
    result.outcome = error->outcome;
    result.libvirt_code = error->code;
    result.message = error->message.substr(0, kMaxResultMessage);
  }
  messages.emplace_back(std::move(result));
  return messages;
}

}  // namespace whawty
