// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/said/evidence.h"

#include "common/hostdev_text.h"
#include "common/sha256.h"
#include "common/text.h"

namespace whawty {
namespace {

const char* text_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::kDone:
      return "done";
    case Outcome::kFailed:
      return "failed";
    case Outcome::kNoDomain:
      return "no-domain";
    case Outcome::kStalled:
      return "stalled";
    case Outcome::kOtherDevice:
      return "other-device";
    case Outcome::kSwapped:
      return "swapped";
    case Outcome::kNotListed:
      return "not-listed";
  }
  return "";
}

}  // namespace

void add_device(Record& record, const Device& device) {
  add_hostdev(record, {device.bus, device.number, device.vendor, device.product});
  record.add("USB_PORT", device.sysname);
  for (const auto& [name, value] : device.properties)
    if (name == "ID_SERIAL_SHORT") record.add("USB_SERIAL", value);
  if (device.digest) record.add("USB_DIGEST", to_string(*device.digest));
}

void add_hostdev(Record& record, const Hostdev& hostdev) {
  if (hostdev.bus != 0) record.add("USB_DEVICE", address_of(hostdev));
  if (hostdev.vendor != 0) record.add("USB_ID", ids_of(hostdev));
}

void add_guest(Record& record, const std::string& name, const Uuid& uuid) {
  record.add("GUEST_NAME", name).add("GUEST_UUID", to_string(uuid));
}

void add_result(Record& record, const Result& result) {
  record.add("REQUEST_ID", concat(result.request)).add("OUTCOME", text_of(result.outcome));
  if (result.outcome == Outcome::kDone) return;
  record.add("LIBVIRT_CODE", concat(result.libvirt_code)).add("LIBVIRT_MESSAGE", result.message);
}

}  // namespace whawty
