// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "gate/relay.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "common/peer_closed.h"

namespace whawty {
namespace {

// Bytes that are read at a time. Of the client few, so that little passes beyond the rate limit.
constexpr std::size_t kPartOfCalls = kMaxCall;
constexpr std::size_t kPartOfAnswers = 64 * 1024;

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

void make_nonblocking(const Fd& fd) {
  if (::fcntl(fd.get(), F_SETFL, O_NONBLOCK) != 0) fail("a socket that does not block");
}

bool is_over(int error) {
  return error == ECONNRESET || error == EPIPE;
}

bool is_for_later(int error) {
  return error == EAGAIN || error == EINTR;
}

}  // namespace

void answer_heartbeat(const Fd& heartbeat) {
  char byte = 0;
  const ssize_t length = ::read(heartbeat.get(), &byte, sizeof byte);
  if (length == 0 || (length < 0 && is_over(errno))) throw PeerClosed{};
  if (length < 0 && !is_for_later(errno)) fail("the heartbeat");
  // The supervisor asks again only after an answer, so there is room for it.
  if (length > 0 && ::write(heartbeat.get(), &byte, sizeof byte) < 0) throw PeerClosed{};
}

Relay::Relay(Gate gate, Fd heartbeat, Fd listener, Fd libvirtd)
    : gate_(std::move(gate)),
      heartbeat_(std::move(heartbeat)),
      listener_(std::move(listener)),
      server_{std::move(libvirtd)} {
  for (const Fd* const fd : {&heartbeat_, &listener_, &std::as_const(server_.socket)}) make_nonblocking(*fd);
}

void Relay::serve() {
  while (true) wait();
}

// Nothing is read of a side as long as the other one has something to take, and nothing of libvirtd as long
// as there is no client.
void Relay::wait() {
  const auto pause = std::chrono::ceil<std::chrono::milliseconds>(gate_.pause(Gate::Clock::now())).count();
  const auto wanted = [](const Side& side, bool reads) {
    return static_cast<short>((reads ? POLLIN : 0) | (side.out.empty() ? 0 : POLLOUT));
  };
  const bool client = static_cast<bool>(client_.socket);
  pollfd waits[] = {
      {heartbeat_.get(), POLLIN, 0},
      {client ? -1 : listener_.get(), POLLIN, 0},
      {client_.socket.get(), wanted(client_, pause <= 0 && server_.out.empty()), 0},
      {server_.socket.get(), wanted(server_, client && client_.out.empty()), 0},
  };
  if (::poll(waits, std::size(waits), pause > 0 ? static_cast<int>(pause) : -1) < 0 && errno != EINTR)
    fail("poll");
  if (waits[0].revents != 0) answer_heartbeat(heartbeat_);
  if ((waits[3].revents & POLLOUT) != 0) send(server_);
  if ((waits[3].revents & (POLLIN | POLLHUP)) != 0) from_server();
  if ((waits[2].revents & POLLOUT) != 0) send(client_);
  if ((waits[2].revents & (POLLIN | POLLHUP)) != 0) from_client();
  if (waits[1].revents != 0) accept();
}

void Relay::accept() {
  client_ = {Fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK))};
  if (!client_.socket && !is_for_later(errno) && errno != ECONNABORTED) fail("accept");
}

void Relay::from_client() {
  if (!receive(client_, kPartOfCalls)) {
    if (!gate_.may_start_again()) throw PeerClosed{};
    client_ = {};
    return;
  }
  while (const auto frame = first_call(client_.in)) {
    if (const auto answer = gate_.from_client(*frame, Gate::Clock::now())) {
      client_.out += *answer;
    } else {
      server_.out += *frame;
    }
    client_.in.erase(0, frame->size());
  }
  write_receipts();  // before the call goes: who asks may see to it that there is no answer
  send(server_);
}

void Relay::from_server() {
  if (!receive(server_, kPartOfAnswers))
    throw std::runtime_error("the connection to libvirt is lost: it closed the connection");
  std::size_t done = 0;
  while (const auto frame = first_answer(std::string_view(server_.in).substr(done))) {
    gate_.from_server(*frame, Gate::Clock::now());
    done += frame->size();
  }
  write_receipts();
  client_.out.append(server_.in, 0, done);
  server_.in.erase(0, done);
  send(client_);
}

void Relay::write_receipts() {
  for (const Receipt& receipt : gate_.take_receipts()) write_down(receipt);
}

// False at the end.
bool Relay::receive(Side& side, std::size_t part) {
  const std::size_t before = side.in.size();
  side.in.resize(before + part);
  const ssize_t length = ::read(side.socket.get(), side.in.data() + before, part);
  side.in.resize(before + static_cast<std::size_t>(std::max<ssize_t>(length, 0)));
  if (length < 0 && !is_for_later(errno) && !is_over(errno)) fail("read");
  return length > 0 || (length < 0 && is_for_later(errno));
}

void Relay::send(Side& side) {
  if (!side.socket || side.out.empty()) return;
  const ssize_t length = ::write(side.socket.get(), side.out.data(), side.out.size());
  // That a peer is gone shows when it is read.
  if (length < 0 && !is_for_later(errno) && !is_over(errno)) fail("write");
  if (length > 0) side.out.erase(0, static_cast<std::size_t>(length));
}

}  // namespace whawty
