// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// A client that speaks libvirt's RPC, as the real actuator does through the gate: its calls become the texts
// of the scripted hypervisor, and answers and events become messages.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "tests/gate/rpc.h"

namespace whawty::fake {

class RpcConnection {
 public:
  // Takes what came: each request that is there is handled, and what is answered at once is sent.
  void take(const std::string& bytes, const std::function<void(const std::string&)>& handle,
            const std::function<void(const std::string&)>& send);

  // The message for an answer to a request, or for an event.
  std::string message_of(const std::string& text);

 private:
  std::string request_of(const rpc::Frame& call);

  std::string in_;
  std::map<std::uint32_t, rpc::Frame> calls_;  // unanswered, by serial
};

}  // namespace whawty::fake
