#pragma once
#include "sched/hogs.hpp"

namespace weft::detail {
// To stderr, once in the life of the process for each spawn site and way of holding the worker. The
// monitor's.
void report_hog(const hog&) noexcept;
}  // namespace weft::detail
