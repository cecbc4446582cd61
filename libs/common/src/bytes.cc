#include "truss/common/bytes.h"

#include <new>

namespace truss {

SharedBytes SharedBytes::uninitialised(std::size_t size) {
  SharedBytes out;
  if (size == 0) return out;
  void* memory = ::operator new(sizeof(Block) + size);
  out.block_ = new (memory) Block;
  out.block_->size = size;
  return out;
}

SharedBytes SharedBytes::copy(ByteView bytes) {
  return build(bytes.size(), [&](char* p) { std::memcpy(p, bytes.data(), bytes.size()); });
}

void SharedBytes::release() {
  // The only owner needs no atomic step: nobody else could take a copy meanwhile.
  if (block_ && (block_->references.load(std::memory_order_acquire) == 1 ||
                 block_->references.fetch_sub(1, std::memory_order_acq_rel) == 1)) {
    block_->~Block();
    ::operator delete(block_);
  }
  block_ = nullptr;
}

}  // namespace truss
