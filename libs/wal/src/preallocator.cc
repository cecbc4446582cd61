#include "preallocator.h"

#include <mutex>
#include <optional>
#include <utility>

namespace truss::wal {
namespace {

/// Creates, locks and preallocates a file. Emptied first: a predecessor that died while it cut may
/// have left records in it.
Result<Preallocator::Ready> make_file(FileSystem& fs, const std::string& path,
                                      std::uint64_t bytes) {
  TRUSS_ASSIGN(auto file, fs.open(path, {.write = true, .create = true, .mode = 0600}));
  TRUSS_TRY(file->try_lock(LockKind::kOfd, true));
  TRUSS_TRY(file->truncate(0));
  TRUSS_TRY(file->allocate(bytes));
  return Preallocator::Ready{path, std::move(file)};
}

}  // namespace

/// What both threads touch.
struct Preallocator::Shared {
  std::mutex mutex;
  std::string busy;        ///< path a queued or running task makes, empty if none
  bool abandoned = false;  ///< nobody will take the file
  bool discard = false;    ///< ... and it is to be removed
  std::optional<Ready> ready;
};

Preallocator::Preallocator(FileSystem& fs, std::string dir, std::uint64_t bytes, Executor* executor)
    : fs_(fs),
      dir_(std::move(dir)),
      bytes_(bytes),
      executor_(executor),
      shared_(std::make_shared<Shared>()) {}

Preallocator::~Preallocator() {
  const std::lock_guard lock(shared_->mutex);
  shared_->abandoned = true;
}

std::string Preallocator::next_path() {
  return join_path(dir_, std::to_string(count_++ % 2) + ".tmp");
}

/// For take(): never the file that the task is making, however often take() overtakes it.
std::string Preallocator::free_path() {
  const std::lock_guard lock(shared_->mutex);
  std::string path = next_path();
  return path == shared_->busy ? next_path() : path;
}

void Preallocator::prepare() {
  if (executor_ == nullptr) return;
  std::string path;
  {
    const std::lock_guard lock(shared_->mutex);
    if (!shared_->busy.empty() || shared_->ready) return;
    path = shared_->busy = next_path();
  }
  executor_->post([&fs = fs_, path = std::move(path), bytes = bytes_, shared = shared_] {
    {
      const std::lock_guard lock(shared->mutex);
      if (shared->abandoned) return;
    }
    auto made = make_file(fs, path, bytes);
    const std::lock_guard lock(shared->mutex);
    shared->busy.clear();
    if (!made) return;  // take() tries again itself, and reports
    if (shared->discard) {
      static_cast<void>(fs.remove(path));
    } else if (!shared->abandoned) {
      shared->ready = *std::move(made);
    }
  });
}

Result<Preallocator::Ready> Preallocator::take() {
  {
    const std::lock_guard lock(shared_->mutex);
    if (shared_->ready) return std::move(*std::exchange(shared_->ready, std::nullopt));
  }
  return make_file(fs_, free_path(), bytes_);
}

void Preallocator::discard() {
  const std::lock_guard lock(shared_->mutex);
  shared_->abandoned = shared_->discard = true;
  shared_->ready.reset();
  for (int i = 0; i < 2; ++i) static_cast<void>(fs_.remove(next_path()));
}

}  // namespace truss::wal
