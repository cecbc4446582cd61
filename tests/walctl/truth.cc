#include "truth.h"

#include <algorithm>
#include <set>

namespace truss::walctl_test {
namespace {

struct Parsed {
  std::uint64_t type = 0;
  std::uint64_t crc = 0;
  std::string data;
};

/// A record's protobuf, as any reader has to take it; nullopt if it is malformed.
std::optional<Parsed> parse(const std::string& bytes) {
  std::size_t at = 0;
  const auto varint = [&]() -> std::optional<std::uint64_t> {
    std::uint64_t out = 0;
    for (unsigned shift = 0; at < bytes.size() && shift < 64; shift += 7) {
      const auto byte = static_cast<unsigned char>(bytes[at++]);
      out |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return out;
    }
    return std::nullopt;
  };
  Parsed out;
  while (at < bytes.size()) {
    const auto tag = varint();
    if (!tag || *tag >> 3 == 0) return std::nullopt;
    const std::uint64_t field = *tag >> 3;
    const std::uint64_t wire = *tag & 7;
    const auto number = wire == 0 || wire == 2 ? varint() : std::optional<std::uint64_t>(0);
    if (!number || (field <= 2 && wire != 0) || (field == 3 && wire != 2)) return std::nullopt;
    const std::uint64_t skip = wire == 2 ? *number : wire == 1 ? 8 : wire == 5 ? 4 : 0;
    if (wire == 3 || wire == 4 || wire > 5 || skip > bytes.size() - at) return std::nullopt;
    if (field == 1) out.type = *number;
    if (field == 2) out.crc = *number & 0xFFFFFFFF;
    if (field == 3) out.data = bytes.substr(at, skip);
    at += skip;
  }
  return out;
}

/// What became of a record's bytes.
struct Fate {
  bool gone = false;      ///< its file is, or ends before it
  bool head = true;       ///< length, type and CRC fields as they were
  bool crc_only = false;  ///< of all bytes only the stored CRC changed
  bool leads = false;     ///< it still parses, with the CRC as it was
  bool data = true;       ///< payload as it was
  bool intact() const { return !gone && head && data; }
  /// The next record can be found, and the CRC that it builds on.
  bool leads_on() const { return !gone && (head || crc_only || leads); }
};

class Teller {
 public:
  Teller(const ModelLog& log, const std::map<std::string, std::string>& files, const Beside& beside)
      : log_(log), files_(files), beside_(beside) {}

  Truth run() {
    for (const ModelRecord& record : log_.records) fates_.push_back(fate_of(record));
    prove();
    if (unknown()) return {"UNKNOWN", {}};
    const std::uint64_t needed = std::max(committed(), synced());
    Truth out;
    bool covered = false;
    for (std::uint64_t index = 1; index <= needed; ++index) {
      if (held(index)) continue;
      if (beside_.db && index <= beside_.applied &&
          (index <= beside_.snapshot || !maybe_conf_change(index))) {
        covered = true;
        continue;
      }
      if (!out.lost) out.lost = {index, index};
      out.lost->second = index;
    }
    out.verdict = out.lost ? "LOST" : covered ? "COVERED" : damaged() ? "SAFE-TRIM" : "CLEAN";
    return out;
  }

 private:
  Fate fate_of(const ModelRecord& r) const {
    const std::string& name = log_.names[r.segment];
    const auto it = files_.find(name);
    if (it == files_.end()) return {.gone = true};
    const std::string& was = log_.files.at(name);
    const std::string& is = it->second;
    if (is.size() < r.end) return {.gone = true};
    const auto same = [&](std::uint64_t begin, std::uint64_t end) {
      return was.compare(begin, end - begin, is, begin, end - begin) == 0;
    };
    Fate out;
    out.head = same(r.offset, r.data_begin);
    out.data = same(r.data_begin, r.data_end);
    if (out.head || !same(r.offset, r.offset + 8)) return out;
    const auto now = parse(is.substr(r.offset + 8, r.data_end - r.offset - 8));
    const auto then = parse(was.substr(r.offset + 8, r.data_end - r.offset - 8));
    if (!now) return out;
    const bool type = now->type == then->type;
    out.leads = now->crc == then->crc;
    out.crc_only = type && now->data == then->data && r.kind != Kind::kCrc;
    // Bits that no reader looks at.
    out.head = out.leads && type && now->data == then->data;
    return out;
  }

  bool first_of_segment(std::size_t i) const {
    return i == 0 || log_.records[i - 1].segment != log_.records[i].segment;
  }

  void prove() {
    proved_.resize(fates_.size());
    for (std::size_t i = 0; i < fates_.size(); ++i) {
      const bool on = first_of_segment(i) || fates_[i - 1].leads_on();
      proved_[i] = fates_[i].intact() && on;
      // Its successor proves the data of a record whose stored CRC alone is wrong.
      const bool next = i + 1 < fates_.size() && !first_of_segment(i + 1) && fates_[i + 1].intact();
      if (fates_[i].crc_only && on && next) proved_[i] = true;
    }
  }

  bool damaged() const {
    return std::ranges::any_of(log_.names, [&](const std::string& name) { return changed(name); });
  }

