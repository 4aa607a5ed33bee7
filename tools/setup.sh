# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#
# What ./run, ./test and ./package share: packages, progress, building. To be sourced, in the project's folder.
# shellcheck shell=bash

program_packages=(capnproto cmake g++ libcapnp-dev libmd-dev libpugixml-dev libre2-dev libseccomp-dev libudev-dev
  libvirt-dev libyaml-cpp-dev ninja-build pkg-config)
build_packages=("${program_packages[@]}" binutils libgmock-dev libgtest-dev libumockdev-dev umockdev)
check_packages=(clang clang-format clang-tidy libclang-rt-dev libyaml-dev python3 strace systemd)
deb_packages=("${program_packages[@]}" build-essential debhelper dpkg-dev python3 selinux-policy-dev)
deb_check_packages=(binutils faketime lintian mandoc util-linux)
selinux_packages=(make policycoreutils python3 python3-setools secilc selinux-policy-default selinux-policy-dev
  selinux-utils selint setools)
# Where the other release is: what all that is done there takes, so that one folder serves.
release_packages=("${program_packages[@]}" "${selinux_packages[@]}")
# For another processor: tools are this machine's, libraries are that one's.
cross_packages=(binutils capnproto cmake g++-aarch64-linux-gnu ninja-build pkg-config python3 qemu-user-static systemd)
for package in "${program_packages[@]}" libgmock-dev libgtest-dev libyaml-dev; do
  [[ $package != *-dev ]] || cross_packages+=("$package:arm64")
done
arm64_packages=(qemu-system-arm qemu-user-static)
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

programs=(supervisor scanner matcher actuator gate tool)

# own_release: the name of this machine's release of Debian, as VERSION_CODENAME has it.
own_release() { (. /etc/os-release && say "${VERSION_CODENAME:-}"); }

# on_release RELEASE "PACKAGE ..." FOLDER COMMAND...: the command where that release is, with these packages; the project
# is /project there, and FOLDER /build.
on_release() { /usr/bin/python3 tests/vm/builder.py "$1" --packages "$2" "${@:3}"; }

# prepare_ahead: begins to make what ./test needs later, in the order in which it does, while other parts compile: this
# takes one processor for a part of the time. Who needs something first waits for it, or says why there is none.
prepare_ahead() {
  local releases other
  install_packages "${vm_packages[@]}"
  mapfile -t releases < <(/usr/bin/python3 tests/vm/releases.py)
  mkdir -p "$logs"
  {
    for other in "${releases[@]:1}"; do
      nice -n 19 /usr/bin/python3 tests/vm/builder.py "$other" --packages "${release_packages[*]}" "build-$other" true
    done
    for other in "${releases[@]}"; do nice -n 19 /usr/bin/python3 tests/vm/image.py --release "$other"; done
  } >"$logs/ahead.log" 2>&1 </dev/null &
}

# on_deb_builder RELEASE FOLDER COMMAND...: the same, with what Debian packages are built and checked with.
on_deb_builder() { on_release "$1" "${deb_packages[*]} ${deb_check_packages[*]}" "${@:2}"; }

# read_system OPTION...: sets $release to the chosen release of Debian, and $system to the options for programs of
# tests/vm. Fails if there are others than --release NAME and --apparmor.
read_system() {
  release=$(own_release) system=()
  while [ $# != 0 ]; do
    case $1 in
      --release) [ $# -gt 1 ] || return; release=$2 system+=("$1" "$2"); shift 2 ;;
      --apparmor) system+=("$1"); shift ;;
      *) return 1 ;;
    esac
  done
}

# prepare_vm [--enforcing]: all that a virtual hypervisor of $release needs; sets $tree to the folder where the programs
# are installed, as below a prefix.
prepare_vm() {
  install_packages "${vm_packages[@]}"
  if [ "$release" = "$(own_release)" ]; then
    install_packages "${build_packages[@]}"
    build gcc "${programs[@]}"
    rm -rf build/tree
    DESTDIR=$PWD/build/tree cmake --install build >/dev/null
    tree=$PWD/build/tree/usr/local
  else
    # Meanwhile, since this takes one processor. Who needs the image first waits for it, or says why there is none.
    mkdir -p "$logs"
    /usr/bin/python3 tests/vm/image.py --release "$release" "$@" >"$logs/image-$release.log" 2>&1 &
    watch "building ($release)" on_release "$release" "${release_packages[*]}" "build-$release" sh -ec '
      cmake --preset gcc -S /project -B /build -DBUILD_TESTING=OFF
      cmake --build /build
      rm -rf /build/tree
      DESTDIR=/build/tree cmake --install /build'
    tree=$PWD/build-$release/tree/usr/local
  fi
}

# copy_sources DIRECTORY: the project without what was built; a package is built from a copy, and beside it.
copy_sources() {
  mkdir -p "$1"
  tar -c --exclude=./.git --exclude='./build*' --exclude=./packages --exclude=__pycache__ . | tar -x -C "$1"
}

# build_debs DIRECTORY: the Debian packages of the sources there, into the folder above.
build_debs() { (cd "$1" && dpkg-buildpackage --build=binary --no-sign); }
