// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Whether anything has happened to any device of the host since all USB devices were read: the kernel counts
// the events that it sends, and udevd writes a record for each.
#pragma once

#include <optional>
#include <string>

#include "scanner/proc_files.h"

namespace whawty {

class Stillness {
 public:
  explicit Stillness(const ProcFiles& files) : files_(files) {}

  // Before all devices are read; and when each was found to be what it will be until an event says otherwise.
  // That counts only if udevd had nothing to do meanwhile, since the kernel counts an event before udevd has
  // it.
  void begin();
  void confirm();

  // Whether nothing has happened since begin, and that was confirmed.
  bool holds() const;

 private:
  std::optional<std::string> state() const;

  const ProcFiles& files_;
  std::optional<std::string> begun_;  // the state then
  std::optional<std::string> still_;  // the same, once it is confirmed
};

}  // namespace whawty
