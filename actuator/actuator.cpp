// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "actuator/actuator.h"

#include <poll.h>

#include <stdexcept>
#include <utility>

#include "common/bounds.h"
#include "common/log.h"
#include "common/text.h"
#include "protocol/violation.h"

namespace whawty {
namespace {

constexpr int kStallCheckMilliseconds = 500;

// The domain whose calls a request has to wait for; a list request waits for other lists only.
struct DomainOf {
  Uuid operator()(const ListDomains&) const { return {}; }
  template <class Other>
  Uuid operator()(const Other& request) const {
    return request.domain;
  }
};

struct RoomOf {
  CallRoom operator()(const AttachHostdev&) const { return kAttaches; }
  CallRoom operator()(const DetachHostdev&) const { return kDetaches; }
  CallRoom operator()(const DescribeDomain&) const { return kDescriptions; }
  CallRoom operator()(const ListDomains&) const { return kLists; }
};

const char* words_of(Refusal why) {
  return why == Refusal::kStuck ? "an earlier call for this domain has not returned"
                                : "calls for other domains have not returned";
}

}  // namespace

const Dispatcher<Uuid>::Rooms& call_rooms() {
  static const Dispatcher<Uuid>::Rooms rooms{
      {kCallsOfHung, kAttaches, kAgain},               // kAgain
      {kAttachCalls, kBoth, kAgain},                   // kAttaches
      {kCallsOfHung, kDescriptions, kDescribedAgain},  // kDescribedAgain
      {kDescriptionCalls, kBoth, kDescribedAgain},     // kDescriptions
      {kAttachAndDescriptionCalls, kDetaches, kBoth},  // kBoth: one at least is left to either
      {kCallsOfGuests, kLists, kAgain},                // kDetaches
      {kCalls, kLists, kLists},                        // kLists
  };
  return rooms;
}

Actuator::Actuator(Channel matcher, Hypervisor& hypervisor, Outbox& outbox, Dispatcher<Uuid>& dispatcher,
                   const Limits& limits)
    : matcher_(std::move(matcher)),
      hypervisor_(hypervisor),
      outbox_(outbox),
      dispatcher_(dispatcher),
      limits_(limits) {}

void Actuator::serve() {
  while (true) {
    wait();
    if (const auto end = outbox_.lost()) {
      if (*end == ConnectionEnd::kClosed) throw PeerClosed{};
      throw std::runtime_error("the connection to libvirt is lost: it no longer answers");
    }
    receive_requests();
    look_at_calls();
    answer_pings();
    send_messages();
  }
}

void Actuator::wait() {
  // Above the rate limit no request is read; the end of the channel shows all the same.
  const auto pause =
      std::chrono::ceil<std::chrono::milliseconds>(rate_.wait(RateLimit::Clock::now())).count();
  const short input = pause > 0 ? 0 : POLLIN;
  const auto wanted = static_cast<short>(input | (matcher_.poll_events() & POLLOUT));
  pollfd waits[] = {{matcher_.fd(), wanted, 0}, {outbox_.fd(), POLLIN, 0}};
  const int longest = longest_wait();
  ::poll(waits, 2, pause > 0 && longest != 0 ? static_cast<int>(pause) : longest);
  outbox_.end_wait(waits[1].revents != 0);
  if ((waits[0].revents & POLLHUP) != 0) throw PeerClosed{};
  has_input_ = (waits[0].revents & POLLIN) != 0;
  if (waits[0].revents == 0 || waits[1].revents != 0) say_awake();
}

void Actuator::say_awake() {
  if (wakes_.woke()) matcher_.send(encode(ActuatorMessage{Awake{}}));
}

// Milliseconds; -1 for as long as it takes.
int Actuator::longest_wait() {
  // What the matcher does not take yet stays in the outbox.
  const bool nothing_to_send = outbox_.begin_wait() || !matcher_.queue_empty();
  if (!nothing_to_send) return 0;
  return dispatcher_.busy() ? kStallCheckMilliseconds : -1;
}

void Actuator::receive_requests() {
  if (!has_input_) return;
  Received received;
  while (rate_.wait(RateLimit::Clock::now()) <= RateLimit::Clock::duration::zero() &&
         matcher_.receive(received)) {
    if (received.attached) throw Violation("a request with a descriptor");
    rate_.count(RateLimit::Clock::now());
    accept(decode_request(received.datagram));
  }
}

void Actuator::look_at_calls() {
  const auto tell = [this](const Uuid& domain) { outbox_.put(DomainStalled{domain}); };
  // With another connection the places are free again.
  if (dispatcher_.look(Dispatcher<Uuid>::Clock::now(), tell))
    throw std::runtime_error("requests wait for calls that hang, and none has returned for too long: ending");
}

void Actuator::accept(const Request& request) {
  if (unanswered_.size() >= kMaxRequestsInFlight)
    throw Violation(concat("more than ", kMaxRequestsInFlight, " requests at a time"));
  if (!unanswered_.insert(request.id).second) throw Violation("the number of an unanswered request again");
  std::visit([&](const auto& what) { answer(request.id, what); }, request.what);
}

// At once, whatever calls are under way.
void Actuator::answer(std::uint64_t id, const Ping&) {
  wakes_.asked();
  pings_.push_back(id);
}

// When all else is done.
void Actuator::answer_pings() {
  if (pings_.empty()) return;
  wakes_.answered();
  for (const std::uint64_t id : std::exchange(pings_, {})) outbox_.put(Result{id, Outcome::kDone, 0, {}, 0});
}

void Actuator::answer(std::uint64_t id, const Call& call) {
  // What they refer to outlives the calls, which this object need not.
  const auto run = [id, call, &hypervisor = hypervisor_, &outbox = outbox_, &limits = limits_] {
    return [&outbox, answer = carry_out(id, call, hypervisor, limits)]() mutable {
      outbox.put(std::move(answer));
    };
  };
  const auto refuse = [id, &outbox = outbox_](Refusal why) {
    outbox.put(Result{id, Outcome::kStalled, 0, words_of(why), 0});
  };
  dispatcher_.submit(std::visit(DomainOf{}, call), {std::visit(RoomOf{}, call), run, refuse});
}

void Actuator::send_messages() {
  matcher_.flush();
  // What the matcher does not take yet stays in the outbox, where notices of one domain fold into one.
  while (matcher_.queue_empty()) {
    const auto message = outbox_.take();
    if (!message) return;
    if (const auto* const result = std::get_if<Result>(&*message)) {
      unanswered_.erase(result->request);
    } else {
      say_awake();  // it may have come while another was being sent
    }
    matcher_.send(encode(*message));
  }
}

}  // namespace whawty
