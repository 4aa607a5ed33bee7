// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// What the actuator sees of /sys/dev/char: one device, number 005 on bus 3.
#pragma once

#include <fcntl.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "common/device_digest.h"
#include "common/domain.h"
#include "tests/temporary_folder.h"

namespace whawty {

class FakeSysfs {
 public:
  static constexpr Hostdev kHostdev{3, 5, 0x046d, 0x0825};

  FakeSysfs() { plug("descriptors of a webcam", "3187B60"); }

  // Puts another device where the first one is, as a new directory: descriptors held open stay with the old
  // one.
  void plug(const std::string& descriptors, const std::string& serial) {
    unplug();
    std::filesystem::create_directory(device());
    write("busnum", "3\n");
    write("devnum", "5\n");
    write("idVendor", "046d\n");
    write("idProduct", "0825\n");
    write("bDeviceClass", "ef\n");
    write("maxchild", "0\n");
    write("authorized", "1\n");
    write("descriptors", descriptors);
    write("serial", serial + "\n");
  }
  void unplug() const { std::filesystem::remove_all(device()); }
  void write(const std::string& attribute, const std::string& content) const {
    std::ofstream(device() / attribute, std::ios::binary) << content;
  }
  void remove(const std::string& attribute) const { std::filesystem::remove(device() / attribute); }

  Fd open() const { return Fd(::open(root_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)); }
  Digest digest() const { return digest_of(*SysfsDirectory::open(device().string())).value(); }

 private:
  std::filesystem::path device() const { return root_ / "189:260"; }  // 2 * 128 + 4

  const TemporaryFolder temporary_;
  const std::filesystem::path& root_ = temporary_.path;
};

}  // namespace whawty
