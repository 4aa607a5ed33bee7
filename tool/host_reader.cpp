// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "tool/host_reader.h"

#include <memory>
#include <utility>

#include "common/bounds.h"
#include "common/sysfs.h"
#include "common/text.h"
#include "scanner/host_uses.h"
#include "scanner/proc_files.h"
#include "scanner/readers.h"

namespace whawty {
namespace {

// Interfaces are listed beside the devices, as "3-6.3:1.0".
std::vector<std::string> device_names() {
  const auto directory = SysfsDirectory::open(kUsbDevices);
  if (!directory) return {};
  std::vector<std::string> names = directory->names();
  std::erase_if(names, [](const std::string& name) { return name.find(':') != std::string::npos; });
  return names;
}

Reading read_or_facts(Readers& readers, const std::string& sysname, const std::vector<HostUse>& uses) {
  if (std::optional<Reading> reading = readers.read(sysname, uses)) return *std::move(reading);
  Reading facts{read_facts(sysname), "does not answer, one of its drivers is busy"};
  if (facts.device) facts.device->host_uses = uses;
  return facts;
}

}  // namespace

ReadDevices read_devices() {
  // Never destroyed: that would wait for devices that do not answer.
  Readers& readers = *std::make_unique<Readers>().release();
  const ProcFiles files;
  HostUses uses(files);
  uses.look(HostUses::Clock::now());
  ReadDevices read;
  for (const std::string& sysname : device_names()) {
    if (read.devices.size() == kMaxDevices) break;
    Reading reading = read_or_facts(readers, sysname, uses.of(sysname));
    if (!reading.complaint.empty())
      read.complaints.push_back(concat("USB device ", escape(sysname), ' ', reading.complaint));
    if (reading.device) read.devices.emplace(sysname, *std::move(reading.device));
  }
  return read;
}

}  // namespace whawty
