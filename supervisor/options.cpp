// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "supervisor/options.h"

#include <getopt.h>

#include <cstdlib>

namespace whawty {

const char kUsage[] =
    "usage: whawty-libvirt-usb-hotplugd [--connect URI] CONFIG\n"
    "\n"
    "Gives libvirt guests the USB devices that the YAML file CONFIG, and machines.d/*.yml beside it, say.\n"
    "\n"
    "  -c, --connect URI  the libvirt to use (default: $LIBVIRT_DEFAULT_URI, else qemu:///system)\n"
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
    {"help", no_argument, nullptr, 'h'},
    {"version", no_argument, nullptr, 'V'},
    {nullptr, 0, nullptr, 0},
};

}  // namespace

Options parse_options(int argc, char** argv) {
  Options options;
  options.connect = default_uri();
  ::optind = 0;  // getopt(3): start over
  ::opterr = 0;
  int choice = 0;
  while ((choice = ::getopt_long(argc, argv, ":c:hV", kLongOptions, nullptr)) != -1) {
    if (choice == 'h' || choice == 'V') {
      options.action = choice == 'h' ? Options::Action::kHelp : Options::Action::kVersion;
      return options;
    }
    if (choice == 'c') {
      options.connect = ::optarg;
      continue;
    }
    options.action = Options::Action::kUsageError;
    options.mistake = std::string(choice == ':' ? "a value is missing after " : "there is no option ") +
                      (::optind > 0 && ::optind <= argc ? argv[::optind - 1] : "");
    return options;
  }
  if (argc - ::optind == 1) {
    options.config = argv[::optind];
  } else {
    options.action = Options::Action::kUsageError;
    options.mistake =
        argc == ::optind ? "the configuration file is missing" : "only one configuration file is possible";
  }
  return options;
}

}  // namespace whawty
