#include "truss/wal/wal.h"

#include <algorithm>

#include "truss/common/check.h"
#include "truss/raft/codec.h"
#include "wal_impl.h"

namespace truss::wal {
namespace {

/// Buffered frames beyond this go to the file without waiting for sync().
constexpr std::uint64_t kFlushBytes = 1 << 20;

}  // namespace

void Wal::Impl::must(const Result<>& result, const char* step) {
  if (result) return;
  process.fatal("wal " + dir + ": " + step + " failed: " + result.error().message +
                "; nothing after the last sync is promised");
}

void Wal::Impl::sync_file(File& file) {
  if (!options.sync) return;
  ++syncs;
  must(file.sync_data(), "sync");
}

void Wal::Impl::sync_directory(const std::string& path) {
  if (options.sync) must(fs.sync_dir(path), "directory sync");
}

void Wal::Impl::clear_stray_bytes() {
  File& file = *tail().file;
  const auto size = file.size();
  must(size ? Result<>() : tl::unexpected(size.error()), "stat");
  must(file.truncate(offset), "truncate");
  must(file.allocate(*size), "allocate");
  sync_file(file);
  stray_bytes = 0;
}

void Wal::Impl::add_state() {
  if (!state_pending) return;
  frames.add(RecordType::kState, raft::encoded(state));
  state_pending = false;
}

void Wal::Impl::flush() {
  if (frames.empty()) return;
  if (stray_bytes > 0) clear_stray_bytes();
  next.prepare();  // not before the first write: a log that is refused after all stays as it was
  const std::uint64_t bytes = frames.bytes();
  must(frames.write_to(*tail().file, offset), "write");
  offset += bytes;
  bytes_written += bytes;
}

void Wal::Impl::mark_durable() {
  durable_index = last_index;
  durable_commit = state.commit;
}

void Wal::Impl::begin_segment(File& file) {
  frames.add_crc();
  frames.add(RecordType::kMetadata, metadata);
  if (!state.empty()) frames.add(RecordType::kState, raft::encoded(state));
  offset = frames.bytes();
  bytes_written += offset;
  must(frames.write_to(file, 0), "write");
  sync_file(file);
}

void Wal::Impl::cut() {
  // The old tail ends at its last record, for good, before a newer segment can be seen.
  must(tail().file->truncate(offset), "truncate");
  sync_file(*tail().file);
  mark_durable();

  auto ready = next.take();
  must(ready ? Result<>() : tl::unexpected(ready.error()), "preallocation of a segment");
  begin_segment(*ready->file);
  const SegmentName name{tail().name.sequence + 1, last_index + 1};
  std::string path = join_path(dir, name.file_name());
  must(fs.rename(ready->path, path), "rename");
  sync_directory(dir);
  held.push_back({name, std::move(path), std::move(ready->file)});
  next.prepare();
}

Wal::Wal(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Wal::~Wal() = default;

void Wal::append(const raft::HardState& state, std::span<const raft::Entry> entries) {
  Impl& w = *impl_;
  TRUSS_CHECK(!w.readable && !w.closed, "append outside the writing part of a WAL's life");
  for (const raft::Entry& entry : entries) {
    const bool follows = &entry == entries.data() ? entry.index <= w.last_index + 1
                                                  : entry.index == w.last_index + 1;
    TRUSS_CHECK(follows, "entries appended with a gap");
    w.frames.add_entry(entry);
    w.last_index = entry.index;
  }
  if (!state.empty()) {
    w.state = state;
    w.state_pending = true;
  }
  if (w.frames.bytes() >= kFlushBytes) w.flush();
}

void Wal::sync() {
  Impl& w = *impl_;
  TRUSS_CHECK(!w.readable && !w.closed, "sync outside the writing part of a WAL's life");
  w.add_state();
  w.flush();
  if (w.offset >= w.options.segment_bytes) return w.cut();
  w.sync_file(*w.tail().file);
  w.mark_durable();
}

bool Wal::save(const raft::HardState& state, std::span<const raft::Entry> entries) {
  if (state.empty() && entries.empty()) return false;
  const raft::HardState before = impl_->state;
  append(state, entries);
  if (entries.empty() && state.term == before.term && state.vote == before.vote) return false;
  sync();
  return true;
}

void Wal::save_snapshot(raft::SnapshotMark mark, const raft::ConfState* conf_state) {
  Impl& w = *impl_;
  TRUSS_CHECK(!w.readable && !w.closed, "save_snapshot outside the writing part of a WAL's life");
  SnapshotRecord record{mark, std::nullopt};
  if (conf_state != nullptr) record.conf_state = *conf_state;
  w.frames.add(RecordType::kSnapshot, encode_snapshot_record(record));
  w.last_index = std::max(w.last_index, mark.index);
  sync();
}

void Wal::release_to(raft::Index index) {
  auto& held = impl_->held;
  const auto above = std::find_if(held.begin(), held.end(), [&](const HeldSegment& segment) {
    return segment.name.first_index >= index;
  });
  const auto kept = above == held.begin() ? held.begin() : std::prev(above);
  held.erase(held.begin(), kept);
}

void Wal::close() {
  if (impl_->closed) return;
  if (!impl_->readable) sync();
  impl_->next.discard();
  impl_->held.clear();
  impl_->closed = true;
}

raft::Index Wal::last_index() const { return impl_->last_index; }
raft::Index Wal::durable_index() const { return impl_->durable_index; }
raft::Index Wal::durable_commit() const { return impl_->durable_commit; }
bool Wal::dirty() const { return impl_->dirty(); }
std::uint64_t Wal::syncs() const { return impl_->syncs; }
std::uint64_t Wal::bytes_written() const { return impl_->bytes_written; }

}  // namespace truss::wal
