// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "supervisor/domain_list.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <sstream>
#include <stdexcept>

#include "common/bounds.h"
#include "common/text.h"
#include "supervisor/trust.h"

namespace whawty {
namespace {

[[noreturn]] void fail(const std::string& path, const std::string& why) {
  throw std::runtime_error(escape(path) + ": " + why);
}

std::string content_of(const Fd& file, const std::string& path) {
  std::string content(kMaxDomainList + 1, '\0');
  std::size_t length = 0;
  while (length < content.size()) {
    const ssize_t part = ::read(file.get(), content.data() + length, content.size() - length);
    if (part < 0 && errno == EINTR) continue;
    if (part < 0) fail(path, std::strerror(errno));
    if (part == 0) break;
    length += static_cast<std::size_t>(part);
  }
  if (length > kMaxDomainList) fail(path, concat("is larger than ", size_text(kMaxDomainList)));
  content.resize(length);
  if (content.find('\0') != std::string::npos) fail(path, "holds a NUL byte");
  return content;
}

std::string trimmed(const std::string& line) {
  constexpr std::string_view kBlank = " \t\r";
  const std::size_t first = line.find_first_not_of(kBlank);
  if (first == std::string::npos) return {};
  return line.substr(first, line.find_last_not_of(kBlank) - first + 1);
}

// As libvirt prints a UUID; any other text as it is.
std::string normalized(std::string domain) {
  constexpr std::size_t kUuidLength = 36;
  const bool is_uuid = domain.size() == kUuidLength &&
                       domain.find_first_not_of("0123456789abcdefABCDEF-") == std::string::npos;
  if (is_uuid)
    std::ranges::transform(domain, domain.begin(), [](unsigned char c) { return std::tolower(c); });
  return domain;
}

}  // namespace

std::vector<std::string> read_domain_list(const std::string& path, bool trusted_only) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file) fail(path, std::strerror(errno));
  if (const auto reason = trusted_only ? reason_not_to_trust(file, path) : std::nullopt)
    fail(path, "refused: " + *reason);
  std::vector<std::string> domains;
  std::istringstream lines(content_of(file, path));
  for (std::string line; std::getline(lines, line);) {
    const std::string domain = trimmed(line);
    if (!domain.empty() && domain.front() != '#') domains.push_back(normalized(domain));
  }
  return domains;
}

}  // namespace whawty
