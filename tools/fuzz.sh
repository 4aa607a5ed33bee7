#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#
# tools/fuzz.sh [SECONDS [TARGET...]]: builds the fuzz targets and runs each, or only those named, for SECONDS (60),
# four at a time. Inputs that break one are kept in build-fuzz/crashes: once fixed, they belong in
# tests/corpus/fuzz/TARGET, where every build replays them. What covers more than the seeds is kept in
# build-fuzz/found, so that the next run goes on from there.
set -euo pipefail
cd "$(dirname "$(realpath "$0")")/.."
seconds=${1:-60}
[[ $seconds =~ ^[1-9][0-9]*$ ]] || { sed -n '5,8s/^# \{0,1\}//p' "$0"; exit 1; }
shift || true
build='build-fuzz'
logs=$build/fuzz-logs
crashes=$build/crashes
at_a_time=4

echo "building the fuzz targets ..."
if ! { cmake --preset fuzz && cmake --build --preset fuzz; } >"$build.log" 2>&1; then
  tail -n 30 "$build.log"
  echo "0 passed, 1 failed"
  exit 1
fi
mv "$build.log" "$build/build.log"
mkdir -p "$logs" "$crashes"
rm -rf "$build/seeds"  # an older build may have had others
$build/tests/fuzz/fuzz_seeds $build/seeds
if [ $# -gt 0 ]; then targets=("$@"); else mapfile -t targets < <(ls $build/seeds); fi

# More folders to start from: what other tests have anyway.
others() {
  case $1 in
    configuration) echo tests/corpus/config ;;
    domain_xml) echo tests/corpus/domain_xml ;;
  esac
}

# fuzz TARGET: the result is its exit code.
fuzz() {
  local target=$1 folders=()
  mkdir -p "$build/found/$target"
  folders=("$build/found/$target" "$build/seeds/$target")
  [ ! -d "tests/corpus/fuzz/$target" ] || folders+=("tests/corpus/fuzz/$target")
  # shellcheck disable=SC2046
  "$build/tests/fuzz/fuzz_$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -max_len=65536 \
    -print_final_stats=1 -artifact_prefix="$crashes/$target-" "${folders[@]}" $(others "$target") \
    >"$logs/$target.log" 2>&1
}

progress() {
  local line
  line=$(grep -aE '^#[0-9]+' "$logs/$1.log" | tail -n 1) || true
  [ -z "$line" ] || echo "  $1: $line"
}

rate_of() { awk '/^stat::average_exec_per_sec/ { print $2 }' "$logs/$1.log"; }

passed=0
failed=0
for ((first = 0; first < ${#targets[@]}; first += at_a_time)); do
  pids=()
  pair=("${targets[@]:first:at_a_time}")
  echo "fuzzing ${pair[*]} for $seconds s ..."
  for target in "${pair[@]}"; do fuzz "$target" & pids+=($!); done
  while sleep 10 && [ -n "$(jobs -pr)" ]; do
    for target in "${pair[@]}"; do progress "$target"; done
  done
  for i in "${!pair[@]}"; do
    if wait "${pids[i]}"; then
      echo "${pair[i]}: nothing found, $(rate_of "${pair[i]}") executions/s"
      passed=$((passed + 1))
    else
      echo "${pair[i]}: FAILED, see $logs/${pair[i]}.log and $crashes:"
      grep -aE 'ERROR|what\(\)|runtime error|SUMMARY|Test unit written' "$logs/${pair[i]}.log" | sed 's/^/  /' || true
      failed=$((failed + 1))
    fi
  done
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
