// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// What the journal is told, by whom, and what becomes of lines where there is none.
#include <sys/socket.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "common/fd.h"
#include "common/record.h"
#include "system_test.h"
#include "tests/fields.h"
#include "tests/unix_socket.h"

namespace whawty {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

constexpr const char* kSocket = "/run/systemd/journal/socket";

// As systemd has it. Who sent a record, the kernel says.
class Journal {
 public:
  Journal() : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    std::filesystem::create_directories("/run/systemd/journal");
    const int yes = 1;
    EXPECT_EQ(::setsockopt(socket_.get(), SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes), 0);
    EXPECT_TRUE(bind_to(socket_, kSocket));
    std::filesystem::permissions(kSocket, std::filesystem::perms::all);
  }

  // All so far of this event, with the process that sent each as "PID".
  std::vector<Fields> records(Event event) {
    while (receive()) {
    }
    std::vector<Fields> found;
    for (const Fields& fields : all_)
      if (fields.at("MESSAGE_ID") == message_id(event)) found.push_back(fields);
    return found;
  }

  // The first of them, once it is there.
  Fields first(Event event) {
    EXPECT_TRUE(eventually([&] { return !records(event).empty(); })) << message_id(event);
    const std::vector<Fields> found = records(event);
    return found.empty() ? Fields{} : found.front();
  }

 private:
  bool receive() {
    char bytes[65536];
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(ucred))];
    iovec part{bytes, sizeof bytes};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    const ssize_t length = ::recvmsg(socket_.get(), &message, 0);
    if (length < 0) return false;
    Fields fields = fields_in({bytes, static_cast<std::size_t>(length)});
    ucred sender{};
    if (const cmsghdr* const header = CMSG_FIRSTHDR(&message))
      std::memcpy(&sender, CMSG_DATA(header), sizeof sender);
    fields["PID"] = std::to_string(sender.pid);
    all_.push_back(fields);
    return true;
  }

  Fd socket_;
  std::vector<Fields> all_;
};

class JournalTest : public SystemTest {
 protected:
  JournalTest() { daemon_.environment["JOURNAL_STREAM"] = daemon_.journal_stream(); }

  // The same as start(), where the line that it waits for is in the journal.
  void begin(const std::string& text) {
    write_config(text);
    libvirt_.start();
    daemon_.start({"/run/etc/config.yml"});
    journal_.first(Event::kPolicyLoaded);
    ASSERT_TRUE(eventually([&] { return libvirt_.listings() > 0; }));
  }
  void begin_with_guest() {
    libvirt_.define("a");
    begin(config(wants_all("a")));
  }

  std::string pid_of(const std::string& worker) const { return std::to_string(daemon_.worker(worker)); }

  Journal journal_;
};

TEST_F(JournalTest, WhatHappensIsRecordedByTheMatcherAndByTheGate) {
  begin_with_guest();
  plug(camera_);
  const Fields attached = journal_.first(Event::kAttached);
  EXPECT_THAT(attached, AllOf(Contains(Pair("USB_DEVICE", "003/005")), Contains(Pair("USB_ID", "046d:0825")),
                              Contains(Pair("USB_PORT", "3-5")), Contains(Pair("USB_SERIAL", "CAM5")),
                              Contains(Pair("GUEST_NAME", "a")), Contains(Pair("RULE", "a[0]")),
                              Contains(Pair("OUTCOME", "done")), Contains(Pair("PRIORITY", "6")),
                              Contains(Pair("PID", pid_of("matcher")))));
  EXPECT_EQ(attached.at("USB_DIGEST").size(), 64U);
  EXPECT_TRUE(attached.at("MESSAGE").starts_with(
      "matcher: attached 003/005 046d:0825 serial=CAM5 port=3-5 to a by a[0] in "))
      << attached.at("MESSAGE");
  const std::vector<Fields> receipts = journal_.records(Event::kReceipt);
  ASSERT_THAT(receipts, SizeIs(2));
  EXPECT_EQ(receipts[0].at("OUTCOME"), "asked");
  EXPECT_EQ(receipts[1].at("OUTCOME"), "done");
  for (const Fields& receipt : receipts) {
    EXPECT_THAT(receipt, AllOf(Contains(Pair("CHANGE", "attach")), Contains(Pair("PRIORITY", "7")),
                               Contains(Pair("PID", pid_of("gate")))));
    for (const char* const same : {"USB_DEVICE", "USB_ID", "GUEST_UUID", "REQUEST_ID"})
      EXPECT_EQ(receipt.at(same), attached.at(same)) << same;
  }
  EXPECT_EQ(attached.at("POLICY_SHA256"), journal_.first(Event::kPolicyLoaded).at("POLICY_SHA256"));
  EXPECT_EQ(daemon_.lines_with("attached 003/005"), 0) << "it is in the journal already";
  EXPECT_EQ(daemon_.lines_with("receipt"), 0);
  unplug(camera_);
  EXPECT_EQ(journal_.first(Event::kDetached).at("REASON"), "it left the host");
  EXPECT_THAT(journal_.records(Event::kReceipt), SizeIs(4));
}

