#include <set>

#include "census.h"
#include "commands.h"
#include "etcd.h"
#include "truss/schema/revision.h"

// keys, get, dump: pairs of a bucket, decoded where they are etcd's.
namespace truss::bolttool {
namespace {

struct Wanted {
  std::string file;
  std::vector<std::string> words;
  std::int64_t slot = -1;
  std::uint64_t limit = 0;
  bool reverse = false;
  bool raw = false;
  bool hex = false;
  std::string prefix;
};

std::vector<ByteView> views(const std::vector<std::string>& words) {
  return {words.begin(), words.end()};
}

/// Prints pairs of one bucket, and of those inside it.
class Printer {
 public:
  Printer(const Image& image, const Wanted& wanted, tool::Format format, bool values,
          tool::Console& console)
      : image_(image), wanted_(wanted), format_(format), values_(values), console_(console) {}

  Result<> bucket(const FoundBucket& bucket, std::vector<ByteView>& path) {
    std::vector<bolt::KeyValue> nested;
    TRUSS_TRY(for_each_pair(image_, bucket, wanted_.reverse, [&](const bolt::KeyValue& kv) {
      if (!kv.key.starts_with(wanted_.prefix)) return true;
      if (kv.is_bucket && values_) {
        nested.push_back(kv);
        return true;
      }
      print(path, kv);
      return wanted_.limit == 0 || printed_ < wanted_.limit;
    }));
    for (const bolt::KeyValue& kv : nested) {
      if (path.size() > bolt::kMaxNesting) break;
      if (wanted_.limit != 0 && printed_ >= wanted_.limit) break;
      TRUSS_ASSIGN(const FoundBucket inside, as_bucket(image_, kv));
      if (inside.root != 0 && !roots_.insert(inside.root).second) {
        return tl::unexpected(image_.view().corrupt(
            kv.value.data(),
            "page " + std::to_string(inside.root) + " is the root of two buckets"));
      }
      path.push_back(kv.key);
      if (format_ != tool::Format::kJson) console_.out << "bucket " << shown_path(path) << "\n";
      TRUSS_TRY(this->bucket(inside, path));
      path.pop_back();
    }
    return {};
  }

 private:
  void print(const std::vector<ByteView>& path, const bolt::KeyValue& kv) {
    ++printed_;
    if (format_ == tool::Format::kJson) return print_json(path, kv);
    const PairText text =
        wanted_.raw ? PairText{quoted(kv.key), quoted(kv.value)} : pair_text(path, kv);
    console_.out << text.key;
    if (values_ || kv.is_bucket) console_.out << "  " << text.value;
    console_.out << "\n";
  }

  void print_json(const std::vector<ByteView>& path, const bolt::KeyValue& kv) {
    std::string text;
    tool::JsonWriter json(text);
    json.begin_object();
    if (values_) json.field("bucket", shown_path(path));
    json.bytes("key", kv.key);
    if (kv.is_bucket) {
      json.field("isBucket", true);
    } else if (values_) {
      json.bytes("value", kv.value);
    }
    if (!wanted_.raw && values_) write_decoded(json, path, kv);
    json.end_object();
    console_.out << text << "\n";
  }

