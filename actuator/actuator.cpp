// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "actuator/actuator.h"

#include <poll.h>

#include <stdexcept>

#include "common/log.h"
#include "protocol/violation.h"

namespace whawty {
namespace {

constexpr int kStallCheckMilliseconds = 500;

// A Result that says how a call went. Its time counts from the moment given.
Result result_of(std::uint64_t request, Dispatcher::Clock::time_point started, const CallError* error) {
  const auto elapsed =
      std::chrono::duration_cast<std::chrono::microseconds>(Dispatcher::Clock::now() - started);
  Result result{request, Outcome::kDone, 0, {}, static_cast<std::uint64_t>(elapsed.count())};
  if (error != nullptr) {
    result.outcome = error->outcome;
    result.libvirt_code = error->code;
    result.message = error->message.substr(0, kMaxResultMessage);
  }
  return result;
}

// The calls, each on a worker thread. What a call yields goes to the outbox at once; its Result is for the
// dispatcher to let go.
struct Call {
  using TellEnd = std::function<void()>;

  std::uint64_t request;
  Hypervisor& hypervisor;
  Outbox& outbox;

  template <class Answer, class Deliver>
  TellEnd finish(Dispatcher::Clock::time_point started, const Answer& answer, Deliver deliver) const {
    const auto* const error = std::get_if<CallError>(&answer);
    if (error == nullptr) deliver(std::get<0>(answer));
    return [&to = outbox, result = result_of(request, started, error)] { to.put(result); };
  }

  TellEnd operator()(const ListDomains&) const {
    const auto started = Dispatcher::Clock::now();
    return finish(started, hypervisor.list(), [this](const std::vector<DomainListed>& domains) {
      // No domain of the configuration can have a name that a message does not hold.
      for (const DomainListed& domain : domains)
        if (!domain.name.empty() && domain.name.size() <= kMaxDomainName) outbox.put(domain);
    });
  }

  TellEnd operator()(const DescribeDomain& describe) const {
    const auto started = Dispatcher::Clock::now();
    auto answer = hypervisor.describe(describe.domain);
    if (const auto* const xml = std::get_if<std::string>(&answer); xml != nullptr && xml->size() > kMaxXml)
      answer = CallError{Outcome::kFailed, 0, "the domain's XML is larger than 8 MiB"};
    return finish(started, answer, [this](const std::string& xml) {
      for (std::size_t at = 0; at < xml.size(); at += kMaxXmlChunk)
        outbox.put(XmlChunk{request, xml.substr(at, kMaxXmlChunk)});
    });
  }

  TellEnd operator()(const AttachHostdev& attach) const {
    const auto started = Dispatcher::Clock::now();
    return finish(started, hypervisor.attach(attach.domain, attach.hostdev), [](std::monostate) {});
  }

  TellEnd operator()(const DetachHostdev& detach) const {
    const auto started = Dispatcher::Clock::now();
    return finish(started, hypervisor.detach(detach.domain, detach.hostdev), [](std::monostate) {});
  }
};

// The domain whose calls a request has to wait for; a list request waits for other lists only.
struct DomainOf {
  Uuid operator()(const ListDomains&) const { return {}; }
  template <class Other>
  Uuid operator()(const Other& request) const {
    return request.domain;
  }
};

}  // namespace

Actuator::Actuator(Channel matcher, Hypervisor& hypervisor, Outbox& outbox, Dispatcher& dispatcher)
    : matcher_(std::move(matcher)), hypervisor_(hypervisor), outbox_(outbox), dispatcher_(dispatcher) {}

void Actuator::serve() {
  while (true) {
    pollfd waits[] = {{matcher_.fd(), matcher_.poll_events(), 0}, {outbox_.fd(), POLLIN, 0}};
    ::poll(waits, 2, dispatcher_.busy() ? kStallCheckMilliseconds : -1);
    outbox_.clear_wake();
    if (const auto reason = outbox_.lost())
      throw std::runtime_error("the connection to libvirt is lost: " + *reason);
    receive_requests();
    dispatcher_.find_stalled([this](const Uuid& domain) { outbox_.put(DomainStalled{domain}); });
    send_messages();
  }
}

void Actuator::receive_requests() {
  // Bounded by the number of requests that may be unanswered.
  Received received;
  while (matcher_.receive(received)) {
    if (received.attached) throw Violation("a request with a descriptor");
    accept(decode_request(received.datagram));
  }
}

void Actuator::accept(const Request& request) {
  if (unanswered_.size() >= kMaxRequestsInFlight) throw Violation("more than 64 requests at a time");
  if (!unanswered_.insert(request.id).second) throw Violation("the number of an unanswered request again");
  const Call call{request.id, hypervisor_, outbox_};
  const auto refuse = [this, id = request.id] {
    outbox_.put(Result{id, Outcome::kStalled, 0, "an earlier call for this domain has not returned", 0});
  };
  dispatcher_.submit(std::visit(DomainOf{}, request.what),
                     {[call, what = request.what] { return std::visit(call, what); }, refuse});
}

void Actuator::send_messages() {
  matcher_.flush();
  // What the matcher does not take yet stays in the outbox, where notices of one domain fold into one.
  while (matcher_.queue_empty()) {
    const auto message = outbox_.take();
    if (!message) return;
    if (const auto* const result = std::get_if<Result>(&*message)) unanswered_.erase(result->request);
    matcher_.send(encode(*message));
  }
}

}  // namespace whawty
