#include "truss/tool/lock_holder.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace truss::tool {
namespace {

namespace fs = std::filesystem;

// `fe:01:12345` of /proc/locks and fdinfo.
std::string file_id(const struct stat& info) {
  char text[64];
  std::snprintf(text, sizeof text, "%02x:%02x:%llu", major(info.st_dev), minor(info.st_dev),
                static_cast<unsigned long long>(info.st_ino));
  return text;
}

// `1: FLOCK ADVISORY WRITE 1234 fe:01:12345 0 EOF`; a waiter has `->` behind the number.
struct LockLine {
  std::string mode;
  std::string pid;
  std::string file;
};
std::optional<LockLine> parse_lock(const std::string& line) {
  std::istringstream in(line);
  std::string number;
  std::string kind;
  std::string strictness;
  LockLine out;
  if (!(in >> number >> kind >> strictness >> out.mode >> out.pid >> out.file)) return std::nullopt;
  if (kind == "->") return std::nullopt;
  return out;
}

std::string program_name(std::uint64_t pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/comm");
  std::string name;
  std::getline(in, name);
  return name;
}

std::optional<std::uint64_t> parse_pid(const std::string& text) {
  std::uint64_t pid = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), pid);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return pid;
}

void add(std::vector<LockHolder>& out, std::uint64_t pid, bool exclusive) {
  const auto same = [&](const LockHolder& h) { return h.pid == pid; };
  if (std::ranges::none_of(out, same)) out.push_back({pid, program_name(pid), exclusive});
}

// fdinfo has a line `lock:\t1: OFDLCK …` for each lock held through that descriptor.
void search_descriptors(std::uint64_t pid, const std::string& file, std::vector<LockHolder>& out) {
  std::error_code error;
  const std::string folder = "/proc/" + std::to_string(pid) + "/fdinfo";
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    std::ifstream in(it->path());
    for (std::string line; std::getline(in, line);) {
      if (!line.starts_with("lock:")) continue;
      const auto lock = parse_lock(line.substr(5));
      if (lock && lock->file == file) add(out, pid, lock->mode == "WRITE");
    }
  }
}

void search_processes(const std::string& file, std::vector<LockHolder>& out) {
  std::error_code error;
  for (fs::directory_iterator it("/proc", error), end; !error && it != end; it.increment(error)) {
    if (const auto pid = parse_pid(it->path().filename())) search_descriptors(*pid, file, out);
  }
}

}  // namespace

std::string LockHolder::text() const {
  if (pid == 0) return "a process that can't be seen from here";
  return "process " + std::to_string(pid) + (name.empty() ? "" : " (" + name + ")");
}

std::vector<LockHolder> lock_holders(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return {};
  const std::string file = file_id(info);
  std::vector<LockHolder> out;
  bool unnamed = false;
  std::ifstream locks("/proc/locks");
  for (std::string line; std::getline(locks, line);) {
    const auto lock = parse_lock(line);
    if (!lock || lock->file != file) continue;
    const auto pid = parse_pid(lock->pid);
    if (pid && *pid > 0) {
      add(out, *pid, lock->mode == "WRITE");
    } else {
      unnamed = true;
    }
  }
  if (unnamed) search_processes(file, out);
  if (unnamed && out.empty()) out.push_back({0, "", true});
  return out;
}

std::string held_by(const std::string& path) {
  std::string out;
  for (const LockHolder& holder : lock_holders(path))
    out += (out.empty() ? ", held by " : ", ") + holder.text();
  return out;
}

}  // namespace truss::tool
