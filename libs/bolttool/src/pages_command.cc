#include <charconv>
#include <cstdio>

#include "census.h"
#include "commands.h"
#include "etcd.h"
#include "truss/bolt/freelist_page.h"

// pages: one line a page. page: what is in some of them, whether the tree reaches them or not.
namespace truss::bolttool {
namespace {

struct Wanted {
  std::string file;
  std::vector<std::string> ids;
  std::int64_t slot = -1;
  std::string type;
  bool hex = false;
};

struct Header {
  std::uint64_t id = 0;
  std::uint16_t flags = 0;
  std::uint16_t count = 0;
  std::uint32_t overflow = 0;

  explicit Header(const char* page)
      : id(load_le<std::uint64_t>(page)),
        flags(load_le<std::uint16_t>(page + 8)),
        count(load_le<std::uint16_t>(page + 10)),
        overflow(load_le<std::uint32_t>(page + 12)) {}
};

const char* use_name(PageUse use) {
  constexpr const char* kNames[] = {"free",   "meta",     "freelist", "leaf",
                                    "branch", "overflow", "lost"};
  return kNames[static_cast<std::size_t>(use)];
}

bool in_tree(PageUse use) { return use == PageUse::kLeaf || use == PageUse::kBranch; }

void print_page(const Image& image, const Census& census, std::uint64_t id, bool json,
                tool::Console& console) {
  const PageUse use = census.pages[id];
  const Header header(image.page_bytes(id));
  const std::string bucket = in_tree(use) ? shown_path(census.buckets[census.owner[id]].path) : "";
  if (json) {
    std::string text;
    tool::JsonWriter out(text);
    out.begin_object().field("id", id).field("type", use_name(use));
    if (in_tree(use)) {
      out.field("items", header.count).field("overflow", header.overflow).field("bucket", bucket);
    }
    out.end_object();
    console.out << text << "\n";
    return;
  }
  char line[96];
  std::snprintf(line, sizeof line, "%-10llu %-9s", static_cast<unsigned long long>(id),
                use_name(use));
  console.out << line;
  if (in_tree(use)) {
    std::snprintf(line, sizeof line, " %6u %8u  ", header.count, header.overflow);
    console.out << line << (bucket.empty() ? "(top level)" : bucket);
  }
  console.out << "\n";
}

Result<int> list_pages(const Image& image, const Wanted& wanted, tool::Format format,
                       tool::Console& console) {
  const Census census = take_census(image);
  const bool json = format == tool::Format::kJson;
  if (!json) console.out << "ID         TYPE       ITEMS OVERFLOW  BUCKET\n";
  for (std::uint64_t id = 0; id < census.pages.size(); ++id) {
    if (!wanted.type.empty() && wanted.type != use_name(census.pages[id])) continue;
    print_page(image, census, id, json, console);
  }
  if (census.faults == 0) return tool::kFine;
  console.err << "boltctl: " << census.faults << " faults: " << census.first_fault << "\n";
  return tool::kFoundWrong;
}

void hex_dump(const char* bytes, std::uint64_t offset, std::uint64_t size, tool::Console& console) {
  const std::string zeros(16, '\0');
  bool skipping = false;
  for (std::uint64_t at = 0; at < size; at += 16) {
    const ByteView row(bytes + at, std::min<std::uint64_t>(16, size - at));
    if (row == zeros && at > 0 && at + 16 < size) {
      if (!skipping) console.out << "*\n";
      skipping = true;
      continue;
    }
    skipping = false;
    char place[24];
    std::snprintf(place, sizeof place, "%08llx ", static_cast<unsigned long long>(offset + at));
    console.out << place;
    std::string shown;
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i % 8 == 0) console.out << " ";
      console.out << to_hex(row.substr(i, 1)) << " ";
      shown += row[i] >= ' ' && row[i] <= '~' ? row[i] : '.';
    }
    console.out << " |" << shown << "|\n";
  }
}

/// The elements of a leaf or branch page, whatever can be read of them.
void print_elements(const Header& header, const char* bytes, std::uint64_t room,
                    const std::vector<ByteView>& path, tool::Console& console) {
  bolt::PageRef page;
  page.data = bytes;
  page.bytes = room;
  page.leaf = header.flags == bolt::kLeafFlag;
  const std::uint64_t most = (room - bolt::kHeaderBytes) / bolt::kElementBytes;
  page.count = static_cast<std::uint32_t>(std::min<std::uint64_t>(header.count, most));
  for (std::uint32_t i = 0; i < page.count; ++i) {
    bolt::KeyValue kv;
    console.out << "  " << i << "  ";
    if (page.leaf ? !page.pair(i, kv) : !page.key(i, kv.key)) {
      console.out << "element points outside its page\n";
    } else if (page.leaf) {
      const PairText text = pair_text(path, kv);
      console.out << text.key << "  " << text.value << "\n";
    } else {
      const bolt::KeyValue key_only{kv.key, {}, false};
      console.out << pair_text(path, key_only).key << "  -> page " << page.child(i) << "\n";
    }
  }
  if (header.count > most) {
    console.out << "  ... its header counts " << header.count << " elements, more than fit\n";
  }
}

