// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// What the gate adds to a call: a round trip through it, sealed as it is released, and one without it to the
// same libvirtd, which is a thread that answers at once. They take turns, so that all else is the same.
// Printed are medians; the floor is the round trip without the gate.
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "supervisor/gate_socket.h"
#include "tests/gate/passing.h"
#include "tests/process.h"
#include "tests/temporary_folder.h"
#include "tests/unix_socket.h"

namespace whawty {
namespace {

using Microseconds = std::chrono::duration<double, std::micro>;
using Answers = std::map<std::string, std::string>;  // by the call, both as bytes

constexpr int kWarmUp = 50;  // round trips of either kind that are not counted
constexpr int kRounds = 400;
constexpr int kPauseMilliseconds = 2;  // after a round trip: the gate lets so many calls a second pass

void expect(bool holds, const char* what) {
  if (!holds) throw std::runtime_error(what);
}

// Serves a client until it goes.
void answer(const Fd& client, const Answers& answers) {
  std::string call;
  while (is_readable(client, -1)) {
    char part[4096];
    const ssize_t length = ::read(client.get(), part, sizeof part);
    if (length <= 0) return;
    call.append(part, static_cast<std::size_t>(length));
    const auto found = answers.find(call);
    if (found == answers.end()) continue;
    write_to(client, found->second);
    call.clear();
  }
}

Microseconds round_trip(const Fd& connection, const std::string& call, const std::string& reply) {
  const auto begin = std::chrono::steady_clock::now();
  expect(write_to(connection, call) && read_from(connection, reply.size()) == reply, "no answer");
  return std::chrono::steady_clock::now() - begin;
}

double median(std::vector<double>& times) {
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  return *middle;
}

void compare(const char* what, const Fd& direct, const Fd& through, const std::string& call,
             const std::string& reply) {
  std::vector<double> without, with;
  for (int i = 0; i < kWarmUp + kRounds; ++i) {
    const double one = round_trip(direct, call, reply).count();
    const double other = round_trip(through, call, reply).count();
    std::this_thread::sleep_for(std::chrono::milliseconds(kPauseMilliseconds));
    if (i < kWarmUp) continue;
    without.push_back(one);
    with.push_back(other);
  }
  const double floor = median(without);
  const double gate = median(with);
  std::printf("%-44s %9.1f us %9.1f us %6.2f x\n", what, floor, gate, gate / floor);
}

void measure() {
  const std::string look_up = rpc::look_up().bytes();
  const std::string named = rpc::reply(rpc::look_up(), rpc::domain(rpc::kName, rpc::kUuid)).bytes();
  const rpc::Frame describe = rpc::describe();
  const std::string described = rpc::reply(describe, rpc::text(std::string(8 * 1024, 'x'))).bytes();
  const Answers answers{{look_up, named}, {describe.bytes(), described}};

  const TemporaryFolder folder;
  const std::string path = folder.path / "libvirtd";
  const Fd listener = stream();
  expect(bind_to(listener, path) && ::listen(listener.get(), 2) == 0, "a socket");
  GateSocket socket = gate_socket(gate_folder(folder.path));
  int heartbeat[2] = {-1, -1};
  expect(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, heartbeat) == 0, "a heartbeat");
  const Fd supervisor(heartbeat[0]);
  Fd gates(heartbeat[1]);
  Process gate(GATE_PROGRAM);
  gate.descriptors = {gates.get(), socket.listener.get()};
  gate.start({"--connect", "qemu:///system?socket=" + path});
  gates.reset();

  std::vector<std::thread> libvirtd;
  const auto serve_one = [&] {
    libvirtd.emplace_back(
        [client = Fd(::accept(listener.get(), nullptr, nullptr)), &answers] { answer(client, answers); });
  };
  serve_one();
  expect(is_sealed(gate.pid()), "a seal");
  Fd direct = stream();
  Fd through = stream();
  expect(
      connect_to(direct, path) && connect_to(through, "/proc/self/fd/" + std::to_string(socket.place.get())),
      "a connection");
  serve_one();

  std::printf("%-44s %12s %12s %8s\n", "gate: a call of libvirt and its reply", "without", "with", "");
  compare("the name of a domain, 44 bytes", direct, through, look_up, named);
  compare("its XML, 8 KiB", direct, through, describe.bytes(), described);
  direct.reset();
  through.reset();
  gate.wait();
  for (std::thread& thread : libvirtd) thread.join();
}

}  // namespace
}  // namespace whawty

int main() {
  whawty::measure();
}
