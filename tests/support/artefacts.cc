#include "truss/test_support/artefacts.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>

#include "truss/test_support/temp_dir.h"

namespace truss::test_support {
namespace {

void run(const std::string& command) {
  if (std::system(command.c_str()) != 0) throw std::runtime_error("failed: " + command);
}

const rapidjson::Document& document() {
  static const rapidjson::Document parsed = [] {
    std::ifstream in(artefact_dir() + "/manifest.json");
    std::stringstream text;
    text << in.rdbuf();
    rapidjson::Document out;
    out.Parse(text.str().c_str());
    if (out.HasParseError()) throw std::runtime_error("manifest.json does not parse");
    return out;
  }();
  return parsed;
}

}  // namespace

std::string artefact_dir() { return TRUSS_SOURCE_DIR "/tests/data/etcd-3.4.23"; }

const std::string& unpacked(const std::string& file) {
  static const TempDir dir;
  static std::map<std::string, std::string> done;
  if (const auto found = done.find(file); found != done.end()) return found->second;
  const std::string from = artefact_dir() + "/" + file;
  std::string to = dir / std::filesystem::path(file).stem().stem().string();
  if (file.ends_with(".tar.xz")) {
    std::filesystem::create_directories(to);
    run("tar -xJf '" + from + "' -C '" + to + "'");
  } else {
    run("xz -dc '" + from + "' > '" + to + "'");
  }
  return done.emplace(file, std::move(to)).first->second;
}

const rapidjson::Value& artefacts() { return document()["artefacts"]; }

const rapidjson::Value& manifest(const std::string& name) { return artefacts()[name.c_str()]; }

}  // namespace truss::test_support
