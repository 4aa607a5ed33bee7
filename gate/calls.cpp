// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "gate/calls.h"

namespace whawty {
namespace {

constexpr Argument kNo = word(0);
constexpr Argument kYes = word(1);
constexpr Argument kUri{Form::kUri};
constexpr Argument kUuid{Form::kUuid};
constexpr Argument kDomain{Form::kDomain};
constexpr Argument kOwnDomain{Form::kOwnDomain};
constexpr Argument kNewHostdev{Form::kNewHostdev};
constexpr Argument kKnownHostdev{Form::kKnownHostdev};

constexpr Argument kNoFlags = word(0);
constexpr Argument kLive = word(1);

using namespace procedure;

constexpr CallRule kRules[] = {
    {kRemoteProgram, kCall, kAuthList, {}, "the client's first question: how it is to say who it is"},
    {kRemoteProgram, kCall, kAuthPolkit, {}, "libvirtd asks polkit about everybody but root"},
    {kRemoteProgram, kCall, kConnectOpen, {kYes, kUri, kNoFlags}, "opening the connection to QEMU's driver"},
    {kRemoteProgram, kCall, kConnectClose, {}, "closing it, when it cannot be used"},
    {kRemoteProgram, kCall, kConnectSupportsFeature, {word(15)}, "whether events come by callback"},
    {kRemoteProgram, kCall, kConnectSupportsFeature, {word(14)}, "whether libvirtd tells that it closes"},
    {kRemoteProgram, kCall, kConnectSupportsFeature, {word(10)}, "whether it has a keepalive"},
    {kRemoteProgram, kCall, kConnectRegisterCloseCallback, {}, "to be told that libvirtd closes"},
    {kRemoteProgram,
     kCall,
     kConnectDomainEventCallbackRegisterAny,
     {word(0), kNo},
     "events: a domain's life"},
    {kRemoteProgram,
     kCall,
     kConnectDomainEventCallbackRegisterAny,
     {word(15), kNo},
     "events: device removed"},
    {kRemoteProgram, kCall, kConnectDomainEventCallbackRegisterAny, {word(19), kNo}, "events: device added"},
    {kRemoteProgram, kCall, kConnectListAllDomains, {kYes, kNoFlags}, "all domains, whether they run or not"},
    {kRemoteProgram, kCall, kDomainLookupByUuid, {kUuid}, "the name that a domain has now"},
    {kRemoteProgram, kCall, kDomainGetXmlDesc, {kDomain, kNoFlags}, "what a domain has; no passwords"},
    {kRemoteProgram,
     kCall,
     kDomainAttachDeviceFlags,
     {kOwnDomain, kNewHostdev, kLive},
     "a USB device for a running domain"},
    {kRemoteProgram,
     kCall,
     kDomainDetachDeviceFlags,
     {kOwnDomain, kKnownHostdev, kLive},
     "a USB device that a running domain has"},
    {kKeepAliveProgram, kEvent, kPing, {}, "whether libvirtd answers"},
    {kKeepAliveProgram, kEvent, kPong, {}, "the answer to libvirtd's own question"},
};

}  // namespace

const std::span<const CallRule> kCallRules{kRules};

}  // namespace whawty
