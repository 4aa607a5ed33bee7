// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include <set>

#include "common/bounds.h"
#include "matcher/reconciler.h"
#include "protocol/violation.h"
#include "tests/fuzz/codec.h"
#include "tests/fuzz/machines.h"
#include "tests/fuzz/printable.h"
#include "tests/fuzz/reader.h"

namespace whawty::fuzz {
namespace {

using namespace std::chrono_literals;

// What comes out of the reconciler is what its peers take: the receivers' own decoders are asked.
class Peers final : public Output {
 public:
  void send(const Request& request) override {
    decode_request(encode(request));
    require(unanswered.insert(request.id).second, "the number of an unanswered request again");
    require(unanswered.size() <= kMaxRequestsInFlight, "more than 64 requests at a time");
    sent.push_back(request.id);
  }
  void ask(ScanRequest request) override { decode_scan_request(encode(request)); }
  void report(const Status& status) override { decode_policy_message(encode(status)); }
  void pong() override {}
  void say(log::Level, const std::string& line) override {
    require(is_a_printable_line(line), "a message is not one printable line");
  }

  std::vector<std::uint64_t> sent;  // all requests so far
  std::set<std::uint64_t> unanswered;
};

class Story {
 public:
  explicit Story(std::string_view bytes) : bytes_(bytes) { reconciler_.use(two_machines(), now_); }

  void tell() {
    while (!bytes_.at_end()) {
      event();
      step();
    }
  }

 private:
  void step() {
    try {
      reconciler_.step(now_);
    } catch (const Violation&) {
      throw Broken("a violation where nothing was received");
    }
    require(reconciler_.next_step(now_) > now_, "it would wait for nothing");
  }

  void event() {
    switch (bytes_.below(16)) {
      case 0:
        return reconciler_.take(SnapshotBegin{}, now_);
      case 1:
        return reconciler_.take(SnapshotEnd{}, now_);
      case 2:
        return reconciler_.take(Pong{}, now_);
      case 3:
        return reconciler_.take(DeviceRemoved{read_device(bytes_).sysname}, now_);
      case 4:
      case 5:
        return reconciler_.take(read_device(bytes_), now_);
      case 6:
        return take(DomainListed{uuid(), name(), bytes_.below(2) != 0, bytes_.below(4)});
      case 7:
        return take(DomainChanged{uuid(), name(), {bytes_.below(2) != 0, bytes_.below(2) != 0}});
      case 8:
        return take(DomainStalled{uuid()});
      case 9:
        return take(XmlChunk{request(), xml()});
      case 10:
        return answer();
      case 11:
        return take_datagram();
      case 12:
        return reconciler_.ping(now_);
      case 13:
        return reconciler_.use(bytes_.below(2) != 0 ? two_machines() : one_machine(), now_);
      case 15:
        return reconciler_.take(Unchanged{}, now_);
      default:
        now_ += 1ms * bytes_.number();
    }
  }

  void take(const ActuatorMessage& message) { reconciler_.take(message, now_); }

  void answer() {
    const std::uint64_t id = request();
    const auto outcome = static_cast<Outcome>(bytes_.below(static_cast<unsigned>(kLastOutcome) + 1));
    peers_.unanswered.erase(id);
    take(
        Result{id, outcome, bytes_.byte(), bytes_.long_text().substr(0, kMaxResultMessage), bytes_.number()});
  }

  // Bytes as they come, through the decoders.
  void take_datagram() {
    const bool of_scanner = bytes_.below(2) != 0;
    const Datagram datagram = datagram_of(bytes_.text());
    if (of_scanner) return reconciler_.take(decode_scanner_message(datagram), now_);
    const ActuatorMessage message = decode_actuator_message(datagram);
    if (const auto* const result = std::get_if<Result>(&message)) peers_.unanswered.erase(result->request);
    take(message);
  }

  // Most often one of the last requests, which may or may not be answered.
  std::uint64_t request() {
    const std::size_t back = bytes_.below(8);
    return back < peers_.sent.size() ? peers_.sent[peers_.sent.size() - 1 - back] : bytes_.number();
  }

  Uuid uuid() { return {bytes_.below(2), bytes_.below(4)}; }

  std::string name() {
    const unsigned choice = bytes_.below(4);
    return choice < 3 ? std::string(1, static_cast<char>('a' + choice)) : 'x' + bytes_.text();
  }

  std::string xml() {
    if (bytes_.below(4) == 0) return ' ' + bytes_.text();
    std::string text = bytes_.below(4) == 0 ? "<domain>" : "<domain id='1'>";
    text += "<devices>";
    for (unsigned i = bytes_.below(4); i > 0; --i) {
      const Hostdev hostdev = read_hostdev(bytes_);
      text += hostdev.vendor % 16 == 3 ? "<hostdev type='usb'><source missing='yes'>"
                                       : "<hostdev type='usb'><source>";
      if (hostdev.vendor != 0)
        text += concat("<vendor id='", hostdev.vendor, "'/><product id='", hostdev.product, "'/>");
      if (hostdev.bus != 0)
        text += concat("<address bus='", hostdev.bus, "' device='", hostdev.device, "'/>");
      text += hostdev.product == 1 ? "</source><alias name='ua-whawty-usb-1-2-3'/></hostdev>"
                                   : "</source></hostdev>";
    }
    return text + "</devices></domain>";
  }

  Reader bytes_;
  Peers peers_;
  Reconciler reconciler_{peers_, true};
  Clock::time_point now_{1000s};
};

}  // namespace

bool reconciling(std::string_view bytes) {
  try {
    Story(bytes).tell();
  } catch (const Violation&) {
    return false;
  }
  return true;
}

}  // namespace whawty::fuzz
