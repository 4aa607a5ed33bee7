// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "gate/gate.h"

#include <algorithm>
#include <utility>

#include "common/hostdev_xml.h"
#include "common/text.h"

namespace whawty {
namespace {

constexpr std::uint32_t kOperationFailed = 9;  // VIR_ERR_OPERATION_FAILED
constexpr std::uint32_t kAuthSasl = 1;         // remote_auth_type of remote_protocol.x
constexpr std::size_t kShown = 256;            // bytes of a message that the log shows

std::uint64_t read_number(XdrReader& arguments) {
  const std::uint64_t high = arguments.word();
  return high << 32 | arguments.word();
}

Uuid read_uuid(XdrReader& arguments) {
  const std::uint64_t high = read_number(arguments);
  return {high, read_number(arguments)};
}

// What it says to a reader: its text, with a dot for each other byte.
std::string text_in(std::string_view bytes) {
  std::string text(bytes.substr(0, kShown));
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c < 0x20 || c > 0x7e; }, '.');
  return text;
}

std::string refusal(const Message& message, const char* objection) {
  const Header& tried = message.header;
  return concat("ALARM: the actuator tried procedure ", tried.procedure, " of program 0x",
                hex(tried.program, 8), ", version ", tried.version, ", type ", tried.type, ", status ",
                tried.status, ", serial ", tried.serial, ": ", objection, ". Its ", message.arguments.size(),
                " bytes: ", text_in(message.arguments));
}

// The client takes the first way that libvirtd offers. That of SASL is made of calls that may not pass.
void expect_no_sasl(XdrReader& ways) {
  if (ways.word() > 0 && ways.word() == kAuthSasl)
    throw std::runtime_error(
        "libvirtd asks for SASL at its socket: auth_unix_rw in libvirtd.conf must be \"polkit\" or \"none\"");
}

// The change of a domain that the XML makes. Nothing if the XML is not of the form that it must have.
std::optional<Receipt> change_in(std::string_view xml, bool attach, const Uuid& domain) {
  const auto hostdev = attach ? marked_hostdev_in(xml) : hostdev_in(xml);
  if (!hostdev) return std::nullopt;
  return Receipt{
      .attach = attach, .domain = domain, .hostdev = *hostdev, .request = attach ? occasion_in(xml) : 0};
}

bool is_of(const CallRule& rule, const Header& header) {
  return rule.program == header.program && header.version == kProgramVersion &&
         rule.procedure == header.procedure && rule.type == header.type && header.status == kOk;
}

}  // namespace

std::optional<std::string> Gate::from_client(std::string_view frame, Clock::time_point now) {
  rate_.count(now);
  const Message message = message_in(frame);
  const Passage passage = look_at(message);
  if (passage.objection != nullptr) throw Refused(refusal(message, passage.objection));
  // It may have left since the actuator looked.
  if (passage.change && passage.change->attach && !may_go_(passage.change->hostdev))
    return error_reply(message.header, kOperationFailed,
                       "Did not find USB device, or it is a hub, or the host has not authorized it");
  if (message.header.type == kCall)
    unanswered_[message.header.serial] = {message.header.procedure, passage.change, now};
  if (passage.change) receipts_.push_back(*passage.change);
  return std::nullopt;
}

Gate::Passage Gate::look_at(const Message& message) const {
  const Header& header = message.header;
  if (header.type == kCall && unanswered_.size() >= kCalls) return {"too many unanswered calls", {}};
  if (header.type == kCall && unanswered_.contains(header.serial))
    return {"the serial of an unanswered call", {}};
  if (header.type != kCall && header.serial != 0) return {"a serial", {}};
  Passage passage{"no message of this kind may pass", {}};
  for (const CallRule& rule : rules_) {
    if (!is_of(rule, header)) continue;
    passage = match(rule, message.arguments);
    if (passage.objection == nullptr) break;
  }
  return passage;
}

