#include "truss/peer/msgapp_stream.h"

#include <utility>

#include "truss/common/coding.h"

namespace truss::peer {
namespace {

constexpr char kAppendsFrame = 1;
constexpr char kMessageFrame = 2;

void put_be64(std::uint64_t value, std::string& out) {
  char bytes[8];
  store_be64(bytes, value);
  out.append(bytes, sizeof bytes);
}

Unexpected too_large(std::uint64_t size, std::uint64_t limit) {
  return fail(Code::kResourceExhausted, "msgapp stream: frame of " + std::to_string(size) +
                                            " bytes or more (limit " + std::to_string(limit) + ")");
}

}  // namespace

void MsgAppCursor::follow(const raft::Message& message) {
  term = message.term;
  index = message.entries.empty() ? message.index : message.entries.back().index;
}

void MsgAppWriter::write(const raft::Message& m, std::string& out) {
  if (m.index == cursor_.index && m.log_term == cursor_.term && m.log_term == m.term) {
    out.push_back(kAppendsFrame);
    put_be64(m.entries.size(), out);
    for (const raft::Entry& entry : m.entries) {
      put_be64(raft::encoded_size(entry), out);
      raft::encode(entry, out);
    }
    put_be64(m.commit.value(), out);
    cursor_.index += m.entries.size();
    return;
  }
  out.push_back(kMessageFrame);
  const std::size_t start = out.size();
  out.append(8, '\0');
  raft::encode(m, form_, out);
  store_be64(out.data() + start, out.size() - start - 8);
  cursor_.follow(m);
}

Result<> MsgAppReader::receive(ByteView bytes, std::vector<raft::Message>& messages) {
  while (const auto part = gather_.take(bytes, wanted_bytes())) {
    TRUSS_TRY(take(*part, messages));
  }
  return {};
}

std::size_t MsgAppReader::wanted_bytes() const {
  if (state_ == State::kType) return 1;
  if (state_ == State::kEntry || state_ == State::kMessage) return size_;
  return 8;
}

Result<> MsgAppReader::take(ByteView part, std::vector<raft::Message>& messages) {
  switch (state_) {
    case State::kType:
      return take_type(static_cast<std::uint8_t>(part[0]));
    case State::kCount:
      entries_left_ = load_be64(part.data());
      state_ = entries_left_ == 0 ? State::kCommit : State::kEntrySize;
      return {};
    case State::kEntrySize:
      return take_entry_size(load_be64(part.data()));
    case State::kEntry:
      return take_entry(part);
    case State::kCommit:
      take_commit(load_be64(part.data()), messages);
      return {};
    case State::kSize:
      size_ = load_be64(part.data());
      if (size_ > max_bytes_) return too_large(size_, max_bytes_);
      state_ = State::kMessage;
      return {};
    case State::kMessage:
      return take_message(part, messages);
  }
  return {};
}

Result<> MsgAppReader::take_type(std::uint8_t type) {
  if (type > kMessageFrame) {
    return fail(Code::kCorruption, "msgapp stream: unknown frame type " + std::to_string(type));
  }
  if (type == kAppendsFrame) state_ = State::kCount;
  if (type == kMessageFrame) state_ = State::kSize;
  return {};
}

Result<> MsgAppReader::take_entry_size(std::uint64_t size) {
  if (size > max_bytes_ || frame_bytes_ + size + sizeof(raft::Entry) > max_bytes_) {
    return too_large(frame_bytes_ + size, max_bytes_);
  }
  frame_bytes_ += size + sizeof(raft::Entry);
  size_ = size;
  state_ = State::kEntry;
  return {};
}

Result<> MsgAppReader::take_entry(ByteView bytes) {
  TRUSS_ASSIGN(raft::Entry entry, raft::decode_entry(bytes));
  entries_.push_back(std::move(entry));
  state_ = --entries_left_ == 0 ? State::kCommit : State::kEntrySize;
  return {};
}

void MsgAppReader::take_commit(std::uint64_t commit, std::vector<raft::Message>& messages) {
  raft::Message& m = messages.emplace_back();
  m.type = raft::MessageType::kApp;
  m.from = remote_;
  m.to = local_;
  m.term = m.log_term = cursor_.term;
  m.index = cursor_.index;
  m.commit = raft::Index(commit);
  m.entries = std::exchange(entries_, {});
  cursor_.index += m.entries.size();
  frame_bytes_ = 0;
  state_ = State::kType;
}

Result<> MsgAppReader::take_message(ByteView bytes, std::vector<raft::Message>& messages) {
  TRUSS_ASSIGN(raft::Message message, raft::decode_message(bytes));
  cursor_.follow(message);
  messages.push_back(std::move(message));
  state_ = State::kType;
  return {};
}

}  // namespace truss::peer
