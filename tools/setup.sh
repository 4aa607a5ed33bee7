# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#
# What ./run, ./test and ./package share: packages, progress, building. To be sourced, in the project's folder.
# shellcheck shell=bash

build_packages=(binutils capnproto cmake g++ libcapnp-dev libgmock-dev libgtest-dev libmd-dev libpugixml-dev libre2-dev
  libseccomp-dev libudev-dev libumockdev-dev libvirt-dev libyaml-cpp-dev ninja-build pkg-config umockdev)
check_packages=(clang clang-format clang-tidy libclang-rt-14-dev libyaml-dev python3 strace systemd)
deb_packages=(capnproto cmake debhelper dpkg-dev g++ libcapnp-dev libmd-dev libpugixml-dev libre2-dev libseccomp-dev
  libudev-dev libvirt-dev libyaml-cpp-dev ninja-build pkg-config python3 selinux-policy-dev)
deb_check_packages=(binutils faketime lintian mandoc util-linux)
selinux_packages=(make policycoreutils python3 python3-setools secilc selinux-policy-default selinux-policy-dev
  selinux-utils selint setools)
vm_packages=(e2fsprogs mmdebstrap python3 qemu-system-x86 qemu-utils)

logs=build-logs

say() { printf '%s\n' "$*"; }

# Packages, users and the virtual machine's image are root's business.
become_root() {
  [ "$(id -u)" = 0 ] && return
  command -v sudo >/dev/null || { say "this must be run as root, or with sudo installed" >&2; exit 1; }
  exec sudo -- "$@"
}

# watch TITLE COMMAND...: run it with its output in a log, tell every five seconds how far it is, and show the log's end
# if it fails.
watch() {
  local title=$1 log started=$SECONDS job
  shift
  mkdir -p "$logs"
  log="$logs/$(printf '%s' "$title" | tr -cs 'a-zA-Z0-9' '-').log"
  say "$title ..."
  "$@" >"$log" 2>&1 </dev/null &
  job=$!
  while sleep 1; kill -0 "$job" 2>/dev/null; do
    [ $(((SECONDS - started) % 5)) != 0 ] || say "  $((SECONDS - started)) s: $(tail -n 1 "$log" | cut -c 1-100)"
  done
  if wait "$job"; then
    say "$title: done in $((SECONDS - started)) s"
  else
    tail -n 80 "$log"
    say "$title: FAILED after $((SECONDS - started)) s; all of it is in $log"
    return 1
  fi
}

# missing_packages PACKAGE...: those that are not installed.
missing_packages() {
  local package
  for package in "$@"; do
    dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q 'ok installed' || say "$package"
  done
}

install_packages() {
  local missing
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} = 0 ] && return
  export DEBIAN_FRONTEND=noninteractive
  watch "package lists" apt-get update
  watch "installing ${#missing[@]} packages" apt-get install -y --no-install-recommends "${missing[@]}"
}

# build PRESET [TARGET...]
build() {
  local preset=$1
  shift
  watch "configuring ($preset)" cmake --preset "$preset"
  watch "building ($preset)" cmake --build --preset "$preset" ${1:+--target "$@"}
}

programs=(supervisor scanner matcher actuator)

# install_tree DIRECTORY: the built daemon, as it would be installed.
install_tree() {
  rm -rf "$1"
  DESTDIR=$1 cmake --install build >/dev/null
}

# copy_sources DIRECTORY: the project without what was built; a package is built from a copy, and beside it.
copy_sources() {
  mkdir -p "$1"
  tar -c --exclude=./.git --exclude='./build*' --exclude=./packages --exclude=__pycache__ . | tar -x -C "$1"
}

# build_debs DIRECTORY: the Debian packages of the sources there, into the folder above.
build_debs() { (cd "$1" && dpkg-buildpackage --build=binary --no-sign); }
