// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// A world for the matcher without its channels: an actuator that plays libvirt with a few domains.
#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "matcher/configuration/config_loader.h"
#include "matcher/reconciler.h"

namespace whawty {

using namespace std::chrono_literals;

inline Config config(const std::string& yaml) {
  const std::vector<ConfigText> files{{"test.yml", "", yaml}};
  const auto loaded = load_config(files);
  if (const auto* const error = std::get_if<ConfigError>(&loaded)) throw std::runtime_error(error->message);
  return std::get<LoadedConfig>(loaded).config;
}

inline Device webcam(std::uint16_t number = 5) {
  return {"1-1", 1,  number, 0x046d,  0x0825, 0, {0x0e}, {{"ID_SERIAL_SHORT", "3187B60"}},
          {},    {}, false,  Digest{}};
}
inline Device scale() {
  return {"2-1", 2, 7, 0x0922, 0x8003, 0, {0x03}, {}, {}, {}, false, Digest{}};
}

inline constexpr char kWebcamToA[] = "{interval: 1h, machines: {a: {devices: [{vendor-id: 0x046d}]}}}";

struct Line {
  log::Level level;
  std::string text;
};

// libvirt as the actuator shows it. Requests wait until answer() is called, so that a test decides what
// happens first.
class World final : public Output {
 public:
  World() : reconciler_(*this, true) {}

  struct Domain {
    Uuid uuid;
    bool running = true;
    std::vector<Hostdev> hostdevs;
    std::string error;                     // of attach and detach calls, if they are to fail
    std::set<std::uint16_t> refused = {};  // numbers of devices with which they fail
    bool in_vain = false;                  // attach and detach calls say they worked, and do nothing
    std::int32_t not_described = 0;        // the code with which descriptions fail, and its words
    std::string why_not;
    std::string odd;       // further XML
    bool marked = false;   // its hostdevs have the alias of those that this daemon attached
    bool missing = false;  // its hostdevs have no device
  };
  std::map<std::string, Domain> domains;
  std::vector<Line> lines;
  std::vector<std::string> calls;  // attach and detach, as answered
  std::deque<Request> requests;
  std::string list_error;  // of list calls, if they are to fail
  std::vector<Status> statuses;
  int descriptions = 0;
  int rescans = 0, pings = 0, pongs = 0;
  Clock::time_point now{1000s};

  void add(const std::string& name, bool running = true, std::vector<Hostdev> hostdevs = {}) {
    Domain& domain = domains[name];
    domain.uuid = {7, domains.size()};
    domain.running = running;
    domain.hostdevs = std::move(hostdevs);
  }

