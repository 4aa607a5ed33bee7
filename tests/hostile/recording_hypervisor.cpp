// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// A Hypervisor that does nothing and writes down what it was asked for. Its URI is "recorded:" and the path
// of a file, to which each call adds a line: "list", "name 2", "attach 2 003/005 046d:0825"; a domain is the
// lower half of its UUID. There are three, named one, two and three. Where a thread can open a file that the
// actuator has no business with, its line says so.
#include <fcntl.h>
#include <unistd.h>

#include "actuator/hypervisor.h"
#include "common/fd.h"
#include "common/text.h"

namespace whawty {
namespace {

constexpr std::string_view kScheme = "recorded:";
constexpr const char* kNames[] = {"one", "two", "three"};

std::string numbers(const Hostdev& hostdev) {
  return concat(decimal(hostdev.bus, 3), '/', decimal(hostdev.device, 3), ' ', hex(hostdev.vendor, 4), ':',
                hex(hostdev.product, 4));
}

class RecordingHypervisor final : public Hypervisor {
 public:
  explicit RecordingHypervisor(Fd record) : record_(std::move(record)) {}

  std::variant<std::vector<DomainListed>, CallError> list() override {
    write("list");
    std::vector<DomainListed> domains;
    for (const char* const name : kNames) domains.push_back({{0, domains.size() + 1}, name, true});
    return domains;
  }

  std::variant<std::string, CallError> name(const Uuid& domain) override {
    write(concat("name ", domain.low));
    if (const char* const name = find(domain)) return std::string(name);
    return CallError{Outcome::kNoDomain, 42, "no such domain"};
  }

  std::variant<std::string, CallError> describe(const Uuid& domain) override {
    write(concat("describe ", domain.low));
    if (find(domain) != nullptr) return std::string("<domain id='1'/>");
    return CallError{Outcome::kNoDomain, 42, "no such domain"};
  }

  std::variant<std::monostate, CallError> attach(const Uuid& domain, const Hostdev& hostdev,
                                                 std::uint64_t) override {
    write(concat("attach ", domain.low, ' ', numbers(hostdev)));
    return std::monostate{};
  }

  std::variant<std::monostate, CallError> detach(const Uuid& domain, const Hostdev& hostdev) override {
    write(concat("detach ", domain.low, ' ', numbers(hostdev)));
    return std::monostate{};
  }

 private:
  static const char* find(const Uuid& domain) {
    return domain.high == 0 && domain.low >= 1 && domain.low <= 3 ? kNames[domain.low - 1] : nullptr;
  }

  // One write(2) a line: lines of several threads do not mix.
  void write(const std::string& call) const {
    const Fd file(::open("/etc/passwd", O_RDONLY | O_CLOEXEC));
    const std::string line = concat(call, file ? ", with access to files" : "", '\n');
    [[maybe_unused]] const ssize_t written = ::write(record_.get(), line.data(), line.size());
  }

  const Fd record_;
};

}  // namespace

std::variant<std::unique_ptr<Hypervisor>, std::string> open_hypervisor(const std::string& uri,
                                                                       HypervisorEvents&,
                                                                       const std::function<void()>&) {
  if (!uri.starts_with(kScheme)) return std::string("no such scheme");
  Fd record(::open(uri.c_str() + kScheme.size(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!record) return std::string("the record cannot be opened");
  return std::make_unique<RecordingHypervisor>(std::move(record));
}

}  // namespace whawty
