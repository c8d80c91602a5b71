// `--name N` on a command line.
#pragma once

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string_view>

namespace example {

template <class number>
number option(int argc, char** argv, std::string_view name, number otherwise,
              number most = std::numeric_limits<number>::max()) {
  for (int i = 1; i < argc; ++i) {
    if (name != argv[i]) continue;
    number value{};
    if (i + 1 < argc) {
      const char* const end = argv[i + 1] + std::strlen(argv[i + 1]);
      const auto [stop, error] = std::from_chars(argv[i + 1], end, value);
      if (error == std::errc{} && stop == end && value <= most) return value;
    }
    std::fprintf(stderr, "%.*s takes a number from 0 to %llu\n", static_cast<int>(name.size()),
                 name.data(), static_cast<unsigned long long>(most));
    std::exit(2);
  }
  return otherwise;
}

inline bool flag(int argc, char** argv, std::string_view name) {
  for (int i = 1; i < argc; ++i)
    if (name == argv[i]) return true;
  return false;
}

}  // namespace example
