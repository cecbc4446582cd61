#include "truss/test_support/temp_dir.h"

#include <cstdlib>
#include <filesystem>
#include <stdexcept>

namespace truss::test_support {

TempDir::TempDir() {
  path_ = (std::filesystem::temp_directory_path() / "truss-test-XXXXXX").string();
  if (::mkdtemp(path_.data()) == nullptr) throw std::runtime_error("mkdtemp " + path_);
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace truss::test_support
