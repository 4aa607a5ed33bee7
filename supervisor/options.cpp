// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "supervisor/options.h"

#include <getopt.h>

#include <cstdlib>

#include "common/libvirt_sockets.h"

namespace whawty {

const char kUsage[] =
    "usage: whawty-libvirt-usb-hotplugd [OPTIONS] CONFIG\n"
    "\n"
    "Gives libvirt guests the USB devices that the YAML file CONFIG, and machines.d/*.yml beside it, say.\n"
    "\n"
    "  -c, --connect URI  the libvirt to use: qemu:///system, or qemu:///system?socket=PATH\n"
    "                     (default: $LIBVIRT_DEFAULT_URI, else qemu:///system)\n"
    "  -d, --domains FILE the only domains that may be changed, whatever CONFIG says: a name or UUID a line\n"
    "      --observe      attach and detach nothing, and log what would be: lines begin with WOULD\n"
    "      --without-landlock  run on a kernel that does not have Landlock\n"
    "  -h, --help         show this and exit\n"
    "  -V, --version      show the version and exit\n"
    "\n"
    "SIGHUP reads the configuration again. With WHAWTY_LIBVIRT_USB_HOTPLUGD_DEBUG in the environment every "
    "scan is\n"
    "logged, with all USB devices, their udev variables and tags, and all guests.\n";

namespace {

std::string default_uri() {
  const char* const uri = std::getenv("LIBVIRT_DEFAULT_URI");
  return uri != nullptr && *uri != '\0' ? uri : "qemu:///system";
}

constexpr option kLongOptions[] = {
    {"connect", required_argument, nullptr, 'c'},
    {"domains", required_argument, nullptr, 'd'},
    {"observe", no_argument, nullptr, 'o'},
    {"without-landlock", no_argument, nullptr, 'l'},
    {"help", no_argument, nullptr, 'h'},
    {"version", no_argument, nullptr, 'V'},
    {nullptr, 0, nullptr, 0},
};

// One option. False for what is none, or lacks its value.
bool take(Options& options, int choice) {
  switch (choice) {
    case 'c':
      options.connect = ::optarg;
      return true;
    case 'd':
      options.domains = ::optarg;
      return true;
    case 'o':
      options.observe = true;
      return true;
    case 'l':
      options.landlock = false;
      return true;
    case 'h':
      options.action = Options::Action::kHelp;
      return true;
    case 'V':
      options.action = Options::Action::kVersion;
      return true;
    default:
      return false;
  }
}

Options mistaken(Options options, const std::string& mistake) {
  options.action = Options::Action::kUsageError;
  options.mistake = mistake;
  return options;
}

}  // namespace

Options parse_options(int argc, char** argv) {
  Options options;
  options.connect = default_uri();
  ::optind = 0;  // getopt(3): start over
  ::opterr = 0;
  for (int choice = 0; (choice = ::getopt_long(argc, argv, ":c:d:hV", kLongOptions, nullptr)) != -1;) {
    const char* const argument = ::optind > 0 && ::optind <= argc ? argv[::optind - 1] : "";
    if (choice == ':') return mistaken(options, std::string("a value is missing after ") + argument);
    if (!take(options, choice)) return mistaken(options, std::string("there is no option ") + argument);
    if (options.action != Options::Action::kRun) return options;
  }
  if (libvirt_sockets(options.connect).empty())
    return mistaken(options,
                    "not the URI of a libvirt that the daemon can use: '" + options.connect +
                        "': it is qemu:///system, or qemu:///system?socket=PATH with the path of another "
                        "socket of this host as it is, without % and &");
  if (argc == ::optind) return mistaken(options, "the configuration file is missing");
  if (argc - ::optind > 1) return mistaken(options, "only one configuration file is possible");
  options.config = argv[::optind];
  return options;
}

}  // namespace whawty
