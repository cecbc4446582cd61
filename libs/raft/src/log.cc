#include "log.h"

#include <algorithm>

#include "truss/common/check.h"
#include "truss/raft/codec.h"
#include "truss/raft/config.h"

namespace truss::raft {

Log::Log(const Storage& storage, std::uint64_t max_applying)
    : storage_(storage),
      unstable_(storage.last_index() + 1),
      committed_(storage.first_index() - 1),
      applying_(committed_),
      applied_(committed_),
      max_applying_(max_applying) {}

Index Log::first_index() const {
  const auto& snapshot = unstable_.snapshot();
  return snapshot ? snapshot->metadata.index + 1 : storage_.first_index();
}

StorageResult<Term> Log::term(Index index) const {
  if (const auto here = unstable_.term(index)) return *here;
  if (index > last_index()) return tl::unexpected<StorageError>(StorageError::kUnavailable);
  if (index + 1 < first_index()) return tl::unexpected<StorageError>(StorageError::kCompacted);
  return storage_.term(index);
}

Term Log::last_term() const {
  const StorageResult<Term> last = term(last_index());
  TRUSS_CHECK(last.has_value(), "the term of the last raft entry is unknown");
  return *last;
}

bool Log::matches(Index index, Term wanted) const {
  const StorageResult<Term> ours = term(index);
  return ours && *ours == wanted;
}

bool Log::is_up_to_date(EntryId candidate) const {
  const EntryId ours = last();
  return candidate.term > ours.term ||
         (candidate.term == ours.term && candidate.index >= ours.index);
}

EntryId Log::walk_back(Index index, Term wanted) const {
  for (; index > Index{}; --index) {
    const StorageResult<Term> ours = term(index);
    if (!ours) return {index, Term{}};
    if (*ours <= wanted) return {index, *ours};
  }
  return {};
}

StorageResult<void> Log::slice(Index lo, Index hi, std::uint64_t max_bytes,
                               std::vector<Entry>& out) const {
  const std::size_t before = out.size();
  std::uint64_t bytes = 0;
  if (lo < unstable_.offset()) {
    const Index cut = std::min(hi, unstable_.offset());
    StorageResult<void> stored = storage_.entries(lo, cut, max_bytes, out);
    if (!stored) return stored;
    if (out.size() - before < cut - lo) return {};
    lo = cut;
    if (max_bytes != kNoLimit && lo < hi) {
      for (std::size_t i = before; i < out.size(); ++i) bytes += encoded_size(out[i]);
    }
  }
  for (; lo < hi; ++lo) {
    const Entry& entry = unstable_.at(lo);
    if (max_bytes != kNoLimit) {
      bytes += encoded_size(entry);
      if (bytes > max_bytes && out.size() > before) break;
    }
    out.push_back(entry);
  }
  return {};
}

void Log::append(std::span<Entry> entries) {
  if (entries.empty()) return;
  TRUSS_CHECK(entries.front().index > committed_, "a committed raft entry would be replaced");
  unstable_.append(entries);
}

std::size_t Log::find_conflict(std::span<const Entry> entries) const {
  std::size_t i = 0;
  while (i < entries.size() && entries[i].index <= last_index() &&
         matches(entries[i].index, entries[i].term)) {
    ++i;
  }
  return i;
}

bool Log::try_append(Index previous, Term previous_term, Index commit, std::span<Entry> entries) {
  if (!matches(previous, previous_term)) return false;
  const Index last_new = previous + entries.size();
  append(entries.subspan(find_conflict(entries)));
  commit_to(std::min(commit, last_new));
  return true;
}

void Log::restore(const Snapshot& snapshot) {
  committed_ = snapshot.metadata.index;
  unstable_.restore(snapshot);
}

void Log::commit_to(Index index) {
  if (index <= committed_) return;
  TRUSS_CHECK(
      index <= last_index(),
      "raft commit index lies past the end of the log: was the log corrupted, truncated, or "
      "lost?");
  committed_ = index;
}

bool Log::try_commit(Index index, Term wanted) {
  if (index <= committed_ || !matches(index, wanted)) return false;
  commit_to(index);
  return true;
}

Index Log::appliable(bool allow_unstable) const {
  return allow_unstable ? committed_ : std::min(committed_, unstable_.offset() - 1);
}

bool Log::has_committed(bool allow_unstable) const {
  if (applying_paused_ || has_pending_snapshot()) return false;
  return applying_ < appliable(allow_unstable);
}

void Log::next_committed(bool allow_unstable, std::vector<Entry>& out) const {
  out.clear();
  if (!has_committed(allow_unstable)) return;
  const std::uint64_t room = max_applying_ - applying_bytes_;
  const bool sliced = slice(applying_ + 1, appliable(allow_unstable) + 1, room, out).has_value();
  TRUSS_CHECK(sliced, "committed raft entries are missing from storage");
}

void Log::accept_applying(Index index, std::uint64_t bytes, bool allow_unstable) {
  TRUSS_CHECK(index <= committed_, "uncommitted raft entries handed out");
  applying_ = index;
  applying_bytes_ += bytes;
  // Cut short by the limit means that the next entry would have passed it.
  applying_paused_ = applying_bytes_ >= max_applying_ || index < appliable(allow_unstable);
}

void Log::applied_to(Index index, std::uint64_t bytes) {
  TRUSS_CHECK(index >= applied_ && index <= committed_, "raft applied index out of range");
  applied_ = index;
  applying_ = std::max(applying_, index);
  applying_bytes_ -= std::min(applying_bytes_, bytes);
  applying_paused_ = applying_bytes_ >= max_applying_;
}

bool Log::has_unapplied_conf_change() const {
  std::vector<Entry> page;
  for (Index lo = applied_ + 1; lo <= committed_;) {
    page.clear();
    const bool sliced = slice(lo, committed_ + 1, max_applying_, page).has_value();
    TRUSS_CHECK(sliced, "unapplied raft entries are missing from storage");
    for (const Entry& entry : page) {
      if (entry.type != EntryType::kNormal) return true;
    }
    lo = page.back().index + 1;
  }
  return false;
}

StorageResult<Snapshot> Log::snapshot() const {
  if (unstable_.snapshot()) return *unstable_.snapshot();
  return storage_.snapshot();
}

}  // namespace truss::raft
