// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// whawty-libvirt-usb-hotplugctl: shows what is, and what a configuration does with it. It has no power but
// that of its caller, and tells the daemon nothing.
#include <langinfo.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <clocale>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>
#include <system_error>

#include "common/log.h"
#include "common/text.h"
#include "matcher/decided/foresight.h"
#include "matcher/said/messages.h"
#include "tool/changes.h"
#include "tool/check.h"
#include "tool/config_reader.h"
#include "tool/device_list.h"
#include "tool/explanation.h"
#include "tool/host_reader.h"
#include "tool/libvirt_reader.h"
#include "tool/options.h"
#include "tool/record.h"
#include "tool/record_file.h"
#include "tool/suggestion.h"

namespace whawty {
namespace {

// What scripts may rely on.
constexpr int kGood = 0;
constexpr int kBad = 1;    // a mistake in a configuration, or what an option asks to be told of
constexpr int kUsage = 2;  // and whatever cannot be read

void say(const std::string& line) {
  std::cerr << "whawty-libvirt-usb-hotplugctl: " << line << '\n';
}

// A configuration that the daemon would not take; it has been said why.
struct Refused {};

std::size_t terminal_width() {
  const char* const columns = std::getenv("COLUMNS");
  std::size_t width = 0;
  if (columns != nullptr && std::from_chars(columns, columns + std::strlen(columns), width).ec == std::errc{})
    return width;
  winsize size{};
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

Style style_of_stdout() {
  const bool is_terminal = ::isatty(STDOUT_FILENO) == 1;
  const char* const no_color = std::getenv("NO_COLOR");
  const char* const terminal = std::getenv("TERM");
  const bool dumb = terminal == nullptr || std::string_view(terminal) == "dumb";
  return {.width = terminal_width(),
          .unicode = std::string_view(::nl_langinfo(CODESET)) == "UTF-8",
          .color = is_terminal && !dumb && (no_color == nullptr || *no_color == '\0')};
}

std::string content_of(const std::string& path) {
  std::ifstream file;
  if (path != "-") file.open(path, std::ios::binary);
  std::istream& in = path == "-" ? std::cin : file;
  if (!in) throw std::runtime_error(concat(escape(path), ": ", std::strerror(errno)));
  std::string content(kMaxRecord + 1, '\0');
  in.read(content.data(), static_cast<std::streamsize>(content.size()));
  if (in.bad()) throw std::runtime_error(concat(escape(path), ": ", std::strerror(errno)));
  content.resize(static_cast<std::size_t>(in.gcount()));
  return content;
}

Host recorded_host(const std::string& path) {
  auto read = read_record(content_of(path));
  if (const auto* const error = std::get_if<RecordError>(&read))
    throw std::runtime_error(concat(escape(path), ':', error->line, ": ", error->message));
  return std::get<Host>(std::move(read));
}

Host this_host(const std::string& uri) {
  ReadDevices devices = read_devices();
  for (const std::string& complaint : devices.complaints) say(complaint);
  Host host{std::move(devices.devices), {}};
  auto domains = read_domains(uri);
  if (const auto* const error = std::get_if<std::string>(&domains))
    say(concat("libvirt at ", escape(uri), " does not answer: ", *error));
  else
    host.domains = std::get<std::vector<Domain>>(std::move(domains));
  return host;
}

Host host_of(const ToolOptions& options) {
  Host host = options.from.empty() ? this_host(options.connect) : recorded_host(options.from);
  const bool decides = options.command == Command::kExplain || options.command == Command::kPlan;
  if (!host.domains && decides)
    say("domains are not known: each machine of the configuration counts as running, without devices");
  return host;
}

const Device& device_named(const Host& host, const std::string& name) {
  const Device* const device = find_device(host, name);
  if (device == nullptr)
    throw std::runtime_error(
        concat("no device at ", escape(name), ": it is a port, 3-6.3, or bus and number, 003/005"));
  return *device;
}

std::vector<const Device*> devices_asked(const Host& host, const ToolOptions& options, std::size_t argument) {
  if (options.arguments.size() > argument) return {&device_named(host, options.arguments[argument])};
  return list_devices(host, nullptr).devices;
}

Rulebook rules_of(const std::string& path) {
  const auto read = read_config_texts(path);
  if (const auto* const error = std::get_if<std::string>(&read)) throw std::runtime_error(*error);
  const std::vector<ConfigText>& files = std::get<ConfigTexts>(read).files;
  auto loaded = load_config(files);
  if (auto* const good = std::get_if<LoadedConfig>(&loaded)) return std::move(good->config);
  std::cerr << findings_text(mistakes(files), {}, {});
  throw Refused{};
}

void print(const ToolOptions& options, const std::string& text, const Json& json) {
  std::cout << (options.json ? json.text() + '\n' : text);
}

int show_devices(const ToolOptions& options, const Style& style) {
  const Host host = host_of(options);
  const std::optional<Rulebook> rules =
      options.config.empty() ? std::nullopt : std::optional(rules_of(options.config));
  DeviceList list = list_devices(host, rules ? &*rules : nullptr);
  list.devices = devices_asked(host, options, 0);
  print(options, options.verbose ? device_details(list) : device_table(list, style), device_json(list));
  return kGood;
}

int check(const ToolOptions& options, const Style& style) {
  const std::string& path = options.arguments[0];
  const auto read = read_config_texts(path);
  if (const auto* const error = std::get_if<std::string>(&read)) {
    const std::vector<Finding> found{{*error}};
    print(options, findings_text(found, {}, style), findings_json(found, {}));
    return kUsage;
  }
  const auto& [files, notices] = std::get<ConfigTexts>(read);
  const auto loaded = load_config(files);
  const auto* const good = std::get_if<LoadedConfig>(&loaded);
  const std::vector<Finding> bad = mistakes(files);
  std::vector<Finding> odd;
  for (const std::string& notice : notices) odd.push_back({notice});
  std::string summary;
  if (good != nullptr) {
    for (Finding& one : warnings(*good, files, host_of(options))) odd.push_back(std::move(one));
    const std::size_t machines = good->config.machines.size();
    for (const std::string& notice : good->notices) summary += notice + '\n';
    summary += concat(escape(path), ": good: ", machines, machines == 1 ? " machine, " : " machines, ",
                      odd.size(), odd.size() == 1 ? " warning\n" : " warnings\n");
  }
  print(options, findings_text(bad, odd, style) + summary, findings_json(bad, odd));
  return !bad.empty() || (options.strict && !odd.empty()) ? kBad : kGood;
}

int explain(const ToolOptions& options, const Style& style) {
  const Rulebook rules = rules_of(options.arguments[0]);
  const Host host = host_of(options);
  const std::vector<Explanation> all =
      explain(devices_asked(host, options, 1), host.devices, running_domains(host, {&rules.config()}), rules);
  print(options, explanation_text(all, rules, style), explanation_json(all, rules));
  return kGood;
}

int show_comparison(const ToolOptions& options, const Style& style) {
  const Rulebook after = rules_of(options.arguments[0]);
  const Rulebook before = rules_of(options.against);
  const Host host = host_of(options);
  const std::vector<DomainView> domains = running_domains(host, {&before.config(), &after.config()});
  const Comparison found = compare(host.devices, domains, before, after);
  print(options, comparison_text(found, host.devices, style), comparison_json(found, host.devices));
  const bool loses = std::ranges::any_of(found.moves, [](const Move& one) { return !one.from.empty(); });
  return loses || !found.not_described.empty() ? kBad : kGood;
}

int show_plan(const ToolOptions& options, const Style& style) {
  if (!options.against.empty()) return show_comparison(options, style);
  const Rulebook rules = rules_of(options.arguments[0]);
  const Host host = host_of(options);
  const std::vector<DomainView> domains = running_domains(host, {&rules.config()});
  const Plan next = foresee(host.devices, domains, rules);
  print(options, plan_text(next, host.devices, domains, rules, style),
        plan_json(next, host.devices, domains, rules));
  return kGood;
}

int show_suggestion(const ToolOptions& options, const Style& style) {
  const Host host = host_of(options);
  const auto made =
      suggest(device_named(host, options.arguments[0]), host.devices, options.arguments[1], style);
  if (const auto* const reason = std::get_if<std::string>(&made)) {
    say(*reason);
    return kBad;
  }
  const auto& [yaml, others] = std::get<Suggestion>(made);
  for (const Device* const other : others) say(concat("it also matches ", name_of(*other)));
  print(options, yaml,
        Json::object({{"yaml", Json::of(yaml)}, {"also_matches", Json::list_of(others, [](const Device* one) {
                                                   return device_name_json(*one);
                                                 })}}));
  return kGood;
}

std::string random_salt() {
  std::string salt(32, '\0');
  if (::getrandom(salt.data(), salt.size(), 0) != static_cast<ssize_t>(salt.size()))
    throw std::system_error(errno, std::generic_category(), "getrandom");
  return salt;
}

int record(const ToolOptions& options) {
  Host host = host_of(options);
  if (options.redact) host = redacted(host, random_salt());
  const std::string& path = options.arguments[0];
  if (path == "-") {
    std::cout << write_record(host);
    return kGood;
  }
  write_file(path, write_record(host));
  return kGood;
}

int run(const ToolOptions& options) {
  const Style style = style_of_stdout();
  switch (options.command) {
    case Command::kDevices:
      return show_devices(options, style);
    case Command::kCheck:
      return check(options, style);
    case Command::kExplain:
      return explain(options, style);
    case Command::kPlan:
      return show_plan(options, style);
    case Command::kSuggest:
      return show_suggestion(options, style);
    case Command::kRecord:
      return record(options);
  }
  return kUsage;
}

int guarded_run(const ToolOptions& options) {
  try {
    const int code = run(options);
    std::cout.flush();
    if (!std::cout) throw std::runtime_error("writing to stdout failed");
    return code;
  } catch (const Refused&) {
    return kBad;
  } catch (const std::exception& error) {
    say(error.what());
    return kUsage;
  }
}

}  // namespace
}  // namespace whawty

int main(int argc, char** argv) {
  using namespace whawty;
  std::setlocale(LC_ALL, "");
  log::start("whawty-libvirt-usb-hotplugctl");
  const ToolOptions options = parse_tool_options(argc, argv);
  switch (options.action) {
    case ToolOptions::Action::kHelp:
      std::cout << options.text;
      return kGood;
    case ToolOptions::Action::kVersion:
      std::cout << "whawty-libvirt-usb-hotplugctl " WHAWTY_VERSION "\n";
      return kGood;
    case ToolOptions::Action::kUsageError:
      say(options.text);
      return kUsage;
    case ToolOptions::Action::kRun:
      return guarded_run(options);
  }
}
