// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
// The Hypervisor that is libvirt. All text that crosses it is passed on unread.
#include <endian.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <clocale>
#include <functional>
#include <latch>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "actuator/connection_advice.h"
#include "actuator/domain_events.h"
#include "actuator/hypervisor.h"
#include "common/hostdev_alias.h"
#include "common/hostdev_xml.h"
#include "common/text.h"
#include "common/worker.h"

namespace whawty {
namespace {

// libvirtd asks after five seconds of silence, as it is delivered, and its question counts as a sign of life.
// Who asks at the same time pays twice. Silence of three intervals, 18 s, ends the connection.
constexpr int kKeepAliveSeconds = 6;
constexpr unsigned kKeepAliveMisses = 2;
constexpr std::size_t kMaxHandles = 1024;
constexpr unsigned kNoId = static_cast<unsigned>(-1);  // of a domain that does not run

struct Free {
  void operator()(virConnectPtr connection) const { virConnectClose(connection); }
  void operator()(virDomainPtr domain) const {
    if (domain != nullptr) virDomainFree(domain);
  }
  void operator()(virDomainPtr* domains) const { free(domains); }
  void operator()(char* text) const { free(text); }
};
using Connection = std::unique_ptr<virConnect, Free>;
using Domain = std::shared_ptr<virDomain>;

// libvirt's form of a UUID: its 16 bytes in the order in which they are written.
using RawUuid = std::array<unsigned char, VIR_UUID_BUFLEN>;
static_assert(sizeof(RawUuid) == sizeof(Uuid));

Uuid uuid_of(virDomainPtr domain) {
  RawUuid bytes{};
  virDomainGetUUID(domain, bytes.data());
  const auto uuid = std::bit_cast<Uuid>(bytes);
  return {be64toh(uuid.high), be64toh(uuid.low)};
}

RawUuid raw(const Uuid& uuid) {
  return std::bit_cast<RawUuid>(Uuid{htobe64(uuid.high), htobe64(uuid.low)});
}

// The calling thread's last failure.
CallError last_error() {
  const virError* const error = virGetLastError();
  if (error == nullptr) return {Outcome::kFailed, 0, "libvirt gave no reason"};
  return {error->code == VIR_ERR_NO_DOMAIN ? Outcome::kNoDomain : Outcome::kFailed, error->code,
          error->message == nullptr ? "" : error->message};
}

std::string why_not_connected() {
  const virError* const error = virGetLastError();
  return concat(virGetLastErrorMessage(), error == nullptr ? "" : connection_advice(error->code));
}

void tell_changed(virDomainPtr domain, void* events, DomainNews news = {}) {
  const char* const name = virDomainGetName(domain);
  static_cast<HypervisorEvents*>(events)->domain_changed(uuid_of(domain), name == nullptr ? "" : name, news);
}

int on_lifecycle(virConnectPtr, virDomainPtr domain, int event, int detail, void* events) {
  tell_changed(domain, events, news_of(event, detail));
  return 0;
}

void on_device(virConnectPtr, virDomainPtr domain, const char*, void* events) {
  tell_changed(domain, events);
}

void on_close(virConnectPtr, int reason, void* events) {
  static_cast<HypervisorEvents*>(events)->connection_lost(
      reason == VIR_CONNECT_CLOSE_REASON_KEEPALIVE ? ConnectionEnd::kSilent : ConnectionEnd::kClosed);
}

// libvirt would print every error to stderr otherwise.
void ignore_error(void*, virErrorPtr) {}

// The event loop that libvirt serves its connections and keepalive with. It has begun when this returns and
// never ends, because both take system calls that a sealed process does not have.
void start_event_loop(const std::function<void()>& restrict) {
  static std::latch running(1);
  static const bool started = [&] {
    // libvirt converts the system's messages to UTF-8, and in any other locale would open files for that.
    if (std::setlocale(LC_ALL, "C.UTF-8") == nullptr) throw std::runtime_error("there is no locale C.UTF-8");
    virSetErrorFunc(nullptr, ignore_error);
    if (virInitialize() < 0 || virEventRegisterDefaultImpl() < 0)
      throw std::runtime_error(virGetLastErrorMessage());
    std::thread([restrict] {
      ::_exit(exit_code_of([&] {
        restrict();
        running.count_down();
        while (virEventRunDefaultImpl() == 0) {
        }
        throw std::runtime_error(concat("libvirt's event loop failed: ", virGetLastErrorMessage()));
      }));
    }).detach();
    running.wait();
    return true;
  }();
  static_cast<void>(started);
}

// What VIR_DOMAIN_EVENT_CALLBACK does, without what newer compilers say of a cast from one function type to
// another.
template <typename Callback>
virConnectDomainEventGenericCallback any_event(Callback* callback) {
  return reinterpret_cast<virConnectDomainEventGenericCallback>(reinterpret_cast<void (*)()>(callback));
}

bool subscribe(virConnectPtr connection, HypervisorEvents& events) {
  const auto device = any_event(on_device);
  return virConnectRegisterCloseCallback(connection, on_close, &events, nullptr) == 0 &&
         virConnectSetKeepAlive(connection, kKeepAliveSeconds, kKeepAliveMisses) >= 0 &&
         virConnectDomainEventRegisterAny(connection, nullptr, VIR_DOMAIN_EVENT_ID_LIFECYCLE,
                                          any_event(on_lifecycle), &events, nullptr) >= 0 &&
         virConnectDomainEventRegisterAny(connection, nullptr, VIR_DOMAIN_EVENT_ID_DEVICE_ADDED, device,
                                          &events, nullptr) >= 0 &&
         virConnectDomainEventRegisterAny(connection, nullptr, VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, device,
                                          &events, nullptr) >= 0;
}

class LibvirtHypervisor : public Hypervisor {
 public:
  explicit LibvirtHypervisor(Connection connection) : connection_(std::move(connection)) {}

