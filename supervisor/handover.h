// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Hands configurations over to the matcher: the one in use to each that starts, and a new one, which it may
// refuse.
#pragma once

#include <ctime>
#include <optional>
#include <string>

#include "protocol/channel.h"
#include "supervisor/config_files.h"

namespace whawty {

class Handover {
 public:
  // A configuration was read, and is to be offered. drop: it is not, after all.
  void read(ConfigFiles config) { read_ = std::move(config); }
  void drop() { read_.reset(); }

  // Offers a matcher that has just started the configuration in use, or the one that was read, if none is.
  // Throws std::system_error when there are no more descriptors.
  void begin(Channel& matcher);

  // Offers the matcher the one that was read. Throws the same; nothing was sent then.
  void offer(Channel& matcher) const;

  // The matcher has yet to answer: no other configuration can be offered.
  bool waits() const { return read_.has_value() || reoffered_; }

  // Its answers. Both throw Violation for one to no offer, and rejected for one to the configuration that an
  // earlier matcher had accepted.
  enum class Verdict {
    kAsBefore,  // the configuration in use is in use again
    kInUse,     // the new one is in use
    kKept,      // the new one is not, the one before stays
    kNone,      // the new one is not, and there is none before
  };
  Verdict accepted(std::time_t now);
  Verdict rejected();

  // The workers ended, perhaps before they had taken a new configuration. If that happens twice, it may be
  // the configuration that ends the matcher; the old one is known to work.
  enum class Interrupted { kNothing, kReadAgain, kGivenUp };
  Interrupted ended();

  // The end of an error message about a configuration that will not be used.
  std::string keeping() const;

 private:
  void expect_offer() const;

  std::optional<ConfigFiles> in_use_;
  std::time_t in_use_since_ = 0;
  std::optional<ConfigFiles> read_;  // not yet answered by the matcher
  bool reoffered_ = false;           // the matcher has yet to accept again what an earlier one had accepted
  bool interrupted_ = false;         // workers ended during the last reload
};

}  // namespace whawty
