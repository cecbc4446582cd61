#include "scratch_folder.h"

#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace truss::peertool {

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  if (!path_.empty() && !keep_) std::filesystem::remove_all(path_, ignored);
}

Result<> ScratchFolder::make(const std::string& parent) {
  const char* tmp = std::getenv("TMPDIR");
  const std::string folder = !parent.empty()                  ? parent
                             : tmp != nullptr && *tmp != '\0' ? tmp
                                                              : "/tmp";
  std::string name = folder + "/peerbench-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) {
    return fail_errno("make a temporary directory in " + folder, errno);
  }
  path_ = name;
  return {};
}

Result<std::uint64_t> ScratchFolder::free_bytes() const {
  struct statvfs info {};
  if (::statvfs(path_.c_str(), &info) != 0) return fail_errno("statvfs " + path_, errno);
  return std::uint64_t{info.f_bavail} * info.f_frsize;
}

std::string last_words(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  text = text.substr(text.size() - std::min<std::size_t>(text.size(), 600));
  while (text.ends_with('\n')) text.pop_back();
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text.empty() ? "it said nothing" : text;
}

}  // namespace truss::peertool
