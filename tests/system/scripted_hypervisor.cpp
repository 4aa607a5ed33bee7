// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// A Hypervisor that asks the test process, instead of libvirt. Its URI is "scripted:" and the path of the
// socket at which the test listens (tests/system/libvirt.h). One line or text a datagram:
//   to the test    ID list | ID name or describe HIGH LOW
//                  ID attach or detach HIGH LOW BUS DEVICE VENDOR PRODUCT
//   from the test  ID done BODY | ID failed CODE MESSAGE | ID no-domain 0 MESSAGE
//                  changed HIGH LOW NAME [let-go or died]
// The body of a list is a line "HIGH LOW ID NAME" for each domain, with the id 0 if it does not run, that of
// a description the XML. All numbers are decimal. With the URI "idle:" it is there at once, has no thread,
// and each call fails.
//
// A call that comes from a thread that may still read files of the host ends the process.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <cstdint>
#include <cstring>
#include <latch>
#include <map>
#include <mutex>
#include <sstream>
#include <string_view>
#include <thread>

#include "actuator/hypervisor.h"
#include "common/exit_code.h"
#include "common/fd.h"
#include "common/log.h"
#include "common/text.h"
#include "tests/unix_socket.h"

namespace whawty {
namespace {

constexpr std::string_view kScheme = "scripted:";
constexpr std::string_view kIdle = "idle:";
constexpr std::size_t kMaxText = 128 * 1024;  // bytes

std::string rest_of(std::istringstream& text) {
  const auto at = text.tellg();
  return at < 0 ? "" : text.str().substr(static_cast<std::size_t>(at));
}

class ScriptedHypervisor : public Hypervisor {
 public:
  ScriptedHypervisor(Fd socket, HypervisorEvents& events, const std::function<void()>& restrict)
      : socket_(std::move(socket)), events_(events) {
    if (!socket_) return;
    std::thread([this, restrict] {
      restrict();
      listen();
    }).detach();
    listening_.wait();
  }

  std::variant<std::vector<DomainListed>, CallError> list() override {
    const auto answer = ask("list");
    if (const auto* const error = std::get_if<CallError>(&answer)) return *error;
    std::vector<DomainListed> domains;
    std::istringstream lines(std::get<std::string>(answer));
    for (std::string line; std::getline(lines, line);) {
      std::istringstream fields(line);
      DomainListed domain;
      fields >> domain.uuid.high >> domain.uuid.low >> domain.run >> domain.name;
      domain.active = domain.run != 0;
      domains.push_back(domain);
    }
    return domains;
  }

  std::variant<std::string, CallError> name(const Uuid& uuid) override {
    return ask(concat("name ", uuid.high, ' ', uuid.low));
  }

  std::variant<std::string, CallError> describe(const Uuid& uuid) override {
    return ask(concat("describe ", uuid.high, ' ', uuid.low));
  }

  std::variant<std::monostate, CallError> attach(const Uuid& uuid, const Hostdev& hostdev, std::uint64_t,
                                                 std::uint64_t) override {
    return change("attach", uuid, hostdev);
  }

  std::variant<std::monostate, CallError> detach(const Uuid& uuid, const Hostdev& hostdev) override {
    return change("detach", uuid, hostdev);
  }

 private:
  std::variant<std::monostate, CallError> change(const char* verb, const Uuid& uuid, const Hostdev& hostdev) {
    const auto answer = ask(concat(verb, ' ', uuid.high, ' ', uuid.low, ' ', hostdev.bus, ' ', hostdev.device,
                                   ' ', hostdev.vendor, ' ', hostdev.product));
    if (const auto* const error = std::get_if<CallError>(&answer)) return *error;
    return std::monostate{};
  }

  std::variant<std::string, CallError> ask(const std::string& question) {
    if (Fd(::open("/etc/passwd", O_RDONLY | O_CLOEXEC))) {
      log::error(question, ": from a thread that may read files");
      ::_exit(kExitFailure);
    }
    std::unique_lock lock(mutex_);
    const std::uint64_t id = ++last_id_;
    const std::string text = concat(id, ' ', question);
    if (::write(socket_.get(), text.data(), text.size()) < 0)
      return CallError{Outcome::kFailed, 38, std::strerror(errno)};
    answered_.wait(lock, [&] { return answers_.contains(id); });
    return result_of(answers_.extract(id).mapped());
  }

  static std::variant<std::string, CallError> result_of(const std::string& text) {
    std::istringstream answer(text);
    std::string kind;
    answer >> kind;
    answer.get();
    if (kind == "done") return rest_of(answer);
    CallError error;
    error.outcome = kind == "failed" ? Outcome::kFailed : Outcome::kNoDomain;
    answer >> error.code;
    answer.get();
    error.message = rest_of(answer);
    return error;
  }

  void listen() {
    listening_.count_down();
    std::string text(kMaxText, '\0');
    while (true) {
      const ssize_t length = ::read(socket_.get(), text.data(), text.size());
      if (length <= 0) break;
      take(text.substr(0, static_cast<std::size_t>(length)));
    }
    events_.connection_lost(ConnectionEnd::kClosed);
    // The end of a thread takes a system call that a sealed process does not have.
    ::poll(nullptr, 0, -1);
  }

  void take(const std::string& text) {
    std::istringstream fields(text);
    if (text.starts_with("changed ")) {
      std::string word;
      Uuid uuid;
      std::string name;
      fields >> word >> uuid.high >> uuid.low >> name;
      std::string news;
      fields >> news;
      return events_.domain_changed(uuid, name, {.let_go = news == "let-go", .died = news == "died"});
    }
    std::uint64_t id = 0;
    fields >> id;
    fields.get();
    const std::lock_guard lock(mutex_);
    answers_[id] = rest_of(fields);
    answered_.notify_all();
  }

  const Fd socket_;
  HypervisorEvents& events_;
  std::latch listening_{1};
  std::mutex mutex_;
  std::condition_variable answered_;
  std::uint64_t last_id_ = 0;
  std::map<std::uint64_t, std::string> answers_;
};

}  // namespace

std::variant<std::unique_ptr<Hypervisor>, std::string> open_hypervisor(
    const std::string& uri, HypervisorEvents& events, const std::function<void()>& restrict) {
  if (uri == kIdle) return std::make_unique<ScriptedHypervisor>(Fd(), events, restrict);
  if (!uri.starts_with(kScheme)) return "no scripted hypervisor: " + uri;
  ::signal(SIGPIPE, SIG_IGN);
  Fd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (!connect_to(socket, uri.substr(kScheme.size()))) return std::string(std::strerror(errno));
  return std::make_unique<ScriptedHypervisor>(std::move(socket), events, restrict);
}

}  // namespace whawty
