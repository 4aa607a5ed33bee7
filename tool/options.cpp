// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "tool/options.h"

#include <getopt.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "common/text.h"

namespace whawty {
namespace {

constexpr char kHelp[] =
    "usage: whawty-libvirt-usb-hotplugctl COMMAND [ARGUMENTS] [OPTIONS]\n"
    "\n"
    "Shows the USB devices of this host, and what a configuration of\n"
    "whawty-libvirt-usb-hotplugd does with them. It changes nothing.\n"
    "\n"
    "  devices [DEVICE]        the devices, and who has them\n"
    "  check CONFIG            does the daemon take it, and what is probably wrong\n"
    "  explain CONFIG [DEVICE] which rule matches, or why none does, and who gets it\n"
    "  plan CONFIG             what the daemon would attach and detach now\n"
    "  suggest DEVICE MACHINE  a rule for the device, for machines.d/MACHINE.yml\n"
    "  record FILE             devices and domains of this host, as a file\n"
    "\n"
    "DEVICE is a port (3-6.3) or bus and device number (003/005), as devices shows.\n"
    "\n"
    "  -v, --verbose      devices: all variables and tags of udev, too\n"
    "  -C, --config FILE  devices: the rules of this configuration, too\n"
    "  -s, --strict       check: exit with 1 if there are warnings\n"
    "  -a, --against OLD  plan: what moves if CONFIG takes the place of OLD; exits\n"
    "                     with 1 if a guest loses a device, or libvirt does not\n"
    "                     tell what a guest has\n"
    "  -r, --redact       record: digests in the place of serial numbers\n"
    "  -f, --from FILE    a record of a host instead of this host; - is stdin\n"
    "  -c, --connect URI  default: $LIBVIRT_DEFAULT_URI, else qemu:///system\n"
    "  -j, --json         one JSON document; the manual page lists its fields\n"
    "  -h, --help         show this and exit\n"
    "  -V, --version      show the version and exit\n"
    "\n"
    "Exit codes: 0, 1 for mistakes in a configuration or what an option asks for, 2\n"
    "for usage and whatever cannot be read.\n"
    "\n"
    "From a new device to a working rule, with the daemon's configuration as C:\n"
    "\n"
    "  whawty-libvirt-usb-hotplugctl devices\n"
    "  whawty-libvirt-usb-hotplugctl suggest 003/005 webcam-test\n"
    "  (write that to machines.d/webcam-test.yml beside C)\n"
    "  whawty-libvirt-usb-hotplugctl check C\n"
    "  whawty-libvirt-usb-hotplugctl plan C\n"
    "  systemctl reload whawty-libvirt-usb-hotplugd\n";

// A command, how many arguments it takes, and options that not all commands have.
struct CommandRow {
  std::string_view name;
  Command command;
  std::size_t at_least, at_most;
  std::string_view options;
};
constexpr CommandRow kCommands[] = {
    {"devices", Command::kDevices, 0, 1, "vC"}, {"check", Command::kCheck, 1, 1, "s"},
    {"explain", Command::kExplain, 1, 2, ""},   {"plan", Command::kPlan, 1, 1, "a"},
    {"suggest", Command::kSuggest, 2, 2, ""},   {"record", Command::kRecord, 1, 1, "r"},
};

constexpr char kShortOptions[] = "vC:sa:rf:c:jhV";
constexpr option kLongOptions[] = {
    {"verbose", no_argument, nullptr, 'v'},
    {"config", required_argument, nullptr, 'C'},
    {"strict", no_argument, nullptr, 's'},
    {"against", required_argument, nullptr, 'a'},
    {"redact", no_argument, nullptr, 'r'},
    {"from", required_argument, nullptr, 'f'},
    {"connect", required_argument, nullptr, 'c'},
    {"json", no_argument, nullptr, 'j'},
    {"help", no_argument, nullptr, 'h'},
    {"version", no_argument, nullptr, 'V'},
    {nullptr, 0, nullptr, 0},
};

ToolOptions mistaken(const std::string& mistake) {
  ToolOptions options;
  options.action = ToolOptions::Action::kUsageError;
  options.text = mistake + "; --help shows how to use it";
  return options;
}

void take(ToolOptions& options, int choice) {
  const std::string value = ::optarg == nullptr ? "" : ::optarg;
  if (choice == 'v') options.verbose = true;
  if (choice == 'C') options.config = value;
  if (choice == 's') options.strict = true;
  if (choice == 'a') options.against = value;
  if (choice == 'r') options.redact = true;
  if (choice == 'f') options.from = value;
  if (choice == 'c') options.connect = value;
  if (choice == 'j') options.json = true;
  if (choice == 'h' && options.action == ToolOptions::Action::kRun)
    options.action = ToolOptions::Action::kHelp;
  if (choice == 'V' && options.action == ToolOptions::Action::kRun)
    options.action = ToolOptions::Action::kVersion;
}

// How the user wrote the option that getopt stopped at. Of letters in one word, getopt names the letter.
std::string option_at(char** argv) {
  return ::optopt != 0 ? concat('-', escape(std::string(1, static_cast<char>(::optopt))))
                       : escape(argv[::optind - 1]);
}

// What of the words and options does not belong to the command; empty if all does.
std::string misfit(const CommandRow& row, std::size_t arguments, const std::string& used) {
  if (arguments < row.at_least) return concat(row.name, ": an argument is missing");
  if (arguments > row.at_most) return concat(row.name, ": too many arguments");
  constexpr std::string_view kOfSome = "vCsar";
  for (const char one : used)
    if (kOfSome.find(one) != std::string_view::npos && row.options.find(one) == std::string_view::npos)
      return concat(row.name, " has no option -", one);
  return {};
}

}  // namespace

ToolOptions parse_tool_options(int argc, char** argv) {
  ToolOptions options;
  const char* const uri = std::getenv("LIBVIRT_DEFAULT_URI");
  options.connect = uri != nullptr && *uri != '\0' ? uri : "qemu:///system";
  options.text = kHelp;
  std::string used;
  ::optind = 0;  // getopt begins anew
  ::opterr = 0;
  for (int choice = 0; (choice = ::getopt_long(argc, argv, kShortOptions, kLongOptions, nullptr)) != -1;) {
    if (choice == '?') return mistaken(concat("not an option, or its value is missing: ", option_at(argv)));
    // What a script has not set is not what it means to leave out.
    if (::optarg != nullptr && *::optarg == '\0')
      return mistaken(concat("the value of -", static_cast<char>(choice), " is empty"));
    take(options, choice);
    used += static_cast<char>(choice);
  }
  if (options.action != ToolOptions::Action::kRun) return options;
  const std::vector<std::string> words(argv + ::optind, argv + argc);
  if (words.empty()) return mistaken("no command");
  const auto row = std::ranges::find(kCommands, std::string_view(words[0]), &CommandRow::name);
  if (row == std::end(kCommands)) return mistaken(concat("no such command: ", escape(words[0])));
  if (const std::string what = misfit(*row, words.size() - 1, used); !what.empty()) return mistaken(what);
  options.command = row->command;
  options.arguments.assign(words.begin() + 1, words.end());
  return options;
}

}  // namespace whawty
