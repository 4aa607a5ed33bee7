// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "actuator/domain_events.h"

#include <gtest/gtest.h>
#include <libvirt/libvirt.h>

namespace whawty {
namespace {

constexpr DomainNews kNothing{};
constexpr DomainNews kLetGo{.let_go = true};
constexpr DomainNews kDied{.died = true};

TEST(LifecycleTest, AGuestThatStartsFromAStateThatWasSavedSomewhereHasLetGo) {
  const auto started = [](int detail) { return news_of(VIR_DOMAIN_EVENT_STARTED, detail); };
  EXPECT_EQ(started(VIR_DOMAIN_EVENT_STARTED_RESTORED), kLetGo);
  EXPECT_EQ(started(VIR_DOMAIN_EVENT_STARTED_FROM_SNAPSHOT), kLetGo);
  EXPECT_EQ(started(VIR_DOMAIN_EVENT_STARTED_MIGRATED), kLetGo);
  EXPECT_EQ(started(VIR_DOMAIN_EVENT_STARTED_BOOTED), kNothing);
  EXPECT_EQ(started(VIR_DOMAIN_EVENT_STARTED_WAKEUP), kNothing);
}

TEST(LifecycleTest, AGuestDiedWhoseEndNobodyAskedFor) {
  const auto stopped = [](int detail) { return news_of(VIR_DOMAIN_EVENT_STOPPED, detail); };
  EXPECT_EQ(stopped(VIR_DOMAIN_EVENT_STOPPED_CRASHED), kDied);
  EXPECT_EQ(stopped(VIR_DOMAIN_EVENT_STOPPED_FAILED), kDied);
  for (const int asked : {VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN, VIR_DOMAIN_EVENT_STOPPED_DESTROYED,
                          VIR_DOMAIN_EVENT_STOPPED_MIGRATED, VIR_DOMAIN_EVENT_STOPPED_SAVED,
                          VIR_DOMAIN_EVENT_STOPPED_FROM_SNAPSHOT})
    EXPECT_EQ(stopped(asked), kNothing) << asked;
}

TEST(LifecycleTest, AllElseMeansNothing) {
  for (int event = -1; event < 20; ++event)
    for (int detail = -1; detail < 20; ++detail) {
      if (event == VIR_DOMAIN_EVENT_STARTED || event == VIR_DOMAIN_EVENT_STOPPED) continue;
      EXPECT_EQ(news_of(event, detail), kNothing) << event << ' ' << detail;
    }
  EXPECT_EQ(news_of(VIR_DOMAIN_EVENT_STARTED, 99), kNothing);
  EXPECT_EQ(news_of(VIR_DOMAIN_EVENT_STOPPED, -1), kNothing);
}

}  // namespace
}  // namespace whawty
