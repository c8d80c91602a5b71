#pragma once
#include "base/stack_walk.hpp"
#include "base/thread_activity.hpp"
#include "fiber/extras.hpp"
#include "sched/core.hpp"

namespace weft::detail {
enum class fiber_state : std::uint8_t { fresh, ready, running, blocking, parked };

// What a report says of one fiber: copied out of its block while it may go on.
struct fiber_view {
  const control_block* block = nullptr;
  const runtime_core* core = nullptr;
  unsigned long long id = 0;
  std::uint64_t word = 0;  // wait_word::value()
  fiber_state state = fiber_state::fresh;
  wait_kind kind = wait_kind::none;
  std::uint8_t flags = 0;
  std::uint32_t since = 0;  // in stamp_unit; of one that is parked or blocking
  const void* on = nullptr;
  std::uint32_t worker = 0;  // of one that runs
  thread_activity doing;     // of one that runs or is inside blocking(), as far as asked for
  const char* site_file = nullptr;
  std::uint32_t site_line = 0;
  char name[fiber_extras::name_size];

  bool at_same_site(const fiber_view& other) const noexcept {
    return site_file == other.site_file && site_line == other.site_line;
  }
};

// Any thread, signal-safe. False: no fiber lives in the block.
bool read_fiber(const control_block& block, fiber_view& to) noexcept;
// Whether it is still what was read; of a parked fiber: nobody has resumed it since, so all that
// was read in between, its stack included, belongs together.
bool still_so(const fiber_view&) noexcept;

// A backtrace, copied out of walks.
struct trace {
  std::uint32_t count = 0;
  std::uint32_t guessed = 0;  // a bit for each frame
  std::uintptr_t pc[stack_walk::most];
  std::uint32_t repeated[stack_walk::most];

  void append(const stack_walk& from) noexcept;  // as far as there is room
  bool operator==(const trace& other) const noexcept;
};

// Of a fiber that is parked, ready or fresh: empty if it has not begun, or has gone on meanwhile.
void walk_suspended(const module_map& code, const fiber_view&, trace& to) noexcept;
// Of code that runs or is in the kernel: empty if it is on no fiber's stack.
void walk_running(const module_map& code, const stack_walk::registers&, trace& to) noexcept;
}  // namespace weft::detail
