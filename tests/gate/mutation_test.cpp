// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Each row of the gate's table is changed in each field, and it is seen that tests notice: what passes is
// then no longer what tests/gate/passing.h says.
#include <gtest/gtest.h>

#include "gate/gate.h"
#include "tests/gate/passing.h"

namespace whawty {
namespace {

using Rules = std::vector<CallRule>;

constexpr Uuid kUnlisted{1, 2};

// A gate with that table, for a list with one domain; libvirtd has named that and another one.
class Trial {
 public:
  explicit Trial(Rules rules) : rules_(std::move(rules)) {
    for (const auto& [uuid, name] :
         {std::pair{rpc::kUuid, rpc::kName}, {kUnlisted, std::string("unlisted")}}) {
      const rpc::Frame call = rpc::look_up(uuid, 999);
      if (passes(call.bytes(), rpc::domain(name, uuid))) continue;
      // A table that lets nobody look up has a list, then.
      passes(rpc::list().bytes(), rpc::words({1}) + rpc::domain(name, uuid));
    }
  }

  // Passes, and is answered.
  bool passes(const std::string& frame, const std::string& answer = "") {
    try {
      if (gate_.from_client(frame, {})) return false;
      const Header call = message_in(frame).header;
      if (call.type != kCall) return true;
      const rpc::Frame reply{call.procedure,          answer, call.serial, rpc::kRemote, 1, 1,
                             answer.empty() ? 1U : 0U};
      gate_.from_server(reply.bytes(), {});
      return true;
    } catch (const Refused&) {
      return false;
    } catch (const Malformed&) {
      return true;  // it passed, and was another program's
    }
  }

 private:
  Rules rules_;
  Gate gate_{AllowedDomains{{rpc::kName}}, [](const Hostdev&) { return true; }, rules_};
};

bool has_a_bit_too_loose(Trial& trial, const std::string& frame, const std::set<std::size_t>& free) {
  for (std::size_t at = 4; at < frame.size(); ++at)
    for (int bit = 0; bit < 8 && !free.contains(at); ++bit) {
      std::string other = frame;
      other[at] = static_cast<char>(other[at] ^ 1 << bit);
      if (trial.passes(other) && !rpc::is_passing(other)) return true;
    }
  return false;
}

// What tests/gate/gate_test.cpp looks at, in short; of the bits only those of messages like that row's, if
// one is given.
bool is_noticed(const Rules& rules, const CallRule* of = nullptr) {
  Trial trial(rules);
  for (const rpc::Passing& one : rpc::passing()) {
    const std::string frame = one.frame.bytes();
    if (!trial.passes(frame)) return true;
    if (of != nullptr && of->procedure != one.frame.procedure) continue;
    // Messages that are no calls have no serial.
    for (const std::uint32_t serial : {one.frame.serial, 0U}) {
      rpc::Frame again = one.frame;
      again.serial = serial;
      if (has_a_bit_too_loose(trial, again.bytes(), one.free)) return true;
    }
    if (trial.passes((rpc::Frame{one.frame.procedure, one.frame.arguments + rpc::words({0}), 1,
                                 one.frame.program, 1, one.frame.type})
                         .bytes()))
      return true;
  }
  const std::string unlisted = rpc::domain("unlisted", kUnlisted);
  return trial.passes(rpc::attach(unlisted).bytes()) || trial.passes(rpc::detach(unlisted).bytes()) ||
         !trial.passes(rpc::describe(unlisted).bytes());
}

// The table with one row changed, or with one more.
Rules with(std::size_t row, const CallRule& other) {
  Rules rules(kCallRules.begin(), kCallRules.end());
  rules[row] = other;
  return rules;
}
Rules and_also(const CallRule& other) {
  Rules rules(kCallRules.begin(), kCallRules.end());
  rules.push_back(other);
  return rules;
}

bool is_row(const CallRule& rule) {
  for (const CallRule& row : kCallRules) {
    bool same = row.program == rule.program && row.type == rule.type && row.procedure == rule.procedure;
    for (std::size_t i = 0; i < row.arguments.size(); ++i)
      same = same && row.arguments[i].form == rule.arguments[i].form &&
             row.arguments[i].word == rule.arguments[i].word;
    if (same) return true;
  }
  return false;
}

TEST(MutationTest, TheTableItselfIsFine) {
  EXPECT_FALSE(is_noticed({kCallRules.begin(), kCallRules.end()}));
}

TEST(MutationTest, ARowLessIsNoticed) {
  for (std::size_t row = 0; row < kCallRules.size(); ++row) {
    Rules rules(kCallRules.begin(), kCallRules.end());
    rules.erase(rules.begin() + static_cast<std::ptrdiff_t>(row));
    EXPECT_TRUE(is_noticed(rules)) << kCallRules[row].reason;
  }
}

// One that also lets another program, type or procedure pass, or another number.
TEST(MutationTest, ANumberThatIsLoosenedIsNoticed) {
  int mutants = 0;
  for (const CallRule& row : kCallRules) {
    std::vector<CallRule> looser;
    for (unsigned bit = 0; bit < 32; ++bit) {
      for (std::uint32_t CallRule::*field : {&CallRule::program, &CallRule::type, &CallRule::procedure}) {
        looser.push_back(row);
        looser.back().*field ^= 1U << bit;
      }
      for (std::size_t i = 0; i < row.arguments.size(); ++i)
        if (row.arguments[i].form == Form::kWord) {
          looser.push_back(row);
          looser.back().arguments[i].word ^= 1U << bit;
        }
    }
    for (const CallRule& rule : looser) {
      if (is_row(rule)) continue;
      ++mutants;
      EXPECT_TRUE(is_noticed(and_also(rule), &row))
          << row.reason << ": " << rule.program << ' ' << rule.type << ' ' << rule.procedure;
    }
  }
  EXPECT_GT(mutants, 1000);
}

TEST(MutationTest, AnotherFormOfAnArgumentIsNoticed) {
  for (std::size_t row = 0; row < kCallRules.size(); ++row)
    for (std::size_t i = 0; i < kCallRules[row].arguments.size(); ++i)
      for (const Form form : {Form::kNone, Form::kWord, Form::kUri, Form::kUuid, Form::kDomain,
                              Form::kOwnDomain, Form::kNewHostdev, Form::kKnownHostdev}) {
        CallRule rule = kCallRules[row];
        if (rule.arguments[i].form == form) continue;
        rule.arguments[i] = {form, 0};
        EXPECT_TRUE(is_noticed(with(row, rule), &kCallRules[row])) << rule.reason << ", argument " << i;
      }
}

}  // namespace
}  // namespace whawty
