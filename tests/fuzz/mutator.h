// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Inputs made of other inputs by chance, but the same ones in every run and on every machine: what libFuzzer
// tries next depends on coverage, and that on where a program lies in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace whawty::fuzz {

class Mutator {
 public:
  // The first parents, of which there is at least one. The same ones in the same order give the same inputs.
  Mutator(std::uint32_t seed, std::vector<std::string> parents);

  // A parent with a few changes, at most kMaxSize bytes.
  std::string next();

  // This one got far: let it be a parent, too. At most kMaxKept are, and none that is longer than all of the
  // first parents, so that inputs do not grow from one to the next.
  void keep(const std::string& input);

  static constexpr std::size_t kMaxSize = 64 * 1024;
  static constexpr std::size_t kMaxKept = 1024;

 private:
  // 0 to below the limit.
  std::size_t below(std::size_t limit) { return random_() % limit; }
  const std::string& any_parent() { return parents_[below(parents_.size())]; }
  std::string part_of(const std::string& text);

  void change(std::string& text);
  void change_bytes(std::string& text);
  void move_parts(std::string& text);

  std::mt19937 random_;  // and no distribution: how these work is up to the library
  std::vector<std::string> parents_;
  std::size_t kept_ = 0;
  std::size_t longest_ = 0;  // bytes
};

}  // namespace whawty::fuzz
