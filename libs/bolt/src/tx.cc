#include "cursor_impl.h"
#include "database.h"
#include "truss/common/check.h"

namespace truss::bolt {

Tx::Impl::Impl(Database& database, const Meta& state, int state_slot, View file_view,
               Writer* own_writer)
    : db(database),
      meta(state),
      slot(state_slot),
      view(std::move(file_view)),
      writer(own_writer),
      root(*this, nullptr, {}) {
  root.root = meta.root;
  root.sequence = meta.sequence;
  if (writer) meta.txid = next_txid(state.txid, state_slot);
}

Tx::Impl::~Impl() { finish(); }

void Tx::Impl::finish() {
  if (done) return;
  done = true;
  // A mapping holds the file open, and with it the lock of a database closed meanwhile.
  view.map.reset();
  if (!writer) return db.end_read(meta.txid);
  writer->freelist.rollback();
  db.end_write();
}

Result<> Tx::Impl::free(Run run) {
  if (run.count == 0 || writer->freelist.free(run)) return {};
  return fail(Code::kCorruption, "bolt " + *view.path + ": pages [" + std::to_string(run.first) +
                                     ", " + std::to_string(run.first + run.count) +
                                     ") are referenced twice, or free, or outside the file");
}

char* Tx::Impl::new_page(std::uint64_t id, std::uint64_t pages) {
  const std::uint64_t size = pages * view.page_size;
  char* room = static_cast<char*>(writer->objects.allocate(size));
  dirty.push_back({id, ByteView(room, size)});
  return room;
}

Tx::Tx(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Tx::Tx(Tx&&) noexcept = default;
Tx& Tx::operator=(Tx&&) noexcept = default;
Tx::~Tx() = default;

TxId Tx::id() const { return TxId(impl_->meta.txid); }
bool Tx::writable() const { return impl_->writable(); }

std::uint64_t Tx::size_bytes() const {
  const std::uint64_t pages = impl_->writable() && !impl_->done
                                  ? impl_->writer->freelist.high_water()
                                  : impl_->meta.high_water;
  return pages * impl_->view.page_size;
}

Result<std::optional<Bucket>> Tx::bucket(ByteView name) {
  return Bucket(&impl_->root).bucket(name);
}
Result<Bucket> Tx::create_bucket(ByteView name) { return Bucket(&impl_->root).create_bucket(name); }
Result<Bucket> Tx::create_bucket_if_absent(ByteView name) {
  return Bucket(&impl_->root).create_bucket_if_absent(name);
}
Result<> Tx::remove_bucket(ByteView name) { return Bucket(&impl_->root).remove_bucket(name); }
Bucket Tx::top() { return Bucket(&impl_->root); }
Cursor Tx::cursor() { return Bucket(&impl_->root).cursor(); }

Result<> Tx::commit() { return impl_->commit(); }
void Tx::drop_resident() const {
  if (!impl_->done) impl_->view.map->drop_resident();
}
const View& Tx::view() const { return impl_->view; }
const Meta& Tx::meta() const { return impl_->meta; }
void Tx::rollback() { impl_->finish(); }

Result<> Tx::write_to(const std::function<Result<>(ByteView piece)>& sink) {
  return impl_->write_to(sink);
}

}  // namespace truss::bolt
