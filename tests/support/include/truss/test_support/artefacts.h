#pragma once

#include <rapidjson/document.h>

#include <string>

/// The files that real etcd 3.4.23 wrote (tests/data/etcd-3.4.23), and what must be found in them.
namespace truss::test_support {

/// The folder itself.
std::string artefact_dir();

/// Path of an artefact, unpacked: for `single.tar.xz` the folder that holds `s1.etcd/`, for
/// `fragmented.db.xz` the file. Unpacked once in a process, removed at its end; treat it as
/// read-only. Throws std::runtime_error if tar or xz fails.
const std::string& unpacked(const std::string& file);

/// `artefacts.NAME` of the manifest.
const rapidjson::Value& manifest(const std::string& name);

/// Every data directory of the artefacts: `visit(artefact, directory, its manifest entry)`, the
/// directory as a name to put behind unpacked(artefact + ".tar.xz").
template <class Visit>
void for_each_directory(const rapidjson::Value& artefacts, Visit visit) {
  for (const auto& artefact : artefacts.GetObject()) {
    const auto dirs = artefact.value.FindMember("dirs");
    if (dirs == artefact.value.MemberEnd()) continue;
    for (const auto& dir : dirs->value.GetObject()) {
      visit(std::string(artefact.name.GetString()), std::string(dir.name.GetString()), dir.value);
    }
  }
}

/// The manifest's `artefacts` object.
const rapidjson::Value& artefacts();

}  // namespace truss::test_support
