// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "scanner/scanner.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>
#include <vector>

#include "common/bounds.h"
#include "common/log.h"
#include "common/sysfs.h"
#include "protocol/matcher_to_scanner.h"
#include "protocol/scanner_to_matcher.h"
#include "protocol/violation.h"
#include "scanner/udev_data.h"

namespace whawty {
namespace {

// The sysfs names of all USB devices, sorted. Interfaces, which sysfs lists too, are those with a colon.
std::vector<std::string> usb_devices() {
  const auto directory = SysfsDirectory::open(kUsbDevices);
  if (!directory) return {};  // a host without USB
  std::vector<std::string> names = directory->names();
  std::erase_if(names, [](const std::string& name) { return name.find(':') != std::string::npos; });
  return names;
}

// What is known of a device, with what the kernel tells of it now without its lock.
Device renewed(const Device& known, const Device& facts) {
  Device device = known;
  device.interface_classes = facts.interface_classes;
  device.authorized = facts.authorized;
  device.driver = facts.driver;
  device.host_driver = facts.host_driver;
  return device;
}

bool has_numbers(const Device& device, const Device& numbers) {
  return device.bus == numbers.bus && device.number == numbers.number && device.vendor == numbers.vendor &&
         device.product == numbers.product && device.device_class == numbers.device_class;
}

// Room is left for 4,096 devices without properties.
constexpr std::size_t kFootprintOfWhole = kMaxFootprint - kMaxDevices * (sizeof(Device) + 64);

}  // namespace

void Scanner::serve() {
  send_snapshot();
  for (;;) wait_and_work();
}

// A device that comes and goes, or changes what is wrong with it, must not fill the log.
void Scanner::warn(const std::string& subject, const std::string& line) {
  if (lines_.admit(subject, LineLimit::Clock::now())) log::warning(line);
}

void Scanner::say_left_out() {
  for (const std::string& line : lines_.left_out(LineLimit::Clock::now())) log::warning(line);
}

void Scanner::warn_of_too_many() {
  if (std::exchange(limit_logged_, true)) return;
  warn("the number of devices",
       concat("more than ", kMaxDevices, " USB devices: those beyond are not told to anyone"));
}

void Scanner::wait_and_work() {
  readers_.begin_turn();
  say_left_out();
  const bool behind = !matcher_.queue_empty();
  short request = 0;
  short event = 0;
  await(behind, request, event);
  if (behind) {
    matcher_.flush();
    return;
  }
  if (request != 0) answer_request();
  if (event != 0 && matcher_.queue_empty()) follow_events();
  if (matcher_.queue_empty() && HostUses::Clock::now() >= next_look() && has_candidates()) look_at_host();
  if (matcher_.queue_empty()) look_at_late();
  answer_ping();
}

// Waits for something to do.
void Scanner::await(bool behind, short& request, short& event) {
  // While the matcher is behind, nothing is read that would make more to tell: the kernel keeps events and
  // requests. Without POLLIN, which a waiting request would hold up, poll(2) still reports that the matcher
  // closed its end.
  const auto wanted = static_cast<short>(behind ? matcher_.poll_events() & ~POLLIN : matcher_.poll_events());
  const bool watches =
      !behind && has_candidates() && HostUses::Clock::now() >= last_look_ + kShortestLookInterval;
  pollfd waits[] = {{matcher_.fd(), wanted, 0},
                    {behind ? -1 : monitor_.fd(), POLLIN, 0},
                    {watches ? files_.mounts_fd() : -1, POLLPRI, 0},
                    {watches ? files_.swaps_fd() : -1, POLLPRI, 0},
                    {watches && uses_.has_interfaces() ? routes_.fd() : -1, POLLIN, 0}};
  const int timeout = behind ? -1 : milliseconds_to_wait();
  if (::poll(waits, std::size(waits), timeout) < 0 && errno != EINTR)
    throw std::system_error(errno, std::generic_category(), "poll");
  request = waits[0].revents;
  event = waits[1].revents;
  const bool by_itself = request == 0 || std::any_of(std::begin(waits) + 1, std::end(waits),
                                                     [](const pollfd& one) { return one.revents != 0; });
  if (by_itself && wakes_.woke()) matcher_.send(encode(Awake{}));
  if (waits[4].revents != 0) routes_.drain();
  host_changed_ = host_changed_ || waits[2].revents != 0 || waits[3].revents != 0 || waits[4].revents != 0;
}

// Until there is something to do that nobody tells of; -1 for ever.
int Scanner::milliseconds_to_wait() const {
  const auto now = HostUses::Clock::now();
  auto when = HostUses::Clock::time_point::max();
  if (has_candidates()) {
    // Until then, changes of the kernel's lists are not waited for.
    const auto watches_from = last_look_ + kShortestLookInterval;
    when = now < watches_from ? watches_from : next_look();
  }
  if (readers_.waits()) when = std::min(when, now + kAnswerInterval);
  if (when == HostUses::Clock::time_point::max()) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(when - now).count();
  return static_cast<int>(std::max<decltype(left)>(left, 0));
}

// Hubs are nobody's.
bool Scanner::has_candidates() const {
  return std::any_of(told_.begin(), told_.end(),
                     [](const auto& known) { return known.second.device_class != kHubClass; });
}

HostUses::Clock::time_point Scanner::next_look() const {
  return host_changed_ ? last_look_ + kShortestLookInterval : next_look_;
}

void Scanner::refresh_uses(bool changed) {
  last_look_ = HostUses::Clock::now();
  uses_.look(last_look_);
  next_look_ = uses_.next(last_look_);
  // Without udevd nobody tells of disks, keyboards and screens.
  if (!udevd_runs()) next_look_ = std::min(next_look_, last_look_ + HostUses::kLookInterval);
  if (changed) next_look_ = std::min(next_look_, last_look_ + kSecondLook);
  host_changed_ = false;
}

void Scanner::look_at_host() {
  refresh_uses(host_changed_);
  std::vector<std::string> changed;
  for (const auto& [sysname, device] : told_)
    if (device.host_uses != uses_.of(sysname)) changed.push_back(sysname);
  for (const std::string& sysname : changed) look(sysname);
}

void Scanner::answer_request() {
  Received request;
  if (!matcher_.receive(request)) return;
  if (request.attached) throw Violation("a request with a descriptor");
  switch (decode_scan_request(request.datagram)) {
    case ScanRequest::kPing:
      wakes_.asked();
      pinged_ = true;
      return;
    case ScanRequest::kCheck:
      return answer_check();
    case ScanRequest::kRescan:
      return send_snapshot();
  }
}

// When all else is done.
void Scanner::answer_ping() {
  if (!std::exchange(pinged_, false)) return;
  wakes_.answered();
  matcher_.send(encode(Pong{}));
}

// If nothing happened on the host since all devices were read, they are what they were.
void Scanner::answer_check() {
  if (!stillness_.holds()) return send_snapshot();
  if (uses_.has_keyboards()) look_at_host();  // no event tells that a text console began to be used
  matcher_.send(encode(Unchanged{}));
}

void Scanner::follow_events() {
  const Hints hints = monitor_.take();
  if (hints.lost) {
    if (!std::exchange(loss_logged_, true))
      warn("events of udev", "events of udev were lost: looking at all devices again");
    send_snapshot();
    return;
  }
  loss_logged_ = false;
  // The driver of an interface makes disks, network interfaces and keyboards of it.
  host_changed_ = host_changed_ || hints.of_host || !hints.interfaces.empty();
  if (!hints.sysnames.empty()) refresh_uses(true);
  for (const std::string& sysname : hints.sysnames) look(sysname);
  for (const std::string& sysname : hints.interfaces)
    if (!hints.sysnames.contains(sysname)) look_at_interfaces(sysname);
}

void Scanner::send_snapshot() {
  monitor_.expect_same_udev();
  stillness_.begin();
  const std::vector<std::string> names = usb_devices();
  refresh_uses(false);
  forget_others(names);
  matcher_.send(encode(SnapshotBegin{}));
  bool too_many = false;
  all_as_they_are_ = true;
  for (const std::string& sysname : names) {
    if (!has_room_for(sysname)) {
      too_many = true;
    } else if (const std::optional<Device> device = read(sysname)) {
      tell(*device);
    } else {
      forget(sysname);
    }
  }
  matcher_.send(encode(SnapshotEnd{}));
  if (all_as_they_are_) stillness_.confirm();
  if (too_many) warn_of_too_many();
  limit_logged_ = too_many;
}

// What is known of devices is needed until they are read again, and no longer than they are there.
void Scanner::forget_others(const std::vector<std::string>& names) {
  const auto is_other = [&](const auto& known) {
    return !std::binary_search(names.begin(), names.end(), known.first);
  };
  for (auto known = told_.begin(); known != told_.end();)
    known = is_other(*known) ? forget(known) : std::next(known);
  std::erase_if(complaints_, is_other);
}

void Scanner::look(const std::string& sysname) {
  const std::optional<Device> device = read(sysname);
  if (!device) {
    if (forget(sysname)) matcher_.send(encode(DeviceRemoved{sysname}));
    return;
  }
  const auto known = told_.find(sysname);
  if (known != told_.end() && known->second == *device) return;
  if (has_room_for(sysname)) {
    tell(*device);
  } else {
    warn_of_too_many();
  }
}

// Of a device that came, or became another one, its own event tells. So nothing is read here that could keep
// the others waiting: an interface comes and goes while a driver of its device starts or ends.
void Scanner::look_at_interfaces(const std::string& sysname) {
  const auto known = told_.find(sysname);
  if (known == told_.end()) return;
  const std::optional<Device> facts = read_facts(sysname);
  if (!facts || !has_numbers(known->second, *facts)) return;
  const Device device = renewed(known->second, *facts);
  if (device != known->second) tell(device);
}

bool Scanner::has_room_for(const std::string& sysname) const {
  return told_.size() < kMaxDevices || told_.contains(sysname);
}

std::optional<Device> Scanner::read(const std::string& sysname) {
  std::optional<Reading> reading = readers_.read(sysname, uses_.of(sysname));
  if (reading && reading->device &&
      !uses_.knows(sysname)) {  // it came after the last look at the host's uses
    refresh_uses(true);
    reading = readers_.read(sysname, uses_.of(sysname));
  }
  // Nothing is told of a device for which udev has no record yet, and no event, only time, may change that.
  const bool as_it_is = reading && !reading->unread && (reading->device || !reading->complaint.empty());
  all_as_they_are_ = all_as_they_are_ && as_it_is;
  if (!reading) return known_of(sysname);
  complain(sysname, reading->complaint);
  if (reading->unread) return known_of(sysname);
  if (reading->device) fit(*reading->device);
  return std::move(reading->device);
}

// Of a device that does not answer, or of which udev's record cannot be read. One that was told before and
// has the same numbers still is what it was.
std::optional<Device> Scanner::known_of(const std::string& sysname) {
  std::optional<Device> device = read_facts(sysname);
  if (!device) return std::nullopt;
  const auto known = told_.find(sysname);
  if (known != told_.end() && has_numbers(known->second, *device)) device = renewed(known->second, *device);
  device->host_uses = uses_.of(sysname);
  fit(*device);
  return device;
}

void Scanner::look_at_late() {
  for (const std::string& sysname : readers_.take_late()) look(sysname);
  for (const std::string& sysname : readers_.take_silent(Readers::Clock::now()))
    complain(sysname,
             "does not answer, one of its drivers is busy: nothing new is known of it until it does");
}

void Scanner::complain(const std::string& sysname, const std::string& complaint) {
  if (complaint.empty()) {
    complaints_.erase(sysname);
  } else if (std::exchange(complaints_[sysname], complaint) != complaint) {
    const std::string subject = "USB device " + escape(sysname);
    warn(subject, concat(subject, ' ', complaint));
  }
}

// What all devices take together is bounded, too: one for whose properties there is no room is told without
// them.
void Scanner::fit(Device& device) {
  const auto known = told_.find(device.sysname);
  const std::size_t others = footprint_ - (known == told_.end() ? 0 : footprint(known->second));
  if (others + footprint(device) <= kFootprintOfWhole) return;
  omit_properties(device);
  if (!std::exchange(room_logged_, true))
    warn("properties",
         "the devices have more properties than there is room for: some are told without theirs");
}

std::map<std::string, Device>::iterator Scanner::forget(std::map<std::string, Device>::iterator known) {
  footprint_ -= footprint(known->second);
  return told_.erase(known);
}

// True if it was known.
bool Scanner::forget(const std::string& sysname) {
  const auto known = told_.find(sysname);
  if (known == told_.end()) return false;
  forget(known);
  return true;
}

void Scanner::tell(const Device& device) {
  matcher_.send(encode(device));
  forget(device.sysname);
  footprint_ += footprint(device);
  told_.emplace(device.sysname, device);
}

}  // namespace whawty
