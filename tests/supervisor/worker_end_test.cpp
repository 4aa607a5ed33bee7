// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "supervisor/worker_end.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include "common/exit_code.h"

namespace whawty {
namespace {

constexpr int exited(int code) {
  return W_EXITCODE(code, 0);
}
constexpr int killed(int signal) {
  return W_EXITCODE(0, signal);
}

TEST(WorkerEnd, WhatAPeersEndBringsIsNoCause) {
  EXPECT_EQ(end_of(exited(kExitPeerClosed), false).cause, "");
  EXPECT_EQ(end_of(killed(SIGKILL), true).cause, "");
}

TEST(WorkerEnd, AllElseIs) {
  EXPECT_EQ(end_of(exited(kExitFailure), false).cause, "ended with exit code 1");
  EXPECT_EQ(end_of(exited(kExitFailure), true).cause, "ended with exit code 1") << "before it was killed";
  EXPECT_EQ(end_of(killed(SIGKILL), false).cause, "was killed by signal 9 (Killed)");
  EXPECT_EQ(end_of(killed(SIGSEGV), true).cause, "was killed by signal 11 (Segmentation fault)");
  EXPECT_EQ(end_of(killed(SIGSYS), false).cause, "was killed by its seccomp profile (SIGSYS)");
}

TEST(WorkerEnd, OnlyItsExitCodeSaysThatItIsNotSealed) {
  EXPECT_TRUE(end_of(exited(kExitUnsealed), false).unsealed);
  EXPECT_FALSE(end_of(exited(kExitFailure), false).unsealed);
  EXPECT_FALSE(end_of(exited(kExitPeerClosed), false).unsealed);
  EXPECT_FALSE(end_of(killed(kExitUnsealed), false).unsealed);
}

}  // namespace
}  // namespace whawty
