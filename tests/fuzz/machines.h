// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The configurations that the targets without one of their own decide by.
#pragma once

#include "matcher/configuration/config_loader.h"
#include "tests/fuzz/targets.h"

namespace whawty::fuzz {

inline Config load(const std::string& yaml) {
  const ConfigText files[] = {{"fuzz.yml", "", yaml}};
  auto loaded = load_config(files);
  require(std::holds_alternative<LoadedConfig>(loaded), "a configuration of the tests is refused");
  return std::get<LoadedConfig>(std::move(loaded)).config;
}

// Machines a and b want the same devices now and then; the patterns are of the kind that costs the most.
inline const char kMachines[] = R"(
interval: 1s
machines:
  a:
    devices:
    - vendor-id: 1
    - udev: {env: [{name: ID_SERIAL_SHORT, pattern: '(x+x+)+y'}, {name: A, pattern: '^.*$'}]}
    - udev: {tags: [seat], current-tags: [seat]}
  b:
    foreign-devices: keep
    devices:
    - {bus: 2, vendor-id: 2}
    - {device: 3, allow-host-device: true}
    - udev: {env: [{name: M, equals: ''}]}
    - udev: {env: [{name: A, pattern: '([a-z]{1,20}){1,20}[^x]{0,50}z$'}]}
)";

inline const char kKeepsForeign[] = "b";

// Loaded once: patterns take their time to compile.
inline const Config& two_machines() {
  static const Config config = load(kMachines);
  return config;
}

inline const Config& one_machine() {
  static const Config config =
      load("{interval: 300ms, machines: {b: {devices: [{vendor-id: 1}, {device: 2}]}}}");
  return config;
}

}  // namespace whawty::fuzz
