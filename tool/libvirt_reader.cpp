// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "tool/libvirt_reader.h"

#include <endian.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <array>
#include <bit>
#include <cstdlib>
#include <memory>

#include "common/bounds.h"
#include "common/text.h"
#include "matcher/known/domain_xml.h"

namespace whawty {
namespace {

struct Free {
  void operator()(virConnectPtr connection) const { virConnectClose(connection); }
  void operator()(virDomainPtr domain) const { virDomainFree(domain); }
  void operator()(virDomainPtr* domains) const { free(domains); }
  void operator()(char* text) const { free(text); }
};

// libvirt would print every error to stderr otherwise.
void ignore_error(void*, virErrorPtr) {}

std::string last_error() {
  return escape(virGetLastErrorMessage());
}

Uuid uuid_of(virDomainPtr domain) {
  std::array<unsigned char, VIR_UUID_BUFLEN> bytes{};
  virDomainGetUUID(domain, bytes.data());
  const auto uuid = std::bit_cast<Uuid>(bytes);
  return {be64toh(uuid.high), be64toh(uuid.low)};
}

// One that cannot be described, or has ended meanwhile, is not settled.
Domain describe(virDomainPtr handle) {
  const char* const name = virDomainGetName(handle);
  Domain domain{{name == nullptr ? "" : name, uuid_of(handle), virDomainIsActive(handle) == 1}};
  if (!domain.guest.running) return domain;
  domain.settled = false;
  const std::unique_ptr<char, Free> xml(virDomainGetXMLDesc(handle, 0));
  if (!xml || std::string_view(xml.get()).size() > kMaxXml) return domain;
  auto parsed = parse_domain_xml(xml.get());
  auto* const description = std::get_if<DomainDescription>(&parsed);
  if (description == nullptr || description->hostdevs.size() > kMaxHostdevs) return domain;
  domain.settled = description->active;
  domain.hostdevs = std::move(description->hostdevs);
  return domain;
}

}  // namespace

std::variant<std::vector<Domain>, std::string> read_domains(const std::string& uri) {
  virSetErrorFunc(nullptr, ignore_error);
  const std::unique_ptr<virConnect, Free> connection(virConnectOpenReadOnly(uri.c_str()));
  if (!connection) return last_error();
  virDomainPtr* found = nullptr;
  const int count = virConnectListAllDomains(connection.get(), &found, 0);
  if (count < 0) return last_error();
  const std::unique_ptr<virDomainPtr, Free> owned(found);
  std::vector<Domain> domains;
  for (int i = 0; i < count; ++i) {
    const std::unique_ptr<virDomain, Free> domain(found[i]);
    if (domains.size() < kMaxDomains) domains.push_back(describe(domain.get()));
  }
  return domains;
}

}  // namespace whawty