TEST_F(JournalTest, TheDigestIsThatOfTheFiles) {
  write_file("machines.d/b.yml", "devices: [{bus: 1}]\n");
  begin_with_guest();
  ASSERT_EQ(std::system("cd /run/etc && sha256sum config.yml machines.d/*.yml | sha256sum >/run/digest"), 0);
  EXPECT_EQ(journal_.first(Event::kPolicyLoaded).at("POLICY_SHA256"),
            rest_of_line("/run/digest", "").substr(0, 64));
}

TEST_F(JournalTest, ARefusedPolicyIsRecordedByWhoRefusesIt) {
  begin_with_guest();
  write_config("x: 1\n");
  reload();
  const Fields refused = journal_.first(Event::kPolicyRefused);
  EXPECT_EQ(refused.at("PID"), pid_of("matcher"));
  EXPECT_EQ(refused.at("REFUSED_SHA256").size(), 64U);
  std::filesystem::remove("/run/etc/config.yml");
  reload();
  ASSERT_TRUE(eventually([&] { return journal_.records(Event::kPolicyRefused).size() == 2; }));
  EXPECT_EQ(journal_.records(Event::kPolicyRefused)[1].at("PID"), std::to_string(daemon_.pid()));
  EXPECT_EQ(daemon_.lines_with("Keeping the configuration"), 0);
}

TEST_F(JournalTest, WhoEndsWithItLeavesALineAndARecordWithoutAMessage) {
  write_config("x: 1\n");
  daemon_.start({"/run/etc/config.yml"});
  EXPECT_TRUE(daemon_.logs("<3>matcher: /run/etc/config.yml:1:1: x: unknown key"));
  const Fields refused = journal_.first(Event::kPolicyRefused);
  EXPECT_TRUE(refused.at("LINE").starts_with("matcher: /run/etc/config.yml:1:1: x: unknown key"));
  EXPECT_THAT(refused, testing::Not(Contains(testing::Key("MESSAGE"))));
}

TEST_F(JournalTest, WhatADeviceCallsItselfMakesNoField) {
  libvirt_.define("a");
  begin(config(wants("a", 6)));
  camera_.database = "E:ID_SERIAL_SHORT=x\x1b\xff\nE:ID_MODEL=MESSAGE_ID=1\n";
  plug(camera_);
  const Fields plugged = journal_.first(Event::kUnwanted);
  EXPECT_EQ(plugged.at("USB_SERIAL"), "x\x1b\xff");
  EXPECT_EQ(
      plugged.at("MESSAGE"),
      R"(matcher: 003/005 046d:0825 serial="x\x1b\xff" port=3-5 model=MESSAGE_ID=1 was plugged, and no rule wants it)");
}

TEST_F(JournalTest, WorkersThatAreStartedAgainHaveItToo) {
  begin_with_guest();
  const pid_t gate = daemon_.worker("gate");
  ASSERT_EQ(::kill(daemon_.worker("matcher"), SIGKILL), 0);
  ASSERT_TRUE(eventually([&] { return daemon_.worker("gate") != 0 && daemon_.worker("gate") != gate; }));
  plug(camera_);
  const Fields receipt = journal_.first(Event::kReceipt);
  EXPECT_EQ(receipt.at("PID"), pid_of("gate"));
  EXPECT_EQ(receipt.at("REQUEST_ID"), journal_.first(Event::kAttached).at("REQUEST_ID"));
}

class NoJournalTest : public SystemTest {};

TEST_F(NoJournalTest, WithoutItAllIsALine) {
  daemon_.environment["JOURNAL_STREAM"] = daemon_.journal_stream();
  start_with_guest();
  plug(camera_);
  EXPECT_TRUE(daemon_.logs("<6>matcher: attached 003/005"));
  EXPECT_EQ(daemon_.lines_with("receipt"), 0);
  EXPECT_EQ(daemon_.lines_with("journal"), 0);
}

TEST_F(NoJournalTest, WhereStderrIsAnotherThingItIsLeftAlone) {
  Journal journal;
  start_with_guest();
  plug(camera_);
  EXPECT_TRUE(daemon_.logs("matcher: attached 003/005"));
  EXPECT_THAT(journal.records(Event::kAttached), IsEmpty());
}

TEST_F(NoJournalTest, InDebugModeReceiptsAreLines) {
  daemon_.environment["WHAWTY_LIBVIRT_USB_HOTPLUGD_DEBUG"] = "";
  start_with_guest();
  plug(camera_);
  EXPECT_TRUE(daemon_.logs("gate: receipt: attach of 003/005 046d:0825, domain "));
}

}  // namespace
}  // namespace whawty
