// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The system calls of 32-bit programs, on a 64-bit kernel. It may be built or started without them
// (CONFIG_IA32_EMULATION, ia32_emulation=): who makes one gets SIGSEGV then.
#pragma once

#ifdef __x86_64__

#include "tests/process.h"

namespace whawty {

inline long call_as_i386(long number, long first = 0) {
  asm volatile("int $0x80" : "+a"(number) : "b"(first), "c"(0), "d"(0) : "memory");
  return number;
}

inline bool kernel_has_i386() {
  constexpr long kGetppid = 64;
  static const bool has = in_child([] { return call_as_i386(kGetppid) > 0 ? 0 : 1; }) == 0;
  return has;
}

}  // namespace whawty

#endif
