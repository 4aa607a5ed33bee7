// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Tells the log what became of devices and machines: each thing once, as long as it stays true.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "matcher/decided/attempts.h"
#include "matcher/decided/flapping.h"
#include "matcher/decided/plan.h"
#include "matcher/known/change.h"
#include "matcher/known/domain_table.h"
#include "matcher/said/limited_log.h"

namespace whawty {

class Announcer {
 public:
  explicit Announcer(LineSink& sink) : sink_(sink), log_(sink) {}

  // Tells the time, before anything is said.
  void tick(Clock::time_point now) { log_.tick(now); }

  // A configuration is in use: what holds with it is said, though it was before.
  // Policy: its digest, for records.
  void begin_again(const std::string& policy);

  // A change was asked for. How the log names it is settled now: the device may be gone when it ends.
  void asked_for(const ChangeKey& key, const Detach& detach, const std::string& machine,
                 const DeviceMap& devices);
  void asked_for(const ChangeKey& key, const Attach& attach, const std::string& machine,
                 const DeviceMap& devices);

  // It has ended. Tries: those since the plan began to ask for it.
  void ended(const ChangeKey& key, const Result& result, Clock::duration took, Clock::time_point now,
             Attempts::Report report, const Attempts::Tries& tries);

  // It has ended without a try.
  void not_tried(const ChangeKey& key) { words_.erase(key); }

  // What is foreseen where no change is made: each change once, as long as it would be made. Of the domains
  // that are not settled, nothing is known anew.
  void would(const Plan& foreseen, const std::vector<DomainView>& domains, const DeviceMap& devices);

  // What a plan has found. Plugged: the devices that were since the last plan.
  void found(const Plan& plan, const DeviceMap& devices, const std::set<std::string>& plugged);

  // Devices that come and go all the time. Reconnects: so many are allowed within a minute.
  void put_aside(const Flapping::PutAside& aside, const Device& device, unsigned reconnects);
  void served_again(const Flapping::Quiet& quiet);

  // A guest's QEMU died of the device at this port, which may have left.
  void lethal(const std::string& machine, const std::string& port, const Device* device);

  // A driver of the host keeps a guest's device.
  void kept_by_driver(const Device& device);

  void note(const DomainNote& note);

  // In debug mode: everything that is known of them.
  void list(const Device& device);
  void list(const Guest& guest);

 private:
  struct Words {
    std::string device;
    std::string machine;
    std::string why;
    std::string port;  // empty when no device is there for it
    Record about;      // the same as fields
  };

  Words words_of(const Detach& detach, const std::string& machine, const DeviceMap& devices) const;
  Words words_of(const Attach& attach, const std::string& machine, const DeviceMap& devices) const;
  Record record(Event event) const { return Record{event}.add("POLICY_SHA256", policy_); }
  static std::string text_of(bool attach, const Words& words);
  static Record record_of(const ChangeKey& key, const Words& words, const Result& result,
                          Clock::duration took, Attempts::Report report);
  void failed(const ChangeKey& key, const Words& words, const Result& result, const Record& record);
  void without_effect(const ChangeKey& key, const Words& words, const Record& record);
  void conflict(const Conflict& conflict, const DeviceMap& devices);
  void refusal(const Refusal& refusal, const DeviceMap& devices);
  void empty(const Empty& empty);
  void unwanted(const Device& device);
  void count_unwanted(std::size_t unwanted, const DeviceMap& devices);

  LineSink& sink_;
  LimitedLog log_;
  std::string policy_;                            // the digest of the configuration in use
  std::map<ChangeKey, Words> words_;              // of the changes that have not ended
  std::set<Conflict> conflicts_;                  // those that hold, and were said
  std::set<Refusal> refusals_;                    // the same
  std::set<Empty> empties_;                       // the same
  std::set<std::pair<Uuid, std::string>> would_;  // the same, by domain
  bool count_is_due_ = false;                     // of the devices that no rule wants
};

}  // namespace whawty
