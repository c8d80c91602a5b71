#include "sched/signal_stack.hpp"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

#include "stack/stack.hpp"

namespace weft::detail {
namespace {
// For the report (some 4 KiB) and for handlers of the user's that ours calls; only what they touch
// costs memory.
constexpr std::size_t room = 64 * 1024;

// The kernel says how large the frame is that it writes (AT_MINSIGSTKSZ: 3.3 KiB with AVX-512, 11
// KiB with AMX); a constant SIGSTKSZ would be wrong on some CPU.
std::size_t wanted_bytes() noexcept {
  const long frames = std::max(::sysconf(_SC_SIGSTKSZ), 8192L);
  return (static_cast<std::size_t>(frames) + room + page_size - 1) & ~(page_size - 1);
}
}  // namespace

signal_stack::signal_stack() noexcept {
  stack_t now{};
  if (::sigaltstack(nullptr, &now) != 0 || !(now.ss_flags & SS_DISABLE)) return;
  const std::size_t bytes = wanted_bytes() + page_size;
  void* const at = ::mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) return;
  std::byte* const lo = static_cast<std::byte*>(at) + page_size;
  stack_t mine{};
  mine.ss_sp = lo;
  mine.ss_size = bytes - page_size;
  if (::mprotect(lo, mine.ss_size, PROT_READ | PROT_WRITE) != 0 ||
      ::sigaltstack(&mine, nullptr) != 0) {
    ::munmap(at, bytes);
    return;
  }
  base_ = at;
  bytes_ = bytes;
}

signal_stack::~signal_stack() {
  if (!base_) return;
  // A fiber may have put another one in its place; that is not ours to remove.
  stack_t now{};
  if (::sigaltstack(nullptr, &now) == 0 &&
      now.ss_sp == static_cast<std::byte*>(base_) + page_size) {
    stack_t none{};
    none.ss_flags = SS_DISABLE;
    ::sigaltstack(&none, nullptr);
  }
  ::munmap(base_, bytes_);
}
}  // namespace weft::detail
