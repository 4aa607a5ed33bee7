// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "scanner/stillness.h"

#include "common/text.h"
#include "scanner/udev_data.h"

namespace whawty {

void Stillness::begin() {
  still_.reset();
  begun_ = udevd_is_idle() ? state() : std::nullopt;
}

void Stillness::confirm() {
  if (udevd_is_idle()) still_ = begun_;
}

bool Stillness::holds() const {
  return still_ && state() == still_;
}

// Any other state says that something has happened. Nothing if that cannot be known.
std::optional<std::string> Stillness::state() const {
  const auto count = files_.count_of_events();
  const auto records = last_change_of_records();
  if (!count || !records) return std::nullopt;
  return concat(*count, ' ', records->tv_sec, ' ', records->tv_nsec);
}

}  // namespace whawty
