# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#
# Completion of bash for whawty-libvirt-usb-hotplugctl.

# Ports of the devices that are here, by sysfs: nothing is asked that may wait.
_whawty_usb_ports() {
  local path
  for path in /sys/bus/usb/devices/*; do
    path=${path##*/}
    case $path in *:* | '*') ;; *) printf '%s\n' "$path" ;; esac
  done
}

_whawty_usb_hotplugctl() {
  local word=${COMP_WORDS[COMP_CWORD]} last=${COMP_WORDS[COMP_CWORD - 1]} command='' place=0 i
  local commands='devices check explain plan suggest record'
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in
      -C | -a | -f | -c | --config | --against | --from | --connect) ((i++)) ;;
      -*) ;;
      *) if [[ -z $command ]]; then command=${COMP_WORDS[i]}; else ((place++)); fi ;;
    esac
  done
  case $last in
    -C | -a | -f | --config | --against | --from) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    -c | --connect) mapfile -t COMPREPLY < <(compgen -W 'qemu:///system' -- "$word"); return ;;
  esac
  if [[ $word == -* ]]; then
    local options='--from --connect --json --help --version'
    case $command in
      devices) options+=' --verbose --config' ;;
      check) options+=' --strict' ;;
      plan) options+=' --against' ;;
      record) options+=' --redact' ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
    return
  fi
  case $command:$place in
    :*) mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$word") ;;
    devices:0 | suggest:0 | explain:1) mapfile -t COMPREPLY < <(compgen -W "$(_whawty_usb_ports)" -- "$word") ;;
    check:0 | explain:0 | plan:0 | record:0) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
  esac
}
complete -F _whawty_usb_hotplugctl whawty-libvirt-usb-hotplugctl
