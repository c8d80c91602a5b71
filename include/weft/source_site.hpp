#pragma once

namespace weft {
/// Where in the source a fiber was spawned: shown by dumps and reports. Like std::source_location,
/// but two words, so that every fiber can keep one.
/// @code
/// weft::fiber f(work);                    // this file and line, by itself
/// weft::fiber g({.name = "reader", .site = weft::source_site::current()}, work);
/// @endcode
struct source_site {
  const char* file = nullptr;  ///< A string with static storage; null: not known.
  unsigned line = 0;           ///< 1-based; 0: not known.

  /// The place of the call, when used as written or as a default argument.
  static constexpr source_site current(const char* file = __builtin_FILE(),
                                       unsigned line = __builtin_LINE()) noexcept {
    return {file, line};
  }
};
}  // namespace weft
