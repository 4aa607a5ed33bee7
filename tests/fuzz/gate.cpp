// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "gate/gate.h"

#include "tests/fuzz/targets.h"
#include "tests/gate/passing.h"

namespace whawty::fuzz {
namespace {

// Whoever speaks for libvirtd names the domain, and answers each call at once.
void answer(Gate& gate, const std::string& frame) {
  const Message call = message_in(frame);
  if (call.header.type != kCall) return;
  rpc::Frame reply{call.header.procedure, "", call.header.serial, rpc::kRemote, 1, 1, 1};
  if (call.header.procedure == procedure::kDomainLookupByUuid) {
    reply.status = 0;
    reply.arguments = rpc::domain(rpc::kName, rpc::kUuid);
  }
  gate.from_server(reply.bytes(), {});
}

void name_domain(Gate& gate) {
  const std::string call = rpc::look_up().bytes();
  gate.from_client(call, {});
  answer(gate, call);
}

// What libvirtd says harms nothing but the connection.
bool hear(std::string_view bytes) {
  Gate gate({}, [](const Hostdev&) { return true; });
  gate.from_client(rpc::list().bytes(), {});
  try {
    while (const auto frame = first_answer(bytes)) {
      gate.from_server(*frame, {});
      bytes.remove_prefix(frame->size());
    }
  } catch (const Malformed&) {
    return false;
  }
  return true;
}

}  // namespace

bool gate(std::string_view bytes) {
  if (!bytes.empty() && bytes.front() == 'S') return hear(bytes.substr(1));
  Gate gate({}, [](const Hostdev&) { return true; });
  name_domain(gate);
  bool passed = false;
  try {
    while (const auto frame = first_call(bytes)) {
      require(!gate.from_client(*frame, {}), "the host was not asked");
      passed = true;
      require(rpc::is_passing(std::string(*frame)), "something else passes the gate");
      answer(gate, std::string(*frame));
      bytes.remove_prefix(frame->size());
    }
  } catch (const Malformed&) {
  } catch (const Refused&) {
  }
  return passed;
}

}  // namespace whawty::fuzz
