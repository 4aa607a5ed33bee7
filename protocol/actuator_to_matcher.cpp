// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "protocol/actuator_to_matcher.h"

#include "common/bounds.h"
#include "protocol/frame.h"
#include "protocol/schema/actuator_to_matcher.capnp.h"

namespace whawty {
namespace {

void write_uuid(schema::Uuid::Builder out, const Uuid& uuid) {
  out.setHigh(uuid.high);
  out.setLow(uuid.low);
}

Uuid read_uuid(schema::Uuid::Reader uuid) {
  return {uuid.getHigh(), uuid.getLow()};
}

std::string read_name(schema::Domain::Reader domain) {
  return frame::bytes(domain.getName(), 1, kMaxDomainName, "a domain's name");
}

Outcome read_outcome(schema::Outcome outcome) {
  switch (outcome) {
    case schema::Outcome::DONE:
      return Outcome::kDone;
    case schema::Outcome::FAILED:
      return Outcome::kFailed;
    case schema::Outcome::NO_DOMAIN:
      return Outcome::kNoDomain;
    case schema::Outcome::STALLED:
      return Outcome::kStalled;
    case schema::Outcome::OTHER_DEVICE:
      return Outcome::kOtherDevice;
    case schema::Outcome::SWAPPED:
      return Outcome::kSwapped;
    case schema::Outcome::NOT_LISTED:
      return Outcome::kNotListed;
  }
  throw Violation("a result of an unknown kind");
}

ActuatorMessage read_message(schema::ActuatorMessage::Reader message) {
  switch (message.which()) {
    case schema::ActuatorMessage::DOMAIN: {
      const auto domain = message.getDomain();
      return DomainListed{read_uuid(domain.getUuid()), read_name(domain), domain.getActive(),
                          domain.getRun()};
    }
    case schema::ActuatorMessage::CHANGED: {
      const auto domain = message.getChanged();
      return DomainChanged{
          read_uuid(domain.getUuid()), read_name(domain), {domain.getLetGo(), domain.getDied()}};
    }
    case schema::ActuatorMessage::XML: {
      const auto chunk = message.getXml();
      return XmlChunk{chunk.getRequest(),
                      frame::bytes(chunk.getData(), 1, kMaxXmlChunk, "a part of a domain's XML")};
    }
    case schema::ActuatorMessage::RESULT: {
      const auto result = message.getResult();
      return Result{result.getRequest(), read_outcome(result.getOutcome()), result.getLibvirtCode(),
                    frame::bytes(result.getMessage(), 0, kMaxResultMessage, "a result's message"),
                    result.getMicroseconds()};
    }
    case schema::ActuatorMessage::STALLED:
      return DomainStalled{read_uuid(message.getStalled())};
    case schema::ActuatorMessage::AWAKE:
      return Awake{};
  }
  throw Violation("an actuator message of an unknown kind");
}

struct Writer {
  schema::ActuatorMessage::Builder out;
  void operator()(const DomainListed& listed) {
    auto domain = out.initDomain();
    write_uuid(domain.initUuid(), listed.uuid);
    domain.setName(frame::data(listed.name));
    domain.setActive(listed.active);
    domain.setRun(listed.run);
  }
  void operator()(const DomainChanged& changed) {
    auto domain = out.initChanged();
    write_uuid(domain.initUuid(), changed.uuid);
    domain.setName(frame::data(changed.name));
    domain.setLetGo(changed.news.let_go);
    domain.setDied(changed.news.died);
  }
  void operator()(const XmlChunk& chunk) {
    auto xml = out.initXml();
    xml.setRequest(chunk.request);
    xml.setData(frame::data(chunk.data));
  }
  void operator()(const Result& result) {
    auto answer = out.initResult();
    answer.setRequest(result.request);
    answer.setOutcome(static_cast<schema::Outcome>(result.outcome));
    answer.setLibvirtCode(result.libvirt_code);
    answer.setMessage(frame::data(result.message));
    answer.setMicroseconds(result.microseconds);
  }
  void operator()(const DomainStalled& stalled) { write_uuid(out.initStalled(), stalled.uuid); }
  void operator()(const Awake&) { out.setAwake(); }
};

}  // namespace

Datagram encode(const ActuatorMessage& message) {
  frame::Builder builder(std::holds_alternative<XmlChunk>(message) ? frame::kMaxWords : 256);
  std::visit(Writer{builder.initRoot<schema::ActuatorMessage>()}, message);
  return frame::finish(builder);
}

ActuatorMessage decode_actuator_message(const Datagram& datagram) {
  return frame::decode<schema::ActuatorMessage>(datagram, read_message);
}

}  // namespace whawty
