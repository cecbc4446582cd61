#include "truss/common/file_system.h"

namespace truss {

Result<> File::begin_write_back(std::uint64_t /*offset*/, std::uint64_t /*length*/) { return {}; }
Result<> File::await_write_back(std::uint64_t /*offset*/, std::uint64_t /*length*/) { return {}; }

void File::read_ahead(std::uint64_t /*offset*/, std::uint64_t /*length*/) {}

bool exists(FileSystem& fs, const std::string& path) { return fs.stat(path).has_value(); }

Result<> make_dirs(FileSystem& fs, const std::string& path, std::uint32_t mode) {
  if (auto info = fs.stat(path); info && info->directory) return {};
  const std::string parent = parent_path(path);
  if (parent != path && parent != "." && !exists(fs, parent)) {
    TRUSS_TRY(make_dirs(fs, parent, mode));
  }
  auto made = fs.make_dir(path, mode);
  if (!made && made.error().code == Code::kAlreadyExists) {
    if (auto info = fs.stat(path); info && info->directory) return {};
  }
  return made;
}

Result<> remove_all(FileSystem& fs, const std::string& path) {
  auto info = fs.stat(path);
  if (!info && info.error().code == Code::kNotFound) return {};
  if (!info) return tl::unexpected(info.error());
  if (info->directory) {
    TRUSS_ASSIGN(const auto names, fs.list(path));
    for (const auto& name : names) TRUSS_TRY(remove_all(fs, join_path(path, name)));
  }
  return fs.remove(path);
}

Result<std::string> read_file(FileSystem& fs, const std::string& path, std::uint64_t limit_bytes) {
  TRUSS_ASSIGN(const auto file, fs.open(path, {}));
  TRUSS_ASSIGN(const std::uint64_t size, file->size());
  if (size > limit_bytes) {
    return fail(Code::kResourceExhausted, path + ": " + std::to_string(size) +
                                              " bytes, more than the limit of " +
                                              std::to_string(limit_bytes));
  }
  std::string out(size, '\0');
  TRUSS_ASSIGN(const std::size_t got, file->pread(out, 0));
  out.resize(got);
  return out;
}

std::string join_path(ByteView dir, ByteView name) {
  std::string out(dir);
  if (!out.empty() && out.back() != '/') out += '/';
  return out.append(name);
}

std::string parent_path(ByteView path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  const auto slash = path.rfind('/');
  if (slash == ByteView::npos) return ".";
  return std::string(path.substr(0, slash == 0 ? 1 : slash));
}

}  // namespace truss
