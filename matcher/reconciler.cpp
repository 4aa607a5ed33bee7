// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/reconciler.h"

#include <algorithm>
#include <set>

#include "common/text.h"
#include "matcher/messages.h"
#include "protocol/violation.h"

namespace whawty {
namespace {

using namespace std::chrono_literals;

// A guest may take its time to let a device go; a second request meanwhile would only fail.
constexpr Clock::duration kDetachPatience = 5s;

// A shorter interval in the configuration counts as this one: reading everything takes about as long.
constexpr Clock::duration kShortestRound = 100ms;
constexpr Clock::duration kLongestRound = 24h;  // nobody means more, and the clock could not count some of it

// VIR_ERR_OPERATION_INVALID: libvirt refused, and did not ask QEMU, as of a domain that does not run.
constexpr std::int32_t kOperationInvalid = 55;

// "003/005 046d:0825 ...", as the device names itself while it is on the host.
std::string device_name(const DeviceMap& devices, const std::string& sysname, const Hostdev& hostdev) {
  const auto device = devices.find(sysname);
  return device == devices.end() ? name_of(hostdev) : name_of(device->second);
}

std::string why_of(const Detach& detach, const DeviceMap& devices) {
  const auto device = devices.find(detach.sysname);
  if (detach.reason != DetachReason::kTakenBack || device == devices.end()) return reason_of(detach.reason);
  return concat(reason_of(detach.reason), " (", show_word(device->second.host_driver), ")");
}

// "DEVICE to a by a[0]", or "DEVICE from a: it left the host".
std::string text_of(const Change& change) {
  return change.device +
         (change.key.attach ? " to " + show_name(change.machine) + " by "
                            : " from " + show_name(change.machine) + ": ") +
         change.why;
}

// What the limit of the log counts lines by.
std::string subject_of(const std::string& machine, const std::string& port) {
  return concat("machine ", show_name(machine), port.empty() ? "" : " and port ", port);
}

std::string tries_text(const Attempts::Tries& tries, Clock::time_point now) {
  return concat(tries.count, " attempts in ", duration_text(now - tries.first));
}

// Whether a new record of a port tells of another device than the last one, or of the same after it was away.
bool is_another(const Device& device, const Device& last) {
  return device.bus != last.bus || device.number != last.number || device.digest != last.digest;
}

// Of an attach that fails the host's drivers hear, too: that is no reason to hurry the next one.
bool differs_only_in_driver(const Device& a, const Device& b) {
  if (a.driver == b.driver && a.host_driver == b.host_driver) return false;
  Device with_its_driver = a;
  with_its_driver.driver = b.driver;
  with_its_driver.host_driver = b.host_driver;
  return with_its_driver == b;
}

std::uint32_t count_of_held(const DomainView& domain) {
  return static_cast<std::uint32_t>(std::count_if(domain.hostdevs.begin(), domain.hostdevs.end(),
                                                  [](const LiveHostdev& one) { return !one.missing; }));
}

// A disk that settles will be free in a moment, and was spoken of when it was in use.
bool is_passing(const Refusal& refusal) {
  return refusal.authorized && std::all_of(refusal.uses.begin(), refusal.uses.end(), [](const HostUse& use) {
           return use.kind == HostUseKind::kSettling;
         });
}

}  // namespace

void Reconciler::use(Config config, Clock::time_point now) {
  log_.tick(now);
  config_ = std::move(config);
  next_round_ = now;
  attempts_.hurry();
  flapping_.limit(config_->max_reconnects);
  conflicts_.clear();
  refusals_.clear();
  empties_.clear();
  lethal_.clear();
  plan_is_old_ = true;
  if (!reported_) report_status({});
}

void Reconciler::ping(Clock::time_point now) {
  if (std::exchange(pinged_, true)) throw Violation("a ping before the last one was answered");
  scanner_ping_ = true;
  output_.ask(ScanRequest::kPing);
  domains_.ping(now);
}

void Reconciler::answer_ping() {
  if (!pinged_ || scanner_ping_ || domains_.pinged()) return;
  pinged_ = false;
  output_.alive();
}

void Reconciler::take(ScannerMessage message, Clock::time_point now) {
  log_.tick(now);
  if (std::holds_alternative<Pong>(message)) {
    if (!std::exchange(scanner_ping_, false)) throw Violation("an answer to no ping");
    return answer_ping();
  }
  watch(message, now);
  const auto* const device = std::get_if<Device>(&message);
  const Hostdev address = device == nullptr ? Hostdev{} : hostdev_of(*device);
  const std::string sysname = device == nullptr ? "" : device->sysname;
  const auto digest = device == nullptr ? std::nullopt : device->digest;
  const bool in_snapshot = devices_.in_snapshot();
  const auto known = devices_.devices().find(sysname);
  const bool only_driver =
      known != devices_.devices().end() && differs_only_in_driver(known->second, *device);
  if (devices_.apply(std::move(message))) {
    plan_is_old_ = true;
    if (!only_driver) attempts_.hurry(address.bus, address.device);
    if (debug_ && !in_snapshot && !sysname.empty()) say_device(devices_.devices().at(sysname));
  }
  for (const DeviceTable::Left& left : devices_.take_left()) {
    watch_left(left, now);
    domains_.disconnected(left.numbers);
  }
  if (!sysname.empty() && digest) lethal_.came({sysname, *digest}, now);
  if (!in_snapshot || devices_.in_snapshot()) return;
  rescan_asked_ = false;
  confirm_taken_back(now);
  if (!debug_) return;
  for (const auto& [name, listed] : devices_.devices()) say_device(listed);
}

void Reconciler::watch(const ScannerMessage& message, Clock::time_point now) {
  if (const auto* const removed = std::get_if<DeviceRemoved>(&message)) flapping_.left(removed->sysname, now);
  const auto* const device = std::get_if<Device>(&message);
  if (device == nullptr || !device->digest) return;  // it will be told again when it answers
  const auto last = devices_.devices().find(device->sysname);
  if (last != devices_.devices().end() && !is_another(*device, last->second)) return;
  count_connection(*device, now);
}

void Reconciler::count_connection(const Device& device, Clock::time_point now) {
  if (const auto aside = flapping_.appeared(device.sysname, now)) say(*aside, device);
}

void Reconciler::say(const Flapping::PutAside& aside, const Device& device) {
  const std::string port = "port " + aside.port;
  if (!aside.as_hub)
    return log_.say(port, log::Level::kWarning,
                    concat(name_of(device), " reconnected more than ", config_->max_reconnects,
                           " times within a minute: it is put aside until its port is quiet for 30 s"));
  log_.say(port, log::Level::kWarning,
           concat(port, ": what is behind it reconnected more than ",
                  Flapping::kHubFactor * config_->max_reconnects,
                  " times within a minute: each port behind it is put aside until that is quiet for 30 s"));
}

// The device with these numbers, if it is known well enough to be told from others.
std::optional<Lethal::Subject> Reconciler::subject_at(const Hostdev& numbers) const {
  for (const auto& [sysname, device] : devices_.devices())
    if (device.bus == numbers.bus && device.number == numbers.device && device.digest)
      return Lethal::Subject{sysname, *device.digest};
  return std::nullopt;
}

void Reconciler::watch_left(const DeviceTable::Left& left, Clock::time_point now) {
  if (!left.digest) return;
  const Lethal::Subject subject{left.port, *left.digest};
  for (const Uuid& guest : lethal_.left(subject, domains_.holders_of(left.numbers), now))
    say_lethal(guest, subject);
}

void Reconciler::watch_death(const DomainChanged& changed, Clock::time_point now) {
  if (!is_machine(changed.name)) return;
  // What is under way may be what it died of: its answer comes too late.
  if (const Change* const change = domains_.under_way(changed.uuid))
    if (const auto subject = subject_at(change->key.hostdev)) lethal_.changed(changed.uuid, *subject, now);
  std::vector<Lethal::Subject> held;
  for (const Hostdev& hostdev : domains_.last_held_by(changed.uuid))
    if (const auto subject = subject_at(hostdev)) held.push_back(*subject);
  for (const Lethal::Subject& subject : lethal_.died(changed.uuid, held, now))
    say_lethal(changed.uuid, subject);
}

bool Reconciler::is_machine(const std::string& name) const {
  return config_ && std::any_of(config_->machines.begin(), config_->machines.end(),
                                [&](const Machine& machine) { return machine.name == name; });
}

void Reconciler::watch_change(const ChangeEnded& ended, Clock::time_point now) {
  const Result& result = ended.result;
  const bool refused = result.libvirt_code == 0 || result.libvirt_code == kOperationInvalid;
  const bool tried = result.outcome == Outcome::kDone || result.outcome == Outcome::kSwapped ||
                     (result.outcome == Outcome::kFailed && !refused);
  if (!tried) return;
  if (const auto subject = subject_at(ended.change.key.hostdev))
    lethal_.changed(ended.change.key.domain, *subject, now);
}

void Reconciler::say_lethal(const Uuid& guest, const Lethal::Subject& subject) {
  plan_is_old_ = true;
  const std::string machine = domains_.name_of(guest);
  const auto device = devices_.devices().find(subject.port);
  const bool is_there = device != devices_.devices().end() && device->second.digest == subject.digest;
  log_.say(
      subject_of(machine, subject.port), log::Level::kWarning,
      concat(is_there ? name_of(device->second) : "the device of port=" + subject.port,
             " is put aside for machine ", show_name(machine),
             ", whose QEMU died twice within 2 s of a change of that device: until it is unplugged for 3 s "
             "and plugged again, a reload or a restart of the daemon"));
}

void Reconciler::put_aside_lethal(std::vector<DomainView>& views) const {
  for (const auto& [guest, subject] : lethal_.put_aside()) {
    const auto device = devices_.devices().find(subject.port);
    if (device == devices_.devices().end() || device->second.digest != subject.digest) continue;
    for (DomainView& view : views)
      if (view.uuid == guest) view.put_aside.insert(subject.port);
  }
}

void Reconciler::take_back_quiet(Clock::time_point now) {
  const auto [ports, hubs, behind_hubs] = flapping_.take_back(now);
  plan_is_old_ = plan_is_old_ || behind_hubs;
  for (const auto& [quiet, what] : {std::pair{&ports, "there"}, std::pair{&hubs, "behind it"}})
    for (const std::string& port : *quiet) {
      plan_is_old_ = true;
      log_.say("port " + port, log::Level::kInfo,
               concat("port ", port, " was quiet for 30 s: what is ", what, " is served again"));
    }
}

std::set<std::string> Reconciler::put_aside() const {
  std::set<std::string> ports;
  for (const auto& [sysname, device] : devices_.devices())
    if (flapping_.is_put_aside(sysname)) ports.insert(sysname);
  return ports;
}

void Reconciler::confirm_taken_back(Clock::time_point now) {
  const auto [taken, in_vain] = taken_back_.confirm(now);
  for (const std::string& sysname : taken) {
    plan_is_old_ = true;
    const auto device = devices_.devices().find(sysname);
    if (device != devices_.devices().end()) count_connection(device->second, now);
  }
  for (const std::string& sysname : in_vain)
    if (const auto device = devices_.devices().find(sysname); device != devices_.devices().end())
      log_.say("port " + sysname, log::Level::kWarning,
               concat(name_of(device->second), " is a guest's, but the host's driver ",
                      show_word(device->second.host_driver), " keeps it: it is left as it is"));
}

void Reconciler::take(const ActuatorMessage& message, Clock::time_point now) {
  log_.tick(now);
  const bool refreshing = domains_.refreshing();
  const auto* const changed = std::get_if<DomainChanged>(&message);
  if (changed != nullptr && changed->news.died) watch_death(*changed, now);
  if (const auto ended = domains_.take(message, now)) conclude(*ended, now);
  for (const Uuid& domain : domains_.take_stirred()) attempts_.hurry(domain);
  answer_ping();
  if (debug_ && refreshing && !domains_.refreshing()) say_guests();
}

void Reconciler::step(Clock::time_point now) {
  log_.tick(now);
  if (!config_) return;
  if (now >= std::min(next_round_, flapping_.next())) take_back_quiet(now);
  if (now >= next_round_) begin_round(now);
  if (now >= taken_back_.next() && taken_back_.take_doubt(now)) ask_rescan();
  domains_.describe_stale(now);
  plan_is_old_ = domains_.take_changed() || plan_is_old_ || next_attempt_ <= now;
  if (plan_is_old_ && devices_.complete() && domains_.known(now)) carry_out_plan(now);
}

Clock::time_point Reconciler::next_step(Clock::time_point now) const {
  if (!config_) return Clock::time_point::max();
  // A domain whose first description is late stops being waited for.
  const auto late = plan_is_old_ && domains_.connected() ? now + 100ms : Clock::time_point::max();
  // Attempts have to wait for a plan that cannot be made yet.
  return std::min({next_round_, flapping_.next(), taken_back_.next(), plan_is_old_ ? late : next_attempt_});
}

void Reconciler::begin_round(Clock::time_point now) {
  const auto interval = std::chrono::duration_cast<Clock::duration>(config_->interval);
  next_round_ = now + std::clamp(interval, kShortestRound, kLongestRound);
  domains_.refresh(now);
  ask_rescan();
}

void Reconciler::ask_rescan() {
  // The first snapshot comes unasked.
  if (!devices_.complete() || devices_.in_snapshot() || rescan_asked_) return;
  rescan_asked_ = true;
  output_.ask(ScanRequest::kRescan);
}

void Reconciler::carry_out_plan(Clock::time_point now) {
  plan_is_old_ = false;
  std::vector<DomainView> views = domains_.views();
  put_aside_lethal(views);
  const Plan plan = whawty::plan(devices_.devices(), views, *config_, put_aside(), taken_back_.due());
  taken_back_.look(devices_.devices(), plan.contested, now);
  forget_attempts(plan, views);
  // What was tried and is to be done again may fail again, and take seconds for that: it does not delay the
  // rest.
  for (const bool tried : {false, true}) carry_out(plan, tried, now);
  say_conflicts(plan.conflicts);
  say_refusals(plan.refusals);
  say_empties(plan.empties);
  next_attempt_ = attempts_.next(now);
  report_status(views);
}

void Reconciler::carry_out(const Plan& plan, bool tried, Clock::time_point now) {
  for (const Detach& detach : plan.detaches)
    if (attempts_.tried(key_of(detach)) == tried) carry_out(detach, now);
  for (const Attach& attach : plan.attaches)
    if (attempts_.tried(key_of(attach)) == tried) carry_out(attach, now);
}

// What the plan no longer asks for needs no further attempt. Of a domain that is not settled the plan says
// nothing.
void Reconciler::forget_attempts(const Plan& plan, const std::vector<DomainView>& views) {
  std::set<Uuid> unsettled;
  for (const DomainView& view : views)
    if (!view.settled) unsettled.insert(view.uuid);
  std::set<ChangeKey> wanted;
  for (const Detach& detach : plan.detaches) wanted.insert(key_of(detach));
  for (const Attach& attach : plan.attaches) wanted.insert(key_of(attach));
  attempts_.keep(
      [&](const ChangeKey& key) { return unsettled.contains(key.domain) || wanted.contains(key); });
}

ChangeKey Reconciler::key_of(const Detach& detach) {
  return {detach.domain, false, detach.hostdev};
}

ChangeKey Reconciler::key_of(const Attach& attach) const {
  return {attach.domain, true, hostdev_of(devices_.devices().at(attach.sysname))};
}

void Reconciler::carry_out(const Detach& detach, Clock::time_point now) {
  request({key_of(detach),
           {},
           device_name(devices_.devices(), detach.sysname, detach.hostdev),
           domains_.name_of(detach.domain),
           why_of(detach, devices_.devices()),
           detach.sysname},
          now);
}

void Reconciler::carry_out(const Attach& attach, Clock::time_point now) {
  const Device& device = devices_.devices().at(attach.sysname);
  const std::string machine = domains_.name_of(attach.domain);
  request({key_of(attach),
           device.digest.value(),  // the plan has no attach without one
           name_of(device), machine, rule_name(machine, attach.rule), attach.sysname},
          now);
}

void Reconciler::request(const Change& change, Clock::time_point now) {
  if (!attempts_.due(change.key, now)) return;
  // What does not go out now is asked for again when the next answer makes room.
  if (domains_.request(change, now)) attempts_.began(change.key);
}

void Reconciler::conclude(const ChangeEnded& ended, Clock::time_point now) {
  if (ended.result.outcome == Outcome::kStalled) return;  // it was not tried
  watch_change(ended, now);
  const bool done = ended.result.outcome == Outcome::kDone;
  const ChangeKey& key = ended.change.key;
  say(attempts_.ended(key, done, now, done && !key.attach ? kDetachPatience : Clock::duration{}), ended, now);
  next_attempt_ = attempts_.next(now);
  // The scanner's record of the device is out of date.
  if (ended.result.outcome == Outcome::kOtherDevice || ended.result.outcome == Outcome::kSwapped)
    ask_rescan();
}

void Reconciler::say(Attempts::Report report, const ChangeEnded& ended, Clock::time_point now) {
  const ChangeKey& key = ended.change.key;
  const std::string what = (key.attach ? "attached " : "detached ") + text_of(ended.change);
  const std::string took = (key.attach ? " in " : ", in ") + duration_text(ended.took);
  switch (report) {
    case Attempts::Report::kNothing:
      break;
    case Attempts::Report::kDone:
      output_.say(log::Level::kInfo, what + took);
      break;
    case Attempts::Report::kMended:
      output_.say(log::Level::kInfo, concat(what, took, ", after ", tries_text(attempts_.tries(key), now)));
      break;
    case Attempts::Report::kInVain:
    case Attempts::Report::kFailed:
      say_failure(report, ended);
      break;
  }
}

void Reconciler::say_failure(Attempts::Report report, const ChangeEnded& ended) {
  const Change& change = ended.change;
  const std::string machine = show_name(change.machine);
  const std::string subject = subject_of(change.machine, change.port);
  if (report == Attempts::Report::kInVain)
    return log_.say(
        subject, log::Level::kWarning,
        concat("libvirt said that it had ", change.key.attach ? "attached " : "detached ", change.device,
               ", but the live XML of ", machine, " does not show it: trying again"));
  log_.say(subject, log::Level::kError,
           concat("cannot ", change.key.attach ? "attach " : "detach ", text_of(change), ": ",
                  failure_text(ended.result), ": trying again"));
}

void Reconciler::say_conflicts(const std::vector<Conflict>& conflicts) {
  for (const Conflict& conflict : conflicts) {
    if (std::find(conflicts_.begin(), conflicts_.end(), conflict) != conflicts_.end()) continue;
    const std::string device = device_name(devices_.devices(), conflict.sysname, {});
    log_.say(
        subject_of(conflict.machine, conflict.sysname), log::Level::kWarning,
        concat("machine ", show_name(conflict.machine), " also wants ", device, " by ",
               rule_name(conflict.machine, conflict.rule), ": it stays with ", show_name(conflict.holder)));
  }
  conflicts_ = conflicts;
}

void Reconciler::say_refusals(const std::vector<Refusal>& refusals) {
  for (const Refusal& refusal : refusals) {
    if (is_passing(refusal) || std::find(refusals_.begin(), refusals_.end(), refusal) != refusals_.end())
      continue;
    log_.say(subject_of(refusal.machine, refusal.sysname), log::Level::kWarning,
             concat(device_name(devices_.devices(), refusal.sysname, {}), " stays with the host: ",
                    refusal.authorized ? text_of(refusal.uses) : "it is not authorized", "; machine ",
                    show_name(refusal.machine), " wants it by ", rule_name(refusal.machine, refusal.rule),
                    refusal.authorized ? "; to allow it, say allow-host-device: true in that rule" : ""));
  }
  refusals_ = refusals;
}

void Reconciler::say_empties(const std::vector<Empty>& empties) {
  for (const Empty& empty : empties) {
    if (std::find(empties_.begin(), empties_.end(), empty) != empties_.end()) continue;
    if (empty.kept)
      log_.say(subject_of(empty.machine, ""), log::Level::kWarning, text_of(empty));
    else
      output_.say(log::Level::kError, text_of(empty));
  }
  empties_ = empties;
}

void Reconciler::say_device(const Device& device) {
  for (const std::string& line : listing_of(device)) output_.say(log::Level::kDebug, line);
}

void Reconciler::say_guests() {
  for (const Guest& guest : domains_.guests())
    output_.say(log::Level::kDebug, concat("guest ", show_name(guest.name), ' ', to_string(guest.uuid),
                                           guest.running ? " running" : " off"));
}

void Reconciler::report_status(const std::vector<DomainView>& views) {
  Status status;
  status.libvirt_connected = domains_.connected();
  status.machines = static_cast<std::uint32_t>(config_->machines.size());
  for (const DomainView& view : views) {
    const bool ours = is_machine(view.name);
    status.running += ours ? 1 : 0;
    status.attached += ours ? count_of_held(view) : 0;
  }
  for (const auto& [sysname, device] : devices_.devices()) status.devices += can_be_attached(device) ? 1 : 0;
  if (reported_ == status) return;
  reported_ = status;
  output_.report(status);
}

}  // namespace whawty
