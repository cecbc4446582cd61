#include <functional>

#include "model.h"
#include "support.h"
#include "truss/common/random.h"

// Random operations against ordered maps, with reopening, in many configurations.
using namespace truss;
using namespace truss::bolt;
using namespace truss::bolt::testing;

namespace {

struct Config {
  std::uint64_t seed;
  std::uint32_t page_size;
  FreelistType type;
  bool unsynced;
  int operations;
};

class Run {
 public:
  explicit Run(const Config& config) : config_(config), random_(config.seed) { open(); }

  void run() {
    int left = config_.operations;
    while (left > 0) left -= transaction();
    compare_all();
    check_sound(*db_);
  }

 private:
  struct Held {
    Tx tx;
    Model model;
  };

  void open() {
    held_.clear();
    db_.reset();
    db_ = open_db(dir_.fs, dir_.file("db"),
                  {.no_freelist_sync = config_.unsynced,
                   .freelist_type = config_.type,
                   .page_size = config_.page_size,
                   .no_sync = true});
  }

  std::string name() { return "b" + std::to_string(random_.below(3)); }
  std::string key() {
    const std::uint64_t kind = random_.below(20);
    if (kind == 0) return std::string(1 + random_.below(600), 'k') + key_of(random_number(50));
    if (kind < 8) return key_of(next_++ % 5000);
    return key_of(random_number(3000));
  }
  int random_number(std::uint64_t bound) { return static_cast<int>(random_.below(bound)); }
  std::string value() {
    const std::uint64_t kind = random_.below(200);
    const std::uint64_t size = kind == 0  ? random_.below(40000)
                               : kind < 4 ? random_.below(3000)
                                          : random_.below(60);
    return std::string(size, static_cast<char>('a' + random_.below(26)));
  }

  /// One to some thousand operations in one transaction, committed or not. Returns their number.
  int transaction() {
    const std::uint64_t size = random_.below(4);
    const int operations = 1 + random_number(size == 0 ? 4000 : size == 1 ? 300 : 20);
    Model next = model_;
    Tx tx = must(db_->begin_write());
    delete_share_ = random_.below(4) == 0 ? 80 : 25;
    for (int i = 0; i < operations;) i += burst(tx, next);
    if (random_.below(10) == 0) {
      tx.rollback();
    } else {
      must(tx.commit());
      model_ = std::move(next);
    }
    look_around();
    return operations;
  }

  /// Some operations on one bucket.
  int burst(Tx& tx, Model& root) {
    const std::string top = name();
    if (random_.below(400) == 0 && root.buckets.count(top)) {
      must(tx.remove_bucket(top));
      root.buckets.erase(top);
      return 1;
    }
    Bucket bucket = must(tx.create_bucket_if_absent(top));
    Model* model = &root.buckets[top];
    for (int depth = 0; depth < 3 && random_.below(4) == 0; ++depth) {
      const std::string inner = name();
      if (random_.below(60) == 0 && model->buckets.count(inner)) {
        must(bucket.remove_bucket(inner));
        model->buckets.erase(inner);
        return 1;
      }
      bucket = must(bucket.create_bucket_if_absent(inner));
      model = &model->buckets[inner];
    }
    if (random_.below(20) == 0) {
      model->sequence = random_.below(1000);
      must(bucket.set_sequence(model->sequence));
    }
    bucket.set_fill_percent(0.1 + static_cast<double>(random_.below(10)) / 10);
    const int operations = 1 + random_number(random_.below(5) == 0 ? 500 : 10);
    if (random_.below(10) == 0) return remove_range(bucket, *model, operations);
    for (int i = 0; i < operations; ++i) operation(bucket, *model);
    return operations;
  }

  void operation(Bucket& bucket, Model& model) {
    const std::string k = key();
    if (random_.below(100) < delete_share_) {
      must(bucket.remove(k));
      model.pairs.erase(k);
      return;
    }
    if (random_.below(4) == 0) {
      const auto it = model.pairs.find(k);
      REQUIRE(get(bucket, k) == (it == model.pairs.end() ? "(none)" : it->second));
      return;
    }
    const std::string v = value();
    must(bucket.put(k, v));
    model.pairs[k] = v;
  }

  /// Removes along a cursor from a random place on.
  int remove_range(Bucket& bucket, Model& model, int operations) {
    Cursor cursor = bucket.cursor();
    const std::string from = key();
    auto kv = must(cursor.seek(from));
    for (int i = 0; i < operations && kv; ++i) {
      if (!kv->is_bucket) {
        const auto it = model.pairs.find(std::string(kv->key));
        REQUIRE(it != model.pairs.end());
        REQUIRE(it->second == kv->value);
        model.pairs.erase(it);
        must(cursor.remove());
      }
      kv = must(cursor.next());
    }
    return operations;
  }

  /// Between transactions: reopen, hold readers, compare some of them.
  void look_around() {
    if (random_.below(12) == 0) held_.push_back({must(db_->begin_read()), model_});
    if (random_.below(10) == 0 && !held_.empty()) {
      const std::size_t i = random_.below(held_.size());
      compare(held_[i].tx, held_[i].model);
      held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(i));
    }
    if (random_.below(25) == 0) check_sound(*db_);
    if (random_.below(40) == 0) {
      compare_all();
      open();
      compare_all();
    }
  }

  void compare_all() {
    Tx tx = must(db_->begin_read());
    compare(tx, model_);
  }

  void compare(Tx& tx, const Model& model) { REQUIRE(difference(tx, model) == ""); }

  Config config_;
  SeededRandom random_;
  TempDir dir_;
  std::unique_ptr<DB> db_;
  Model model_;
  std::vector<Held> held_;
  std::uint64_t delete_share_ = 25;
  int next_ = 0;
};

}  // namespace

TEST_CASE("bolt property: a million operations against ordered maps") {
  std::uint64_t seed = 1;
  for (const std::uint32_t page_size : {1024, 4096, 65536}) {
    for (const auto type : {FreelistType::kArray, FreelistType::kHashMap}) {
      for (const bool unsynced : {true, false}) {
        const Config config{seed++, page_size, type, unsynced, 84000};
        CAPTURE(config.seed);
        Run(config).run();
      }
    }
  }
}
