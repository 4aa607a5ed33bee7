// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "common/sha256.h"

#include <sha2.h>

#include "common/text.h"

namespace whawty {

Sha256 sha256(std::string_view bytes) {
  SHA2_CTX context;
  SHA256Init(&context);
  SHA256Update(&context, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  std::uint8_t raw[SHA256_DIGEST_LENGTH];
  SHA256Final(raw, &context);
  Sha256 digest{};
  for (std::size_t i = 0; i < sizeof raw; ++i) digest[i / 8] = digest[i / 8] << 8 | raw[i];
  return digest;
}

std::string to_string(const Sha256& digest) {
  std::string text;
  for (const std::uint64_t part : digest) text += hex(part, 16);
  return text;
}

}  // namespace whawty
