#include "truss/net/grpc_frame.h"

#include <algorithm>
#include <array>

#include "truss/common/check.h"

namespace truss::net {
namespace {

std::array<char, GrpcDeframer::kPrefixBytes> prefix_of(std::size_t length) {
  return {0, static_cast<char>(length >> 24), static_cast<char>(length >> 16),
          static_cast<char>(length >> 8), static_cast<char>(length)};
}

Result<void> check_flag(unsigned char flag) {
  if (flag == 0) return {};
  if (flag == 1) {
    return fail(Code::kInternal, "grpc: compressed flag set with identity or empty encoding");
  }
  return fail(Code::kInternal,
              "grpc: received unexpected payload format " + std::to_string(int{flag}));
}

}  // namespace

Result<void> GrpcDeframer::read_prefix(ByteView& input) {
  while (prefix_size_ < kPrefixBytes && !input.empty()) {
    prefix_[prefix_size_++] = static_cast<unsigned char>(input.front());
    input.remove_prefix(1);
  }
  if (prefix_size_ < kPrefixBytes) return {};
  length_ = (std::size_t{prefix_[1]} << 24) | (std::size_t{prefix_[2]} << 16) |
            (std::size_t{prefix_[3]} << 8) | std::size_t{prefix_[4]};
  if (length_ > max_message_bytes_) {
    return fail(Code::kResourceExhausted, "grpc: received message larger than max (" +
                                              std::to_string(length_) + " vs. " +
                                              std::to_string(max_message_bytes_) + ")");
  }
  return check_flag(prefix_[0]);
}

void GrpcDeframer::finish_message() {
  prefix_size_ = 0;
  length_ = 0;
  if (partial_.capacity() > 0) std::string().swap(partial_);
}

Result<bool> GrpcDeframer::next(ByteView& input, SharedBytes& message) {
  if (prefix_size_ < kPrefixBytes) {
    TRUSS_TRY(read_prefix(input));
    if (prefix_size_ < kPrefixBytes) return false;
  }
  const std::size_t take = std::min(length_ - partial_.size(), input.size());
  const ByteView piece = input.substr(0, take);
  input.remove_prefix(take);
  if (partial_.size() + take < length_) {
    partial_.append(piece);
    return false;
  }
  const ByteView held = partial_;
  message = held.empty() ? SharedBytes::copy(piece) : SharedBytes::build(length_, [&](char* out) {
    std::copy(held.begin(), held.end(), out);
    std::copy(piece.begin(), piece.end(), out + held.size());
  });
  finish_message();
  return true;
}

void GrpcOutBody::push(SharedBytes message) {
  size_bytes_ += GrpcDeframer::kPrefixBytes + message.size();
  messages_.push_back(std::move(message));
}

void GrpcOutBody::pop_front() {
  messages_[head_++] = SharedBytes();
  offset_ = 0;
  if (head_ == messages_.size()) {
    messages_.clear();
    head_ = 0;
  } else if (head_ >= 64 && head_ * 2 >= messages_.size()) {
    messages_.erase(messages_.begin(), messages_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
  }
}

void GrpcOutBody::write(std::size_t count, std::string& out) {
  TRUSS_CHECK(count <= size_bytes_);
  size_bytes_ -= count;
  constexpr std::size_t kPrefix = GrpcDeframer::kPrefixBytes;
  while (count > 0) {
    const ByteView body = messages_[head_].view();
    const std::size_t total = kPrefix + body.size();
    if (offset_ < kPrefix) {
      const auto prefix = prefix_of(body.size());
      const std::size_t take = std::min(count, kPrefix - offset_);
      out.append(prefix.data() + offset_, take);
      offset_ += take;
      count -= take;
    }
    if (offset_ >= kPrefix) {
      const std::size_t take = std::min(count, total - offset_);
      out.append(body.substr(offset_ - kPrefix, take));
      offset_ += take;
      count -= take;
    }
    if (offset_ == total) pop_front();
  }
}

void GrpcOutBody::clear() {
  messages_.clear();
  head_ = offset_ = size_bytes_ = 0;
}

}  // namespace truss::net
