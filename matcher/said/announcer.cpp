// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/said/announcer.h"

#include <algorithm>
#include <utility>

#include "common/bounds.h"
#include "common/text.h"
#include "matcher/decided/lethal.h"
#include "matcher/said/evidence.h"
#include "matcher/said/messages.h"

namespace whawty {
namespace {

const Device* find(const DeviceMap& devices, const std::string& sysname) {
  const auto device = devices.find(sysname);
  return device == devices.end() ? nullptr : &device->second;
}

// "003/005 046d:0825 ...", as the device names itself while it is on the host.
std::string device_name(const DeviceMap& devices, const std::string& sysname, const Hostdev& hostdev) {
  const Device* const device = find(devices, sysname);
  return device == nullptr ? name_of(hostdev) : name_of(*device);
}

std::string why_of(const Detach& detach, const DeviceMap& devices) {
  const Device* const device = find(devices, detach.sysname);
  if (detach.reason != DetachReason::kTakenBack || device == nullptr) return reason_of(detach.reason);
  return concat(reason_of(detach.reason), " (", show_word(device->host_driver), ")");
}

// What the limit of the log counts lines by.
std::string subject_of(const std::string& machine, const std::string& port) {
  return concat("machine ", show_name(machine), port.empty() ? "" : " and port ", port);
}

// A disk that settles will be free in a moment, and was spoken of when it was in use.
bool is_passing(const Refusal& refusal) {
  return refusal.authorized && std::all_of(refusal.uses.begin(), refusal.uses.end(), [](const HostUse& use) {
           return use.kind == HostUseKind::kSettling;
         });
}

std::string seconds_text(Clock::duration duration) {
  return concat(std::chrono::duration_cast<std::chrono::seconds>(duration).count(), " s");
}

}  // namespace

void Announcer::begin_again(const std::string& policy) {
  policy_ = policy;
  conflicts_.clear();
  refusals_.clear();
  empties_.clear();
  would_.clear();
  count_is_due_ = true;
}

void Announcer::asked_for(const ChangeKey& key, const Detach& detach, const std::string& machine,
                          const DeviceMap& devices) {
  words_[key] = words_of(detach, machine, devices);
}

void Announcer::asked_for(const ChangeKey& key, const Attach& attach, const std::string& machine,
                          const DeviceMap& devices) {
  words_[key] = words_of(attach, machine, devices);
}

Announcer::Words Announcer::words_of(const Detach& detach, const std::string& machine,
                                     const DeviceMap& devices) const {
  Words words{device_name(devices, detach.sysname, detach.hostdev),
              machine,
              why_of(detach, devices),
              detach.sysname,
              {}};
  const Device* const device = find(devices, detach.sysname);
  device == nullptr ? add_hostdev(words.about, detach.hostdev) : add_device(words.about, *device);
  add_guest(words.about, machine, detach.domain);
  words.about.add("REASON", words.why).add("POLICY_SHA256", policy_);
  return words;
}

Announcer::Words Announcer::words_of(const Attach& attach, const std::string& machine,
                                     const DeviceMap& devices) const {
  const Device& device = devices.at(attach.sysname);
  Words words{name_of(device), machine, rule_name(machine, attach.rule), attach.sysname, {}};
  add_device(words.about, device);
  add_guest(words.about, machine, attach.domain);
  words.about.add("RULE", words.why).add("POLICY_SHA256", policy_);
  return words;
}

// "DEVICE to a by a[0]", or "DEVICE from a: it left the host".
std::string Announcer::text_of(bool attach, const Words& words) {
  const std::string machine = show_name(words.machine);
  return words.device + (attach ? " to " + machine + " by " : " from " + machine + ": ") + words.why;
}

void Announcer::ended(const ChangeKey& key, const Result& result, Clock::duration took, Clock::time_point now,
                      Attempts::Report report, const Attempts::Tries& tries) {
  const auto entry = words_.extract(key);
  if (entry.empty()) return;
  const Words& words = entry.mapped();
  const std::string done = concat(key.attach ? "attached " : "detached ", text_of(key.attach, words),
                                  key.attach ? " in " : ", in ", duration_text(took));
  const Record record = record_of(key, words, result, took, report);
  switch (report) {
    case Attempts::Report::kNothing:
      break;
    case Attempts::Report::kDone:
      sink_.record(log::Level::kInfo, done, record);
      break;
    case Attempts::Report::kMended:
      sink_.record(log::Level::kInfo,
                   concat(done, ", after ", tries.count, " attempts in ", duration_text(now - tries.first)),
                   record);
      break;
    case Attempts::Report::kNoEffect:
      without_effect(key, words, record);
      break;
    case Attempts::Report::kFailed:
      failed(key, words, result, record);
      break;
  }
}

Record Announcer::record_of(const ChangeKey& key, const Words& words, const Result& result,
                            Clock::duration took, Attempts::Report report) {
  const bool worked = report == Attempts::Report::kDone || report == Attempts::Report::kMended;
  Record record{!worked ? Event::kFailed : key.attach ? Event::kAttached : Event::kDetached};
  record.add("CHANGE", key.attach ? "attach" : "detach").add(words.about);
  add_result(record, result);
  return record.add("DURATION_USEC",
                    concat(std::chrono::duration_cast<std::chrono::microseconds>(took).count()));
}

void Announcer::without_effect(const ChangeKey& key, const Words& words, const Record& record) {
  log_.say(subject_of(words.machine, words.port), log::Level::kWarning,
           concat("libvirt said that it had ", key.attach ? "attached " : "detached ", words.device,
                  ", but the live XML of ", show_name(words.machine), " does not show it: trying again"),
           record);
}

void Announcer::failed(const ChangeKey& key, const Words& words, const Result& result, const Record& record) {
  log_.say(subject_of(words.machine, words.port), log::Level::kError,
           concat("cannot ", key.attach ? "attach " : "detach ", text_of(key.attach, words), ": ",
                  failure_text(result), ": trying again"),
           record);
}

void Announcer::would(const Plan& foreseen, const std::vector<DomainView>& domains,
                      const DeviceMap& devices) {
  std::map<Uuid, const DomainView*> by_uuid;
  for (const DomainView& domain : domains) by_uuid[domain.uuid] = &domain;
  std::set<std::pair<Uuid, std::string>> now;
  const auto say = [&](const auto& change, bool attach) {
    const Words words = words_of(change, by_uuid.at(change.domain)->name, devices);
    const std::string line = concat("WOULD ", attach ? "attach " : "detach ", text_of(attach, words));
    const auto admitted = [&] {
      // A guest has so many hostdevs only. A device may come and go.
      if (attach) return log_.try_to_say(subject_of(words.machine, words.port), log::Level::kInfo, line);
      sink_.say(log::Level::kInfo, line);
      return true;
    };
    // What was left out is said by the next plan.
    if (would_.contains({change.domain, line}) || admitted()) now.emplace(change.domain, line);
  };
  for (const Detach& one : foreseen.detaches) say(one, false);
  for (const Attach& one : foreseen.attaches) say(one, true);
  std::erase_if(would_, [&](const auto& one) {
    const auto domain = by_uuid.find(one.first);
    return domain == by_uuid.end() || domain->second->settled;
  });
  would_.merge(now);
}

void Announcer::found(const Plan& plan, const DeviceMap& devices, const std::set<std::string>& plugged) {
  for (const Conflict& one : plan.conflicts)
    if (!conflicts_.contains(one)) conflict(one, devices);
  conflicts_ = {plan.conflicts.begin(), plan.conflicts.end()};
  for (const Refusal& one : plan.refusals)
    if (!is_passing(one) && !refusals_.contains(one)) refusal(one, devices);
  refusals_ = {plan.refusals.begin(), plan.refusals.end()};
  for (const Empty& one : plan.empties)
    if (!empties_.contains(one)) empty(one);
  empties_ = {plan.empties.begin(), plan.empties.end()};
  for (const std::string& sysname : plan.unwanted)
    if (plugged.contains(sysname)) unwanted(devices.at(sysname));
  if (std::exchange(count_is_due_, false)) count_unwanted(plan.unwanted.size(), devices);
}

void Announcer::conflict(const Conflict& conflict, const DeviceMap& devices) {
  log_.say(
      subject_of(conflict.machine, conflict.sysname), log::Level::kWarning,
      concat("machine ", show_name(conflict.machine), " also wants ",
             device_name(devices, conflict.sysname, {}), " by ", rule_name(conflict.machine, conflict.rule),
             ": it stays with ", show_name(conflict.holder)));
}

void Announcer::refusal(const Refusal& refusal, const DeviceMap& devices) {
  const Device& device = devices.at(refusal.sysname);
  const std::string why = refusal.authorized ? whawty::text_of(refusal.uses) : "it is not authorized";
  const std::string rule = rule_name(refusal.machine, refusal.rule);
  Record refused = record(Event::kRefused);
  add_device(refused, device);
  refused.add("GUEST_NAME", refusal.machine).add("RULE", rule).add("REASON", why);
  log_.say(subject_of(refusal.machine, refusal.sysname), log::Level::kWarning,
           concat(name_of(device), " stays with the host: ", why, "; machine ", show_name(refusal.machine),
                  " wants it by ", rule,
                  refusal.authorized ? "; to allow it, say allow-host-device: true in that rule" : ""),
           refused);
}

void Announcer::empty(const Empty& empty) {
  const std::string text = whawty::text_of(empty);
  if (empty.kept) return log_.say(subject_of(empty.machine, ""), log::Level::kWarning, text);
  Record alarm = record(Event::kAlarm);
  add_hostdev(alarm, empty.hostdev);
  sink_.record(log::Level::kError, text, alarm.add("GUEST_NAME", empty.machine));
}

void Announcer::unwanted(const Device& device) {
  Record plugged = record(Event::kUnwanted);
  add_device(plugged, device);
  // They leave the lines about what the daemon does at that port alone.
  log_.say("plugs at port " + device.sysname, log::Level::kInfo,
           concat(name_of(device), names_in(device), " was plugged, and no rule wants it"), plugged);
}

void Announcer::count_unwanted(std::size_t unwanted, const DeviceMap& devices) {
  const auto all = std::count_if(devices.begin(), devices.end(),
                                 [](const auto& entry) { return can_be_attached(entry.second); });
  if (unwanted > 0)
    sink_.say(log::Level::kInfo,
              concat("of ", all, all == 1 ? " USB device" : " USB devices", ", no rule wants ", unwanted));
}

void Announcer::put_aside(const Flapping::PutAside& aside, const Device& device, unsigned reconnects) {
  const std::string port = "port " + aside.port;
  if (!aside.as_hub)
    return log_.say(port, log::Level::kWarning,
                    concat(name_of(device), " reconnected more than ", reconnects,
                           " times within a minute: it is put aside until its port is quiet for ",
                           seconds_text(Flapping::kQuiet)));
  log_.say(port, log::Level::kWarning,
           concat(port, ": what is behind it reconnected more than ", kHubFactor * reconnects,
                  " times within a minute: each port behind it is put aside until that is quiet for ",
                  seconds_text(Flapping::kQuiet)));
}

void Announcer::served_again(const Flapping::Quiet& quiet) {
  for (const auto& [ports, what] : {std::pair{&quiet.ports, "there"}, std::pair{&quiet.hubs, "behind it"}})
    for (const std::string& port : *ports)
      log_.say("port " + port, log::Level::kInfo,
               concat("port ", port, " was quiet for ", seconds_text(Flapping::kQuiet), ": what is ", what,
                      " is served again"));
}

void Announcer::lethal(const std::string& machine, const std::string& port, const Device* device) {
  log_.say(subject_of(machine, port), log::Level::kWarning,
           concat(device == nullptr ? "the device of port=" + port : name_of(*device),
                  " is put aside for machine ", show_name(machine), ", whose QEMU died twice within ",
                  seconds_text(Lethal::kSoon), " of a change of that device: until it is unplugged for ",
                  seconds_text(Lethal::kAway), " and plugged again, a reload or a restart of the daemon"));
}

void Announcer::kept_by_driver(const Device& device) {
  log_.say("port " + device.sysname, log::Level::kWarning,
           concat(name_of(device), " is a guest's, but the host's driver ", show_word(device.host_driver),
                  " keeps it: it is left as it is"));
}

void Announcer::note(const DomainNote& note) {
  using Kind = DomainNote::Kind;
  if (note.kind == Kind::kListFailed || note.kind == Kind::kListWorks)
    return log_.say("the list of domains",
                    note.kind == Kind::kListWorks ? log::Level::kInfo : log::Level::kError,
                    whawty::text_of(note));
  log_.say("machine " + show_name(note.domain), log::Level::kWarning, whawty::text_of(note));
}

void Announcer::list(const Device& device) {
  for (const std::string& line : listing_of(device)) sink_.say(log::Level::kDebug, line);
}

void Announcer::list(const Guest& guest) {
  sink_.say(log::Level::kDebug, concat("guest ", show_name(guest.name), ' ', to_string(guest.uuid),
                                       guest.running ? " running" : " off"));
}

}  // namespace whawty
