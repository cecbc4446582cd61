#pragma once

#include <cstdint>
#include <cstring>

#include "truss/common/bytes.h"
#include "truss/common/coding.h"

/// Protobuf encoding in two passes over one description: the first counts, the second writes into
/// a buffer of exactly that size. A description is a callable that takes either sink:
///
///   encode([&](auto& out) { out.number(1, id); out.message(2, [&](auto& inner) { … }); });
namespace truss::api::wire {

class SizeSink {
 public:
  /// A varint field; zero is left out.
  void number(std::uint32_t field, std::uint64_t v) {
    if (v != 0) size_ += tag_size(field) + varint_size(v);
  }
  void number(std::uint32_t field, std::int64_t v) { number(field, static_cast<std::uint64_t>(v)); }
  void flag(std::uint32_t field, bool v) { number(field, std::uint64_t{v}); }
  /// A length-delimited field; empty is left out.
  void bytes(std::uint32_t field, ByteView v) {
    if (!v.empty()) element(field, v);
  }
  /// A length-delimited field, also when empty (repeated ones, ready-made messages).
  void element(std::uint32_t field, ByteView v) {
    size_ += tag_size(field) + varint_size(v.size()) + v.size();
  }
  /// Encoded fields.
  void raw(ByteView fields) { size_ += fields.size(); }
  template <class Body>
  void message(std::uint32_t field, Body&& body) {
    SizeSink inner;
    body(inner);
    size_ += tag_size(field) + varint_size(inner.size_) + inner.size_;
  }
  std::size_t size() const { return size_; }

 private:
  static std::size_t tag_size(std::uint32_t field) {
    return varint_size(std::uint64_t{field} << 3);
  }
  std::size_t size_ = 0;
};

class ByteSink {
 public:
  explicit ByteSink(char* out) : p_(out) {}
  void number(std::uint32_t field, std::uint64_t v) {
    if (v == 0) return;
    tag(field, 0);
    p_ = write_varint(p_, v);
  }
  void number(std::uint32_t field, std::int64_t v) { number(field, static_cast<std::uint64_t>(v)); }
  void flag(std::uint32_t field, bool v) { number(field, std::uint64_t{v}); }
  void bytes(std::uint32_t field, ByteView v) {
    if (!v.empty()) element(field, v);
  }
  void element(std::uint32_t field, ByteView v) {
    tag(field, 2);
    p_ = write_varint(p_, v.size());
    if (!v.empty()) std::memcpy(p_, v.data(), v.size());
    p_ += v.size();
  }
  void raw(ByteView fields) {
    if (!fields.empty()) std::memcpy(p_, fields.data(), fields.size());
    p_ += fields.size();
  }
  template <class Body>
  void message(std::uint32_t field, Body&& body) {
    SizeSink inner;
    body(inner);
    tag(field, 2);
    p_ = write_varint(p_, inner.size());
    body(*this);
  }

 private:
  void tag(std::uint32_t field, unsigned wire) {
    p_ = write_varint(p_, std::uint64_t{field} << 3 | wire);
  }
  char* p_;
};

template <class Body>
SharedBytes encode(Body&& body) {
  SizeSink size;
  body(size);
  return SharedBytes::build(size.size(), [&](char* out) {
    ByteSink sink(out);
    body(sink);
  });
}

}  // namespace truss::api::wire
