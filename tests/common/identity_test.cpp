// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "common/identity.h"

#include <grp.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>
#include <system_error>

#include "tests/process.h"

namespace whawty {
namespace {

std::string status(const std::string& name) {
  return status_of(::getpid(), name);
}

bool is_root() {
  return has_capability(CAP_SETUID) && has_capability(CAP_SETGID);
}

const Identity kNobody{65534, 65533, {}};

TEST(IdentityTest, AUserIsLookedUpWithHisGroups) {
  const Identity root = identity_of("root");
  EXPECT_EQ(root.uid, 0U);
  EXPECT_EQ(root.gid, ::getpwnam("root")->pw_gid);
  EXPECT_EQ(std::count(root.groups.begin(), root.groups.end(), root.gid), 0);
  const passwd* const own = ::getpwuid(::getuid());
  EXPECT_TRUE(own == nullptr || identity_of(own->pw_name).uid == ::getuid());
}

TEST(IdentityTest, AUserThatIsNotThereIsAnError) {
  try {
    identity_of("no-such-user");
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "there is no user no-such-user");
  }
}

TEST(IdentityTest, BecomingAnotherUserIsForGood) {
  if (!is_root()) GTEST_SKIP() << "only root can";
  EXPECT_EQ(in_child([] {
              become({65534, 65533, {5, 7}});
              if (status("Uid") != "65534\t65534\t65534\t65534") return 1;
              if (status("Gid") != "65533\t65533\t65533\t65533") return 2;
              if (status("Groups") != "5 7 ") return 3;
              if (::setuid(0) == 0 || ::setgid(0) == 0 || ::setgroups(0, nullptr) == 0) return 4;
              return status("CapEff") == "0000000000000000" ? 0 : 5;
            }),
            0);
}

TEST(IdentityTest, BecomingAnotherUserLosesAllGroups) {
  if (!is_root()) GTEST_SKIP() << "only root can";
  EXPECT_EQ(in_child([] {
              const gid_t groups[] = {1, 2, 3};
              if (::setgroups(3, groups) != 0) return 1;
              become(kNobody);
              return ::getgroups(0, nullptr);
            }),
            0);
}

// ThreadSanitizer has a thread of its own, which keeps its capabilities: glibc aborts when a change of ids
// fails in one thread and not in another.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define WHAWTY_UNDER_TSAN
#endif
#endif

TEST(IdentityTest, WithoutThePowerToItFails) {
#ifdef WHAWTY_UNDER_TSAN
  GTEST_SKIP() << "not with a second thread";
#endif
  EXPECT_EQ(in_child([] {
              keep_capabilities(0);
              become({12345, 12345, {}});
              return 0;
            }),
            kThrew);
}

TEST(CapabilitiesTest, OnlyThoseOfTheMaskAreKept) {
  if (!is_root()) GTEST_SKIP() << "there are none to lose";
  EXPECT_EQ(in_child([] {
              keep_capabilities(1ULL << CAP_KILL | 1ULL << CAP_SETUID);
              for (const char* const set : {"CapPrm", "CapEff"})
                if (status(set) != "00000000000000a0") return 1;
              for (const char* const set : {"CapInh", "CapAmb"})
                if (status(set) != "0000000000000000") return 2;
              if (!has_capability(CAP_KILL) || has_capability(CAP_SETGID)) return 3;
              keep_capabilities(0);
              return status("CapPrm") == "0000000000000000" ? 0 : 4;
            }),
            0);
}

TEST(CapabilitiesTest, AmbientOnesAreDropped) {
  if (!is_root()) GTEST_SKIP() << "there are none to lose";
  EXPECT_EQ(in_child([] {
              __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
              __user_cap_data_struct all[2];
              if (::syscall(SYS_capget, &header, all) != 0) return 1;
              all[0].inheritable = all[0].permitted;
              if (::syscall(SYS_capset, &header, all) != 0) return 2;
              if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0) != 0) return 3;
              keep_capabilities(1ULL << CAP_KILL);
              return status("CapAmb") == "0000000000000000" && has_capability(CAP_KILL) ? 0 : 4;
            }),
            0);
}

TEST(CapabilitiesTest, AMaskGivesNothingThatIsNotThere) {
  EXPECT_EQ(in_child([] {
              keep_capabilities(0);
              keep_capabilities(~0ULL);
              return status("CapPrm") == "0000000000000000" ? 0 : 1;
            }),
            0);
}

// Capabilities from 32 on are in the second word: CAP_MAC_ADMIN 33, CAP_BPF 39.
TEST(CapabilitiesTest, HighNumbersCountToo) {
  if (!has_capability(CAP_BPF)) GTEST_SKIP() << "there are none to lose";
  EXPECT_EQ(in_child([] {
              keep_capabilities(1ULL << CAP_BPF);
              return status("CapPrm") == "0000008000000000" && has_capability(CAP_BPF) ? 0 : 1;
            }),
            0);
}

}  // namespace
}  // namespace whawty