  const Image& image_;
  const Wanted& wanted_;
  const tool::Format format_;
  const bool values_;
  tool::Console& console_;
  std::uint64_t printed_ = 0;
  std::set<std::uint64_t> roots_;  ///< met so far: a bucket inside itself has no end
};

Result<int> print_pairs(const Image& image, const Wanted& wanted, tool::Format format, bool values,
                        tool::Console& console) {
  TRUSS_ASSIGN(const FoundBucket bucket, find_bucket(image, wanted.words));
  std::vector<ByteView> path = views(wanted.words);
  TRUSS_TRY(Printer(image, wanted, format, values, console).bucket(bucket, path));
  return tool::kFine;
}

Result<int> print_one(const Image& image, const Wanted& wanted, tool::Format format,
                      tool::Console& console) {
  const std::vector<std::string> names(wanted.words.begin(), wanted.words.end() - 1);
  const std::vector<ByteView> path = views(names);
  TRUSS_ASSIGN(const FoundBucket bucket, find_bucket(image, names));
  TRUSS_ASSIGN(const std::string key, parse_key(path, wanted.words.back(), wanted.hex));
  TRUSS_ASSIGN(const auto kv, find_pair(image, bucket, key));
  if (!kv || kv->is_bucket) {
    console.err << "boltctl: " << (kv ? "a bucket, not a value: " : "no such key: ")
                << wanted.words.back() << "\n";
    return tool::kFoundWrong;
  }
  if (wanted.raw) {
    console.out << kv->value;
    return tool::kFine;
  }
  if (format != tool::Format::kJson) {
    console.out << pair_text(path, *kv).value << "\n";
    return tool::kFine;
  }
  std::string text;
  tool::JsonWriter json(text);
  json.begin_object().bytes("key", kv->key).bytes("value", kv->value);
  write_decoded(json, path, *kv);
  json.end_object();
  console.out << text << "\n";
  return tool::kFine;
}

using Body = std::function<Result<int>(const Image&, const Wanted&, tool::Console&)>;

void finish(tool::Command& command, Environment& env, const std::shared_ptr<Wanted>& wanted,
            const Body& body) {
  add_state_option(command, &wanted->slot);
  command.run([&env, wanted, body](tool::Console& console) {
    return with_image(env, console, wanted->file,
                      [&](const Image& image) { return body(image, *wanted, console); },
                      {.slot = static_cast<int>(wanted->slot)});
  });
}

void add_walk(tool::Command& command, Wanted& wanted, std::size_t at_least) {
  command.argument("FILE", "bolt file or data directory", &wanted.file, tool::Hint::kFile)
      .arguments("BUCKET", "bucket, then those inside it", &wanted.words, at_least)
      .option("--limit", "N", "stop after so many; 0: all", &wanted.limit)
      .option("--prefix", "TEXT", "only keys that begin so", &wanted.prefix)
      .flag("--reverse", "last key first", &wanted.reverse)
      .flag("--raw", "decode nothing, show quoted bytes", &wanted.raw);
}

}  // namespace

void add_pairs(tool::Command& root, Environment& env) {
  auto keys = std::make_shared<Wanted>();
  tool::Command& keys_command = root.command("keys", "list the keys of a bucket");
  add_walk(keys_command, *keys, 0);
  keys_command.example("Buckets of a file:", "boltctl keys db")
      .example("The ten newest revisions of an etcd db:",
               "boltctl keys db key --reverse --limit 10");
  finish(keys_command, env, keys, [&env](const Image& image, const Wanted& w, tool::Console& c) {
    return print_pairs(image, w, env.output.format(), false, c);
  });

  auto get = std::make_shared<Wanted>();
  tool::Command& get_command = root.command("get", "show the value of one key");
  get_command.argument("FILE", "bolt file or data directory", &get->file, tool::Hint::kFile)
      .arguments("WORD", "bucket, those inside it, and last the key", &get->words, 2)
      .flag("--hex", "the key is written in hex digits", &get->hex)
      .flag("--raw", "write the bytes of the value, nothing else", &get->raw)
      .describe(
          "A key is text; \\xNN stands for a byte. In etcd's bucket key a revision will do (12, "
          "12_3, 12_3t), in lease the id in hex.")
      .example("What revision 12 wrote:", "boltctl get db key 12")
      .example("The consistent index:", "boltctl get db meta consistent_index");
  finish(get_command, env, get, [&env](const Image& image, const Wanted& w, tool::Console& c) {
    return print_one(image, w, env.output.format(), c);
  });

  auto dump = std::make_shared<Wanted>();
  tool::Command& dump_command =
      root.command("dump", "show the pairs of a bucket, or of the whole file, decoded");
  add_walk(dump_command, *dump, 0);
  dump_command.describe("With -o json one object a line.")
      .example("The newest change of an etcd db:", "boltctl dump db key --reverse --limit 1")
      .example("Everything, for other programs:", "boltctl dump db -o json");
  finish(dump_command, env, dump, [&env](const Image& image, const Wanted& w, tool::Console& c) {
    return print_pairs(image, w, env.output.format(), true, c);
  });
}

}  // namespace truss::bolttool
