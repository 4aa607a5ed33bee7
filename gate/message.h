// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The messages of libvirt's RPC: a length and six words, then arguments in XDR.
// https://libvirt.org/kbase/internals/rpc.html, https://www.rfc-editor.org/rfc/rfc4506
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace whawty {

// The programs that share the stream, and the version of both.
inline constexpr std::uint32_t kRemoteProgram = 0x20008086;
inline constexpr std::uint32_t kKeepAliveProgram = 0x6b656570;
inline constexpr std::uint32_t kProgramVersion = 1;

enum MessageType : std::uint32_t { kCall = 0, kReply = 1, kEvent = 2 };
enum MessageStatus : std::uint32_t { kOk = 0, kError = 1 };

struct Header {
  std::uint32_t program = kRemoteProgram;
  std::uint32_t version = kProgramVersion;
  std::uint32_t procedure = 0;
  std::uint32_t type = kCall;
  std::uint32_t serial = 0;  // of a call, which its reply repeats
  std::uint32_t status = kOk;
  bool operator==(const Header&) const = default;
};
inline constexpr std::size_t kHeaderBytes = 28;  // with the length

struct Message {
  Header header;
  std::string_view arguments;  // in the frame
};

// Bytes that are no message.
struct Malformed : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The first frame of the bytes; nothing as long as it is not complete. Throws Malformed, as soon as its
// length is there, if that is less than a header's or beyond the bound.
std::optional<std::string_view> first_frame(std::string_view bytes, std::size_t longest);

// A frame of first_frame().
Message message_in(std::string_view frame);

// Takes arguments off the front. Once the bytes end too early, or padding is not zero, all that follows is 0
// and empty, and objection() says so.
class XdrReader {
 public:
  explicit XdrReader(std::string_view bytes) : rest_(bytes) {}

  std::uint32_t word();
  std::string_view opaque(std::size_t size);
  std::string_view text() { return opaque(word()); }

  // What is wrong so far, and what is wrong if nothing more is expected; null if nothing is.
  const char* objection() const { return objection_; }
  const char* objection_to_end() const;

 private:
  std::string_view rest_;
  const char* objection_ = nullptr;
};

// A message with arguments put behind each other.
class XdrWriter {
 public:
  XdrWriter& word(std::uint32_t value);
  XdrWriter& opaque(std::string_view bytes);
  XdrWriter& text(std::string_view bytes);

  std::string frame(const Header& header) const;

 private:
  std::string bytes_;
};

// A reply as libvirtd gives it to a call that failed, with a virErrorNumber.
std::string error_reply(const Header& call, std::uint32_t code, std::string_view reason);

}  // namespace whawty
