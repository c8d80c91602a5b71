#pragma once
#include <cstdint>

namespace weft::detail {
// What a kernel thread of this process is doing, as the kernel tells: read from
// /proc/self/task/TID/syscall, by open, read and close. Signal-safe.
struct thread_activity {
  enum kind : std::uint8_t {
    unknown,  // it has ended, or the kernel does not tell
    runs,     // or waits for a CPU
    blocked,  // in the kernel
    stopped   // by a debugger or a signal
  };
  kind what = unknown;
  long call = -1;         // the system call in which it is blocked; -1: none, a page fault
  std::uintptr_t sp = 0;  // its registers at that call
  std::uintptr_t pc = 0;
};
// Not of the calling thread, which is in the call that asks.
thread_activity activity_of(std::int32_t tid) noexcept;

// "read", or null for those that seldom block.
const char* name_of_call(long number) noexcept;
}  // namespace weft::detail
