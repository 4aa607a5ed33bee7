// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "tool/record.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "common/bounds.h"
#include "common/text.h"

namespace whawty {
namespace {

constexpr std::string_view kFirstLine = "whawty-libvirt-usb-hotplugctl record 1";
constexpr std::string_view kNoDomains = "no-domains";
constexpr std::string_view kLastLine = "end";  // what is cut off is no record

constexpr std::pair<HostUseKind, std::string_view> kUses[] = {
    {HostUseKind::kMounted, "mounted"},   {HostUseKind::kSwap, "swap"},
    {HostUseKind::kHeld, "held"},         {HostUseKind::kSettling, "settling"},
    {HostUseKind::kUnknown, "unknown"},   {HostUseKind::kDefaultRoute, "default-route"},
    {HostUseKind::kKeyboard, "keyboard"},
};
static_assert(std::size(kUses) == static_cast<std::size_t>(kLastHostUseKind) + 1);

// A text that a blank ends.
std::string word(std::string_view bytes) {
  std::string text = escape(bytes);
  for (std::size_t at = 0; (at = text.find(' ', at)) != std::string::npos;) text.replace(at, 1, "\\x20");
  return text;
}

std::string yes_or_no(bool value) {
  return value ? "yes" : "no";
}

void write_device(const Device& device, std::string& text) {
  text += concat("device ", word(device.sysname), ' ', device.bus, ' ', device.number, ' ',
                 hex(device.vendor, 4), ' ', hex(device.product, 4), ' ', hex(device.device_class, 2), '\n');
  for (const std::uint8_t one : device.interface_classes) text += concat("  interface ", hex(one, 2), '\n');
  if (!device.authorized) text += "  not-authorized\n";
  if (device.driver == DriverKind::kUsbfs) text += "  usbfs\n";
  if (device.driver == DriverKind::kHost) text += concat("  driver ", word(device.host_driver), '\n');
  if (device.properties_omitted) text += "  properties-omitted\n";
  if (device.digest) {
    text += "  digest";
    for (const std::uint64_t part : *device.digest) text += ' ' + hex(part, 16);
    text += '\n';
  }
  for (const auto& [kind, name] : device.host_uses)
    text += concat("  use ", name_of_use(kind), ' ', word(name), '\n');
  for (const auto& [name, value] : device.properties)
    text += concat("  property ", word(name), ' ', escape(value), '\n');
  for (const std::string& tag : device.tags) text += concat("  tag ", word(tag), '\n');
  for (const std::string& tag : device.current_tags) text += concat("  current-tag ", word(tag), '\n');
}

void write_domain(const Domain& domain, std::string& text) {
  const auto& [name, uuid, running] = domain.guest;
  text += concat("domain ", hex(uuid.high, 16), ' ', hex(uuid.low, 16), ' ', yes_or_no(running), ' ',
                 yes_or_no(domain.settled), ' ', word(name), '\n');
  for (const LiveHostdev& one : domain.hostdevs) {
    text += concat("  hostdev ", one.bus, ' ', one.device, ' ', hex(one.vendor, 4), ' ', hex(one.product, 4),
                   ' ', yes_or_no(one.ours), ' ', yes_or_no(one.missing));
    text += one.mark ? ' ' + hex(*one.mark, 16) + '\n' : "\n";
  }
}

struct Mistake {
  std::string message;
};

[[noreturn]] void fail(const std::string& message) {
  throw Mistake{message};
}

std::string unescaped(std::string_view text) {
  std::string bytes;
  while (!text.empty()) {
    if (text[0] < ' ' || text[0] > '~') fail("a byte that is not printable ASCII");
    if (text[0] != '\\') {
      bytes += text[0];
      text.remove_prefix(1);
      continue;
    }
    unsigned byte = 0;
    const char* const digits = text.data() + 2;
    if (text.size() < 4 || text[1] != 'x' || std::from_chars(digits, digits + 2, byte, 16).ptr != digits + 2)
      fail("a backslash without x and two hexadecimal digits");
    bytes += static_cast<char>(byte);
    text.remove_prefix(4);
  }
  return bytes;
}

// The words of one line, from left to right.
class Line {
 public:
  explicit Line(std::string_view text) : rest_(text) {}

