// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// fuzz_seeds FOLDER: writes the seeds, in a folder below for each target.
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "tests/fuzz/seeds.h"
#include "tests/fuzz/targets.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: fuzz_seeds FOLDER\n", stderr);
    return 1;
  }
  for (const auto& target : whawty::fuzz::kTargets) {
    const std::filesystem::path folder = std::filesystem::path(argv[1]) / target.name;
    std::filesystem::create_directories(folder);
    int count = 0;
    for (const std::string& seed : whawty::fuzz::seeds(target.name))
      std::ofstream(folder / std::to_string(count++), std::ios::binary) << seed;
  }
}
