#include "commands.h"
#include "summary.h"

namespace truss::bolttool {
namespace {

struct Wanted {
  std::string file;
  std::int64_t slot = -1;
};

std::string freelist_text(std::uint64_t id) {
  return id == bolt::kNoFreelist ? "not stored" : "page " + std::to_string(id);
}

std::string meta_text(const MetaPage& page) {
  if (!page.meta) return "damaged: " + page.fault;
  const bolt::Meta& m = *page.meta;
  return "transaction " + std::to_string(m.txid) + ", root " + std::to_string(m.root) +
         ", freelist " + freelist_text(m.freelist) + ", high-water mark " +
         std::to_string(m.high_water);
}

void show_text(const Image& image, const std::optional<EtcdSummary>& summary, tool::Format format,
               tool::Console& console) {
  tool::Record record;
  record.add("file", "file", image.path())
      .add("file bytes", "fileBytes", image.file_bytes())
      .add("page size", "pageSize", image.page_size())
      .add("pages", "highWater", image.meta().high_water)
      .add("meta page 0", "meta0", meta_text(image.metas()[0]))
      .add("meta page 1", "meta1", meta_text(image.metas()[1]))
      .add("state read", "slot", "meta page " + std::to_string(image.slot()))
      .add("root page", "root", image.meta().root)
      .add("freelist", "freelist", freelist_text(image.meta().freelist))
      .add("transaction", "txid", image.meta().txid);
  if (summary) add_summary(record, *summary);
  console.out << record.render(format);
}

void write_words(tool::JsonWriter& json, const char* key, const std::vector<std::string>& words) {
  json.key(key).begin_array();
  for (const std::string& word : words) json.value(word);
  json.end_array();
}

void write_meta(tool::JsonWriter& json, const MetaPage& page) {
  json.begin_object().field("valid", page.meta.has_value());
  if (page.meta) {
    const bolt::Meta& m = *page.meta;
    json.field("txid", m.txid).field("root", m.root).field("sequence", m.sequence);
    json.key("freelist");
    m.freelist == bolt::kNoFreelist ? json.null() : json.value(m.freelist);
    json.field("highWater", m.high_water);
  } else {
    json.field("fault", page.fault);
  }
  json.end_object();
}

void write_etcd(tool::JsonWriter& json, const EtcdSummary& s) {
  json.key("etcd").begin_object().field("revision", s.revision);
  if (s.finished_compact) json.field("compactRevision", *s.finished_compact);
  if (s.scheduled_compact) json.field("scheduledCompactRevision", *s.scheduled_compact);
  json.field("consistentIndex", s.consistent_index);
  if (s.term) json.field("term", *s.term);
  json.field("clusterVersion", s.cluster_version);
  if (!s.storage_version.empty()) json.field("storageVersion", s.storage_version);
  write_words(json, "members", s.members);
  write_words(json, "removedMembers", s.removed_members);
  json.end_object();
}

void show_json(const Image& image, const std::optional<EtcdSummary>& summary,
               tool::Console& console) {
  std::string text;
  tool::JsonWriter json(text);
  json.begin_object()
      .field("file", image.path())
      .field("fileBytes", image.file_bytes())
      .field("pageSize", image.page_size())
      .field("highWater", image.meta().high_water)
      .field("metaPage", image.slot());
  json.key("metas").begin_array();
  for (const MetaPage& page : image.metas()) write_meta(json, page);
  json.end_array().field("txid", image.meta().txid).field("root", image.meta().root);
  json.key("freelist");
  const std::uint64_t freelist = image.meta().freelist;
  freelist == bolt::kNoFreelist ? json.null() : json.value(freelist);
  if (summary) write_etcd(json, *summary);
  json.end_object();
  console.out << text << "\n";
}

}  // namespace

void add_info(tool::Command& root, Environment& env) {
  auto wanted = std::make_shared<Wanted>();
  tool::Command& command =
      root.command("info", "page size, both meta pages, and what an etcd db says of itself");
  command.argument("FILE", "bolt file or data directory", &wanted->file, tool::Hint::kFile)
      .example("Revision and consistent index of a stopped member:",
               "boltctl info /var/lib/etcd/default")
      .run([&env, wanted](tool::Console& console) {
        return with_image(env, console, wanted->file,
                          [&](const Image& image) -> Result<int> {
                            TRUSS_ASSIGN(const auto summary, read_summary(image));
                            if (env.output.format() == tool::Format::kJson) {
                              show_json(image, summary, console);
                            } else {
                              show_text(image, summary, env.output.format(), console);
                            }
                            return tool::kFine;
                          },
                          {.slot = static_cast<int>(wanted->slot)});
      });
  add_state_option(command, &wanted->slot);
}

}  // namespace truss::bolttool
