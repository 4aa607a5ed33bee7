// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The gate as it is released, sealed, between an actuator that has been taken over and a libvirtd that writes
// down what arrives. The test plays both, and the supervisor.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "common/bounds.h"
#include "common/exit_code.h"
#include "supervisor/gate_socket.h"
#include "tests/eventually.h"
#include "tests/gate/passing.h"
#include "tests/process.h"
#include "tests/temporary_folder.h"
#include "tests/unix_socket.h"

namespace whawty {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

using rpc::Frame;

class RelayTest : public testing::Test {
 protected:
  RelayTest() {
    EXPECT_TRUE(bind_to(listener_, path_));
    make_heartbeat();
  }

  void make_heartbeat() {
    int ends[2] = {-1, -1};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    heartbeat_ = Fd(ends[0]);
    gates_heartbeat_ = Fd(ends[1]);
  }

  void expect_heartbeat() {
    EXPECT_TRUE(write_to(heartbeat_, "x"));
    EXPECT_EQ(read_from(heartbeat_, 1), "x");
  }

  void start(Process& gate, std::vector<std::string> arguments = {}) {
    gate.descriptors = {gates_heartbeat_.get(), socket_.listener.get()};
    arguments.insert(arguments.end(), {"--connect", "qemu:///system?socket=" + path_});
    gate.start(arguments);
    gates_heartbeat_.reset();
  }

  void come_up() { EXPECT_EQ(::listen(listener_.get(), 4), 0); }

  // libvirtd is there, and the actuator connects.
  void begin(const std::vector<std::string>& arguments = {}) { begin_with(gate_, arguments); }
  void begin_with(Process& gate, const std::vector<std::string>& arguments = {}) {
    make_heartbeat();
    come_up();
    start(gate, arguments);
    libvirtd_ = Fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    client_ = connect();
  }

  Fd connect() const {
    Fd client = stream();
    EXPECT_TRUE(connect_to(client, "/proc/self/fd/" + std::to_string(socket_.place.get())));
    return client;
  }

  // A call arrives as it was sent, and so does its reply.
  void expect_passes(const Frame& call, const std::string& arguments = "", std::uint32_t status = 0) {
    const std::string bytes = call.bytes();
    EXPECT_TRUE(write_to(client_, bytes));
    EXPECT_EQ(read_from(libvirtd_, bytes.size()), bytes) << call.procedure;
    if (call.type != 0) return;
    const std::string reply = rpc::reply(call, arguments, status).bytes();
    EXPECT_TRUE(write_to(libvirtd_, reply));
    EXPECT_EQ(read_from(client_, reply.size()), reply) << call.procedure;
  }

  void name_domain() { expect_passes(rpc::look_up(), rpc::domain(rpc::kName, rpc::kUuid)); }

  // It ends with this, one line, and nothing more has arrived.
  void expect_end(const std::string& words) {
    EXPECT_EQ(read_from(libvirtd_, 1), "");
    EXPECT_EQ(gate_.wait(), kExitFailure);
    EXPECT_THAT(gate_.lines(), testing::ElementsAre(HasSubstr(words)));
  }

