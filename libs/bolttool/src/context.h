#pragma once

#include <functional>
#include <ostream>

#include "truss/bolttool/boltctl.h"
#include "truss/bolttool/image.h"
#include "truss/tool/console.h"
#include "truss/tool/exit_code.h"
#include "truss/tool/json_writer.h"
#include "truss/tool/progress.h"
#include "truss/tool/report.h"

namespace truss::bolttool {

/// Says on stderr what went wrong; the exit code for it.
int failed(tool::Console& console, const Error& error);

/// Opens the file, runs `body`, and says so if the file is or was being written meanwhile.
/// Exit code kFoundWrong if what was shown may mix two states.
int with_image(Environment& env, tool::Console& console, const std::string& path,
               const std::function<Result<int>(const Image&)>& body,
               const Image::Options& options = {});

/// Name of a page's type by its flags.
const char* type_name(std::uint16_t flags);

/// What a file holds beyond bolt's own: see etcd.h.
std::string shown_path(const std::vector<ByteView>& buckets);

}  // namespace truss::bolttool
