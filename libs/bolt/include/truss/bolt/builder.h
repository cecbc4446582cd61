#pragma once

#include <cstdint>
#include <memory>

#include "truss/bolt/bolt.h"
#include "truss/bolt/meta.h"

namespace truss::bolt {

/// Writes a whole bolt file in one pass from pairs in key order: full pages one after the other, no
/// free page, no transaction. What compact and salvage are made of.
///
///     Builder builder(file, "db.new", {.page_size = 4096});
///     builder.begin_bucket("key", 0);
///     builder.put(k1, v1); builder.put(k2, v2);
///     builder.end_bucket();
///     TRUSS_ASSIGN(const Meta meta, builder.finish());
///
/// *Thread:* one.
class Builder {
 public:
  struct Options {
    std::uint32_t page_size = kDefaultPageSize;
    double fill = 0.9;            ///< share of a page that is filled, [0.1, 1.0]
    bool store_freelist = false;  ///< with an (empty) list of free pages in the file
    std::uint64_t sequence = 0;   ///< of the top level
  };
  /// `file` is borrowed and empty.
  Builder(File& file, std::string path, const Options& options);
  ~Builder();

  /// Appends a pair to the present bucket. Keys and values are borrowed until the bucket they are
  /// in ends. Errors: kCorruption if the key is not above the last one; kInvalidArgument for a bad
  /// size, or a pair outside any bucket; those of the file.
  Result<> put(ByteView key, ByteView value);
  /// Opens a bucket inside the present one (or at the top). Errors: as put.
  Result<> begin_bucket(ByteView name, std::uint64_t sequence);
  Result<> end_bucket();
  /// Writes what is left and both meta pages. Durability: the file is on disk when it returns (its
  /// directory entry is the caller's).
  Result<Meta> finish();

  /// Bytes handed to the file so far.
  std::uint64_t bytes_written() const;
  std::uint64_t pairs() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace truss::bolt
