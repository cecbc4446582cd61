#include "frame_buffer.h"

#include "truss/common/coding.h"
#include "truss/common/crc32c.h"
#include "truss/raft/codec.h"

namespace truss::wal {
namespace {

/// Payloads above this are referenced; below, copying is cheaper than one more write vector.
constexpr std::size_t kCopyBytes = 512;
constexpr std::size_t kMaxHeadBytes = kFrameHeaderBytes + 2 + 6 + 11;

}  // namespace

/// Frame length, type, crc, and tag and length of the data that follows.
void FrameBuffer::add_head(RecordType type, std::uint64_t data_bytes) {
  char head[kMaxHeadBytes];
  char* p = head + kFrameHeaderBytes;
  *p++ = 0x08;
  *p++ = static_cast<char>(type);
  *p++ = 0x10;
  p = write_varint(p, crc_);
  if (data_bytes > 0) {
    *p++ = 0x1a;
    p = write_varint(p, data_bytes);
  }
  record_bytes_ = static_cast<std::uint64_t>(p - head) - kFrameHeaderBytes + data_bytes;
  store_le(head, frame_length_field(record_bytes_));
  own_.append(head, p);
}

void FrameBuffer::add_padding(std::uint64_t record_bytes) { own_.append(-record_bytes & 7, '\0'); }

void FrameBuffer::add(RecordType type, ByteView data) {
  crc_ = crc32c(data, crc_);
  add_head(type, data.size());
  own_.append(data);
  add_padding(record_bytes_);
}

void FrameBuffer::add_crc() {
  add_head(RecordType::kCrc, 0);
  add_padding(record_bytes_);
}

void FrameBuffer::add_entry(const raft::Entry& entry) {
  char head[raft::kMaxEntryHeadBytes];
  const ByteView begin(head, static_cast<std::size_t>(raft::write_entry_head(head, entry) - head));
  const ByteView payload = entry.data.view();
  crc_ = crc32c(payload, crc32c(begin, crc_));
  add_head(RecordType::kEntry, begin.size() + payload.size());
  own_.append(begin);
  if (payload.size() <= kCopyBytes) {
    own_.append(payload);
  } else {
    shared_.push_back({own_.size(), entry.data});
    shared_bytes_ += payload.size();
  }
  add_padding(record_bytes_);
}

std::vector<ByteView> FrameBuffer::pieces() const {
  std::vector<ByteView> out;
  out.reserve(2 * shared_.size() + 1);
  std::size_t done = 0;
  for (const Shared& shared : shared_) {
    out.push_back(ByteView(own_).substr(done, shared.position - done));
    out.push_back(shared.payload.view());
    done = shared.position;
  }
  if (done < own_.size()) out.push_back(ByteView(own_).substr(done));
  return out;
}

Result<> FrameBuffer::write_to(File& file, std::uint64_t offset) {
  auto written = shared_.empty() ? file.pwrite(own_, offset) : file.pwritev(pieces(), offset);
  own_.clear();
  shared_.clear();
  shared_bytes_ = 0;
  return written;
}

}  // namespace truss::wal
