// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// What the log says of devices and changes: one line each, with nothing in it that a device could make a line
// of.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "matcher/decided/plan.h"
#include "matcher/known/domain_table.h"
#include "protocol/actuator_to_matcher.h"

namespace whawty {

// "003/005 046d:0825 serial=3187B60 port=3-6.3", the serial if it has one.
std::string name_of(const Device& device);

// " vendor=Logitech model=HD_Webcam_C270", as udev has these names of the device, if it has any.
std::string names_in(const Device& device);

// "003/005 046d:0825", with what the live XML gives.
std::string name_of(const Hostdev& hostdev);

// "webcam-test[0]": the first rule of the machine.
std::string rule_name(const std::string& machine, std::size_t rule);

std::string reason_of(DetachReason reason);

// What such a hostdev can do, and what to do about it.
std::string text_of(const Empty& empty);

std::string text_of(const DomainNote& note);

// "sdb1 is mounted, sdb2 is swap": what the host does with a device.
std::string text_of(const std::vector<HostUse>& uses);

// "41 ms", or seconds from 10 s on.
std::string duration_text(std::chrono::nanoseconds duration);

// "libvirt says: ...: what it means: what to do", as far as that is known.
std::string failure_text(const Result& failure);

// The lines of debug mode for one device: its name, each property as "NAME = value", its tags.
std::vector<std::string> listing_of(const Device& device);

}  // namespace whawty
