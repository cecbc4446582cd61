#include "sim_inode.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>

#include "truss/common/check.h"

namespace truss::testing {
namespace {

constexpr std::uint64_t kPageBytes = 4096;
constexpr std::uint64_t kSectorsPerPage = kPageBytes / kSectorBytes;

}  // namespace

Region::~Region() {
  if (data_) ::munmap(data_, max_bytes_);
}

char* Region::data() {
  if (data_) return data_;
  void* p = ::mmap(nullptr, max_bytes_, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  TRUSS_CHECK(p != MAP_FAILED, "no address space for a simulated file");
  ::madvise(p, max_bytes_, MADV_NOHUGEPAGE);
  data_ = static_cast<char*>(p);
  return data_;
}

std::size_t FileData::read(std::span<char> dst, std::uint64_t offset) const {
  if (offset >= size_) return 0;
  const std::size_t n = std::min<std::uint64_t>(dst.size(), size_ - offset);
  if (n > 0) std::memcpy(dst.data(), region_->data() + offset, n);
  return n;
}

void FileData::write(ByteView bytes, std::uint64_t offset, Sequence& sequence) {
  const std::uint64_t end = offset + bytes.size();
  for (std::uint64_t at = offset; at < end;) {
    const std::uint64_t sector = at / kSectorBytes;
    const std::uint64_t stop = std::min(end, (sector + 1) * kSectorBytes);
    write_sector(sector, at % kSectorBytes, bytes.substr(at - offset, stop - at), sequence);
    at = stop;
  }
  if (end > size_ && !bytes.empty()) {
    size_ = end;
    sizes_.push_back({sequence.next(), end});
  }
}

void FileData::write_sector(std::uint64_t sector, std::size_t begin, ByteView piece,
                            Sequence& sequence) {
  char* at = region_->data() + sector * kSectorBytes + begin;
  const std::uint64_t seq = sequence.next();
  if (std::memcmp(at, piece.data(), piece.size()) == 0) {
    if (auto it = dirty_.find(sector); it != dirty_.end()) it->second.abandoned = false;
    return;
  }
  remember(sector, seq, /*cut=*/false);
  std::memcpy(at, piece.data(), piece.size());
  touch(sector / kSectorsPerPage);
}

/// The version in the cache becomes an old one, the next has number `seq`.
void FileData::remember(std::uint64_t sector, std::uint64_t seq, bool cut) {
  History& history = dirty_[sector];
  history.olds.push_back({history.seq, history.cut, copy_sector(sector)});
  history.seq = seq;
  history.cut = cut;
  history.abandoned = false;
}

std::unique_ptr<FileData::Sector> FileData::copy_sector(std::uint64_t sector) const {
  if (!touched(sector / kSectorsPerPage)) return nullptr;
  auto out = std::make_unique<Sector>();
  std::memcpy(out->data(), region_->data() + sector * kSectorBytes, kSectorBytes);
  return out;
}

void FileData::touch(std::uint64_t page) {
  if (page >= touched_.size()) touched_.resize(page + 1);
  touched_[page] = true;
}

void FileData::resize(std::uint64_t size, Sequence& sequence) {
  if (size == size_) return;
  const std::uint64_t seq = sequence.next();
  if (size < size_) zero_from(size, seq);
  size_ = size;
  sizes_.push_back({seq, size});
}

void FileData::zero_from(std::uint64_t offset, std::uint64_t seq) {
  const std::uint64_t end = std::min(size_, touched_.size() * kPageBytes);
  for (std::uint64_t at = offset; at < end;) {
    const std::uint64_t sector = at / kSectorBytes;
    const std::uint64_t stop = (sector + 1) * kSectorBytes;
    if (touched(sector / kSectorsPerPage)) {
      remember(sector, seq, /*cut=*/true);
      std::memset(region_->data() + at, 0, stop - at);
    }
    at = stop;
  }
}

void FileData::sync() {
  durable_size_ = size_;
  sizes_.clear();
  std::erase_if(dirty_, [](const auto& item) { return !item.second.abandoned; });
}

void FileData::fail_sync() {
  for (auto& [sector, history] : dirty_) history.abandoned = true;
}

std::uint64_t FileData::unsynced() const {
  std::uint64_t n = sizes_.size();
  for (const auto& [sector, history] : dirty_) n += history.olds.size();
  return n;
}

std::unique_ptr<FileData> FileData::crashed(Survival& survival) const {
  auto out = std::make_unique<FileData>(max_bytes());
  copy_touched_to(*out);
  const std::uint64_t metadata = crash_size(survival, *out);
  for (const auto& [sector, history] : dirty_) {
    crash_sector(sector, history, metadata, survival, *out);
  }
  // What was written past the end that the disk knows is not part of the file.
  Sequence unused;
  const std::uint64_t kept = out->durable_size_;
  out->size_ = std::max(kept, out->touched_.size() * kPageBytes);
  out->zero_from(kept, unused.next());
  out->size_ = kept;
  out->dirty_.clear();
  return out;
}

void FileData::copy_touched_to(FileData& out) const {
  for (std::uint64_t page = 0; page < touched_.size(); ++page) {
    if (!touched_[page]) continue;
    out.touch(page);
    std::memcpy(out.region_->data() + page * kPageBytes, region_->data() + page * kPageBytes,
                kPageBytes);
  }
}

std::uint64_t FileData::crash_size(Survival& survival, FileData& out) const {
  std::vector<std::uint64_t> seqs;
  for (const SizeChange& change : sizes_) seqs.push_back(change.seq);
  const std::size_t kept = survival.pick_prefix(seqs);
  out.durable_size_ = kept == 0 ? durable_size_ : sizes_[kept - 1].size;
  return kept == sizes_.size() ? UINT64_MAX : sizes_[kept].seq - 1;
}

void FileData::crash_sector(std::uint64_t sector, const History& history, std::uint64_t metadata,
                            Survival& survival, FileData& out) const {
  // Versions before the last truncate that is on disk are gone; those after one that isn't, too.
  const std::size_t count = history.olds.size() + 1;
  auto is_cut = [&](std::size_t i) { return i + 1 == count ? history.cut : history.olds[i].cut; };
  auto seq_of = [&](std::size_t i) { return i + 1 == count ? history.seq : history.olds[i].seq; };
  std::size_t first = 0;
  std::size_t last = count;
  for (std::size_t i = 0; i < count; ++i) {
    if (!is_cut(i)) continue;
    if (seq_of(i) <= metadata) {
      first = i;
    } else {
      last = i;
      break;
    }
  }
  std::vector<std::uint64_t> seqs;
  for (std::size_t i = first; i < last; ++i) seqs.push_back(seq_of(i));
  const std::size_t chosen = first + survival.pick_version(seqs);
  if (chosen + 1 == count) return;  // the cache's version is there already
  char* at = out.region_->data() + sector * kSectorBytes;
  const auto& bytes = history.olds[chosen].bytes;
  bytes ? std::memcpy(at, bytes->data(), kSectorBytes) : std::memset(at, 0, kSectorBytes);
}

bool LockTable::take(const void* file, std::shared_ptr<Mount> mount, bool exclusive) {
  std::erase_if(holders_, [](const auto& item) { return !item.second.mount->alive; });
  for (const auto& [holder, how] : holders_) {
    if (holder != file && (exclusive || how.exclusive)) return false;
  }
  holders_[file] = {std::move(mount), exclusive};
  return true;
}

std::string Inode::path() const {
  const InodePtr up = parent.lock();
  if (!up) return name.empty() ? "/" : "(removed)/" + name;
  const std::string above = up->path();
  return above == "/" ? above + name : above + "/" + name;
}

void Inode::sync_entries() {
  const auto ops = std::exchange(pending, {});
  durable = entries;
  for (const auto& op : ops) {
    for (const auto& effect : op->effects) {
      const InodePtr other = effect.dir.lock();
      if (other && other.get() != this && !other->pending.empty()) other->sync_entries();
    }
  }
}

void apply_dir_op(const std::shared_ptr<DirOp>& op) {
  for (const auto& effect : op->effects) {
    const InodePtr dir = effect.dir.lock();
    if (effect.target) {
      effect.target->parent = dir;
      effect.target->name = effect.name;
      dir->entries[effect.name] = effect.target;
    } else {
      dir->entries.erase(effect.name);
    }
    if (dir->pending.empty() || dir->pending.back() != op) dir->pending.push_back(op);
  }
}

InodePtr make_directory_inode(std::uint32_t mode) {
  auto out = std::make_shared<Inode>();
  out->directory = true;
  out->mode = mode;
  return out;
}

InodePtr make_file_inode(std::uint32_t mode, std::unique_ptr<FileData> data) {
  auto out = std::make_shared<Inode>();
  out->mode = mode;
  out->data = std::move(data);
  return out;
}

}  // namespace truss::testing