void print_freelist(const Image& image, std::uint64_t id, tool::Console& console) {
  const auto list = bolt::read_freelist(image.view(), id);
  if (!list) {
    console.out << "  " << list.error().message << "\n";
    return;
  }
  console.out << "  " << list->ids.size() << " free pages:";
  for (const std::uint64_t page : list->ids) console.out << " " << page;
  console.out << "\n";
}

void print_contents(const Image& image, const Census& census, std::uint64_t id,
                    tool::Console& console) {
  const char* bytes = image.page_bytes(id);
  const Header header(bytes);
  const std::uint64_t pages = std::min(std::uint64_t{header.overflow} + 1, image.file_pages() - id);
  const std::uint64_t room = pages * image.page_size();
  const char* use = id < census.pages.size() ? use_name(census.pages[id]) : "past the last page";
  console.out << "page " << id << " at offset " << id * image.page_size() << ": "
              << type_name(header.flags) << ", " << header.count << " elements, " << header.overflow
              << " overflow pages; in this state: " << use << "\n";
  if (id < 2) {
    const MetaPage& meta = image.metas()[id];
    console.out << "  "
                << (meta.meta ? "transaction " + std::to_string(meta.meta->txid) + ", root " +
                                    std::to_string(meta.meta->root)
                              : meta.fault)
                << "\n";
    return;
  }
  if (header.id != id) console.out << "  its header names page " << header.id << "\n";
  if (header.flags == bolt::kFreelistFlag) return print_freelist(image, id, console);
  if (header.flags != bolt::kLeafFlag && header.flags != bolt::kBranchFlag) return;
  std::vector<ByteView> path;
  if (id < census.pages.size() && in_tree(census.pages[id])) {
    path = census.buckets[census.owner[id]].path;
  }
  print_elements(header, bytes, room, path, console);
}

Result<int> show_pages(const Image& image, const Wanted& wanted, tool::Console& console) {
  const Census census = take_census(image);
  for (const std::string& word : wanted.ids) {
    std::uint64_t id = 0;
    const auto [end, bad] = std::from_chars(word.data(), word.data() + word.size(), id);
    if (bad != std::errc{} || end != word.data() + word.size()) {
      return fail(Code::kInvalidArgument, "not a page number: " + word);
    }
    if (id >= image.file_pages()) {
      return fail(Code::kInvalidArgument, "bolt " + image.path() + ": page " + word +
                                              " is past the end of the file, page " +
                                              std::to_string(image.file_pages()));
    }
    print_contents(image, census, id, console);
    if (wanted.hex) {
      hex_dump(image.page_bytes(id), id * image.page_size(), image.page_size(), console);
    }
  }
  return tool::kFine;
}

}  // namespace

void add_pages(tool::Command& root, Environment& env) {
  auto list = std::make_shared<Wanted>();
  tool::Command& pages = root.command("pages", "list all pages: type, elements, bucket");
  pages.argument("FILE", "bolt file or data directory", &list->file, tool::Hint::kFile)
      .choice("--type", "TYPE", "only pages of this type", &list->type,
              {"free", "meta", "freelist", "leaf", "branch", "overflow", "lost"})
      .describe("With -o json one object a line.")
      .example("Pages that nothing refers to:", "boltctl pages db --type lost")
      .run([&env, list](tool::Console& console) {
        return with_image(env, console, list->file,
                          [&](const Image& image) {
                            return list_pages(image, *list, env.output.format(), console);
                          },
                          {.slot = static_cast<int>(list->slot)});
      });
  add_state_option(pages, &list->slot);

  auto one = std::make_shared<Wanted>();
  tool::Command& page = root.command("page", "show what is in some pages, reachable or not");
  page.argument("FILE", "bolt file or data directory", &one->file, tool::Hint::kFile)
      .arguments("PAGE", "page numbers", &one->ids)
      .flag("--hex", "and the bytes", &one->hex)
      .example("A page that check complains about:", "boltctl page db 17 --hex")
      .run([&env, one](tool::Console& console) {
        return with_image(env, console, one->file,
                          [&](const Image& image) { return show_pages(image, *one, console); },
                          {.slot = static_cast<int>(one->slot)});
      });
  add_state_option(page, &one->slot);
}

}  // namespace truss::bolttool
