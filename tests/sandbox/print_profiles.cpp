// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Prints the tables that documents show: the bounds, and the system calls of all five processes, and the
// calls that pass the gate.
//
//   print_profiles                   to standard output
//   print_profiles --rows            the system calls for programs: a line a row, with tabs between process,
//   text,
//                                    numbers, and conditions "ARGUMENT:MASK:VALUE"
//   print_profiles --check FILE...   fails unless each stands between its markers in one of the files
//   print_profiles --write FILE...   puts them there
#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "common/bounds.h"
#include "common/syscall_names.h"
#include "common/text.h"
#include "gate/calls.h"
#include "profiles.h"

namespace whawty {
namespace {

// What a value of an argument is called. O_TMPFILE is this bit and that of O_DIRECTORY.
struct Constant {
  int call;
  unsigned argument;
  std::uint64_t value;
  const char* name;
};

constexpr Constant kConstants[] = {
    {SCMP_SYS(openat), 2, O_WRONLY, "O_WRONLY"},
    {SCMP_SYS(openat), 2, O_RDWR, "O_RDWR"},
    {SCMP_SYS(openat), 2, O_CREAT, "O_CREAT"},
    {SCMP_SYS(openat), 2, O_TRUNC, "O_TRUNC"},
    {SCMP_SYS(openat), 2, O_APPEND, "O_APPEND"},
    {SCMP_SYS(openat), 2, O_TMPFILE & ~O_DIRECTORY, "O_TMPFILE"},
    {SCMP_SYS(mmap), 2, PROT_EXEC, "PROT_EXEC"},
    {SCMP_SYS(mprotect), 2, PROT_EXEC, "PROT_EXEC"},
    {SCMP_SYS(fcntl), 1, F_GETFL, "F_GETFL"},
    {SCMP_SYS(fcntl), 1, F_SETFD, "F_SETFD"},
    {SCMP_SYS(fcntl), 2, FD_CLOEXEC, "FD_CLOEXEC"},
    {SCMP_SYS(mmap), 3, MAP_ANONYMOUS, "MAP_ANONYMOUS"},
    {SCMP_SYS(futex), 1, FUTEX_WAIT, "FUTEX_WAIT"},
    {SCMP_SYS(futex), 1, FUTEX_WAKE, "FUTEX_WAKE"},
    {SCMP_SYS(futex), 1, FUTEX_WAIT_BITSET, "FUTEX_WAIT_BITSET"},
    {SCMP_SYS(futex), 1, FUTEX_PRIVATE_FLAG, "FUTEX_PRIVATE_FLAG"},
    {SCMP_SYS(futex), 1, FUTEX_CLOCK_REALTIME, "FUTEX_CLOCK_REALTIME"},
    {SCMP_SYS(rt_sigprocmask), 0, SIG_BLOCK, "SIG_BLOCK"},
    {SCMP_SYS(rt_sigprocmask), 0, SIG_SETMASK, "SIG_SETMASK"},
    {SCMP_SYS(prctl), 0, PR_SET_VMA, "PR_SET_VMA"},
    {SCMP_SYS(prctl), 1, PR_SET_VMA_ANON_NAME, "PR_SET_VMA_ANON_NAME"},
    {SCMP_SYS(kill), 1, SIGKILL, "SIGKILL"},
};

std::string value_of(int call, unsigned argument, std::uint64_t value) {
  for (const Constant& constant : kConstants)
    if (constant.call == call && constant.argument == argument && constant.value == value)
      return concat('`', constant.name, '`');
  return concat(value);
}

std::string names_of(int call, unsigned argument, std::uint64_t bits) {
  std::string names;
  for (unsigned bit = 0; bit < 64; ++bit) {
    if ((bits >> bit & 1) == 0) continue;
    if (!names.empty()) names += ", ";
    names += value_of(call, argument, 1ULL << bit);
  }
  return names;
}

// Arguments are counted from 0.
std::string text_of(int call, const scmp_arg_cmp& condition) {
  const std::string argument = concat("argument ", condition.arg);
  if (condition.op == SCMP_CMP_EQ)
    return argument + " is " + value_of(call, condition.arg, condition.datum_a);
  if (condition.op != SCMP_CMP_MASKED_EQ) throw std::logic_error("a condition that has no words yet");
  // Of an int that is compared, nearly all bits count.
  const std::uint64_t any = ~condition.datum_a & 0xffffffff;
  if ((condition.datum_a >> 31 & 1) != 0)
    return concat(argument, " is ", value_of(call, condition.arg, condition.datum_b),
                  any == 0 ? "" : " with or without ", names_of(call, condition.arg, any));
  const std::string bits = names_of(call, condition.arg, condition.datum_a);
  if (condition.datum_b == 0) return argument + " without " + bits;
  if (condition.datum_b != condition.datum_a) throw std::logic_error("a condition that has no words yet");
  return argument + " with " + bits;
}

std::string text_of(const SyscallRule& rule) {
  std::string text;
  for (const scmp_arg_cmp& condition : conditions_of(rule)) {
    if (!text.empty()) text += " and ";
    text += text_of(rule.number, condition);
  }
  return text;
}

// The call by all names that the rule allows, on whatever architecture.
std::string names_of(const SyscallRule& rule) {
  std::string names = concat('`', name_of(rule.number), '`');
  for (const NewerName& name : kNewerNames)
    if (name.call == rule.number) names += concat(", `", name_of(name.newer), '`');
  return names;
}

std::string text_of(const Profile& profile) {
  std::set<int> numbers;
  for (const SyscallRule& rule : by_every_name(profile.rules)) numbers.insert(rule.number);
  std::string text = concat("\n### The ", profile.process, ": ", numbers.size(),
                            " system calls\n\n| call | only if | what for |\n|---|---|---|\n");
  for (const SyscallRule& rule : profile.rules)
    text += concat("| ", names_of(rule), " | ", text_of(rule), " | ", rule.reason, " |\n");
  return text;
}

std::string system_calls() {
  std::string text;
  for (const Profile& profile : profiles()) text += text_of(profile);
  return text + '\n';
}

// All conditions compare some bits of an argument.
std::string numbers_of(const scmp_arg_cmp& condition) {
  const bool whole = condition.op == SCMP_CMP_EQ;
  return concat(condition.arg, ':', whole ? ~std::uint64_t{0} : condition.datum_a, ':',
                whole ? condition.datum_a : condition.datum_b);
}

std::string row_of(const Profile& profile, const SyscallRule& rule) {
  std::string numbers = concat(rule.number);
  for (const NewerName& name : kNewerNames)
    if (name.call == rule.number) numbers += concat(' ', name.newer);
  std::string conditions;
  for (const scmp_arg_cmp& condition : conditions_of(rule)) conditions += numbers_of(condition) + ' ';
  return concat(profile.process, '\t', names_of(rule), ' ', text_of(rule), '\t', numbers, '\t', conditions,
                '\n');
}

std::string rows() {
  std::string text;
  for (const Profile& profile : profiles())
    for (const SyscallRule& rule : profile.rules) text += row_of(profile, rule);
  return text;
}

// With commas where it has five digits or more.
std::string number(std::uint64_t value) {
  std::string text = std::to_string(value);
  if (value >= 10'000)
    for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, 1, ',');
  return text;
}

std::string value_of(const Bound& bound) {
  switch (bound.unit) {
    case Unit::kCount:
      return number(bound.value);
    case Unit::kBytes:
      return size_text(bound.value);
    case Unit::kSeconds:
      return number(bound.value) + " s";
    case Unit::kPerSecond:
      return number(bound.value) + " a second";
    case Unit::kPerMinute:
      return number(bound.value) + " a minute";
  }
  throw std::logic_error("a unit that has no words yet");
}

std::string bounds() {
  std::string text = "\n| bound | value | why |\n|---|---|---|\n";
  for (const Bound& bound : kBounds)
    text += concat("| ", bound.what, " | ", value_of(bound), " | ", bound.reason, " |\n");
  return text + '\n';
}

std::string words_of(const Argument& argument) {
  switch (argument.form) {
    case Form::kNone:
      return "";
    case Form::kWord:
      return std::to_string(argument.word);
    case Form::kUri:
      return concat('`', kDriver, '`');
    case Form::kUuid:
      return "a UUID";
    case Form::kDomain:
      return "a domain";
    case Form::kOwnDomain:
      return "a domain of the list";
    case Form::kNewHostdev:
      return "XML: a new hostdev";
    case Form::kKnownHostdev:
      return "XML: a hostdev";
  }
  throw std::logic_error("a form that has no words yet");
}

std::string calls() {
  std::string text = "\n| program | procedure | arguments | for |\n|---|---|---|---|\n";
  for (const CallRule& rule : kCallRules) {
    std::string arguments;
    for (const Argument& argument : rule.arguments)
      if (argument.form != Form::kNone) arguments += (arguments.empty() ? "" : ", ") + words_of(argument);
    text += concat("| ", rule.program == kRemoteProgram ? "remote" : "keepalive", " | ", rule.procedure,
                   " | ", arguments, " | ", rule.reason, " |\n");
  }
  return text + '\n';
}

// What stands between the two markers of a name.
struct Section {
  std::string name;
  std::string text;
};

std::vector<Section> sections() {
  return {{"bounds", bounds()}, {"system calls", system_calls()}, {"calls", calls()}};
}

std::string content_of(const std::string& path) {
  std::ostringstream content;
  content << std::ifstream(path).rdbuf();
  return content.str();
}

// The document with the sections that it has as they are now. They are told.
std::string up_to_date(std::string document, std::set<std::string>& told) {
  for (const Section& section : sections()) {
    const std::string begin = concat("<!-- ", section.name, ": begin -->\n");
    const auto from = document.find(begin);
    const auto to = document.find(concat("<!-- ", section.name, ": end -->\n"));
    if (from == std::string::npos || to == std::string::npos || to < from) continue;
    const auto first = from + begin.size();
    document.replace(first, to - first, section.text);
    told.insert(section.name);
  }
  return document;
}

// Whether all files were as they are now, after which they are so if they are to be written.
bool bring_up_to_date(const std::vector<std::string>& paths, bool write) {
  bool same = true;
  std::set<std::string> told;
  for (const std::string& path : paths) {
    const std::string document = content_of(path);
    const std::string updated = up_to_date(document, told);
    if (updated == document) continue;
    same = false;
    if (write) std::ofstream(path, std::ios::binary) << updated;
  }
  for (const Section& section : sections())
    if (!told.contains(section.name) && !write)
      throw std::runtime_error(concat("no file has the markers of the ", section.name));
  return same;
}

int check(const std::string& program, const std::vector<std::string>& paths) {
  if (bring_up_to_date(paths, false)) return 0;
  std::cerr << "The documents do not show the tables as they are. Bring them up to date with:\n"
            << program << " --write";
  for (const std::string& path : paths) std::cerr << ' ' << path;
  std::cerr << '\n';
  return 1;
}

}  // namespace
}  // namespace whawty

int main(int argc, char** argv) {
  using namespace whawty;
  const std::vector<std::string> arguments(argv, argv + argc);
  try {
    const std::vector<std::string> paths(arguments.begin() + std::min(argc, 2), arguments.end());
    if (!paths.empty() && arguments[1] == "--check") return check(arguments[0], paths);
    if (!paths.empty() && arguments[1] == "--write") {
      bring_up_to_date(paths, true);
      return 0;
    }
    if (argc == 2 && arguments[1] == "--rows") {
      std::cout << rows();
      return 0;
    }
    for (const Section& section : sections()) std::cout << section.text;
    return argc == 1 ? 0 : 1;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
