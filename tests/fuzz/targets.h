// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The fuzz targets: each takes any bytes, and throws or aborts only if the product is wrong. libFuzzer runs
// them one by one (fuzzer.cpp), and replay_test.cpp runs all of them on what is kept.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace whawty::fuzz {

// True if the bytes got past the first checks: what the seeds must do for the fuzzer to start behind them.
using Run = bool (*)(std::string_view bytes);

// A datagram for a decoder. After a first byte that is odd comes the content of a frame, which is then made
// to fit; after an even one the datagram as it is.
bool scanner_to_matcher(std::string_view bytes);
bool matcher_to_scanner(std::string_view bytes);
bool matcher_to_actuator(std::string_view bytes);
bool actuator_to_matcher(std::string_view bytes);
bool supervisor_to_matcher(std::string_view bytes);
bool matcher_to_supervisor(std::string_view bytes);

// The main configuration file; after a byte 01 each a file of machines.d, whose first line is its machine's
// name.
bool configuration(std::string_view bytes);

// The XML of a domain.
bool domain_xml(std::string_view bytes);

// Devices and domains, made of the bytes, for a fixed configuration.
bool matching(std::string_view bytes);

// A text for the log.
bool escaping(std::string_view bytes);

// What peers of the matcher say and how time goes by, made of the bytes.
bool reconciling(std::string_view bytes);

// Frames for the gate, from the client; after an 'S' from libvirtd.
bool gate(std::string_view bytes);

struct Target {
  const char* name;
  Run run;
};

inline constexpr Target kTargets[] = {
    {"scanner_to_matcher", scanner_to_matcher},
    {"matcher_to_scanner", matcher_to_scanner},
    {"matcher_to_actuator", matcher_to_actuator},
    {"actuator_to_matcher", actuator_to_matcher},
    {"supervisor_to_matcher", supervisor_to_matcher},
    {"matcher_to_supervisor", matcher_to_supervisor},
    {"configuration", configuration},
    {"domain_xml", domain_xml},
    {"matching", matching},
    {"escaping", escaping},
    {"reconciling", reconciling},
    {"gate", gate},
};

// A property of the product that does not hold.
struct Broken : std::logic_error {
  using std::logic_error::logic_error;
};
inline void require(bool holds, const std::string& property) {
  if (!holds) throw Broken(property);
}

}  // namespace whawty::fuzz
