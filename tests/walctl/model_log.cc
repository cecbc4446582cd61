#include "model_log.h"

#include <algorithm>
#include <array>

namespace truss::walctl_test {
namespace {

std::uint32_t crc_byte_by_byte(std::uint32_t crc, const std::string& bytes) {
  crc = ~crc;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int i = 0; i < 8; ++i) crc = (crc >> 1) ^ (crc & 1 ? 0x82F63B78U : 0U);
  }
  return ~crc;
}

std::string varint(std::uint64_t v) {
  std::string out;
  for (; v >= 0x80; v >>= 7) out += static_cast<char>(v | 0x80);
  return out + static_cast<char>(v);
}
std::string number_field(int field, std::uint64_t v) {
  return varint(static_cast<std::uint64_t>(field) << 3) + varint(v);
}
std::string bytes_field(int field, const std::string& v) {
  return varint(static_cast<std::uint64_t>(field) << 3 | 2) + varint(v.size()) + v;
}

class Maker {
 public:
  Maker(std::uint64_t seed, const Shape& shape) : random_(seed), shape_(shape) {}

  ModelLog run() {
    begin_segment();
    add({.kind = Kind::kSnapshot}, number_field(1, 0) + number_field(2, 0));
    ++batch_;
    entry(true);
    state();
    for (std::uint64_t i = 1; i < shape_.batches; ++i) save();
    bytes_.resize(std::max<std::uint64_t>(shape_.last_bytes, bytes_.size()), '\0');
    end_segment();
    log_.last = last_;
    log_.commit = commit_;
    return std::move(log_);
  }

 private:
  std::uint64_t pick(std::uint64_t n) { return random_() % n; }

  void begin_segment() {
    std::array<char, 64> name{};
    const std::uint64_t first = log_.names.empty() ? 0 : last_ + 1;
    std::snprintf(name.data(), name.size(), "%016zx-%016llx.wal", log_.names.size(),
                  static_cast<unsigned long long>(first));
    log_.names.emplace_back(name.data());
    log_.first_index.push_back(first);
    bytes_.clear();
    add({.kind = Kind::kCrc}, "");
    add({.kind = Kind::kMetadata},
        number_field(1, 0xa1a2a3a4a5a6a7a8) + number_field(2, 0xb1b2b3b4b5b6b7b8));
    if (term_ > 0 && last_ > 0) state();
  }

  void end_segment() { log_.files[log_.names.back()] = bytes_; }

  void add(ModelRecord record, const std::string& data) {
    if (record.kind != Kind::kCrc) crc_ = crc_byte_by_byte(crc_, data);
    const std::string head = number_field(1, static_cast<std::uint64_t>(record.kind));
    std::string pb = head + number_field(2, crc_);
    const std::uint64_t tag = pb.size() + varint(data.size()).size() + 1;
    if (record.kind != Kind::kCrc) pb += bytes_field(3, data);
    const std::uint64_t padding = (8 - pb.size() % 8) % 8;
    std::uint64_t length = pb.size();
    if (padding != 0) length |= (0x80 | padding) << 56;
    record.segment = log_.names.size() - 1;
    record.batch = batch_;
    record.offset = bytes_.size();
    record.crc_begin = record.offset + 8 + head.size() + 1;
    record.data_begin = record.offset + 8 + (record.kind == Kind::kCrc ? pb.size() : tag);
    record.data_end = record.offset + 8 + pb.size();
    for (int i = 0; i < 8; ++i) bytes_ += static_cast<char>(length >> (8 * i));
    bytes_ += pb + std::string(padding, '\0');
    record.end = bytes_.size();
    log_.records.push_back(record);
  }

  void entry(bool conf_change) {
    ++last_;
    std::string payload(20 + pick(300), 'x');
    for (char& c : payload) c = static_cast<char>('a' + pick(26));
    if (conf_change) payload = number_field(1, 0) + number_field(2, 0) + number_field(3, 7);
    add({.kind = Kind::kEntry, .index = last_, .term = term_, .conf_change = conf_change},
        number_field(1, conf_change ? 1 : 0) + number_field(2, term_) + number_field(3, last_) +
            bytes_field(4, payload));
  }

  void state() {
    add({.kind = Kind::kState, .term = term_, .commit = commit_},
        number_field(1, term_) + number_field(2, 0xa1a2a3a4a5a6a7a8) + number_field(3, commit_));
  }

  void save() {
    if (bytes_.size() >= shape_.segment_bytes) {
      end_segment();
      begin_segment();
    }
    ++batch_;
    if (pick(1000) < static_cast<std::uint64_t>(shape_.new_term * 1000)) ++term_;
    const std::uint64_t before = last_;
    if (shape_.idle_states > 0 &&
        pick(1000) < static_cast<std::uint64_t>(shape_.idle_states * 1000)) {
      commit_ = std::max(commit_, before);
      state();
    }
    for (std::uint64_t n = 1 + pick(4); n > 0; --n) entry(false);
    // A follower may learn of a commit together with the entries; mostly it comes one save later.
    const std::uint64_t limit = pick(4) == 0 ? last_ : before;
    commit_ = std::max(commit_, limit);
    state();
    if (shape_.snapshot_every != 0 && commit_ >= snapshot_ + shape_.snapshot_every) {
      snapshot_ = commit_;
      ++batch_;
      std::uint64_t term = term_;
      for (const ModelRecord& r : log_.records)
        if (r.kind == Kind::kEntry && r.index == snapshot_) term = r.term;
      add({.kind = Kind::kSnapshot, .index = snapshot_, .term = term},
          number_field(1, snapshot_) + number_field(2, term));
    }
  }

  std::mt19937_64 random_;
  const Shape shape_;
  ModelLog log_;
  std::string bytes_;
  std::uint32_t crc_ = 0;
  std::uint64_t term_ = 1;
  std::uint64_t last_ = 0;
  std::uint64_t commit_ = 0;
  std::uint64_t batch_ = 0;
  std::uint64_t snapshot_ = 0;
};

}  // namespace

std::uint64_t ModelLog::used_bytes(std::size_t segment) const {
  std::uint64_t out = 0;
  for (const ModelRecord& record : records)
    if (record.segment == segment) out = record.end;
  return out;
}

ModelLog make_log(std::uint64_t seed, const Shape& shape) { return Maker(seed, shape).run(); }

}  // namespace truss::walctl_test
