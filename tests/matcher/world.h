// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// A world for the matcher without its channels: an actuator that plays libvirt with a few domains.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <initializer_list>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "matcher/reconciler.h"
#include "tests/fields.h"
#include "tests/values.h"

namespace whawty {

using namespace std::chrono_literals;
using Calls = std::vector<std::string>;

// What libvirt shows of a hostdev of the webcam whose device was not there when the guest started.
inline constexpr char kMissingWebcam[] =
    "<hostdev mode='subsystem' type='usb'><source startupPolicy='optional' missing='yes'>"
    "<vendor id='0x046d'/><product id='0x0825'/><address bus='1' device='5'/></source></hostdev>";

// libvirt as the actuator shows it. Requests wait until answer() is called, so that a test decides what
// happens first.
class World : public Output {
 public:
  explicit World(bool observes = false) : reconciler_(*this, true, observes) { add("a"); }
  virtual ~World() = default;

  struct Domain {
    Uuid uuid;
    bool running = true;
    std::vector<Hostdev> hostdevs;
    std::string error;                     // of attach and detach calls, if they are to fail
    std::set<std::uint16_t> refused = {};  // numbers of devices with which they fail
    bool in_vain = false;                  // attach and detach calls say they worked, and do nothing
    std::int32_t not_described = 0;        // the code with which descriptions fail, and its words
    std::string why_not;
    std::string odd;        // further XML
    bool marked = false;    // its hostdevs have the alias of those that this daemon attached
    bool missing = false;   // its hostdevs have no device
    std::uint32_t run = 1;  // libvirt's id of it while it runs
  };
  std::map<std::string, Domain> domains;
  Domain& a = domains["a"];  // there is always one
  std::vector<std::pair<log::Level, std::string>> lines;
  std::vector<Fields> records;
  Calls calls;  // attach and detach, as answered
  std::deque<Request> requests;
  std::string list_error;  // of list calls, if they are to fail
  std::vector<Status> statuses;
  int descriptions = 0, lists = 0;
  int checks = 0, rescans = 0, pings = 0, pongs = 0;
  Clock::time_point now{1000s};

  void add(const std::string& name, bool running = true, const std::vector<Hostdev>& hostdevs = {});

  // The machines as yaml_of() has them.
  void configure(const std::string& machines, const std::string& keys = "interval: 1h",
                 const std::string& policy = "");

  // The usual beginning: the machines are configured and running, but for those that were added before; then
  // the host has these devices.
  void begin(std::initializer_list<Device> devices, const std::string& machines = kWebcamToA,
             const std::string& keys = "interval: 1h");

  // What happens to devices. All that comes of it is done and answered.
  void snapshot(std::initializer_list<Device> devices);
  void plug(const Device& device) {
    plug_unanswered(device);
    settle();
  }
  void unplug(const std::string& sysname) {
    unplug_unanswered(sysname);
    settle();
  }
  // Before anything is done about its absence.
  void reconnect(const std::string& sysname, const Device& device) {
    reconciler_.take(DeviceRemoved{sysname}, now);
    plug(device);
  }

  // The same, of which nothing is answered.
  void plug_unanswered(std::initializer_list<Device> devices);
  void plug_unanswered(const Device& device) { plug_unanswered(std::initializer_list<Device>{device}); }
  void unplug_unanswered(const std::string& sysname) {
    reconciler_.take(DeviceRemoved{sysname}, now);
    step();
  }

  // What happens to a guest.
  void event(const std::string& name, const DomainNews& news = {}) {
    event_unanswered(name, news);
    settle();
  }
  void event_unanswered(const std::string& name, const DomainNews& news = {}) {
    take(DomainChanged{domains.at(name).uuid, name, news});
  }
  void start(const std::string& name) {
    domains[name].running = true;
    event(name);
  }
  void switch_off(const std::string& name, const DomainNews& news = {}) {
    domains[name].running = false;
    domains[name].hostdevs.clear();
    event(name, news);
  }
  // Its QEMU dies. What it was doing is answered before, or was not begun.
  void die(const std::string& name) { switch_off(name, {.died = true}); }
  void stall(const std::string& name) { take(DomainStalled{domains.at(name).uuid}); }

  void take(const ActuatorMessage& message) { reconciler_.take(message, now); }
  void ping() { reconciler_.ping(now); }
  void say_unchanged() { reconciler_.take(Unchanged{}, now); }
  void pong_of_scanner() { reconciler_.take(Pong{}, now); }

  void step() { reconciler_.step(now); }
  Clock::time_point next_step() const { return reconciler_.next_step(now); }

  // Lets time pass, with all that is due in it.
  void pass(Clock::duration duration);
  // Lets time pass in which nobody answers.
  void pass_unanswered(Clock::duration duration) {
    now += duration;
    step();
  }
  // Lets time pass in which each attach and detach takes that long, those of one guest after each other. What
  // libvirt is at work on in the end, it goes on with the next time.
  void pass_slowly(Clock::duration duration, Clock::duration each);

  // Does and answers the first request; all until there are no more; all but attaches and detaches.
  void answer();
  void settle();
  void answer_all_but_changes();
  // The first request ends like this instead, and nothing was done.
  void end_next(Outcome outcome, std::int32_t code = 0, const std::string& words = "");
  // Attaches and detaches that were not answered.
  std::size_t count_of_changes() const;

  // How many lines of the log have this in them.
  std::size_t errors(const std::string& part = "") const { return count(log::Level::kError, part); }
  std::size_t warnings(const std::string& part = "") const { return count(log::Level::kWarning, part); }
  std::size_t infos(const std::string& part) const { return count(log::Level::kInfo, part); }
  std::size_t debugs(const std::string& part = "") const { return count(log::Level::kDebug, part); }

 private:
  std::size_t count(log::Level level, const std::string& part) const;
  void take_up(Clock::duration each);
  void end_what_is_done();
  void describe(const Uuid& uuid);
  void change(const std::string& verb, const Uuid& uuid, const Hostdev& hostdev);
  std::pair<const std::string, Domain>* find(const Uuid& uuid);

  void send(const Request& request) override { requests.push_back(request); }
  void ask(ScanRequest request) override {
    ++(request == ScanRequest::kPing ? pings : request == ScanRequest::kCheck ? checks : rescans);
  }
  void pong() override { ++pongs; }
  void report(const Status& status) override { statuses.push_back(status); }
  void say(log::Level level, const std::string& line) override { lines.emplace_back(level, line); }
  void record(log::Level level, const std::string& line, const Record& record) override {
    say(level, line);
    if (!record.empty()) records.push_back(fields_in(record.bytes()));
  }

  Reconciler reconciler_;
  std::multimap<Clock::time_point, Request> at_work_;  // the slow calls, by their end
  std::map<Uuid, Clock::time_point> free_from_;
};

// A test that takes place in one.
class WorldTest : public testing::Test, public World {};

}  // namespace whawty