  void configure(const std::string& yaml) {
    reconciler_.use(config(yaml), now);
    settle();
  }
  void snapshot(std::initializer_list<Device> devices) {
    reconciler_.take(SnapshotBegin{}, now);
    for (const Device& device : devices) reconciler_.take(device, now);
    reconciler_.take(SnapshotEnd{}, now);
    settle();
  }
  void plug(const Device& device) {
    reconciler_.take(device, now);
    settle();
  }
  void plug_unanswered(const Device& device) { plug_unanswered(std::initializer_list<Device>{device}); }
  void plug_unanswered(std::initializer_list<Device> devices) {
    for (const Device& device : devices) reconciler_.take(device, now);
    step();
  }
  // Lets time pass in which nobody answers.
  void pass_unanswered(Clock::duration duration) {
    now += duration;
    step();
  }
  // Attaches and detaches that were not answered.
  std::size_t count_of_changes() const {
    return static_cast<std::size_t>(std::count_if(requests.begin(), requests.end(), is_change));
  }
  void answer_all_but_changes() {
    std::deque<Request> changes;
    for (; !requests.empty(); step())
      if (is_change(requests.front())) {
        changes.push_back(requests.front());
        requests.pop_front();
      } else {
        answer();
      }
    requests = std::move(changes);
  }
  void ping() { reconciler_.ping(now); }
  void pong_of_scanner() { reconciler_.take(Pong{}, now); }
  void unplug_unanswered(const std::string& sysname) {
    reconciler_.take(DeviceRemoved{sysname}, now);
    step();
  }
  void unplug(const std::string& sysname) {
    reconciler_.take(DeviceRemoved{sysname}, now);
    settle();
  }
  // Before anything is done about its absence.
  void reconnect(const std::string& sysname, const Device& device) {
    reconciler_.take(DeviceRemoved{sysname}, now);
    reconciler_.take(device, now);
    settle();
  }
  void event(const std::string& name) {
    take(DomainChanged{domains.at(name).uuid, name});
    settle();
  }
  // Its QEMU dies. What it was doing is answered before, or was not begun.
  void die(const std::string& name) {
    domains[name].running = false;
    domains[name].hostdevs.clear();
    take(DomainChanged{domains.at(name).uuid, name, {.died = true}});
    settle();
  }
  void start(const std::string& name) {
    domains[name].running = true;
    event(name);
  }
  void start_unanswered(const std::string& name) {
    domains[name].running = true;
    take(DomainChanged{domains.at(name).uuid, name});
  }
  void refuse_next(std::int32_t code, const std::string& words) {
    const std::uint64_t id = requests.front().id;
    requests.pop_front();
    take(Result{id, Outcome::kFailed, code, words, 10});
  }
  void take(const ActuatorMessage& message) { reconciler_.take(message, now); }
  void step() { reconciler_.step(now); }
  Clock::time_point next_step() const { return reconciler_.next_step(now); }

  // Lets time pass, with all that is due in it.
  void pass(Clock::duration duration) {
    const auto end = now + duration;
    while (next_step() <= end) {
      now = std::max(now, next_step());
      settle();
      if (next_step() <= now) now += 1ms;
    }
    now = end;
    settle();
  }

  // Lets time pass in which each attach and detach takes that long, those of one guest after each other. What
  // libvirt is at work on in the end, it goes on with the next time.
  void pass_slowly(Clock::duration duration, Clock::duration each) {
    const auto end = now + duration;
    while (true) {
      step();
      take_up(each);
      auto next = next_step();
      for (const auto& [until, request] : at_work_) next = std::min(next, until);
      if (next > end) break;
      now = next > now ? next : now + 1ms;
      end_what_is_done();
    }
    now = end;
  }

  // Does and answers all requests until there are no more.
  void settle() {
    step();
    while (!requests.empty()) {
      answer();
      step();
    }
  }

  void answer() {
    const Request request = requests.front();
    requests.pop_front();
    std::visit([&](const auto& what) { answer(request.id, what); }, request.what);
  }

  std::size_t count(log::Level level, const std::string& part) const {
    return static_cast<std::size_t>(std::count_if(lines.begin(), lines.end(), [&](const Line& line) {
      return line.level == level && line.text.find(part) != std::string::npos;
    }));
  }

 private:
  void take_up(Clock::duration each) {
    while (!requests.empty()) {
      if (!is_change(requests.front())) {
        answer();
      } else {
        const Request request = requests.front();
        requests.pop_front();
        Clock::time_point& free_from = free_from_[domain_of(request)];
        free_from = std::max(free_from, now) + each;
        at_work_.emplace(free_from, request);
      }
      step();
    }
  }

  void end_what_is_done() {
    while (!at_work_.empty() && at_work_.begin()->first <= now) {
      const Request request = at_work_.extract(at_work_.begin()).mapped();
      const Uuid domain = domain_of(request);
      for (const auto& [name, one] : domains)
        if (one.uuid == domain) take(DomainChanged{domain, name});
      std::visit([&](const auto& what) { answer(request.id, what); }, request.what);
    }
  }

  static Uuid domain_of(const Request& change) {
    const auto* const attach = std::get_if<AttachHostdev>(&change.what);
    return attach != nullptr ? attach->domain : std::get<DetachHostdev>(change.what).domain;
  }

