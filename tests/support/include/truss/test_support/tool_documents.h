#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "truss/tool/documents.h"

namespace truss::test_support {

/// Checks that a tool's manual and completions in docs/ are those of its description. With
/// TRUSS_REWRITE=1 in the environment the files are written anew, to be reviewed like prose.
/// \param docs  TRUSS_SOURCE_DIR "/docs/"
inline void check_tool_documents(const tool::Command& root, const std::string& docs) {
  for (const tool::Document& document : tool::documents(root)) {
    const std::string path = docs + document.path;
    if (std::getenv("TRUSS_REWRITE") != nullptr)
      std::ofstream(path, std::ios::binary) << document.text;
    std::ifstream in(path, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    CHECK_MESSAGE(text == document.text, path, " is stale: run its test with TRUSS_REWRITE=1");
  }
}

}  // namespace truss::test_support
