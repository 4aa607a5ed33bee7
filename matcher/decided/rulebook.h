// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The rules of a configuration, found by what they test: a device is compared with those only that it may
// match, however many there are.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "matcher/configuration/config.h"
#include "matcher/known/facts.h"

namespace whawty {

// A machine of the configuration, by its place there, with rules that a device matches, by their place in it.
struct Claim {
  std::uint32_t machine = 0;
  std::uint32_t rule = 0;                    // the first
  std::optional<std::uint32_t> host_rule{};  // the first of those that also give what the host is using
  bool operator==(const Claim&) const = default;
};

class Rulebook {
 public:
  // A configuration can be decided by as it is.
  Rulebook(Config config);  // NOLINT(google-explicit-constructor)

  const Config& config() const { return config_; }
  const Machine& machine(std::size_t place) const { return config_.machines[place]; }

  // The place of the machine with this name.
  std::optional<std::size_t> find(const std::string& name) const;

  // All that claim the device, in the order of the configuration. That is remembered for as long as the
  // device's record is the same.
  std::vector<Claim> claims(const Device& device) const;

  // Whether this machine claims the device.
  bool gives(std::size_t machine, const Device& device) const;

  // Forgets what is remembered of other devices than these.
  void forget_others(const DeviceMap& devices) const;
  std::size_t remembered() const { return known_.size(); }

 private:
  struct Place {
    std::uint32_t machine, rule;
    auto operator<=>(const Place&) const = default;
  };
  struct Known {
    Device device;
    std::vector<Claim> claims;
  };

  const std::vector<Claim>& known_claims(const Device& device) const;
  std::vector<Place> candidates(const Device& device) const;
  std::vector<Claim> find_claims(const Device& device) const;

  Config config_;
  std::unordered_map<std::string, std::size_t> by_name_;
  // Each rule stands with one of its conditions: that which the fewest rules have.
  std::unordered_map<std::string, std::vector<Place>> by_condition_;
  mutable std::map<std::string, Known> known_;  // by the device's sysname
  mutable std::size_t known_count_ = 0;         // of claims, since all was forgotten last
};

}  // namespace whawty
