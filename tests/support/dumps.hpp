#pragma once
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <regex>
#include <string>
#include <weft/debug.hpp>

#include "support/fibers.hpp"

// Dumps as text.
namespace weft::test {
inline std::string dumped(dump_detail how = dump_detail::grouped) {
  const int fd = ::memfd_create("dump", MFD_CLOEXEC);
  dump(fd, how);
  std::string all(static_cast<std::size_t>(::lseek(fd, 0, SEEK_END)), '\0');
  [[maybe_unused]] const auto n = ::pread(fd, all.data(), all.size(), 0);
  ::close(fd);
  return all;
}

// ECMAScript; a dot is not a newline.
inline bool has(const std::string& text, const std::string& pattern) {
  return std::regex_search(text, std::regex(pattern));
}

// The seconds that the text tells behind `what`, a pattern.
inline double told_seconds(const std::string& text, const std::string& what) {
  std::smatch match;
  if (std::regex_search(text, match, std::regex(what + "([0-9]+\\.[0-9]) s"))) {
    return std::stod(match[1]);
  }
  ADD_FAILURE() << text;
  return 0;
}

// Gives way until a dump of every fiber says so: exact, where statistics may count a fiber on its
// way between two queues as parked.
inline void until_dumped(const std::string& pattern) {
  until([&] { return has(dumped(dump_detail::every_fiber), pattern); });
}
}  // namespace weft::test
