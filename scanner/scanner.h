// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Keeps the matcher informed of the host's USB devices. Events and requests only say when to look: what is
// told is what sysfs and the udev data say at that moment.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/line_limit.h"
#include "protocol/channel.h"
#include "protocol/device.h"
#include "protocol/ping.h"
#include "scanner/host_uses.h"
#include "scanner/monitor.h"
#include "scanner/proc_files.h"
#include "scanner/readers.h"
#include "scanner/route_monitor.h"
#include "scanner/stillness.h"

namespace whawty {

class Scanner {
 public:
  // The monitor hears events since before the first snapshot, so that none falls between the two.
  Scanner(Readers& readers, Monitor& monitor, RouteMonitor& routes, const ProcFiles& files, Channel& matcher)
      : readers_(readers),
        monitor_(monitor),
        routes_(routes),
        files_(files),
        matcher_(matcher),
        uses_(files),
        stillness_(files) {}

  // Tells all devices at once, then what changes, and all again when asked to or when events were lost. Ends
  // only by PeerClosed, Violation or std::system_error.
  [[noreturn]] void serve();

  // What the host does with its devices is looked at when something of it changes, but not more often than
  // this, and once more after that: more may follow from it. What nobody tells of is looked at now and then.
  static constexpr HostUses::Clock::duration kShortestLookInterval = std::chrono::milliseconds(50);
  static constexpr HostUses::Clock::duration kSecondLook = std::chrono::milliseconds(250);

  // As long as a device does not answer, it is looked for an answer this often.
  static constexpr std::chrono::milliseconds kAnswerInterval{100};

 private:
  void wait_and_work();
  void await(bool behind, short& request, short& event);
  int milliseconds_to_wait() const;
  bool has_candidates() const;
  HostUses::Clock::time_point next_look() const;
  void refresh_uses(bool changed);
  void look_at_host();
  void answer_request();
  void answer_ping();
  void answer_check();
  void follow_events();
  void send_snapshot();
  void look(const std::string& sysname);
  void look_at_interfaces(const std::string& sysname);
  bool has_room_for(const std::string& sysname) const;
  std::optional<Device> read(const std::string& sysname);
  std::optional<Device> known_of(const std::string& sysname);
  void look_at_late();
  void complain(const std::string& sysname, const std::string& complaint);
  void fit(Device& device);
  void tell(const Device& device);
  void warn(const std::string& subject, const std::string& line);
  void warn_of_too_many();
  void say_left_out();
  void forget_others(const std::vector<std::string>& names);
  std::map<std::string, Device>::iterator forget(std::map<std::string, Device>::iterator known);
  bool forget(const std::string& sysname);

  Readers& readers_;
  Monitor& monitor_;
  RouteMonitor& routes_;
  const ProcFiles& files_;
  Channel& matcher_;
  HostUses uses_;
  Stillness stillness_;
  HostUses::Clock::time_point last_look_;
  HostUses::Clock::time_point next_look_;
  bool host_changed_ = false;                      // since the last look at what it does
  std::map<std::string, Device> told_;             // what the matcher knows, by sysfs name
  std::map<std::string, std::string> complaints_;  // what the log has been told, by sysfs name
  std::size_t footprint_ = 0;                      // of the devices told
  LineLimit lines_;
  Wakes wakes_;
  bool pinged_ = false;           // and not yet answered
  bool all_as_they_are_ = false;  // each device that was read since the snapshot began
  bool room_logged_ = false;
  bool loss_logged_ = false;
  bool limit_logged_ = false;
};

}  // namespace whawty
