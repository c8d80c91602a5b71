#pragma once
#include <atomic>  // IWYU pragma: export

namespace weft::detail {
template <class T>
using atomic = std::atomic<T>;
}  // namespace weft::detail
