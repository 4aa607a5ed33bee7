// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "protocol/supervisor_to_matcher.h"

#include "protocol/frame.h"
#include "protocol/schema/supervisor_to_matcher.capnp.h"

namespace whawty {
namespace {

constexpr std::size_t kMaxPath = 4096;
constexpr std::size_t kMaxFileName = 255;

ControlMessage read_message(schema::ControlMessage::Reader message) {
  switch (message.which()) {
    case schema::ControlMessage::FILE:
      return ConfigFile{frame::bytes(message.getFile().getName(), 1, kMaxPath, "a file's name"),
                        frame::bytes(message.getFile().getMachine(), 0, kMaxFileName, "a machine's name")};
    case schema::ControlMessage::COMMIT:
      return ConfigCommit{message.getCommit()};
    case schema::ControlMessage::PING:
      return Ping{};
  }
  throw Violation("a control message of an unknown kind");
}

struct Writer {
  schema::ControlMessage::Builder out;
  void operator()(const ConfigFile& file) {
    auto record = out.initFile();
    record.setName(frame::data(file.name));
    record.setMachine(frame::data(file.machine));
  }
  void operator()(const ConfigCommit& commit) { out.setCommit(commit.in_use_since); }
  void operator()(const Ping&) { out.setPing(); }
};

}  // namespace

Datagram encode(const ControlMessage& message) {
  frame::Builder builder(1024);
  std::visit(Writer{builder.initRoot<schema::ControlMessage>()}, message);
  return frame::finish(builder);
}

ControlMessage decode_control_message(const Datagram& datagram) {
  return frame::decode<schema::ControlMessage>(datagram, read_message);
}

}  // namespace whawty
