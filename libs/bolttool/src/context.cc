#include "context.h"

#include "truss/bolt/format.h"

namespace truss::bolttool {

int failed(tool::Console& console, const Error& error) {
  return tool::report_error(console, "boltctl", error);
}

int with_image(Environment& env, tool::Console& console, const std::string& path,
               const std::function<Result<int>(const Image&)>& body,
               const Image::Options& options) {
  auto image = Image::open(env.fs, path, options);
  if (!image) return failed(console, image.error());
  if (image->live()) {
    console.err << "boltctl: " << image->path() << ": being written" << image->holders()
                << ": reading the state of transaction " << image->meta().txid
                << " without a lock\n";
  }
  auto code = body(*image);
  if (!image->moved_on()) return code ? *code : failed(console, code.error());
  if (!code) failed(console, code.error());
  console.err << "boltctl: " << image->path()
              << ": written to meanwhile, so the output may mix two states; ask again, or take a "
                 "snapshot first\n";
  return tool::kFoundWrong;
}

const char* type_name(std::uint16_t flags) {
  switch (flags) {
    case bolt::kBranchFlag:
      return "branch";
    case bolt::kLeafFlag:
      return "leaf";
    case bolt::kMetaFlag:
      return "meta";
    case bolt::kFreelistFlag:
      return "freelist";
    default:
      return "unknown";
  }
}

std::string shown_path(const std::vector<ByteView>& buckets) {
  std::string out;
  for (const ByteView name : buckets) out += (out.empty() ? "" : "/") + tool::printable(name);
  return out;
}

}  // namespace truss::bolttool
