// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/reconciler.h"

#include <algorithm>
#include <utility>

#include "matcher/decided/foresight.h"
#include "matcher/known/libvirt_errors.h"

namespace whawty {
namespace {

using namespace std::chrono_literals;

// A guest may take its time to let a device go; a second request meanwhile would only fail.
constexpr Clock::duration kDetachPatience = 5s;

// A shorter interval in the configuration counts as this one: reading everything takes about as long.
constexpr Clock::duration kShortestRound = 100ms;
constexpr Clock::duration kLongestRound = 24h;  // nobody means more, and the clock could not count some of it

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

}  // namespace

void Reconciler::use(Config config, Clock::time_point now, const std::string& policy) {
  announcer_.tick(now);
  rules_.emplace(std::move(config));
  next_round_ = now;
  domains_.table().doubt();  // whoever reloads may do so to have all looked at again
  attempts_.hurry();
  flapping_.limit(rules_->config().max_reconnects);
  announcer_.begin_again(policy);
  lethal_.clear();
  plan_is_old_ = true;
  if (!reported_) report_status({});
}

void Reconciler::ping(Clock::time_point now) {
  pings_.ping();
  output_.ask(ScanRequest::kPing);
  domains_.ping(now);
}

void Reconciler::answer_ping() {
  if (pings_.take_pong(domains_.pinged())) output_.pong();
}

void Reconciler::take(ScannerMessage message, Clock::time_point now) {
  announcer_.tick(now);
  if (std::holds_alternative<Pong>(message)) {
    pings_.pong();
    return answer_ping();
  }
  const bool in_snapshot = devices_.in_snapshot();
  const bool unchanged = std::holds_alternative<Unchanged>(message);
  const bool plugged = watch_connections(message, now) && devices_.complete();
  const std::string sysname = plugged ? std::get<Device>(message).sysname : "";
  take_device(std::move(message), now);
  if (plugged) plugged_.insert(sysname);
  // It answers a check, and no rescan that was asked for after that.
  if (unchanged ? asked_ != ScanRequest::kRescan : in_snapshot && !devices_.in_snapshot()) end_look(now);
}

// Of a message that names no device, too: the end of a snapshot tells which have left.
void Reconciler::take_device(ScannerMessage message, Clock::time_point now) {
  const auto* const told = std::get_if<Device>(&message);
  const std::string sysname = told == nullptr ? "" : told->sysname;
  const auto known = devices_.devices().find(sysname);
  const bool only_driver = known != devices_.devices().end() && differs_only_in_driver(known->second, *told);
  const bool changed = devices_.apply(std::move(message));
  plan_is_old_ = plan_is_old_ || changed;
  for (const DeviceTable::Left& left : devices_.take_left()) {
    watch_left(left, now);
    domains_.disconnected(left.numbers);
    plugged_.erase(left.port);
  }
  const auto entry = devices_.devices().find(sysname);
  if (changed && !only_driver) {
    const Hostdev address = entry == devices_.devices().end() ? Hostdev{} : hostdev_of(entry->second);
    attempts_.hurry(address.bus, address.device);
  }
  if (entry == devices_.devices().end()) return;
  if (debug_ && changed && !devices_.in_snapshot()) announcer_.list(entry->second);
  if (entry->second.digest) lethal_.came({sysname, *entry->second.digest}, now);
}

// The scanner has looked at all devices, or knows that they are what they were.
void Reconciler::end_look(Clock::time_point now) {
  asked_.reset();
  confirm_taken_back(now);
  if (!debug_) return;
  for (const auto& [name, device] : devices_.devices()) announcer_.list(device);
}

// Whether it tells of a device that has connected.
bool Reconciler::watch_connections(const ScannerMessage& message, Clock::time_point now) {
  if (const auto* const removed = std::get_if<DeviceRemoved>(&message)) flapping_.left(removed->sysname, now);
  const auto* const device = std::get_if<Device>(&message);
  if (device == nullptr || !device->digest) return false;  // it will be told again when it answers
  const auto last = devices_.devices().find(device->sysname);
  if (last != devices_.devices().end() && !is_another(*device, last->second)) return false;
  count_connection(*device, now);
  return true;
}

void Reconciler::count_connection(const Device& device, Clock::time_point now) {
  if (const auto aside = flapping_.appeared(device.sysname, now))
    announcer_.put_aside(*aside, device, rules_->config().max_reconnects);
}

// The device with these numbers, if it is known well enough to be told from others.
std::optional<Lethal::Subject> Reconciler::subject_at(const Hostdev& numbers) const {
  for (const auto& [sysname, device] : devices_.devices())
    if (device.bus == numbers.bus && device.number == numbers.device && device.digest)
      return Lethal::Subject{sysname, *device.digest};
  return std::nullopt;
}

// Unless it has left.
const Device* Reconciler::device_of(const Lethal::Subject& subject) const {
  const auto device = devices_.devices().find(subject.port);
  const bool is_there = device != devices_.devices().end() && device->second.digest == subject.digest;
  return is_there ? &device->second : nullptr;
}

void Reconciler::watch_left(const DeviceTable::Left& left, Clock::time_point now) {
  if (!left.digest) return;
  const Lethal::Subject subject{left.port, *left.digest};
  for (const Uuid& guest : lethal_.left(subject, domains_.holders_of(left.numbers), now))
    put_aside_lethal(guest, subject);
}

void Reconciler::watch_death(const DomainChanged& changed, Clock::time_point now) {
  if (!is_machine(changed.name)) return;
  // What is under way may be what it died of: its answer comes too late.
  if (const auto change = domains_.under_way(changed.uuid))
    if (const auto subject = subject_at(change->hostdev)) lethal_.changed(changed.uuid, *subject, now);
  std::vector<Lethal::Subject> held;
  for (const Hostdev& hostdev : domains_.table().last_held_by(changed.uuid))
    if (const auto subject = subject_at(hostdev)) held.push_back(*subject);
  for (const Lethal::Subject& subject : lethal_.died(changed.uuid, held, now))
    put_aside_lethal(changed.uuid, subject);
}

void Reconciler::watch_change(const ChangeEnded& ended, Clock::time_point now) {
  const Result& result = ended.result;
  const bool refused =
      result.libvirt_code == libvirt_error::kNone || result.libvirt_code == libvirt_error::kOperationInvalid;
  const bool tried = result.outcome == Outcome::kDone || result.outcome == Outcome::kSwapped ||
                     (result.outcome == Outcome::kFailed && !refused);
  if (!tried) return;
  if (const auto subject = subject_at(ended.key.hostdev)) lethal_.changed(ended.key.domain, *subject, now);
}

void Reconciler::put_aside_lethal(const Uuid& guest, const Lethal::Subject& subject) {
  plan_is_old_ = true;
  announcer_.lethal(domains_.table().name_of(guest), subject.port, device_of(subject));
}

bool Reconciler::is_machine(const std::string& name) const {
  return rules_ && rules_->find(name);
}

void Reconciler::serve_quiet_again(Clock::time_point now) {
  const Flapping::Quiet quiet = flapping_.take_back(now);
  plan_is_old_ = plan_is_old_ || quiet.behind_hubs || !quiet.ports.empty() || !quiet.hubs.empty();
  announcer_.served_again(quiet);
}

std::vector<DomainView> Reconciler::views() const {
  std::vector<DomainView> views = domains_.views();
  for (const auto& [guest, subject] : lethal_.put_aside())
    for (DomainView& view : views)
      if (view.uuid == guest && device_of(subject) != nullptr) view.put_aside.insert(subject.port);
  return views;
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
      announcer_.kept_by_driver(device->second);
}

void Reconciler::take(const ActuatorMessage& message, Clock::time_point now) {
  announcer_.tick(now);
  const bool refreshing = domains_.refreshing();
  const auto* const changed = std::get_if<DomainChanged>(&message);
  if (changed != nullptr && changed->news.died) watch_death(*changed, now);
  const auto ended = domains_.take(message, now);
  say_notes();
  if (ended) conclude(*ended, now);
  for (const Uuid& domain : domains_.table().take_happened_to()) attempts_.hurry(domain);
  answer_ping();
  if (!debug_ || !refreshing || domains_.refreshing()) return;
  for (const Guest& guest : domains_.table().guests()) announcer_.list(guest);
}

void Reconciler::say_notes() {
  for (const DomainNote& note : domains_.table().take_notes()) announcer_.note(note);
}

void Reconciler::step(Clock::time_point now) {
  announcer_.tick(now);
  if (!rules_) return;
  if (now >= std::min(next_round_, flapping_.next())) serve_quiet_again(now);
  if (now >= next_round_) begin_round(now);
  if (now >= taken_back_.next() && taken_back_.take_doubt(now)) ask_scanner(ScanRequest::kRescan);
  domains_.describe_stale(now);
  domains_.table().look_at_busy(now);
  say_notes();
  plan_is_old_ = domains_.table().take_changed() || plan_is_old_ || next_attempt_ <= now;
  if (plan_is_old_ && devices_.complete() && domains_.known(now)) carry_out_plan(now);
}

Clock::time_point Reconciler::next_step(Clock::time_point now) const {
  if (!rules_) return Clock::time_point::max();
  // A domain whose first description is late stops being waited for.
  const auto late = plan_is_old_ && domains_.table().connected() ? now + 100ms : Clock::time_point::max();
  // Attempts have to wait for a plan that cannot be made yet.
  return std::min({next_round_, flapping_.next(), taken_back_.next(), domains_.table().next(now),
                   plan_is_old_ ? late : next_attempt_});
}

void Reconciler::begin_round(Clock::time_point now) {
  const auto interval = std::chrono::duration_cast<Clock::duration>(rules_->config().interval);
  next_round_ = now + std::clamp(interval, kShortestRound, kLongestRound);
  domains_.refresh(now);
  ask_scanner(ScanRequest::kCheck);
}

// For a look at all devices, in any case or if something happened.
void Reconciler::ask_scanner(ScanRequest request) {
  // The first snapshot comes unasked.
  if (!devices_.complete() || devices_.in_snapshot()) return;
  if (asked_ == request || asked_ == ScanRequest::kRescan) return;
  asked_ = request;
  output_.ask(request);
}

void Reconciler::carry_out_plan(Clock::time_point now) {
  plan_is_old_ = false;
  const std::vector<DomainView> views = this->views();
  const Plan plan = observes_ ? foresee_plan(views) : make_changes(views, now);
  announcer_.found(plan, devices_.devices(), std::exchange(plugged_, {}));
  next_attempt_ = attempts_.next(now);
  report_status(views);
}

Plan Reconciler::foresee_plan(const std::vector<DomainView>& views) {
  const Plan foreseen = foresee(devices_.devices(), views, *rules_, put_aside());
  announcer_.would(foreseen, views, devices_.devices());
  return foreseen;
}

Plan Reconciler::make_changes(const std::vector<DomainView>& views, Clock::time_point now) {
  const Plan plan = whawty::plan(devices_.devices(), views, *rules_, put_aside(), taken_back_.due());
  taken_back_.look(devices_.devices(), plan.contested, now);
  forget_attempts(plan, views);
  // What was tried and is to be done again may fail again, and take seconds for that: it does not delay the
  // rest.
  for (const bool tried : {false, true}) carry_out(plan, tried, now);
  return plan;
}

void Reconciler::carry_out(const Plan& plan, bool tried, Clock::time_point now) {
  for (const Detach& detach : plan.detaches)
    if (attempts_.tried(key_of(detach)) == tried) request(detach, {}, now);
  // The plan has no attach without a digest.
  for (const Attach& attach : plan.attaches)
    if (attempts_.tried(key_of(attach)) == tried)
      request(attach, devices_.devices().at(attach.sysname).digest.value(), now);
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

template <class Wanted>
void Reconciler::request(const Wanted& wanted, const Digest& digest, Clock::time_point now) {
  const ChangeKey key = key_of(wanted);
  // What does not go out now is asked for again when the next answer makes room.
  if (!attempts_.due(key, now) || !domains_.request(key, digest, now)) return;
  attempts_.began(key);
  announcer_.asked_for(key, wanted, domains_.table().name_of(key.domain), devices_.devices());
}

void Reconciler::conclude(const ChangeEnded& ended, Clock::time_point now) {
  const auto& [key, result, took] = ended;
  if (result.outcome == Outcome::kStalled) return announcer_.not_tried(key);
  watch_change(ended, now);
  const bool done = result.outcome == Outcome::kDone;
  const auto report =
      attempts_.ended(key, done, now, done && !key.attach ? kDetachPatience : Clock::duration{});
  announcer_.ended(key, result, took, now, report, attempts_.tries(key));
  next_attempt_ = attempts_.next(now);
  // The scanner's record of the device is out of date.
  if (result.outcome == Outcome::kOtherDevice || result.outcome == Outcome::kSwapped)
    ask_scanner(ScanRequest::kRescan);
}

void Reconciler::report_status(const std::vector<DomainView>& views) {
  Status status;
  status.libvirt_connected = domains_.table().connected();
  status.machines = static_cast<std::uint32_t>(rules_->config().machines.size());
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
