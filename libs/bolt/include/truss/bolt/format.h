#pragma once

#include <cstdint>

/// Constants of the file format. Format: every integer is little-endian.
namespace truss::bolt {

/// Pages [first, first + count).
struct Run {
  std::uint64_t first = 0;
  std::uint64_t count = 0;

  friend bool operator==(const Run&, const Run&) = default;
};

/// Page header: u64 id, u16 flags, u16 count, u32 overflow (additional contiguous pages).
inline constexpr std::uint64_t kHeaderBytes = 16;
/// Leaf element: u32 flags, u32 pos, u32 key size, u32 value size.
/// Branch element: u32 pos, u32 key size, u64 child page. `pos` counts from the element itself.
inline constexpr std::uint64_t kElementBytes = 16;
/// Value of a bucket element: u64 root page (0 = inline), u64 sequence, then the inline leaf page.
inline constexpr std::uint64_t kBucketHeaderBytes = 16;

inline constexpr std::uint16_t kBranchFlag = 0x01;
inline constexpr std::uint16_t kLeafFlag = 0x02;
inline constexpr std::uint16_t kMetaFlag = 0x04;
inline constexpr std::uint16_t kFreelistFlag = 0x10;
/// Flag of a leaf element whose value is a bucket.
inline constexpr std::uint32_t kBucketElement = 0x01;

inline constexpr std::uint64_t kNoFreelist = ~std::uint64_t{0};
/// Count field of a freelist page whose first id is the real count.
inline constexpr std::uint64_t kLongFreelist = 0xFFFF;

inline constexpr std::uint64_t kFirstDataPage = 2;
inline constexpr std::uint32_t kMinPageSize = 1024;
inline constexpr std::uint32_t kMaxPageSize = 64 * 1024;
inline constexpr std::uint32_t kDefaultPageSize = 4096;

inline constexpr std::uint64_t kMaxKeyBytes = 32768;
inline constexpr std::uint64_t kMaxValueBytes = (std::uint64_t{1} << 31) - 2;

/// A split leaves at least this many elements in a page.
inline constexpr std::uint32_t kMinKeysPerPage = 2;
/// Levels of one tree. Two children a branch reach 2^63 pages; a deeper tree is a loop.
inline constexpr int kMaxDepth = 64;
/// Buckets inside buckets.
inline constexpr std::uint32_t kMaxNesting = 64;
/// Levels of all trees on one way from the top, for recursive walks.
inline constexpr int kMaxWalkDepth = 512;

constexpr bool valid_page_size(std::uint64_t n) {
  return n >= kMinPageSize && n <= kMaxPageSize && (n & (n - 1)) == 0;
}

}  // namespace truss::bolt
