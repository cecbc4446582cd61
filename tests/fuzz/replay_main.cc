#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

// Stands in for libFuzzer where it is absent: runs every file of the corpus, then mutations of them
// from a fixed seed. A finding aborts; with
// FUZZ_KEEP=file in the environment the input that caused it is in that file.

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

class Mutator {
 public:
  explicit Mutator(std::uint64_t seed) : state_(seed) {}

  std::uint64_t below(std::uint64_t bound) { return next() % bound; }

  /// One to four small changes.
  void mutate(std::string& bytes, const std::vector<std::string>& corpus) {
    for (std::uint64_t n = below(4) + 1; n > 0; --n) change(bytes, corpus);
  }

 private:
  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15;
    std::uint64_t z = state_;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
  }

  void change(std::string& bytes, const std::vector<std::string>& corpus) {
    if (bytes.empty()) bytes = corpus[below(corpus.size())];
    if (bytes.empty()) return;
    const std::size_t at = below(bytes.size());
    const std::size_t count = std::min<std::size_t>(below(64) + 1, bytes.size() - at);
    constexpr std::uint8_t kEdges[] = {0, 1, 0x7f, 0x80, 0xff};
    switch (below(7)) {
      case 0:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8)));
        break;
      case 1:
        bytes[at] = static_cast<char>(kEdges[below(std::size(kEdges))]);
        break;
      case 2:
        bytes.resize(at);
        break;
      case 3:
        bytes.erase(at, count);
        break;
      case 4:
        bytes.insert(at, bytes.substr(below(bytes.size()), count));
        break;
      case 5:
        bytes.replace(at, count, count, '\0');
        break;
      default: {
        const std::string& other = corpus[below(corpus.size())];
        if (!other.empty()) bytes = bytes.substr(0, at) + other.substr(below(other.size()));
        break;
      }
    }
  }

  std::uint64_t state_;
};

void run(const std::string& input) {
  // Kept before the run: if it aborts, the file is the reproduction.
  static const char* keep = std::getenv("FUZZ_KEEP");
  if (keep != nullptr) std::ofstream(keep, std::ios::binary) << input;
  const std::vector<std::uint8_t> exact(input.begin(), input.end());  // so that ASan sees its end
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
}

std::vector<std::string> read_corpus(const std::string& folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto& file : std::filesystem::directory_iterator(folder)) paths.push_back(file.path());
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> out;
  for (const auto& path : paths) {
    std::ifstream in(path, std::ios::binary);
    out.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t rounds = 0;
  std::uint64_t seed = 1;
  std::string folder;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--rounds" && i + 1 < argc) {
      rounds = std::strtoull(argv[++i], nullptr, 10);
    } else if (argument == "--seed" && i + 1 < argc) {
      seed = std::strtoull(argv[++i], nullptr, 10);
    } else {
      folder = argument;
    }
  }
  if (folder.empty()) {
    std::fprintf(stderr, "usage: %s [--rounds N] [--seed N] CORPUS\n", argv[0]);
    return 2;
  }
  const std::vector<std::string> corpus = read_corpus(folder);
  if (corpus.empty()) {
    std::fprintf(stderr, "%s: no files\n", folder.c_str());
    return 2;
  }
  run("");
  for (const std::string& input : corpus) run(input);
  Mutator mutator(seed);
  for (std::uint64_t i = 0; i < rounds; ++i) {
    std::string input = corpus[mutator.below(corpus.size())];
    mutator.mutate(input, corpus);
    run(input);
  }
  std::printf("%zu files, %llu mutations, nothing found\n", corpus.size(),
              static_cast<unsigned long long>(rounds));
  return 0;
}
