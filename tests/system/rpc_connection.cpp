// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "rpc_connection.h"

#include <sstream>
#include <stdexcept>

#include "common/hostdev_xml.h"
#include "common/text.h"
#include "gate/message.h"

namespace whawty::fake {
namespace {

constexpr std::size_t kLongest = 4096;
constexpr std::uint32_t kLifecycle = 318;  // the event, as a message
constexpr std::uint32_t kStarted = 2;      // of virDomainEventType
constexpr std::uint32_t kRestored = 2;
constexpr std::uint32_t kStopped = 5;
constexpr std::uint32_t kFailed = 5;

Uuid uuid_in(XdrReader& arguments) {
  const auto number = [&] {
    const std::uint64_t high = arguments.word();
    return high << 32 | arguments.word();
  };
  const std::uint64_t high = number();
  return {high, number()};
}

std::string uuid_text(const Uuid& uuid) {
  return concat(uuid.high, ' ', uuid.low);
}

constexpr std::uint32_t kNoId = ~0U;  // of a domain that does not run

std::string rest_of(std::istringstream& text) {
  const auto at = text.tellg();
  return at < 0 ? "" : text.str().substr(static_cast<std::size_t>(at));
}

// Of the lines "HIGH LOW ID NAME"; the id is 0 if the domain does not run.
std::string listing(const std::string& body) {
  std::string domains;
  std::uint32_t count = 0;
  std::istringstream lines(body);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    Uuid uuid;
    std::uint32_t id = 0;
    std::string name;
    fields >> uuid.high >> uuid.low >> id >> name;
    domains += rpc::domain(name, uuid, id == 0 ? kNoId : id);
    ++count;
  }
  return rpc::words({count}) + domains + rpc::words({count});
}

// What is answered whatever the domains are.
std::string answer_at_once(const rpc::Frame& call) {
  switch (call.procedure) {
    case 66:
      return rpc::words({1, 0});  // one way to say who one is: none
    case 60:
      return rpc::words({1});  // yes
    case 316:
      return rpc::words({1U + static_cast<unsigned char>(call.arguments[3])});  // the number of the callback
    default:
      return "";
  }
}

}  // namespace

void RpcConnection::take(const std::string& bytes, const std::function<void(const std::string&)>& handle,
                         const std::function<void(const std::string&)>& send) {
  in_ += bytes;
  while (const auto frame = first_frame(in_, kLongest)) {
    const Message message = message_in(*frame);
    const Header& header = message.header;
    rpc::Frame call{header.procedure, std::string(message.arguments),
                    header.serial,    header.program,
                    header.version,   header.type,
                    header.status};
    in_.erase(0, frame->size());
    if (call.program == rpc::kKeepAlive) {
      call.procedure = 2;
      send(call.bytes());
      continue;
    }
    const std::string request = request_of(call);
    if (request.empty()) {
      send(rpc::reply(call, answer_at_once(call)).bytes());
      continue;
    }
    calls_[call.serial] = call;
    handle(concat(call.serial, ' ', request));
  }
}

std::string RpcConnection::request_of(const rpc::Frame& call) {
  XdrReader arguments(call.arguments);
  switch (call.procedure) {
    case 273:
      return "list";
    case 24:
      return "name " + uuid_text(uuid_in(arguments));
    case 14:
      arguments.text();
      return "describe " + uuid_text(uuid_in(arguments));
    case 160:
    case 161: {
      arguments.text();
      const Uuid uuid = uuid_in(arguments);
      arguments.word();
      const std::string_view xml = arguments.text();
      const Hostdev hostdev = (call.procedure == 160 ? marked_hostdev_in(xml) : hostdev_in(xml)).value();
      return concat(call.procedure == 160 ? "attach " : "detach ", uuid_text(uuid), ' ', hostdev.bus, ' ',
                    hostdev.device, ' ', hostdev.vendor, ' ', hostdev.product);
    }
    default:
      return "";
  }
}

std::string RpcConnection::message_of(const std::string& text) {
  std::istringstream fields(text);
  if (text.starts_with("changed ")) {
    std::string word;
    Uuid uuid;
    std::string name;
    std::string news;
    fields >> word >> uuid.high >> uuid.low >> name >> news;
    rpc::Words what{0, 0};
    if (news == "let-go") what = {kStarted, kRestored};
    if (news == "died") what = {kStopped, kFailed};
    return rpc::Frame{
        kLifecycle, rpc::words({1}) + rpc::domain(name, uuid) + rpc::words(what), 0, rpc::kRemote, 1, 2}
        .bytes();
  }
  std::uint32_t serial = 0;
  std::string kind;
  fields >> serial >> kind;
  const rpc::Frame call = calls_.extract(serial).mapped();
  if (kind != "done") {
    std::uint32_t code = 0;
    fields >> code;
    fields.get();
    return error_reply({call.program, 1, call.procedure, 0, serial, 0}, code, rest_of(fields));
  }
  fields.get();
  const std::string body = rest_of(fields);
  if (call.procedure == 273) return rpc::reply(call, listing(body)).bytes();
  if (call.procedure == 24)
    return rpc::reply(call, rpc::text(body) + call.arguments + rpc::words({7})).bytes();
  if (call.procedure == 14) return rpc::reply(call, rpc::text(body)).bytes();
  return rpc::reply(call, "").bytes();
}

}  // namespace whawty::fake
