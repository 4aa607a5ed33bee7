// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// A libvirt made of domains in the memory of the test. It is seen by the actuator's scripted hypervisor, and,
// at another socket, by libvirt's own client, with which the actuator is released.
#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "common/domain.h"
#include "common/fd.h"
#include "rpc_connection.h"

namespace whawty::fake {

class Libvirt {
 public:
  // Where it listens for the scripted hypervisor; and with kRpc behind it, for all that speak libvirt's RPC.
  explicit Libvirt(std::string socket) : socket_(std::move(socket)) {}
  ~Libvirt();
  Libvirt(const Libvirt&) = delete;
  Libvirt& operator=(const Libvirt&) = delete;

  static constexpr const char* kRpc = "-rpc";

  // Comes up: nobody can connect before.
  void start();

  // Closes all connections, as a restart of libvirtd does.
  void disconnect();

  // A domain, off or running: the first has the UUID {kUuids, 1}, the next {kUuids, 2}. More of a running
  // domain's XML: what else stands under <devices>.
  void define(const std::string& name, bool running = true, const std::string& more_devices = "");
  static constexpr std::uint64_t kUuids = 0x1234;
  // A hostdev that the domain has, whoever attached it.
  void give(const std::string& name, const Hostdev& hostdev);
  void start_domain(const std::string& name) { change_state(name, true); }
  // It is stopped and started, or loses its hostdevs, and no event tells of it.
  void restart_silently(const std::string& name);
  void take_silently(const std::string& name);
  void stop_domain(const std::string& name) { change_state(name, false); }
  // Its QEMU ends unasked.
  void kill_domain(const std::string& name) { change_state(name, false, {}, "died"); }
  // It was migrated to this host, and has these hostdevs, which QEMU has let go of.
  void migrate_domain(const std::string& name, const std::vector<Hostdev>& hostdevs) {
    change_state(name, true, hostdevs, "let-go");
  }

  // Attaches fail with these words: that many of them, or all until it is called again.
  void fail_attaches(int times, const std::string& words);
  static constexpr int kAll = 1'000'000;

  // Descriptions of the domain fail, as those of libvirt 11 do while something else is done with it.
  void set_busy(const std::string& name, bool busy);
  int descriptions_refused() const;

  // Calls that concern the domain do not return until told to.
  void hang(const std::string& name);
  void resume(const std::string& name);

  std::vector<Hostdev> hostdevs(const std::string& name) const;

  // What was asked for so far, failed calls too: "list", "name a", "describe a", "attach a 003/005
  // 046d:0825"; "attach nobody 003/005 046d:0825" if there is no such domain.
  std::vector<std::string> calls() const;

  // Of these the attaches and detaches, and how often the domains were listed, and one of them described.
  std::vector<std::string> changes() const;
  int listings() const;
  int descriptions() const;

 private:
  struct Domain {
    Uuid uuid;
    int id = 0;  // 0: it does not run
    std::string more_devices;
    std::vector<Hostdev> hostdevs;
    bool busy = false;
    bool hangs = false;
    std::deque<std::pair<int, std::string>> unanswered;  // connection and request
  };

  void serve();
  int accept(const Fd& listener);
  void send(int connection, const std::string& text);
  void receive(int connection);
  void handle(int connection, const std::string& request);
  std::string answer_to(const std::string& request);
  std::string listing() const;
  std::string xml(const std::string& name, const Domain& domain) const;
  std::string change(const std::string& verb, const std::string& name, Domain& domain,
                     const Hostdev& hostdev);
  std::string attach(const std::string& name, Domain& domain, const Hostdev& hostdev);
  std::string detach(Domain& domain, const Hostdev& hostdev);
  std::map<std::string, Domain>::iterator find(const std::string& request);
  void tell_changed(const std::string& name, const std::string& news = "");
  void change_state(const std::string& name, bool running, const std::vector<Hostdev>& hostdevs = {},
                    const std::string& news = "");

  const std::string socket_;
  mutable std::mutex mutex_;
  Fd listener_;
  Fd rpc_listener_;
  std::map<int, Fd> connections_;
  std::map<int, RpcConnection> rpc_;  // of these, those that speak it
  std::map<std::string, Domain> domains_;
  std::vector<std::string> calls_;
  int descriptions_refused_ = 0;
  int last_id_ = 6;
  int failures_left_ = 0;
  std::string failure_;
  Fd stop_, stopped_;  // a pipe
  std::jthread thread_;
};

}  // namespace whawty::fake
