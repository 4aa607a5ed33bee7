# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#
# How every file of the project is compiled.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

add_compile_options(
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Wold-style-cast -Woverloaded-virtual
  -Wimplicit-fallthrough -Werror
  -fstack-protector-strong -fstack-clash-protection -ffile-prefix-map=${PROJECT_SOURCE_DIR}=.)
add_link_options(-Wl,--as-needed -Wl,-z,relro,-z,now,-z,noexecstack -pie)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|i.86")
  add_compile_options(-fcf-protection=full)
elseif(CMAKE_SYSTEM_PROCESSOR STREQUAL "aarch64")
  add_compile_options(-mbranch-protection=standard)
endif()

if(WHAWTY_SANITIZE)
  add_compile_options(-fsanitize=${WHAWTY_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${WHAWTY_SANITIZE})
else()
  add_compile_definitions(_GLIBCXX_ASSERTIONS)
  # A distribution's flags decide on it if they say anything about it: a second value is a warning, and so is any value
  # without optimization.
  if(NOT CMAKE_CXX_FLAGS MATCHES "_FORTIFY_SOURCE|-O0")
    add_compile_definitions($<$<NOT:$<CONFIG:Debug>>:_FORTIFY_SOURCE=2>)
  endif()
endif()

# Every file tells the fuzzer what it covers.
if(WHAWTY_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