  const TemporaryFolder folder_;
  const std::string path_ = folder_.path / "libvirtd";
  Fd listener_ = stream();
  GateSocket socket_ = gate_socket(gate_folder(folder_.path));
  Fd heartbeat_, gates_heartbeat_;
  Process gate_{GATE_PROGRAM};
  Fd libvirtd_, client_;
};

TEST_F(RelayTest, TheCallsOfTheDaemonArriveAsTheyWereSent) {
  begin();
  name_domain();
  for (const rpc::Passing& one : rpc::passing())
    if (one.frame.procedure != 24 && one.frame.procedure != 160)
      expect_passes(one.frame, one.frame.procedure == 273 ? rpc::words({0, 0}) : "");
  EXPECT_TRUE(gate_.runs());
  EXPECT_THAT(gate_.lines(), IsEmpty());
}

TEST_F(RelayTest, AnAttachOfADeviceThatIsNotThereIsAnsweredAndDoesNotArrive) {
  begin();
  name_domain();
  // No host has a device of these ids.
  const std::string xml =
      "<hostdev mode='subsystem' type='usb' managed='yes'><source><vendor id='0xfffe'/><product id='0xfffe'/>"
      "<address bus='999' device='127'/></source><alias name='ua-whawty-usb-00000000000000ab-17'/></hostdev>";
  EXPECT_TRUE(write_to(client_, rpc::attach(rpc::domain(rpc::kName, rpc::kUuid), xml).bytes()));
  const std::string length = read_from(client_, 4);
  ASSERT_EQ(length.size(), 4U);
  const std::string answer = read_from(client_, static_cast<unsigned char>(length[3]) - 4U);
  EXPECT_THAT(answer, HasSubstr("Did not find USB device"));
  expect_passes(rpc::detach());
  EXPECT_TRUE(gate_.runs());
}

TEST_F(RelayTest, FramesMayComeInPiecesAndTogether) {
  begin();
  const std::string one = rpc::feature(15).bytes();
  for (const char byte : one) {
    EXPECT_TRUE(write_to(client_, std::string(1, byte)));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(read_from(libvirtd_, one.size()), one);
  std::string many;
  for (int i = 0; i < 200; ++i) many += rpc::keep_alive(1 + i % 2).bytes();
  EXPECT_TRUE(write_to(client_, many));
  EXPECT_EQ(read_from(libvirtd_, many.size()), many);
  std::string events;
  for (int i = 0; i < 200; ++i)
    events += Frame{318, std::string(static_cast<std::size_t>(4 * i), 'x'), 0, rpc::kRemote, 1, 2}.bytes();
  std::thread slow([&] {
    for (std::size_t at = 0; at < events.size(); at += 777) write_to(libvirtd_, events.substr(at, 777));
  });
  EXPECT_EQ(read_from(client_, events.size()), events);
  slow.join();
}

TEST_F(RelayTest, HalfAFrameDoesNotArrive) {
  begin();
  EXPECT_TRUE(write_to(client_, rpc::open().bytes().substr(0, 40)));
  EXPECT_FALSE(is_readable(libvirtd_, 100));
  client_.reset();
  EXPECT_FALSE(is_readable(libvirtd_, 100)) << "it may start again";
  client_ = connect();
  expect_passes(rpc::open());
}

TEST_F(RelayTest, WhatMayNotPassEndsItWithOneLineAndDoesNotArrive) {
  begin();
  name_domain();
  EXPECT_TRUE(write_to(client_, Frame{12, rpc::domain(rpc::kName, rpc::kUuid)}.bytes()));
  expect_end("gate: ALARM: the actuator tried procedure 12 of program 0x20008086");
}

TEST_F(RelayTest, NorDoesWhatCameWithIt) {
  begin();
  EXPECT_TRUE(write_to(client_, rpc::feature(15).bytes() + Frame{12}.bytes()));
  expect_end("ALARM");
}

TEST_F(RelayTest, ALengthThatCannotBeEndsItBeforeTheRestComes) {
  for (const std::uint32_t length : {0U, 27U, static_cast<std::uint32_t>(kMaxCall) + 1, ~0U}) {
    SCOPED_TRACE(length);
    Process gate(GATE_PROGRAM);
    begin_with(gate);
    EXPECT_TRUE(write_to(client_, rpc::words({length})));
    EXPECT_EQ(gate.wait(), kExitFailure);
    EXPECT_THAT(gate.lines(), testing::ElementsAre(HasSubstr("a message of")));
  }
}

TEST_F(RelayTest, ADescriptorIsNotPassedOn) {
  begin();
  const std::string bytes = rpc::feature(15).bytes();
  iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{nullptr, 0, &part, 1, control, sizeof control, 0};
  cmsghdr* const header = CMSG_FIRSTHDR(&message);
  *header = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
  *reinterpret_cast<int*>(CMSG_DATA(header)) = STDIN_FILENO;
  ASSERT_EQ(::sendmsg(client_.get(), &message, 0), static_cast<ssize_t>(bytes.size()));
  char arrived[256];
  iovec into{arrived, sizeof arrived};
  msghdr received{nullptr, 0, &into, 1, control, sizeof control, 0};
  ASSERT_EQ(::recvmsg(libvirtd_.get(), &received, 0), static_cast<ssize_t>(bytes.size()));
  EXPECT_EQ(received.msg_controllen, 0U);
  EXPECT_EQ(received.msg_flags & MSG_CTRUNC, 0);
}

// Whoever asks may see to it that there is no answer.
TEST_F(RelayTest, AChangeIsWrittenDownBeforeItGoes) {
  gate_.environment["WHAWTY_LIBVIRT_USB_HOTPLUGD_DEBUG"] = "";
  begin();
  name_domain();
  const std::string call = rpc::detach().bytes();
  EXPECT_TRUE(write_to(client_, call));
  EXPECT_EQ(read_from(libvirtd_, call.size()), call);
  EXPECT_EQ(gate_.lines_with("receipt: detach of 003/005 046d:0825"), 1);
  EXPECT_EQ(gate_.lines_with(": asked"), 1);
}

TEST_F(RelayTest, OnlyDomainsOfTheListAreChanged) {
  begin({"--domain", "another"});
  name_domain();
  expect_passes(rpc::describe());
  EXPECT_TRUE(write_to(client_, rpc::detach().bytes()));
  expect_end("a domain that is not in the list");
}

TEST_F(RelayTest, WithAnEmptyListNoneIs) {
  begin({"--no-domain"});
  name_domain();
  EXPECT_TRUE(write_to(client_, rpc::detach().bytes()));
  expect_end("a domain that is not in the list");
}

// polkit said no, or libvirtd: the client comes again, on the same connection to libvirtd.
TEST_F(RelayTest, AClientThatWasRefusedMayComeAgain) {
  begin();
  for (int i = 0; i < 3; ++i) {
    expect_passes({66}, rpc::words({1, 2}));
    expect_passes({70}, rpc::words({45, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0}), 1);
    client_.reset();
    client_ = connect();
  }
  expect_passes({66}, rpc::words({1, 2}));
  expect_passes({70}, rpc::words({1}));
  expect_passes(rpc::open());
  client_.reset();
  EXPECT_EQ(gate_.wait(), kExitPeerClosed) << "it was let in";
  EXPECT_THAT(gate_.lines(), IsEmpty());
}

TEST_F(RelayTest, OnlyOneClientIsServedAtATime) {
  begin();
  expect_passes({66});
  const Fd second = connect();
  EXPECT_TRUE(write_to(second, rpc::Frame{66}.bytes()));
  EXPECT_FALSE(is_readable(libvirtd_, 100));
  expect_passes({66});
}

TEST_F(RelayTest, ItEndsWithEachOfItsPeers) {
  begin();
  expect_passes(rpc::open());
  ASSERT_EQ(::shutdown(libvirtd_.get(), SHUT_WR), 0);
  expect_end("gate: the connection to libvirt is lost: it closed the connection");
  EXPECT_EQ(read_from(client_, 1), "");
  Process other(GATE_PROGRAM);
  begin_with(other);
  heartbeat_.reset();
  EXPECT_EQ(other.wait(), kExitPeerClosed);
  EXPECT_THAT(other.lines(), IsEmpty());
}

TEST_F(RelayTest, ItWaitsForLibvirtdAndAnswersMeanwhile) {
  start(gate_);
  ASSERT_TRUE(
      gate_.logs("gate: waiting for libvirt at qemu:///system?socket=" + path_ + ": Connection refused: "));
  client_ = connect();
  expect_heartbeat();
  come_up();
  libvirtd_ = Fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  expect_passes(rpc::open());
  expect_heartbeat();
  EXPECT_EQ(gate_.lines().size(), 1U);
}

TEST_F(RelayTest, SealedItAnswersEachHeartbeatWhateverItsPeersDo) {
  begin();
  for (int i = 0; i < 3; ++i) expect_heartbeat();
  // Nobody reads what the client sends, and the client reads nothing.
  ::fcntl(client_.get(), F_SETFL, O_NONBLOCK);
  while (write_to(client_, rpc::keep_alive(1).bytes())) {
  }
  ::fcntl(libvirtd_.get(), F_SETFL, O_NONBLOCK);
  while (write_to(libvirtd_, rpc::keep_alive(1).bytes())) {
  }
  expect_heartbeat();
}

TEST_F(RelayTest, AFloodIsSlowedDownAndTakesNoMemory) {
  begin();
  const std::string ping = rpc::keep_alive(1).bytes();
  std::atomic<std::size_t> arrived = 0;
  std::thread reader([&] {
    while (!read_from(libvirtd_, ping.size()).empty()) ++arrived;
  });
  const auto start = std::chrono::steady_clock::now();
  std::string many;
  for (int i = 0; i < 100; ++i) many += ping;
  for (int i = 0; i < (kCallsAtOnce + 2 * kCallsPerSecond) / 100; ++i) ASSERT_TRUE(write_to(client_, many));
  EXPECT_TRUE(
      eventually([&] { return arrived >= static_cast<std::size_t>(kCallsAtOnce + kCallsPerSecond); }));
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(900));
  expect_heartbeat();
  heartbeat_.reset();
  EXPECT_EQ(gate_.wait(), kExitPeerClosed);
  reader.join();
  EXPECT_LE(gate_.usage().ru_maxrss, 32 * 1024) << "KiB";
}

TEST_F(RelayTest, WhatLibvirtdNeverSendsEndsIt) {
  begin();
  EXPECT_TRUE(write_to(libvirtd_, Frame{318, "", 0, rpc::kRemote, 1, 3}.bytes()));
  expect_end("gate: libvirtd sent neither a reply nor an event");
}

TEST_F(RelayTest, ALongAnswerPassesAndATooLongOneDoesNot) {
  begin();
  name_domain();
  expect_passes(rpc::describe(), rpc::text(std::string(4 << 20, 'x')));
  EXPECT_TRUE(write_to(client_, rpc::describe().bytes()));
  EXPECT_EQ(read_from(libvirtd_, rpc::describe().bytes().size()), rpc::describe().bytes());
  EXPECT_TRUE(write_to(libvirtd_, rpc::words({static_cast<std::uint32_t>(kMaxAnswer) + 1})));
  expect_end("a message of 8388609 bytes");
}

}  // namespace
}  // namespace whawty