  void answer(std::uint64_t id, const ListDomains&) {
    if (!list_error.empty()) return take(Result{id, Outcome::kFailed, 38, list_error, 10});
    for (const auto& [name, domain] : domains) take(DomainListed{domain.uuid, name, domain.running});
    take(Result{id, Outcome::kDone, 0, "", 10});
  }

  void answer(std::uint64_t id, const Ping&) { take(Result{id, Outcome::kDone, 0, "", 0}); }

  void answer(std::uint64_t id, const DescribeDomain& describe) {
    for (const auto& [name, domain] : domains) {
      if (domain.uuid != describe.domain) continue;
      ++descriptions;
      if (domain.not_described != 0)
        return take(Result{id, Outcome::kFailed, domain.not_described, domain.why_not, 10});
      const std::string xml = xml_of(domain);
      take(XmlChunk{id, xml.substr(0, 10)});
      take(XmlChunk{id, xml.substr(10)});
      return take(Result{id, Outcome::kDone, 0, "", 10});
    }
    take(Result{id, Outcome::kNoDomain, 42, "no such domain", 10});
  }

  void answer(std::uint64_t id, const AttachHostdev& attach) {
    change(id, "attach", attach.domain, attach.hostdev);
  }
  void answer(std::uint64_t id, const DetachHostdev& detach) {
    change(id, "detach", detach.domain, detach.hostdev);
  }

  void change(std::uint64_t id, const std::string& verb, const Uuid& uuid, const Hostdev& hostdev) {
    auto& [name, domain] = *std::find_if(domains.begin(), domains.end(),
                                         [&](const auto& entry) { return entry.second.uuid == uuid; });
    calls.push_back(verb + ' ' + std::to_string(hostdev.bus) + '/' + std::to_string(hostdev.device) + ' ' +
                    name);
    const bool fails = !domain.error.empty() || domain.refused.contains(hostdev.device);
    if (fails) return take(Result{id, Outcome::kFailed, 1, domain.error, 10});
    if (!domain.in_vain) {
      std::erase(domain.hostdevs, hostdev);
      if (verb == "attach") domain.hostdevs.push_back(hostdev);
    }
    take(Result{id, Outcome::kDone, 0, "", 10});
  }

  static bool is_change(const Request& request) {
    return std::holds_alternative<AttachHostdev>(request.what) ||
           std::holds_alternative<DetachHostdev>(request.what);
  }

  static std::string xml_of(const Domain& domain) {
    std::string xml = domain.running ? "<domain id='1'><devices>" : "<domain><devices>";
    for (const Hostdev& one : domain.hostdevs) {
      xml += domain.missing ? "<hostdev mode='subsystem' type='usb'><source missing='yes'>"
                            : "<hostdev mode='subsystem' type='usb'><source>";
      if (one.vendor != 0)
        xml += "<vendor id='" + std::to_string(one.vendor) + "'/><product id='" +
               std::to_string(one.product) + "'/>";
      if (one.bus != 0)
        xml += "<address bus='" + std::to_string(one.bus) + "' device='" + std::to_string(one.device) + "'/>";
      xml += domain.marked ? "</source><alias name='ua-whawty-usb-1'/></hostdev>" : "</source></hostdev>";
    }
    return xml + domain.odd + "</devices></domain>";
  }

  void send(const Request& request) override { requests.push_back(request); }
  void ask(ScanRequest request) override { ++(request == ScanRequest::kRescan ? rescans : pings); }
  void pong() override { ++pongs; }
  void report(const Status& status) override { statuses.push_back(status); }
  void say(log::Level level, const std::string& line) override { lines.push_back({level, line}); }

  Reconciler reconciler_;
  std::multimap<Clock::time_point, Request> at_work_;  // the slow calls, by their end
  std::map<Uuid, Clock::time_point> free_from_;
};

}  // namespace whawty
