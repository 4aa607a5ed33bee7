// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Stands where the supervisor looks for the scanner, and runs the real one: with the one variable in its
// environment that lets libudev accept a /sys that is not a sysfs. The supervisor passes no such variable on.
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>

int main(int, char** argv) {
  char verify[] = "SYSTEMD_DEVICE_VERIFY_SYSFS=0";
  char* environment[] = {verify, nullptr};
  // execveat(2), the only exec that the supervisor's profile leaves to its children.
  const int program = ::open(REAL_SCANNER, O_PATH | O_CLOEXEC);
  ::fexecve(program, argv, environment);
  std::perror(REAL_SCANNER);
  return 1;
}