  /// Changed in a way that shows: not just cut, or wiped to its end, behind a record of the last
  /// segment.
  bool changed(const std::string& name) const {
    const auto it = files_.find(name);
    const bool last = name == log_.names.back();
    if (it == files_.end()) return !last;
    const std::string& was = log_.files.at(name);
    std::string is = it->second;
    for (std::size_t i = 0; i < fates_.size(); ++i) {  // changes that nobody reads
      const ModelRecord& r = log_.records[i];
      if (log_.names[r.segment] != name || !fates_[i].intact()) continue;
      is.replace(r.offset, r.end - r.offset, was, r.offset, r.end - r.offset);
    }
    if (is == was) return false;
    if (!last) return true;
    std::uint64_t good = 0;  // where its first whole records end
    for (std::size_t i = 0; i < fates_.size(); ++i) {
      if (log_.names[log_.records[i].segment] != name) continue;
      if (!fates_[i].intact()) break;
      good = log_.records[i].end;
    }
    return is.find_first_not_of('\0', good) != std::string::npos ||
           (is.size() < was.size() && is.size() > good && is.size() - good < 8);
  }

  bool unknown() const {
    bool identity = false;
    bool in_last = false;
    const bool last_there = files_.contains(log_.names.back());
    for (std::size_t i = 0; i < fates_.size(); ++i) {
      identity |= proved_[i] && log_.records[i].kind == Kind::kMetadata;
      in_last |= readable(i) && log_.records[i].segment + 1 == log_.names.size();
    }
    return !identity || (last_there && !in_last);
  }

  bool readable(std::size_t i) const {
    if (proved_[i]) return true;
    if (!fates_[i].intact()) return false;
    const bool last = i + 1 == fates_.size();
    return last || first_of_segment(i + 1) || proved_[i + 1];
  }

  /// The record that holds an index in the end.
  std::size_t holder(std::uint64_t index) const {
    std::size_t out = log_.records.size();
    for (std::size_t i = 0; i < log_.records.size(); ++i)
      if (log_.records[i].kind == Kind::kEntry && log_.records[i].index == index) out = i;
    return out;
  }

  bool held(std::uint64_t index) const {
    const std::size_t i = holder(index);
    return i < log_.records.size() && proved_[i] && !may_be_replaced(i);
  }

  /// Behind record `i` lies a hole that may have held entries of a newer leader in the place of
  /// `i`'s, and no hard state before the hole commits it.
  bool may_be_replaced(std::size_t i) const {
    const ModelRecord& entry = log_.records[i];
    std::uint64_t commit = 0;
    std::uint64_t term = entry.term;  // of the last entry before the hole
    for (std::size_t n = 0; n < fates_.size(); ++n) {
      const ModelRecord& r = log_.records[n];
      if (readable(n)) {
        if (r.kind == Kind::kState && proved_[n]) commit = std::max(commit, r.commit);
        if (n > i && r.kind == Kind::kEntry) term = r.term;
        if (commit >= entry.index) return false;
        continue;
      }
      if (n < i) continue;
      std::size_t end = n;
      bool one = true;
      while (end < fates_.size() && !readable(end)) ++end;
      one = end == n + 1 && fates_[n].head;
      if (!one && rises(end, term)) return true;
      n = end - 1;
    }
    return false;
  }

  bool rises(std::size_t from, std::uint64_t term) const {
    for (std::size_t n = from; n < fates_.size(); ++n) {
      const ModelRecord& r = log_.records[n];
      if (!readable(n)) continue;
      if (r.kind == Kind::kState && r.term > term && proved_[n]) return true;
      if (r.kind == Kind::kEntry) return r.term > term;
    }
    return false;
  }

  /// Only entry 1 is one; without it the db's list of members has no explanation.
  bool maybe_conf_change(std::uint64_t index) const {
    return beside_.snapshot == 0 && !proved_[holder(1)] && index >= 1;
  }

  std::uint64_t committed() const {
    std::uint64_t out = beside_.snapshot;
    if (beside_.db) out = std::max(out, beside_.applied);
    for (std::size_t i = 0; i < fates_.size(); ++i) {
      const ModelRecord& r = log_.records[i];
      if (r.kind == Kind::kState && readable(i)) out = std::max(out, r.commit);
      if (r.kind == Kind::kSnapshot && proved_[i]) out = std::max(out, r.index);
    }
    return out;
  }

  /// The last damaged entry that a later save, or a cut, shows to have been synced.
  std::uint64_t synced() const {
    std::uint64_t out = 0;
    for (std::size_t i = 0; i < fates_.size(); ++i) {
      const ModelRecord& r = log_.records[i];
      if (r.kind != Kind::kEntry || proved_[i]) continue;
      for (std::size_t n = i + 1; n < fates_.size(); ++n) {
        const bool later_segment = log_.records[n].segment > r.segment && proved_[n];
        const bool later_save = log_.records[n].kind == Kind::kState && readable(n) &&
                                n + 1 < fates_.size() && proved_[n + 1] && !first_of_segment(n + 1);
        if (later_segment || (later_save && entry_seen(i))) out = std::max(out, r.index);
      }
    }
    return out;
  }

  /// The hole must be seen to have held entries: one is readable in it, or they jump over it.
  bool entry_seen(std::size_t from) const {
    for (std::size_t i = from; i < fates_.size(); ++i)
      if (log_.records[i].kind == Kind::kEntry && readable(i)) return true;
    return false;
  }

  const ModelLog& log_;
  const std::map<std::string, std::string>& files_;
  const Beside& beside_;
  std::vector<Fate> fates_;
  std::vector<bool> proved_;
};

}  // namespace

Truth truth_of(const ModelLog& log, const std::map<std::string, std::string>& files,
               const Beside& beside) {
  return Teller(log, files, beside).run();
}

}  // namespace truss::walctl_test
