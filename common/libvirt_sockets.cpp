// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "common/libvirt_sockets.h"

#include <sys/un.h>

namespace whawty {
namespace {

constexpr const char* kModular = "/run/libvirt/virtqemud-sock";
constexpr const char* kMonolithic = "/run/libvirt/libvirt-sock";
constexpr std::string_view kSocket = "?socket=";

// As it is to be written: a URI could say the same in other ways.
bool is_plain_path(std::string_view path) {
  return path.starts_with('/') && path.size() < sizeof sockaddr_un{}.sun_path &&
         path.find_first_of("%&#?") == std::string_view::npos;
}

}  // namespace

std::vector<std::string> libvirt_sockets(const std::string& uri) {
  std::string_view rest = uri;
  for (const std::string_view begin : {"qemu:///system", "qemu+unix:///system"})
    if (rest.starts_with(begin)) rest.remove_prefix(begin.size());
  if (rest.size() == uri.size()) return {};
  if (rest.empty()) return {kModular, kMonolithic};
  if (!rest.starts_with(kSocket) || !is_plain_path(rest.substr(kSocket.size()))) return {};
  return {std::string(rest.substr(kSocket.size()))};
}

}  // namespace whawty
