# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#
# BUILD_TESTING=OFF, by which everybody leaves tests out, does so here; WHAWTY_LIBVIRT_GROUP is the gate's group.
file(REMOVE_RECURSE ${WORK})
execute_process(COMMAND ${CMAKE_COMMAND} -S ${SOURCES} -B ${WORK} -G Ninja -DBUILD_TESTING=OFF
                        -DWHAWTY_LIBVIRT_GROUP=libvirtd -DCMAKE_TOOLCHAIN_FILE=${TOOLCHAIN}
                OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
if(EXISTS ${WORK}/tests OR EXISTS ${WORK}/CTestTestfile.cmake)
  message(FATAL_ERROR "there are tests in ${WORK}")
endif()
file(STRINGS ${WORK}/systemd/whawty-libvirt-usb-hotplugd.conf groups REGEX "^[gm] ")
if(NOT groups STREQUAL "g libvirtd -;m whawty-usb-gate libvirtd")
  message(FATAL_ERROR "the groups are: ${groups}")
endif()
file(REMOVE_RECURSE ${WORK})
