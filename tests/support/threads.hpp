#pragma once
#include <sys/types.h>

#include <fstream>
#include <iterator>
#include <string>

namespace weft::test {
// Of a kernel thread that has said what it will do next: whether it waits in the kernel.
inline bool is_asleep(pid_t tid) {
  std::ifstream file("/proc/self/task/" + std::to_string(tid) + "/stat");
  const std::string text(std::istreambuf_iterator<char>(file), {});
  const std::size_t name_ends = text.rfind(") ");  // the name may hold anything
  return name_ends != std::string::npos && text[name_ends + 2] == 'S';
}
}  // namespace weft::test
