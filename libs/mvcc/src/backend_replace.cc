#include "backend_impl.h"

/// How a database received from the leader takes the place of the present one.
namespace truss::mvcc {

void Backend::replace(std::string received, std::shared_ptr<const bolt::KnownLeaves> leaves,
                      Prepare prepare, Task done) {
  // The implementation keeps this until it runs: owning it in turn would leave both behind when the
  // process ends before.
  commit([impl = impl_.get(), received = std::move(received), leaves = std::move(leaves),
          prepare = std::move(prepare), done = std::move(done)]() mutable {
    impl->run_replace(received, leaves.get(), prepare);
    done();
  });
}

void Backend::Impl::run_replace(const std::string& received, const bolt::KnownLeaves* leaves,
                                const Prepare& prepare) {
  const auto attempt = [&]() -> Result<> {
    TRUSS_TRY(fs.rename(received, options.path));
    TRUSS_TRY(fs.sync_dir(parent_path(options.path)));
    TRUSS_ASSIGN(auto fresh, open_db(options.path, true, leaves));
    TRUSS_ASSIGN(const schema::Meta meta, make_complete(*fresh));
    auto records = std::make_unique<ReadView::Impl>();
    records->db = fresh;
    TRUSS_ASSIGN(records->tx, fresh->begin_read());
    return prepare(ReadView(std::move(records)), meta, [&] { adopt(fresh, meta); });
  };
  if (const Result<> done = attempt(); !done) {
    process.fatal("can't go over to the database received from the leader (" + received +
                  "): " + done.error().message);
  }
}

void Backend::Impl::adopt(std::shared_ptr<bolt::DB> fresh, const schema::Meta& meta) {
  std::unique_lock lock(mutex);
  TRUSS_CHECK(closed.empty() && !open->dirty(), "writes while the database is being replaced");
  db = std::move(fresh);
  consistent_index = batched_index = committed_index = meta.consistent_index;
  term = meta.term;
}

}  // namespace truss::mvcc
