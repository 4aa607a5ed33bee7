// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "protocol/matcher_to_supervisor.h"

#include "protocol/frame.h"
#include "protocol/schema/matcher_to_supervisor.capnp.h"

namespace whawty {
namespace {

PolicyMessage read_message(schema::PolicyMessage::Reader message) {
  switch (message.which()) {
    case schema::PolicyMessage::ACCEPTED:
      return ConfigAccepted{};
    case schema::PolicyMessage::REJECTED:
      return ConfigRejected{};
    case schema::PolicyMessage::STATUS: {
      const auto status = message.getStatus();
      return Status{status.getLibvirtConnected(), status.getMachines(), status.getRunning(),
                    status.getDevices(), status.getAttached()};
    }
    case schema::PolicyMessage::PONG:
      return Pong{};
    case schema::PolicyMessage::AWAKE:
      return Awake{};
  }
  throw Violation("a policy message of an unknown kind");
}

struct Writer {
  schema::PolicyMessage::Builder out;
  void operator()(const ConfigAccepted&) { out.setAccepted(); }
  void operator()(const ConfigRejected&) { out.setRejected(); }
  void operator()(const Pong&) { out.setPong(); }
  void operator()(const Awake&) { out.setAwake(); }
  void operator()(const Status& status) {
    auto record = out.initStatus();
    record.setLibvirtConnected(status.libvirt_connected);
    record.setMachines(status.machines);
    record.setRunning(status.running);
    record.setDevices(status.devices);
    record.setAttached(status.attached);
  }
};

}  // namespace

Datagram encode(const PolicyMessage& message) {
  frame::Builder builder;
  std::visit(Writer{builder.initRoot<schema::PolicyMessage>()}, message);
  return frame::finish(builder);
}

PolicyMessage decode_policy_message(const Datagram& datagram) {
  return frame::decode<schema::PolicyMessage>(datagram, read_message);
}

}  // namespace whawty
