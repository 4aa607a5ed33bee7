// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "gate/message.h"

#include "common/text.h"

namespace whawty {
namespace {

constexpr std::size_t kWord = 4;  // bytes, to which all is padded

std::uint32_t first_word(std::string_view bytes) {
  std::uint32_t value = 0;
  for (const char byte : bytes.substr(0, kWord)) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

std::size_t padding(std::size_t size) {
  return (kWord - size % kWord) % kWord;
}

}  // namespace

std::optional<std::string_view> first_frame(std::string_view bytes, std::size_t longest) {
  if (bytes.size() < kWord) return std::nullopt;
  const std::uint32_t length = first_word(bytes);
  if (length < kHeaderBytes || length > longest)
    throw Malformed(
        concat("a message of ", length, " bytes, where ", kHeaderBytes, " to ", longest, " can be"));
  if (bytes.size() < length) return std::nullopt;
  return bytes.substr(0, length);
}

Message message_in(std::string_view frame) {
  XdrReader words(frame.substr(kWord));
  Header header;
  for (std::uint32_t* const field :
       {&header.program, &header.version, &header.procedure, &header.type, &header.serial, &header.status})
    *field = words.word();
  return {header, frame.substr(kHeaderBytes)};
}

std::uint32_t XdrReader::word() {
  return first_word(opaque(kWord));
}

std::string_view XdrReader::opaque(std::size_t size) {
  if (objection_ == nullptr && (size > rest_.size() || padding(size) > rest_.size() - size))
    objection_ = "too few bytes";
  if (objection_ != nullptr) return {};
  const std::string_view bytes = rest_.substr(0, size);
  const std::string_view pad = rest_.substr(size, padding(size));
  rest_.remove_prefix(size + pad.size());
  if (pad.find_first_not_of('\0') != std::string_view::npos) objection_ = "padding that is not zero";
  return bytes;
}

const char* XdrReader::objection_to_end() const {
  if (objection_ != nullptr || rest_.empty()) return objection_;
  return "too many bytes";
}

XdrWriter& XdrWriter::word(std::uint32_t value) {
  for (const unsigned shift : {24U, 16U, 8U, 0U}) bytes_ += static_cast<char>(value >> shift & 0xff);
  return *this;
}

XdrWriter& XdrWriter::opaque(std::string_view bytes) {
  bytes_.append(bytes).append(padding(bytes.size()), '\0');
  return *this;
}

XdrWriter& XdrWriter::text(std::string_view bytes) {
  return word(static_cast<std::uint32_t>(bytes.size())).opaque(bytes);
}

std::string XdrWriter::frame(const Header& header) const {
  XdrWriter words;
  words.word(static_cast<std::uint32_t>(kHeaderBytes + bytes_.size()));
  for (const std::uint32_t field :
       {header.program, header.version, header.procedure, header.type, header.serial, header.status})
    words.word(field);
  return words.bytes_ + bytes_;
}

// virNetMessageError: code, domain, message, level; a domain, three texts, two numbers and a network, none of
// which is given.
std::string error_reply(const Header& call, std::uint32_t code, std::string_view reason) {
  constexpr std::uint32_t kNone = 0;
  constexpr std::uint32_t kGiven = 1;
  constexpr std::uint32_t kLevelError = 2;
  XdrWriter error;
  error.word(code).word(kNone).word(kGiven).text(reason).word(kLevelError);
  for (int i = 0; i < 7; ++i) error.word(kNone);
  Header header = call;
  header.type = kReply;
  header.status = kError;
  return error.frame(header);
}

}  // namespace whawty
