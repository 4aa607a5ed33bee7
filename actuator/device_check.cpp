// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "actuator/device_check.h"

#include "common/usb_device.h"

namespace whawty {

DeviceCheck::Finding DeviceCheck::look(const Hostdev& hostdev, const Digest& digest) const {
  const auto device = usb_device(devices_, hostdev);
  const auto found = device ? digest_of(*device) : std::nullopt;
  if (!found) return Finding::kGone;
  const bool barred = is_barred(*device);
  // The numbers last: through the open directory they can be read only as long as the device is there.
  const bool meant = found == digest && has_numbers(*device, hostdev);
  if (meant) return barred ? Finding::kBarred : Finding::kMeant;
  return device->attribute("devnum") ? Finding::kOther : Finding::kGone;
}

}  // namespace whawty
