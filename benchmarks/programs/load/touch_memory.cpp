// Touches `--mib` of memory, page by page, and ends. Run before a program whose memory is to be
// measured: on a virtual machine the first touch of a page that the host has not backed costs ten
// times what the guest's own work for it does, and it is chance which program meets how many.
#include <sys/mman.h>

#include <cstddef>

#include "program.hpp"

int main(int argc, char** argv) {
  const bench::arguments args(argc, argv);
  const std::size_t bytes = args.number("--mib", 6 * 1024) * 1024 * 1024;
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) bench::fail("no memory to touch");
  ::madvise(memory, bytes, MADV_NOHUGEPAGE);
  constexpr std::size_t page = 4096;
  const auto begin = bench::clock::now();
  for (std::size_t at = 0; at < bytes; at += page) static_cast<volatile char*>(memory)[at] = 1;
  bench::report("load", "touch_memory")
      .run(1, bytes / page, bytes / page, bench::seconds_since(begin))
      .print();
}
