// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "libvirt.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <sstream>
#include <system_error>

#include "common/text.h"
#include "tests/unix_socket.h"

namespace whawty::fake {
namespace {

constexpr int kOperationFailed = 9;    // VIR_ERR_OPERATION_FAILED
constexpr int kOperationInvalid = 55;  // VIR_ERR_OPERATION_INVALID
constexpr int kOperationTimeout = 68;  // VIR_ERR_OPERATION_TIMEOUT

void check(bool done, const char* what) {
  if (!done) throw std::system_error(errno, std::generic_category(), what);
}

void send_bytes(int connection, const std::string& bytes) {
  // An actuator that is gone misses nothing.
  [[maybe_unused]] const ssize_t sent = ::send(connection, bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

Fd listening(int type, const std::string& path) {
  Fd listener(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
  check(bind_to(listener, path), "bind");
  check(::chmod(path.c_str(), 0666) == 0, "chmod");
  check(::listen(listener.get(), 8) == 0, "listen");
  return listener;
}

std::string name_of(const Hostdev& hostdev) {
  return concat(decimal(hostdev.bus, 3), '/', decimal(hostdev.device, 3), ' ', hex(hostdev.vendor, 4), ':',
                hex(hostdev.product, 4));
}

bool is_change(const std::string& call) {
  return call.starts_with("attach") || call.starts_with("detach");
}

// As libvirt shows it: with an alias and the guest's own address, which is not the host's.
std::string xml_of(const Hostdev& hostdev) {
  return concat("<hostdev mode='subsystem' type='usb' managed='yes'><source><vendor id='0x",
                hex(hostdev.vendor, 4), "'/><product id='0x", hex(hostdev.product, 4), "'/><address bus='",
                hostdev.bus, "' device='", hostdev.device,
                "'/></source><alias name='hostdev0'/><address type='usb' bus='0' port='1'/></hostdev>");
}

}  // namespace

Libvirt::~Libvirt() {
  stop_.reset();
  if (thread_.joinable()) thread_.join();
}

void Libvirt::start() {
  listener_ = listening(SOCK_SEQPACKET, socket_);
  rpc_listener_ = listening(SOCK_STREAM, socket_ + kRpc);
  int ends[2];
  check(::pipe2(ends, O_CLOEXEC) == 0, "pipe");
  stopped_ = Fd(ends[0]);
  stop_ = Fd(ends[1]);
  thread_ = std::jthread([this] { serve(); });
}

void Libvirt::serve() {
  while (true) {
    std::vector<pollfd> waits{
        {stopped_.get(), POLLIN, 0}, {listener_.get(), POLLIN, 0}, {rpc_listener_.get(), POLLIN, 0}};
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [number, connection] : connections_) waits.push_back({number, POLLIN, 0});
    }
    ::poll(waits.data(), waits.size(), -1);
    if (waits[0].revents != 0) return;
    const std::lock_guard lock(mutex_);
    if (waits[1].revents != 0) accept(listener_);
    if (waits[2].revents != 0) rpc_[accept(rpc_listener_)];
    for (std::size_t i = 3; i < waits.size(); ++i)
      if (waits[i].revents != 0) receive(waits[i].fd);
  }
}

int Libvirt::accept(const Fd& listener) {
  Fd connection(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  const int number = connection.get();
  if (connection) connections_.emplace(number, std::move(connection));
  return number;
}

void Libvirt::receive(int connection) {
  char text[4096];
  const ssize_t length = ::read(connection, text, sizeof text);
  const auto rpc = rpc_.find(connection);
  if (length > 0) {
    const std::string received(text, static_cast<std::size_t>(length));
    if (rpc == rpc_.end()) return handle(connection, received);
    return rpc->second.take(
        received, [&](const std::string& request) { handle(connection, request); },
        [&](const std::string& bytes) { send_bytes(connection, bytes); });
  }
  connections_.erase(connection);
  rpc_.erase(connection);
  for (auto& [name, domain] : domains_)
    std::erase_if(domain.unanswered,
                  [connection](const auto& request) { return request.first == connection; });
}

void Libvirt::send(int connection, const std::string& text) {
  const auto rpc = rpc_.find(connection);
  send_bytes(connection, rpc == rpc_.end() ? text : rpc->second.message_of(text));
}

void Libvirt::handle(int connection, const std::string& request) {
  const auto domain = find(request);
  if (domain != domains_.end() && domain->second.hangs) {
    domain->second.unanswered.emplace_back(connection, request);
    return;
  }
  const std::string id = request.substr(0, request.find(' '));
  send(connection, id + ' ' + answer_to(request));
}

std::map<std::string, Libvirt::Domain>::iterator Libvirt::find(const std::string& request) {
  std::istringstream fields(request);
  std::string id;
  std::string verb;
  Uuid uuid;
  fields >> id >> verb >> uuid.high >> uuid.low;
  return std::find_if(domains_.begin(), domains_.end(),
                      [&](const auto& entry) { return entry.second.uuid == uuid; });
}

std::string Libvirt::answer_to(const std::string& request) {
  std::istringstream fields(request);
  std::string id;
  std::string verb;
  Uuid uuid;
  Hostdev hostdev;
  fields >> id >> verb >> uuid.high >> uuid.low >> hostdev.bus >> hostdev.device >> hostdev.vendor >>
      hostdev.product;
  const auto found = find(request);
  const std::string of = verb == "list" ? "" : found == domains_.end() ? " nobody" : ' ' + found->first;
  calls_.push_back(verb + of + (is_change(verb) ? ' ' + name_of(hostdev) : ""));
  if (verb == "list") return listing();
  if (found == domains_.end()) return "no-domain 42 Domain not found";
  auto& [name, domain] = *found;
  if (verb == "name") return "done " + name;
  if (verb == "describe" && domain.busy) {
    ++descriptions_refused_;
    return concat("failed ", kOperationTimeout,
                  " Timed out during operation: cannot acquire state change lock (held by "
                  "monitor=remoteDispatchDomainAttachDeviceFlags)");
  }
  if (verb == "describe") return "done " + xml(name, domain);
  return change(verb, name, domain, hostdev);
}

std::string Libvirt::listing() const {
  std::string text = "done ";
  for (const auto& [name, domain] : domains_)
    text += concat(domain.uuid.high, ' ', domain.uuid.low, ' ', domain.id, ' ', name, '\n');
  return text;
}

std::string Libvirt::xml(const std::string& name, const Domain& domain) const {
  std::string devices = domain.more_devices;
  for (const Hostdev& hostdev : domain.hostdevs) devices += xml_of(hostdev);
  return concat("<domain type='kvm'", domain.id == 0 ? "" : concat(" id='", domain.id, "'"), "><name>", name,
                "</name><devices>", devices, "</devices></domain>");
}

std::string Libvirt::change(const std::string& verb, const std::string& name, Domain& domain,
                            const Hostdev& hostdev) {
  if (domain.id == 0) return concat("failed ", kOperationInvalid, " domain is not running");
  std::string answer = verb == "attach" ? attach(name, domain, hostdev) : detach(domain, hostdev);
  if (answer.starts_with("done")) tell_changed(name);
  return answer;
}

std::string Libvirt::attach(const std::string& name, Domain& domain, const Hostdev& hostdev) {
  if (failures_left_ > 0) {
    --failures_left_;
    return concat("failed ", kOperationFailed, ' ', failure_);
  }
  for (const auto& [holder, other] : domains_) {
    if (std::find(other.hostdevs.begin(), other.hostdevs.end(), hostdev) == other.hostdevs.end()) continue;
    return concat("failed ", kOperationInvalid, " USB device ", name_of(hostdev),
                  " is in use by driver QEMU, domain ", holder, ", wanted by ", name);
  }
  domain.hostdevs.push_back(hostdev);
  return "done ";
}

std::string Libvirt::detach(Domain& domain, const Hostdev& hostdev) {
  if (std::erase(domain.hostdevs, hostdev) == 0)
    return concat("failed ", kOperationFailed, " device not found");
  return "done ";
}

void Libvirt::tell_changed(const std::string& name, const std::string& news) {
  const Uuid& uuid = domains_.at(name).uuid;
  for (const auto& [number, connection] : connections_)
    send(number, concat("changed ", uuid.high, ' ', uuid.low, ' ', name, ' ', news));
}

void Libvirt::disconnect() {
  const std::lock_guard lock(mutex_);
  for (const auto& [number, connection] : connections_) ::shutdown(number, SHUT_RDWR);
}

void Libvirt::define(const std::string& name, bool running, const std::string& more_devices) {
  const std::lock_guard lock(mutex_);
  Domain domain;
  domain.uuid = {kUuids, domains_.size() + 1};
  if (running) domain.id = ++last_id_;
  domain.more_devices = more_devices;
  domains_.emplace(name, domain);
}

void Libvirt::give(const std::string& name, const Hostdev& hostdev) {
  const std::lock_guard lock(mutex_);
  domains_.at(name).hostdevs.push_back(hostdev);
}

void Libvirt::change_state(const std::string& name, bool running, const std::vector<Hostdev>& hostdevs,
                           const std::string& news) {
  const std::lock_guard lock(mutex_);
  Domain& domain = domains_.at(name);
  domain.id = running ? ++last_id_ : 0;
  domain.hostdevs = hostdevs;
  tell_changed(name, news);
}

void Libvirt::restart_silently(const std::string& name) {
  take_silently(name);
  const std::lock_guard lock(mutex_);
  domains_.at(name).id = ++last_id_;
}

void Libvirt::take_silently(const std::string& name) {
  const std::lock_guard lock(mutex_);
  domains_.at(name).hostdevs.clear();
}

void Libvirt::fail_attaches(int times, const std::string& words) {
  const std::lock_guard lock(mutex_);
  failures_left_ = times;
  failure_ = words;
}

void Libvirt::set_busy(const std::string& name, bool busy) {
  const std::lock_guard lock(mutex_);
  domains_.at(name).busy = busy;
  tell_changed(name);
}

int Libvirt::descriptions_refused() const {
  const std::lock_guard lock(mutex_);
  return descriptions_refused_;
}

void Libvirt::hang(const std::string& name) {
  const std::lock_guard lock(mutex_);
  domains_.at(name).hangs = true;
}

void Libvirt::resume(const std::string& name) {
  const std::lock_guard lock(mutex_);
  Domain& domain = domains_.at(name);
  domain.hangs = false;
  for (const auto& [connection, request] : std::exchange(domain.unanswered, {})) handle(connection, request);
}

std::vector<Hostdev> Libvirt::hostdevs(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  return domains_.at(name).hostdevs;
}

std::vector<std::string> Libvirt::calls() const {
  const std::lock_guard lock(mutex_);
  return calls_;
}

std::vector<std::string> Libvirt::changes() const {
  std::vector<std::string> changes = calls();
  std::erase_if(changes, [](const std::string& call) { return !is_change(call); });
  return changes;
}

int Libvirt::listings() const {
  const std::vector<std::string> all = calls();
  return static_cast<int>(std::count(all.begin(), all.end(), "list"));
}

int Libvirt::descriptions() const {
  const std::vector<std::string> all = calls();
  return static_cast<int>(std::count_if(
      all.begin(), all.end(), [](const std::string& call) { return call.starts_with("describe "); }));
}

}  // namespace whawty::fake
