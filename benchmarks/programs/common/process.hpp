// What the kernel says about this process: memory, mappings, processor time.
#pragma once

#include <sys/resource.h>
#include <sys/time.h>

#include <cstdint>
#include <fstream>
#include <limits>
#include <string>

namespace bench {

struct memory_use {
  std::uint64_t rss_kib = 0;
  std::uint64_t page_table_kib = 0;
  std::uint64_t mappings = 0;
};

inline memory_use memory_now() {
  memory_use use;
  std::ifstream status("/proc/self/status");
  for (std::string key; status >> key;) {
    if (key == "VmRSS:") status >> use.rss_kib;
    if (key == "VmPTE:") status >> use.page_table_kib;
    status.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) ++use.mappings;
  return use;
}

// User and system time of every thread of this process, those that ended included.
inline double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace bench
