#include <algorithm>
#include <functional>
#include <utility>

#include "hex_name.h"
#include "truss/common/text.h"
#include "truss/snap/v2_store.h"

namespace truss::snap {
namespace {

constexpr int kHistoryCapacity = 1000;

/// Writes nodes of the tree with running indexes, as if each had been created by one v2 event.
class NodeWriter {
 public:
  explicit NodeWriter(std::string& out) : out_(out) {}

  std::uint64_t last_index() const { return index_; }

  void file(const std::string& path, const std::string& value) {
    ++index_;
    head(path, index_, value);
    out_ += "null}";
  }

  /// A directory; `children` writes each child by child() and a node.
  void directory(const std::string& path, const std::function<void()>& children) {
    head(path, index_, {});
    out_ += '{';
    const bool outer = std::exchange(first_child_, true);
    children();
    first_child_ = outer;
    out_ += "}}";
  }

  void child(const std::string& name) {
    if (!std::exchange(first_child_, false)) out_ += ',';
    append_json_string(out_, name);
    out_ += ':';
  }

 private:
  void head(const std::string& path, std::uint64_t index, const std::string& value) {
    const std::string number = std::to_string(index);
    out_ += R"({"Path":)";
    append_json_string(out_, path);
    out_ += R"(,"CreatedIndex":)" + number + R"(,"ModifiedIndex":)" + number +
            R"(,"ExpireTime":"0001-01-01T00:00:00Z","Value":)";
    append_json_string(out_, value);
    out_ += R"(,"Children":)";
  }

  std::string& out_;
  std::uint64_t index_ = 0;
  bool first_child_ = true;
};

std::string raft_attributes(const V2Member& member) {
  std::string out = R"({"peerURLs":)";
  append_json_strings(out, member.peer_urls);
  if (member.is_learner) out += R"(,"isLearner":true)";
  return out + '}';
}

/// Empty if the member has published nothing.
std::string attributes(const V2Member& member) {
  std::string out;
  if (!member.name.empty()) {
    out += R"("name":)";
    append_json_string(out, member.name);
  }
  if (!member.client_urls.empty()) {
    if (!out.empty()) out += ',';
    out += R"("clientURLs":)";
    append_json_strings(out, member.client_urls);
  }
  return out.empty() ? out : '{' + out + '}';
}

void write_member(NodeWriter& w, const std::string& path, const V2Member& member) {
  w.directory(path, [&] {
    if (const std::string published = attributes(member); !published.empty()) {
      w.child("attributes");
      w.file(path + "/attributes", published);
    }
    w.child("raftAttributes");
    w.file(path + "/raftAttributes", raft_attributes(member));
  });
}

/// Ids as the document names them, in the order of its sorted keys.
template <class T, class IdOf>
std::vector<std::pair<std::string, const T*>> by_name(const std::vector<T>& items, IdOf id_of) {
  std::vector<std::pair<std::string, const T*>> out;
  for (const T& item : items) out.emplace_back(hex(id_of(item).value()), &item);
  std::sort(out.begin(), out.end());
  return out;
}

void write_cluster(NodeWriter& w, const V2Membership& membership) {
  w.child("members");
  w.directory("/0/members", [&] {
    const auto id_of = [](const V2Member& member) { return member.id; };
    for (const auto& [name, member] : by_name(membership.members, id_of)) {
      w.child(name);
      write_member(w, "/0/members/" + name, *member);
    }
  });
  if (!membership.removed.empty()) {
    w.child("removed_members");
    w.directory("/0/removed_members", [&] {
      const auto id_of = [](raft::NodeId id) { return id; };
      for (const auto& [name, id] : by_name(membership.removed, id_of)) {
        w.child(name);
        w.file("/0/removed_members/" + name, {});
      }
    });
  }
  if (!membership.version.empty()) {
    w.child("version");
    w.file("/0/version", membership.version);
  }
}

/// An event history that holds nothing. 3.4 indexes `Events` by Capacity, so all must be there.
std::string empty_watcher_hub(std::uint64_t last_index) {
  std::string out = R"({"EventHistory":{"Queue":{"Events":[null)";
  for (int i = 1; i < kHistoryCapacity; ++i) out += ",null";
  return out + R"(],"Size":0,"Front":0,"Back":0,"Capacity":)" + std::to_string(kHistoryCapacity) +
         R"(},"StartIndex":)" + std::to_string(last_index) + R"(,"LastIndex":)" +
         std::to_string(last_index) + "}}";
}

constexpr const char* kNoStats =
    R"({"getsSuccess":0,"getsFail":0,"setsSuccess":0,"setsFail":0,"deleteSuccess":0,"deleteFail":0,)"
    R"("updateSuccess":0,"updateFail":0,"createSuccess":0,"createFail":0,)"
    R"("compareAndSwapSuccess":0,"compareAndSwapFail":0,"compareAndDeleteSuccess":0,)"
    R"("compareAndDeleteFail":0,"expireCount":0,"watchers":0})";

}  // namespace

std::string write_v2_store(const V2Membership& membership) {
  std::string out = R"({"Root":)";
  NodeWriter w(out);
  w.directory("/", [&] {
    w.child("0");
    w.directory("/0", [&] { write_cluster(w, membership); });
    w.child("1");
    w.directory("/1", [] {});
  });
  out += R"(,"WatcherHub":)" + empty_watcher_hub(w.last_index()) + R"(,"CurrentIndex":)" +
         std::to_string(w.last_index()) + R"(,"Stats":)" + kNoStats + R"(,"CurrentVersion":2})";
  return out;
}

}  // namespace truss::snap