  std::variant<std::vector<DomainListed>, CallError> list() override {
    virDomainPtr* found = nullptr;
    const int count = virConnectListAllDomains(connection_.get(), &found, 0);
    if (count < 0) return last_error();
    const std::unique_ptr<virDomainPtr, Free> owned(found);
    std::vector<DomainListed> domains;
    for (int i = 0; i < count; ++i) {
      const Domain domain(found[i], Free{});
      const char* const name = virDomainGetName(domain.get());
      const unsigned id = virDomainGetID(domain.get());  // as it was when the list was made
      const bool active = id != kNoId;
      domains.push_back({uuid_of(domain.get()), name == nullptr ? "" : name, active, active ? id : 0});
    }
    return domains;
  }

  // A handle keeps the name that the domain had when it was made.
  std::variant<std::string, CallError> name(const Uuid& uuid) override {
    const Domain domain(virDomainLookupByUUID(connection_.get(), raw(uuid).data()), Free{});
    if (!domain) return last_error();
    return std::string(virDomainGetName(domain.get()));
  }

  std::variant<std::string, CallError> describe(const Uuid& uuid) override {
    const Domain domain = look_up(uuid);
    if (!domain) return last_error();
    const std::unique_ptr<char, Free> xml(virDomainGetXMLDesc(domain.get(), 0));
    if (!xml) return last_error();
    return std::string(xml.get());
  }

  std::variant<std::monostate, CallError> attach(const Uuid& uuid, const Hostdev& hostdev, std::uint64_t mark,
                                                 std::uint64_t occasion) override {
    return change(uuid, marked_hostdev_xml(hostdev, hostdev_alias(mark, occasion)),
                  virDomainAttachDeviceFlags);
  }

  std::variant<std::monostate, CallError> detach(const Uuid& uuid, const Hostdev& hostdev) override {
    return change(uuid, hostdev_xml(hostdev), virDomainDetachDeviceFlags);
  }

 private:
  // A handle stands for whatever domain has that UUID at the time of a call, so it is looked up only once.
  Domain look_up(const Uuid& uuid) {
    {
      const std::lock_guard lock(mutex_);
      if (const auto known = domains_.find(uuid); known != domains_.end()) return known->second;
    }
    virDomainPtr found = virDomainLookupByUUID(connection_.get(), raw(uuid).data());
    if (found == nullptr) return nullptr;
    Domain domain(found, Free{});
    const std::lock_guard lock(mutex_);
    if (domains_.size() < kMaxHandles) domains_[uuid] = domain;
    return domain;
  }

  std::variant<std::monostate, CallError> change(const Uuid& uuid, const std::string& xml,
                                                 int (*call)(virDomainPtr, const char*, unsigned)) {
    const Domain domain = look_up(uuid);
    if (!domain || call(domain.get(), xml.c_str(), VIR_DOMAIN_AFFECT_LIVE) != 0) return last_error();
    return std::monostate{};
  }

  Connection connection_;
  std::mutex mutex_;
  std::map<Uuid, Domain> domains_;
};

}  // namespace

std::variant<std::unique_ptr<Hypervisor>, std::string> open_hypervisor(
    const std::string& uri, HypervisorEvents& events, const std::function<void()>& restrict) {
  start_event_loop(restrict);
  Connection connection(virConnectOpenAuth(uri.c_str(), nullptr, VIR_CONNECT_NO_ALIASES));
  if (!connection || !subscribe(connection.get(), events)) return why_not_connected();
  return std::make_unique<LibvirtHypervisor>(std::move(connection));
}

}  // namespace whawty
