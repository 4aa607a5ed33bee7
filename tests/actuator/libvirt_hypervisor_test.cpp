// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The thread of libvirt's event loop, with libvirt's own driver for tests, which needs no daemon. Each test
// forks, since what it does to itself cannot be taken back.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <libvirt/libvirt.h>
#include <sys/prctl.h>

#include <functional>
#include <future>
#include <stdexcept>

#include "actuator/hypervisor.h"
#include "common/exit_code.h"
#include "common/fd.h"
#include "common/landlock.h"
#include "tests/process.h"

namespace whawty {
namespace {

constexpr const char* kUri = "test:///default";
constexpr const char* kFile = "/etc/passwd";

class Nobody final : public HypervisorEvents {
 public:
  void domain_changed(const Uuid&, const std::string&, DomainNews) override {}
  void connection_lost(ConnectionEnd) override {}
};

bool opens_file() {
  return static_cast<bool>(Fd(::open(kFile, O_RDONLY | O_CLOEXEC)));
}

void give_up_files() {
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  restrict_files_to({});
}

// Has libvirt's event loop open the file.
bool event_loop_opens_file() {
  std::promise<bool> opened;
  const auto look = [](int timer, void* promise) {
    virEventRemoveTimeout(timer);
    static_cast<std::promise<bool>*>(promise)->set_value(opens_file());
  };
  virEventAddTimeout(0, look, &opened, nullptr);
  return opened.get_future().get();
}

TEST(LibvirtHypervisorTest, TheThreadOfTheEventLoopBeginsWithItsRestriction) {
  if (!landlock_is_there()) GTEST_SKIP() << "this kernel does not have Landlock, or has it switched off";
  const auto with = [](const std::function<void()>& restrict) {
    return in_child([&] {
      Nobody nobody;
      // Not opened: this driver has no keepalive. But its event loop runs.
      const auto opened = open_hypervisor(kUri, nobody, restrict);
      if (opened.index() == 0 || !opens_file()) return 100;
      return event_loop_opens_file() ? 1 : 0;
    });
  };
  EXPECT_EQ(with([] {}), 1);
  EXPECT_EQ(with(give_up_files), 0);
}

TEST(LibvirtHypervisorTest, AThreadThatCannotBeRestrictedEndsTheProcess) {
  EXPECT_EQ(in_child([] {
              Nobody nobody;
              open_hypervisor(kUri, nobody, [] { throw std::runtime_error("no"); });
              return 0;
            }),
            kExitFailure);
}

}  // namespace
}  // namespace whawty
