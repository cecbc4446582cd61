#include "index_check.h"

namespace truss::snaptool {

void IndexCheck::say(const Record& record, const std::string& what) {
  fault_("revision " + std::to_string(record.revision.main) + "." +
         std::to_string(record.revision.sub) + ": " + what);
}

void IndexCheck::canonical(const Record& record, const schema::KeyValueView& kv) {
  std::string own(schema::key_value_size(kv), '\0');
  schema::write_key_value(own.data(), kv);
  if (own != record.value) say(record, "not in the form that etcd writes: its HashKV would differ");
}

void IndexCheck::add(const Record& record) {
  ++out_.records;
  out_.tombstones += record.tombstone ? 1 : 0;
  if (record.value.empty()) {
    if (record.revision.main != out_.compact_revision) say(record, "empty record");
    return;  // left by a bumped revision, marked as compacted
  }
  auto kv = decode(record);
  if (!kv) return fault_(kv.error().message);
  canonical(record, *kv);
  if (kv->key.empty()) return say(record, "has no key");
  const auto [it, fresh] = keys_.try_emplace(fingerprint(kv->key));
  if (record.tombstone) {
    tombstone(record, it->second, !fresh);
  } else {
    put(record, *kv, it->second, !fresh);
  }
}

void IndexCheck::tombstone(const Record& record, State& state, bool known) {
  if ((!known || !state.live) && record.revision.main > out_.compact_revision) {
    say(record, "deletes a key that does not exist");
  }
  state = {};
}

void IndexCheck::put(const Record& record, const schema::KeyValueView& kv, State& state,
                     bool known) {
  const std::int64_t main = record.revision.main;
  if (kv.mod_revision != main) say(record, "says mod_revision " + std::to_string(kv.mod_revision));
  if (kv.version < 1) say(record, "says version " + std::to_string(kv.version));
  if (kv.create_revision < 1 || kv.create_revision > main) {
    say(record, "says create_revision " + std::to_string(kv.create_revision));
  }
  const bool first = kv.version == 1;
  if (first != (kv.create_revision == main) && kv.version == 1) {
    say(record, "version 1, but created at " + std::to_string(kv.create_revision));
  }
  if (known && state.live) {
    if (kv.version != state.version + 1 || kv.create_revision != state.create) {
      say(record, "version " + std::to_string(kv.version) + " created at " +
                      std::to_string(kv.create_revision) + " follows version " +
                      std::to_string(state.version) + " created at " +
                      std::to_string(state.create));
    }
  } else if (!first && (known || main > out_.compact_revision)) {
    say(record, "version " + std::to_string(kv.version) + " of a key that did not exist");
  }
  state = {kv.create_revision, kv.version, kv.lease, main, true};
}

void IndexCheck::finish() {
  out_.keys = keys_.size();
  for (const auto& [key, state] : keys_) {
    if (!state.live) continue;
    ++out_.live_keys;
    if (state.lease == 0 || leases_.contains(state.lease)) continue;
    fault_("the key written at revision " + std::to_string(state.mod) + " hangs on lease " +
           std::to_string(state.lease) + ", which bucket lease does not have");
  }
}

}  // namespace truss::snaptool