  bool at_end() const { return rest_.empty(); }

  std::string_view token() {
    if (rest_.empty()) fail("the line ends too early");
    const std::size_t end = std::min(rest_.find(' '), rest_.size());
    const std::string_view token = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    return token;
  }
  std::string word() { return unescaped(token()); }
  std::string rest() { return unescaped(std::exchange(rest_, {})); }

  template <std::unsigned_integral Number>
  Number number(int base) {
    const std::string_view text = token();
    Number value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc{} || end != text.data() + text.size())
      fail(concat('\'', escape(text.substr(0, 40)), "' is no number that can stand here"));
    return value;
  }

  bool yes_or_no() {
    const std::string_view text = token();
    if (text != "yes" && text != "no") fail("neither yes nor no");
    return text == "yes";
  }

 private:
  std::string_view rest_;
};

HostUseKind use_kind(std::string_view name) {
  for (const auto& [kind, text] : kUses)
    if (text == name) return kind;
  fail("an unknown use of a device");
}

// Whether libvirt's XML can name a device like that: by ids, by an address, or by both.
bool is_named(const LiveHostdev& hostdev) {
  const bool has_ids = hostdev.vendor != 0, has_address = hostdev.bus != 0;
  return (has_ids || has_address) && (has_ids || hostdev.product == 0) &&
         has_address == (hostdev.device != 0);
}

// Puts a host together, line by line.
class Reader {
 public:
  void take(std::string_view text) {
    if (ended_) fail("a line behind the end");
    const bool detail = text.starts_with("  ");
    Line line(detail ? text.substr(2) : text);
    const std::string_view key = line.token();
    if (!detail) {
      begin(key, line);
    } else if (domain_ != nullptr && key == "hostdev") {
      take_hostdev(line);
    } else if (device_) {
      take_detail(key, line);
    } else {
      fail("a line that belongs to nothing");
    }
    if (!line.at_end()) fail("the line has more than is expected");
  }

  Host finish() {
    end_device();
    if (!ended_) fail(concat("the last line is not '", kLastLine, '\''));
    if (!host_.domains && !no_domains_) host_.domains.emplace();
    return std::move(host_);
  }

 private:
  void begin(std::string_view key, Line& line) {
    end_device();
    domain_ = nullptr;
    if (key == "device") {
      begin_device(line);
    } else if (key == kNoDomains && !host_.domains) {
      no_domains_ = true;
    } else if (key == "domain" && !no_domains_) {
      begin_domain(line);
    } else if (key == kLastLine) {
      ended_ = true;
    } else {
      fail(concat("unknown: '", escape(key.substr(0, 40)), '\''));
    }
  }

  void begin_device(Line& line) {
    Device& device = device_.emplace();
    device.sysname = line.word();
    device.bus = line.number<std::uint16_t>(10);
    device.number = line.number<std::uint16_t>(10);
    device.vendor = line.number<std::uint16_t>(16);
    device.product = line.number<std::uint16_t>(16);
    device.device_class = line.number<std::uint8_t>(16);
  }

  void begin_domain(Line& line) {
    if (!host_.domains) host_.domains.emplace();
    if (host_.domains->size() == kMaxDomains) fail("too many domains");
    Domain domain;
    domain.guest.uuid.high = line.number<std::uint64_t>(16);
    domain.guest.uuid.low = line.number<std::uint64_t>(16);
    domain.guest.running = line.yes_or_no();
    domain.settled = line.yes_or_no();
    domain.guest.name = line.word();
    if (domain.guest.name.size() > kMaxDomainName) fail("a name that is too long");
    if (!names_.insert(domain.guest.name).second || !uuids_.insert(domain.guest.uuid).second)
      fail("a second domain with that name or UUID");
    domain_ = &host_.domains->emplace_back(std::move(domain));
  }

