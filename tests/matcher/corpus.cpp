// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "tests/matcher/corpus.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace whawty {
namespace {

std::string test_name(const std::filesystem::path& path) {
  std::string name = path.stem().string();
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const CorpusCase& corpus_case) {
  return out << corpus_case.input.filename().string();
}

std::vector<CorpusCase> corpus(const std::filesystem::path& folder, const std::string& input_extension,
                               const std::string& expectation_extension) {
  std::vector<CorpusCase> cases;
  for (const std::filesystem::directory_entry& entry : std::filesystem::directory_iterator(folder)) {
    const std::filesystem::path& path = entry.path();
    std::filesystem::path expectation = path;
    expectation.replace_extension(expectation_extension);
    std::filesystem::path file = path;
    file.replace_extension(input_extension);
    std::filesystem::path directory = path;
    directory.replace_extension();
    if (path == expectation) {
      if (!exists(file) && !exists(directory)) throw std::runtime_error(path.string() + " has no input");
      continue;
    }
    if (path != file && !entry.is_directory())
      throw std::runtime_error(path.string() + " is not a corpus file");
    if (!exists(expectation)) throw std::runtime_error(path.string() + " has no expectation");
    cases.push_back({test_name(path), path, expectation});
  }
  std::sort(cases.begin(), cases.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return cases;
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path.string());
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace whawty
