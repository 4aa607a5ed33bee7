// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// libvirt's domains, kept fresh through the actuator: who asks for them, and when. What is known of them is a
// table of facts, what was asked and not yet answered a book of requests.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "matcher/known/domain_table.h"
#include "matcher/request_book.h"

namespace whawty {

// A change whose request was answered.
struct ChangeEnded {
  ChangeKey key;
  Result result;
  Clock::duration took{};  // from the request on
};

class Domains {
 public:
  Domains(Output& output, std::uint64_t last_request) : book_(output, last_request) {}

  // Takes in a message. Throws Violation for what the protocol does not allow now.
  std::optional<ChangeEnded> take(const ActuatorMessage& message, Clock::time_point now);

  // Asks for all domains and, as the answers come, for the live XML of each that runs. Does nothing while
  // that goes on.
  void refresh(Clock::time_point now);

  // Asks for the live XML of domains that something happened to, as far as there is room for requests.
  void describe_stale(Clock::time_point now);

  // Asks the actuator; true until it has answered. One that was never connected is not asked.
  void ping(Clock::time_point now);
  bool pinged() const { return book_.pinged(); }

  // Sends an attach or detach request. False if there is no room for it now, or the domain has one already:
  // libvirt makes them one after the other, and what is to be done next may be another thing by then. The
  // digest is that of the device that is to be attached.
  bool request(const ChangeKey& key, const Digest& digest, Clock::time_point now);

  // A device was disconnected: hostdevs with its numbers are orphans from now on, and so is one that is being
  // made.
  void disconnected(const Hostdev& device);

  // The running domains that have a hostdev with these numbers, or are being given one.
  std::vector<Uuid> holders_of(const Hostdev& device) const;

  // The unanswered change of the domain.
  std::optional<ChangeKey> under_way(const Uuid& domain) const;

  // The running domains. Those that are being changed are not settled; what they are being given counts as
  // theirs.
  std::vector<DomainView> views() const;

  // False as long as a domain may hold devices that were not heard of yet: until libvirt has named its
  // domains and each running one was described. One that takes longer than a second is not waited for.
  bool known(Clock::time_point now) const;

  bool refreshing() const { return book_.listing(); }

  // The facts.
  DomainTable& table() { return table_; }
  const DomainTable& table() const { return table_; }

 private:
  std::optional<ChangeEnded> finish(const Result& result, Clock::time_point now);
  std::set<Uuid> busy() const;
  std::size_t changes_of(const Uuid& domain) const;

  DomainTable table_;
  RequestBook book_;
};

}  // namespace whawty