  void take_hostdev(Line& line) {
    LiveHostdev hostdev;
    hostdev.bus = line.number<std::uint16_t>(10);
    hostdev.device = line.number<std::uint16_t>(10);
    hostdev.vendor = line.number<std::uint16_t>(16);
    hostdev.product = line.number<std::uint16_t>(16);
    hostdev.ours = line.yes_or_no();
    hostdev.missing = line.yes_or_no();
    if (!line.at_end()) hostdev.mark = line.number<std::uint64_t>(16);
    if (hostdev.bus > kMaxBus || hostdev.device > kMaxDeviceNumber) fail("numbers out of bounds");
    if (!is_named(hostdev)) fail("neither vendor and product nor an address, or half of one");
    if (domain_->hostdevs.size() == kMaxHostdevs || ++hostdevs_ > kMaxHostdevsOfAll)
      fail("too many hostdevs");
    domain_->hostdevs.push_back(hostdev);
  }

  void take_detail(std::string_view key, Line& line) {
    Device& device = *device_;
    if (key == "interface") {
      device.interface_classes.push_back(line.number<std::uint8_t>(16));
    } else if (key == "not-authorized") {
      device.authorized = false;
    } else if (key == "usbfs") {
      device.driver = DriverKind::kUsbfs;
    } else if (key == "driver") {
      device.driver = DriverKind::kHost;
      device.host_driver = line.word();
    } else if (key == "properties-omitted") {
      device.properties_omitted = true;
    } else if (key == "digest") {
      for (std::uint64_t& part : device.digest.emplace()) part = line.number<std::uint64_t>(16);
    } else if (key == "use") {
      const HostUseKind kind = use_kind(line.token());
      device.host_uses.push_back({kind, line.word()});
    } else if (key == "property") {
      std::string name = line.word();
      device.properties.push_back({std::move(name), line.rest()});
    } else if (key == "tag") {
      device.tags.push_back(line.word());
    } else if (key == "current-tag") {
      device.current_tags.push_back(line.word());
    } else {
      fail(concat("unknown: '", escape(key.substr(0, 40)), '\''));
    }
  }

  void end_device() {
    if (!device_) return;
    if (const std::string_view objection = objection_to(*device_); !objection.empty())
      fail(concat("the device above has ", objection));
    footprint_ += footprint(*device_);
    if (host_.devices.size() == kMaxDevices || footprint_ > kMaxFootprint) fail("too many devices");
    std::string sysname = device_->sysname;
    if (!host_.devices.emplace(std::move(sysname), *std::move(device_)).second)
      fail("a second device with the port of the device above");
    device_.reset();
  }

  Host host_;
  std::optional<Device> device_;
  Domain* domain_ = nullptr;
  bool no_domains_ = false;
  bool ended_ = false;
  std::size_t footprint_ = 0;
  std::size_t hostdevs_ = 0;
  std::set<std::string> names_;
  std::set<Uuid> uuids_;
};

}  // namespace

std::string_view name_of_use(HostUseKind kind) {
  return kUses[static_cast<std::size_t>(kind)].second;
}

std::string write_record(const Host& host) {
  std::string text = concat(kFirstLine, '\n');
  for (const auto& [sysname, device] : host.devices) write_device(device, text);
  if (!host.domains) text += concat(kNoDomains, '\n');
  for (const Domain& domain : host.domains.value_or(std::vector<Domain>())) write_domain(domain, text);
  return text + concat(kLastLine, '\n');
}

std::variant<Host, RecordError> read_record(std::string_view text) {
  std::size_t number = 0;
  try {
    Reader reader;
    if (text.size() > kMaxRecord) fail(concat("larger than ", size_text(kMaxRecord)));
    while (!text.empty()) {
      ++number;
      const std::size_t end = text.find('\n');
      if (end == std::string_view::npos) fail("the last line does not end");
      const std::string_view line = text.substr(0, end);
      text.remove_prefix(end + 1);
      if (number == 1 && line != kFirstLine) fail("not a record of this version");
      if (number > 1) reader.take(line);
    }
    if (number == 0) fail("empty");
    return reader.finish();
  } catch (const Mistake& mistake) {
    return RecordError{std::max<std::size_t>(number, 1), mistake.message};
  }
}

}  // namespace whawty
