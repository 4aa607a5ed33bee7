// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/configuration/policy_digest.h"

#include <gtest/gtest.h>

#include <set>

namespace whawty {
namespace {

const ConfigText kMain{"/etc/x/config.yml", "", "interval: 1s\n"};
const ConfigText kA{"/etc/x/machines.d/a.yml", "a", "devices: []\n"};
const ConfigText kB{"/etc/x/machines.d/b.yml", "b", std::string("\0\n", 2)};

std::string digest(const std::vector<ConfigText>& files) {
  return policy_digest(files);
}

// Of these files, `sha256sum config.yml machines.d/*.yml | sha256sum` printed this.
TEST(PolicyDigest, IsWhatAShellFinds) {
  EXPECT_EQ(digest({kMain, kA, kB}), "78d3a6af32f000a8471056fc4ca511810ea15b5f395e11ce1a72382afaf7d798");
  EXPECT_EQ(digest({kMain}), "bd4dab74146d3cf942dc68e4e749e3f4d62db9dafdb2c23c776cdbefa2da114a");
}

TEST(PolicyDigest, TheFolderIsNotPartOfIt) {
  EXPECT_EQ(digest({{"config.yml", "", kMain.content}, {"machines.d/a.yml", "a", kA.content}}),
            digest({kMain, kA}));
  EXPECT_EQ(digest({{"/etc/x//config.yml", "", kMain.content}, {"/etc/x/machines.d/a.yml", "a", kA.content}}),
            digest({kMain, kA}));
  EXPECT_NO_THROW(digest({{"/etc////////////////////////////config.yml", "", ""}, kA}));
}

TEST(PolicyDigest, WhateverDiffersDiffers) {
  const ConfigText renamed{"/etc/x/machines.d/c.yml", "c", kA.content};
  const ConfigText moved{kA.file, "a", kMain.content};
  EXPECT_EQ((std::set{digest({kMain}), digest({kMain, kA}), digest({kMain, renamed}), digest({kMain, moved}),
                      digest({kMain, kA, kB}), digest({{kMain.file, "", ""}}), digest({})})
                .size(),
            7U);
}

}  // namespace
}  // namespace whawty
