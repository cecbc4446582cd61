#include "scouts.h"

namespace truss::server {
namespace {

class Watcher final : public snap::DbWatcher {
 public:
  explicit Watcher(std::shared_ptr<Scouts> scouts) : scouts_(std::move(scouts)) {}

  std::vector<Range> block(std::uint64_t offset, ByteView bytes) override {
    std::vector<Range> out;
    for (const auto& range : scout_->take(offset, bytes)) {
      out.push_back({range.offset, range.length});
    }
    return out;
  }
  void whole(const std::string& path) override { scouts_->keep(path, std::move(scout_)); }

 private:
  std::shared_ptr<Scouts> scouts_;
  std::shared_ptr<mvcc::RecordScout> scout_ = std::make_shared<mvcc::RecordScout>();
};

}  // namespace

std::shared_ptr<snap::DbWatcher> Scouts::watch() {
  return std::make_shared<Watcher>(shared_from_this());
}

}  // namespace truss::server
