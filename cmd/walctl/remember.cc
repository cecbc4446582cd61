#include "truss/waltool/remember.h"

#include <algorithm>
#include <memory>
#include <ostream>

#include "tool.h"
#include "truss/server/config.h"
#include "truss/server/member.h"
#include "truss/tool/exit_code.h"
#include "truss/tool/json_writer.h"
#include "truss/tool/lock_holder.h"

namespace truss::walctl {
namespace {

using waltool::NewCluster;

struct RememberOptions {
  std::string dir;
  std::string members;
  std::string name;
  std::string token;
  std::string undo;
  bool dry_run = false;
};

/// The same for copies of one directory, so that their ids agree; another one each time.
std::string token_of(const waltool::Evidence& evidence, const waltool::RememberPlan& plan) {
  return "remembered-" + hex_id(evidence.identity->cluster_id) + "-" +
         std::to_string(plan.base.index.value()) + "-" + std::to_string(plan.last.value());
}

Result<> check_url(const std::string& url) {
  const std::size_t scheme = url.find("://");
  const bool known = url.starts_with("http://") || url.starts_with("https://");
  const std::string host = known ? url.substr(scheme + 3) : "";
  const std::size_t port = host.rfind(':');
  if (known && port != std::string::npos && port > 0 && port + 1 < host.size() &&
      host.find('/') == std::string::npos)
    return {};
  return fail(Code::kInvalidArgument,
              "--members: " + quoted(url) + " is no peer URL like http://host:2380");
}

Result<NewCluster> cluster_of(const RememberOptions& options, const std::string& token) {
  const auto named = server::parse_initial_cluster(options.members);
  if (!named || named->empty())
    return fail(Code::kInvalidArgument, "--members takes NAME=URL, separated by commas");
  NewCluster out;
  std::vector<raft::NodeId> ids;
  for (const auto& [name, urls] : *named) {
    for (const std::string& url : urls) TRUSS_TRY(check_url(url));
    auto sorted = urls;
    std::ranges::sort(sorted);
    const raft::NodeId id = server::compute_member_id(sorted, token);
    if (std::ranges::find(ids, id) != ids.end())
      return fail(Code::kInvalidArgument, "--members: two have the same URLs");
    ids.push_back(id);
    out.members.push_back({id, name, std::move(sorted)});
    if (name == options.name || named->size() == 1) out.self = id;
  }
  if (!options.name.empty() && !named->contains(options.name))
    return fail(Code::kInvalidArgument, "--name " + options.name + " is not among --members");
  if (out.self == raft::kNoNode)
    return fail(Code::kInvalidArgument, "--name must say which of the members this becomes");
  std::ranges::sort(out.members, {}, &waltool::NewMember::id);
  out.id = server::compute_cluster_id(ids).value();
  return out;
}

void print(Tool& tool, tool::Console& console, const NewCluster& cluster,
           const waltool::RememberPlan& plan, bool done, const std::vector<std::string>& steps) {
  if (!tool.json()) {
    for (const std::string& step : steps) console.out << step << "\n";
    return;
  }
  std::string text;
  tool::JsonWriter json(text);
  json.begin_object().field("done", done);
  json.field("clusterId", hex_id(cluster.id)).field("memberId", hex_id(cluster.self.value()));
  json.key("members").begin_array();
  for (const waltool::NewMember& member : cluster.members) {
    json.begin_object().field("id", hex_id(member.id.value())).field("name", member.name);
    json.key("peerURLs").begin_array();
    for (const std::string& url : member.peer_urls) json.value(url);
    json.end_array().end_object();
  }
  json.end_array().field("fromIndex", plan.base.index.value());
  json.field("lastIndex", plan.last.value()).field("term", plan.state.term.value());
  json.key("steps").begin_array();
  for (const std::string& step : steps) json.value(step);
  json.end_array().end_object();
  console.out << text << "\n";
}

Result<int> undo(Tool& tool, const RememberOptions& options, tool::Console& console) {
  TRUSS_ASSIGN(const auto where, tool.locate(options.dir));
  const auto& env = tool.environment;
  auto steps = waltool::undo_remember(tool.files, env.names, env.process, where, options.undo);
  if (!steps) return Unexpected(tool.with_holder(steps.error(), where));
  for (const std::string& step : *steps) console.out << step << "\n";
  return tool::kFine;
}

Result<int> remember(Tool& tool, const RememberOptions& options, tool::Console& console) {
  if (!options.undo.empty()) return undo(tool, options, console);
  if (options.members.empty())
    return fail(Code::kInvalidArgument, "--members or --undo must be given");
  TRUSS_ASSIGN(const auto where, tool.locate(options.dir));
  TRUSS_ASSIGN(const auto evidence, tool.gather(options.dir, console));
  TRUSS_ASSIGN(const auto plan, waltool::plan_remember(evidence, waltool::judge(evidence)));
  TRUSS_ASSIGN(
      const NewCluster cluster,
      cluster_of(options, options.token.empty() ? token_of(evidence, plan) : options.token));
  if (options.dry_run) {
    print(tool, console, cluster, plan, false,
          waltool::remember_steps(where, evidence, plan, cluster));
    return tool::kFine;
  }
  const auto& env = tool.environment;
  const auto steps =
      waltool::remember(tool.files, env.names, env.process, where, evidence, plan, cluster);
  if (!steps) return Unexpected(tool.with_holder(steps.error(), where));
  print(tool, console, cluster, plan, true, *steps);
  return tool::kFine;
}

}  // namespace

void add_remember(tool::Command& root, Tool& tool) {
  auto options = std::make_shared<RememberOptions>();
  root.command("remember", "make a stopped member's directory one of a new cluster's, in place")
      .describe(
          "For a cluster whose quorum is gone for good. Choose the directory that survey puts "
          "first, copy it to each machine that is to have a member, and run this on every copy "
          "with the same --members and its own --name; then start them all. All keys stay, and "
          "all entries of the log, committed or not. Members of the old cluster can't join the "
          "new one: its id and all member ids are new. Directories that are not copies of one "
          "must not be mixed: start one of them, and add the others empty with member add.")
      .describe(
          "The old log is kept beside the new one, and remember.undo says how to go back, as "
          "long as no member has started. After a crash on the way no member starts before that.")
      .argument("DIR", "data directory", &options->dir, tool::Hint::kFolder)
      .option("--members", "NAME=URL,…", "all members of the new cluster, with their peer URLs",
              &options->members)
      .option("--name", "NAME", "which of them this directory becomes (if there are several)",
              &options->name)
      .option("--cluster-token", "TEXT",
              "what the new ids are made from; by default from the old cluster's id and the log",
              &options->token)
      .option("--undo", "FILE", "put back what this remember.undo file tells of", &options->undo,
              tool::Hint::kFile)
      .flag("-n,--dry-run", "say what would be done, change nothing", &options->dry_run)
      .example("Go on with one survivor:",
               "walctl remember --members s1=http://10.0.0.1:2380 /var/lib/etcd/s1")
      .example("Three copies of it, here the second:",
               "walctl remember --members s1=http://a:2380,s2=http://b:2380,s3=http://c:2380 "
               "--name s2 /var/lib/etcd/s2")
      .example("Back, before anything started:",
               "walctl remember --undo /var/lib/etcd/s1/member/remember.undo /var/lib/etcd/s1")
      .run([&tool, options](tool::Console& console) {
        return tool.run(console, [&] { return remember(tool, *options, console); });
      });
}

}  // namespace truss::walctl