Gate::Passage Gate::match(const CallRule& rule, std::string_view bytes) const {
  XdrReader arguments(bytes);
  Passage passage;
  Uuid domain;
  const auto expect = [&passage](bool holds, const char* objection) {
    if (!holds && passage.objection == nullptr) passage.objection = objection;
  };
  for (const Argument& argument : rule.arguments) {
    switch (argument.form) {
      case Form::kNone:
        break;
      case Form::kWord:
        expect(arguments.word() == argument.word, "another number");
        break;
      case Form::kUri:
        expect(arguments.text() == kDriver, "another driver");
        break;
      case Form::kUuid:
        read_uuid(arguments);
        break;
      case Form::kDomain:
      case Form::kOwnDomain: {
        const std::string_view name = arguments.text();
        domain = read_uuid(arguments);
        arguments.word();  // the id, which says nothing that the UUID does not
        const char* const objection = objection_to_domain(name, domain, argument.form == Form::kOwnDomain);
        expect(objection == nullptr, objection);
        break;
      }
      case Form::kNewHostdev:
      case Form::kKnownHostdev:
        passage.change = change_in(arguments.text(), argument.form == Form::kNewHostdev, domain);
        expect(passage.change.has_value(), "XML of another form");
        break;
    }
  }
  const char* const end = arguments.objection_to_end();
  expect(end == nullptr, end);
  return passage;
}

const char* Gate::objection_to_domain(std::string_view name, const Uuid& uuid, bool own) const {
  const auto known = names_.find(uuid);
  if (known == names_.end()) return "a domain that libvirtd has not named";
  const std::vector<std::string>& names = known->second.names;
  if (std::find(names.begin(), names.end(), name) == names.end()) return "another domain's name";
  // The client may still use an earlier name. The list is about the one that the domain has.
  if (own && !domains_.allows(known->first, names.back())) return "a domain that is not in the list";
  return nullptr;
}

void Gate::from_server(std::string_view frame, Clock::time_point now) {
  const Message message = message_in(frame);
  if (message.header.type == kReply && message.header.program == kRemoteProgram)
    return answered(message, now);
  if (message.header.type != kEvent) throw Malformed("libvirtd sent neither a reply nor an event");
}

void Gate::answered(const Message& reply, Clock::time_point now) {
  const auto call = unanswered_.extract(reply.header.serial);
  if (call.empty() || call.mapped().procedure != reply.header.procedure)
    throw Malformed("libvirtd answered what it was not asked");
  const bool done = reply.header.status == kOk;
  XdrReader arguments(reply.arguments);
  if (auto& change = call.mapped().change) {
    change->stage = done ? Receipt::Stage::kDone : Receipt::Stage::kFailed;
    change->error = done ? 0 : arguments.word();
    change->took = now - call.mapped().since;
    receipts_.push_back(*change);
  }
  if (!done) return;
  if (reply.header.procedure == procedure::kAuthList) expect_no_sasl(arguments);
  if (reply.header.procedure == procedure::kConnectOpen) opened_ = true;
  if (reply.header.procedure == procedure::kDomainLookupByUuid) learn(arguments, 1);
  if (reply.header.procedure == procedure::kConnectListAllDomains) learn(arguments, arguments.word());
}

void Gate::learn(XdrReader& domains, std::uint32_t how_many) {
  for (std::uint32_t i = 0; i < how_many && domains.objection() == nullptr; ++i) {
    const std::string_view name = domains.text();
    const Uuid uuid = read_uuid(domains);
    domains.word();  // the id
    if (domains.objection() == nullptr) learn(uuid, name);
  }
  if (domains.objection() != nullptr) throw Malformed("libvirtd sent domains that end too early");
}

void Gate::learn(const Uuid& uuid, std::string_view name) {
  // The daemon does nothing for a domain with a name that its messages do not hold.
  if (name.empty() || name.size() > kMaxDomainName) return;
  Names& known = names_[uuid];
  known.given = ++times_given_;
  std::erase(known.names, name);
  known.names.emplace_back(name);
  if (known.names.size() > kMaxNamesOfDomain) known.names.erase(known.names.begin());
  if (names_.size() <= kMaxDomainsNamed) return;
  names_.erase(std::min_element(names_.begin(), names_.end(), [](const auto& one, const auto& other) {
    return one.second.given < other.second.given;
  }));
}

}  // namespace whawty
