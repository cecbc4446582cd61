#pragma once

#include <functional>
#include <string>

#include "truss/bolt/meta.h"
#include "truss/bolt/page.h"

namespace truss::bolt {

/// Told of each fault: one line naming file, page and offset, and the way to the page.
using FaultReport = std::function<void(const std::string&)>;
/// True if the page is free or pending.
using FreeTest = std::function<bool(std::uint64_t page)>;

/// Checks one committed state: every page reachable exactly once or free, types, key order, bounds,
/// nothing past the end of the file. A sound file takes one walk by `threads` threads; a damaged
/// one a second by one thread, so that the faults always come in the same order. \param view  its
/// page_limit may lie below the high-water mark: the file is cut off \param live_free  the free
/// pages as a writer knows them; empty: those stored in the file Returns the number of faults.
/// Memory: one bit a page, two with a stored freelist.
std::uint64_t check_state(const View& view, const Meta& meta, unsigned threads,
                          const FaultReport& report, const FreeTest& live_free = {});

}  // namespace truss::bolt
