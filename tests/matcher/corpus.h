// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Whole files as test cases: each beside a file that says what must come of it.
#pragma once

#include <filesystem>
#include <ostream>
#include <string>
#include <vector>

namespace whawty {

struct CorpusCase {
  std::string name;                   // letters, digits and underscores, as a test's name may have
  std::filesystem::path input;        // a file, or a folder with several
  std::filesystem::path expectation;  // the file that says what must come of it
};
std::ostream& operator<<(std::ostream& out, const CorpusCase& corpus_case);

// For INSTANTIATE_TEST_SUITE_P.
inline constexpr auto kByName = [](const auto& info) { return info.param.name; };

// All cases of a folder, sorted: each file with the input extension, and each folder. The expectation is the
// same name with the other extension. Throws std::runtime_error for a file that is neither, and for one
// without its counterpart.
std::vector<CorpusCase> corpus(const std::filesystem::path& folder, const std::string& input_extension,
                               const std::string& expectation_extension);

// Throws std::runtime_error when the file cannot be read.
std::string read_file(const std::filesystem::path& path);

}  // namespace whawty
