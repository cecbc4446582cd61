#include <cstdint>
#include <vector>

#include "../../bolt/model.h"
#include "truss/common/check.h"
#include "truss/common/testing/sim_file_system.h"

// The input is a string of operations on a bolt file and on ordered maps. Both answer alike, also
// with errors; they hold the same after each commit, rollback and reopening, and in readers held
// meanwhile; check() finds nothing.
using namespace truss;
using namespace truss::bolt;
using namespace truss::bolt::testing;

namespace {

constexpr std::size_t kMaxInputBytes = 2048, kMaxReaders = 4, kMaxDepth = 5;
constexpr std::size_t kValueSizes[] = {0, 1, 7, 30, 100, 250, 500, 900, 1500, 3000, 4100, 9000};

/// The input, byte by byte; zeros past its end.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : rest_(data, data + size) {}
  bool done() const { return at_ >= rest_.size(); }
  std::uint8_t byte() { return done() ? 0 : rest_[at_++]; }

 private:
  std::vector<std::uint8_t> rest_;
  std::size_t at_ = 0;
};

std::string bucket_name(std::uint8_t byte) { return "b" + std::to_string(byte % 4); }

/// Short keys, some long ones, and four that are names of buckets.
std::string key_of(std::uint8_t byte) {
  if (byte >= 252) return bucket_name(byte);
  if (byte % 16 == 15) return std::string(100u * (byte / 16), 'k') + std::to_string(byte);
  return std::to_string(1000 + byte);
}

class Run {
 public:
  explicit Run(Input& input) : input_(input) {
    const std::uint8_t how = input.byte();
    options_.page_size = 1024u << (how & 3);
    options_.no_freelist_sync = (how & 4) != 0;
    options_.freelist_type = (how & 8) != 0 ? FreelistType::kArray : FreelistType::kHashMap;
    options_.no_grow_sync = (how & 16) != 0;
    reopen();
  }

  void run() {
    while (!input_.done()) step();
    end_transaction(true);
    reopen();
    compare_all();
  }

 private:
  struct Reader {
    Tx tx;
    Model model;
  };

  void step() {
    switch (input_.byte() % 16) {
      case 0:
      case 1:
      case 2:
        return put(key_of(input_.byte()), value());
      case 3:
        return put_many();
      case 4:
      case 5:
        return remove(key_of(input_.byte()));
      case 6:
        return remove_along();
      case 7:
        return get(key_of(input_.byte()));
      case 8:
        return enter(bucket_name(input_.byte()));
      case 9:
        return path_.clear();
      case 10:
        return remove_bucket(bucket_name(input_.byte()));
      case 11:
        return move_bucket();
      case 12:
        return set_numbers(input_.byte());
      case 13:
        return end_transaction(true);
      case 14:
        return input_.byte() % 4 == 0 ? end_transaction(false) : read(input_.byte());
      default:
        return reopen();
    }
  }

  std::string value() {
    const std::uint8_t byte = input_.byte();
    return std::string(kValueSizes[byte % std::size(kValueSizes)],
                       static_cast<char>('a' + byte % 26));
  }

  // Transactions.

  void reopen() {
    end_transaction(true);
    readers_.clear();
    db_.reset();
    auto db = DB::open(fs_, "/db", options_);
    TRUSS_CHECK(db.has_value(), "can't be opened");
    db_ = *std::move(db);
    check_sound();
  }

  void begin() {
    if (tx_) return;
    tx_.emplace(*db_->begin_write());
    next_ = model_;
  }

  void end_transaction(bool commit) {
    path_.clear();
    if (!tx_) return;
    if (commit) {
      same(difference(*tx_, next_));
      TRUSS_CHECK(tx_->commit().has_value(), "can't be committed");
      model_ = std::move(next_);
    }
    tx_.reset();
    check_sound();
    compare_all();
  }

  void read(std::uint8_t byte) {
    if (byte % 2 == 0 && readers_.size() < kMaxReaders)
      return readers_.push_back({*db_->begin_read(), model_}), void();
    if (readers_.empty()) return;
    const auto at = readers_.begin() + byte % static_cast<int>(readers_.size());
    same(difference(at->tx, at->model));
    readers_.erase(at);
  }

  void compare_all() {
    Tx tx = *db_->begin_read();
    same(difference(tx, model_));
  }

