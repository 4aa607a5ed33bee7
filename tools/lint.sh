#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#
# tools/lint.sh format|tidy: checks C++ sources: format all, tidy those of the daemon, for which it wants
# build/compile_commands.json.
set -euo pipefail
cd "$(dirname "$(realpath "$0")")/.."
folders=(supervisor scanner matcher actuator gate tool protocol common tests)
case ${1:-} in
  format) find "${folders[@]}" -name '*.cpp' -o -name '*.h' | xargs clang-format --dry-run -Werror ;;
  tidy) find "${folders[@]:0:8}" -name '*.cpp' | xargs -P "$(nproc)" -n 1 clang-tidy -p build --quiet ;;
  *) echo "usage: tools/lint.sh format|tidy" >&2; exit 1 ;;
esac
