#include "base/current.hpp"

#include <cxxabi.h>

#include <cerrno>

namespace weft::detail {
namespace {
constinit thread_local thread_header header;

void (*recycle_stand_in)(control_block*) noexcept = nullptr;

struct at_exit {
  ~at_exit() {
    if (header.stand_in && recycle_stand_in) recycle_stand_in(header.stand_in);
    header.stand_in = nullptr;
  }
};
thread_local at_exit exit_hook;

constinit sys_counts shared;
}  // namespace

// Opaque to every caller outside this file, which is compiled without link-time optimisation
// (CMakeLists.txt): what looks like one of its functions is not analysed. noinline: nor in here.
[[gnu::noinline]] thread_header* current() noexcept {
  return &header;
}

[[gnu::noinline]] void adopt_thread(thread_header* self) noexcept {
  self->errno_address = &errno;
  self->exceptions = reinterpret_cast<exception_state*>(abi::__cxa_get_globals());
  static_cast<void>(&exit_hook);  // odr-use: constructs it, so that its destructor runs
  [[maybe_unused]] at_exit* volatile used = &exit_hook;
}

void on_thread_exit(void (*recycle)(control_block*) noexcept) noexcept {
  recycle_stand_in = recycle;
}

sys_counts& shared_sys_counts() noexcept {
  return shared;
}

void count_syscall(sys kind) noexcept {
  const auto at = static_cast<std::size_t>(kind);
  if (sys_counts* mine = current()->syscalls) {
    bump(mine->by_kind[at]);
  } else {
    shared.by_kind[at].fetch_add(1, std::memory_order_relaxed);
  }
}
}  // namespace weft::detail