  void check_sound() {
    const auto faults = db_->check([](const std::string& fault) { TRUSS_CHECK(false, fault); });
    TRUSS_CHECK(faults.has_value());
  }

  static void same(const std::string& why) { TRUSS_CHECK(why.empty(), why); }

  // Buckets. The path leads from the top to the present one, which is made where it lacks.

  Bucket here() {
    begin();
    if (path_.empty()) path_.push_back("b0");
    Bucket at = tx_->top();
    for (const std::string& name : path_) at = *at.create_bucket_if_absent(name);
    return at;
  }

  Model& model_here() {
    Model* at = &next_;
    for (const std::string& name : path_) at = &at->buckets[name];
    return *at;
  }

  void enter(const std::string& name) {
    if (path_.size() >= kMaxDepth) return path_.clear();
    begin();
    Bucket at = path_.empty() ? tx_->top() : here();
    Model& model = path_.empty() ? next_ : model_here();
    const auto made = at.create_bucket_if_absent(name);
    TRUSS_CHECK(made.has_value() == (model.pairs.count(name) == 0));
    if (!made) return;
    path_.push_back(name);
    model_here();
  }

  void remove_bucket(const std::string& name) {
    Bucket at = here();
    Model& model = model_here();
    TRUSS_CHECK(at.remove_bucket(name).has_value() == (model.buckets.erase(name) == 1));
  }

  /// The one inside the present to the top level's `to`.
  void move_bucket() {
    const std::string name = bucket_name(input_.byte()), to = bucket_name(input_.byte());
    Bucket from = here();
    Model& source = model_here();
    Bucket target = *tx_->create_bucket_if_absent(to);
    Model& goal = next_.buckets[to];
    const bool possible = source.buckets.count(name) == 1 && &goal != &source &&
                          goal.buckets.count(name) == 0 && goal.pairs.count(name) == 0;
    TRUSS_CHECK(from.move_bucket(name, target).has_value() == possible);
    if (possible) goal.buckets.insert(source.buckets.extract(name));
  }

  void set_numbers(std::uint8_t byte) {
    Bucket at = here();
    Model& model = model_here();
    at.set_fill_percent(0.1 + byte % 10 / 10.0);
    if (byte % 2 == 1) TRUSS_CHECK(at.next_sequence() == ++model.sequence);
  }

  // Pairs.

  void put(const std::string& key, const std::string& value) {
    Bucket at = here();
    Model& model = model_here();
    const bool possible = model.buckets.count(key) == 0;
    TRUSS_CHECK(at.put(key, value).has_value() == possible);
    if (possible) model.pairs[key] = value;
  }

  void put_many() {
    const std::uint8_t first = input_.byte(), count = input_.byte();
    const std::string bytes = value();
    for (int i = 0; i < count; ++i) put(key_of(static_cast<std::uint8_t>(first + i)), bytes);
  }

  void remove(const std::string& key) {
    Bucket at = here();
    Model& model = model_here();
    TRUSS_CHECK(at.remove(key).has_value() == (model.buckets.count(key) == 0));
    model.pairs.erase(key);
  }

  void remove_along() {
    Bucket at = here();
    Model& model = model_here();
    Cursor cursor = at.cursor();
    auto kv = cursor.seek(key_of(input_.byte()));
    for (int left = input_.byte(); left > 0 && kv && *kv; --left, kv = cursor.next()) {
      if ((*kv)->is_bucket) continue;
      TRUSS_CHECK(model.pairs.erase(std::string((*kv)->key)) == 1);
      TRUSS_CHECK(cursor.remove().has_value());
    }
    TRUSS_CHECK(kv.has_value());
  }

  void get(const std::string& key) {
    const auto found = here().get(key);
    const auto& pairs = model_here().pairs;
    const auto expected = pairs.find(key);
    TRUSS_CHECK(found.has_value() && found->has_value() == (expected != pairs.end()));
    if (*found) TRUSS_CHECK(**found == expected->second);
  }

  Input& input_;
  truss::testing::SimFileSystem fs_;
  Options options_;
  std::unique_ptr<DB> db_;
  Model model_;  ///< what is committed
  Model next_;   ///< and what the transaction makes of it
  std::optional<Tx> tx_;
  std::vector<Reader> readers_;
  std::vector<std::string> path_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > kMaxInputBytes) return 0;
  Input input(data, size);
  Run(input).run();
  return 0;
}
