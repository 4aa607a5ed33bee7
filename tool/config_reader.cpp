// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "tool/config_reader.h"

#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "common/bounds.h"
#include "common/text.h"
#include "supervisor/config_files.h"

namespace whawty {
namespace {

std::string content_of(const Fd& file) {
  std::string content(kMaxConfigBytes + 1, '\0');
  const ssize_t length = ::pread(file.get(), content.data(), content.size(), 0);
  if (length < 0) throw std::system_error(errno, std::generic_category(), "reading a copy of a file");
  content.resize(static_cast<std::size_t>(length));
  return content;
}

}  // namespace

std::variant<ConfigTexts, std::string> read_config_texts(const std::string& path) {
  auto read = read_config_files(path, false);
  if (const auto* const error = std::get_if<ConfigReadError>(&read)) return error->message;
  auto& [copies, notices] = std::get<ConfigFiles>(read);
  ConfigTexts texts{{}, std::move(notices)};
  for (const ConfigCopy& copy : copies)
    texts.files.push_back({copy.name, copy.machine, content_of(copy.content)});
  // For any other user, a file of his own is not what the daemon is to read.
  if (::geteuid() != 0) return texts;
  const auto trusted = read_config_files(path, true);
  if (const auto* const error = std::get_if<ConfigReadError>(&trusted))
    texts.notices.push_back(error->message);
  return texts;
}

}  // namespace whawty
