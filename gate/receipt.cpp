// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "gate/receipt.h"

#include "common/hostdev_text.h"
#include "common/log.h"
#include "common/record.h"
#include "common/text.h"

namespace whawty {
namespace {

const char* change_of(const Receipt& receipt) {
  return receipt.attach ? "attach" : "detach";
}

const char* outcome_of(const Receipt& receipt) {
  switch (receipt.stage) {
    case Receipt::Stage::kAsked:
      return "asked";
    case Receipt::Stage::kDone:
      return "done";
    case Receipt::Stage::kFailed:
      return "failed";
  }
  return "";
}

Record record_of(const Receipt& receipt) {
  Record record{Event::kReceipt};
  record.add("CHANGE", change_of(receipt)).add("GUEST_UUID", to_string(receipt.domain));
  if (receipt.hostdev.bus != 0) record.add("USB_DEVICE", address_of(receipt.hostdev));
  if (receipt.hostdev.vendor != 0) record.add("USB_ID", ids_of(receipt.hostdev));
  if (receipt.attach) record.add("REQUEST_ID", concat(receipt.request));
  record.add("OUTCOME", outcome_of(receipt));
  if (receipt.stage == Receipt::Stage::kAsked) return record;
  if (receipt.stage == Receipt::Stage::kFailed) record.add("LIBVIRT_CODE", concat(receipt.error));
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(receipt.took);
  return record.add("DURATION_USEC", concat(took.count()));
}

}  // namespace

std::string text_of(const Receipt& receipt) {
  std::string text =
      concat("receipt: ", change_of(receipt), " of ", address_of(receipt.hostdev), ' ',
             ids_of(receipt.hostdev), ", domain ", to_string(receipt.domain), ": ", outcome_of(receipt));
  if (receipt.stage == Receipt::Stage::kAsked) return text;
  if (receipt.stage == Receipt::Stage::kFailed) text += concat(", error ", receipt.error);
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(receipt.took);
  return concat(text, ", ", took.count(), " ms");
}

void write_down(const Receipt& receipt) {
  if (log::takes_records() || log::debug_enabled())
    log::line(log::Level::kDebug, text_of(receipt), record_of(receipt));
}

}  // namespace whawty
