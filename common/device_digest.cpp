// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "common/device_digest.h"

#include <sha2.h>

#include <string>

namespace whawty {
namespace {

// The kernel gives the device descriptor and at most 64 KiB of each of at most 8 configurations.
constexpr std::size_t kMaxDescriptors = 18 + 8 * 65536;

Digest sha256(const std::string& bytes) {
  SHA2_CTX context;
  SHA256Init(&context);
  SHA256Update(&context, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  std::uint8_t raw[SHA256_DIGEST_LENGTH];
  SHA256Final(raw, &context);
  Digest digest{};
  for (std::size_t i = 0; i < sizeof raw; ++i) digest[i / 8] = digest[i / 8] << 8 | raw[i];
  return digest;
}

}  // namespace

std::optional<Digest> digest_of(const SysfsDirectory& device) {
  const auto descriptors = device.content("descriptors", kMaxDescriptors);
  if (!descriptors) return std::nullopt;
  // Many devices have no serial number, and then no such file. The length keeps the two parts apart.
  const std::string serial = device.attribute("serial").value_or("");
  return sha256(std::to_string(descriptors->size()) + ':' + *descriptors + serial);
}

}  // namespace whawty
