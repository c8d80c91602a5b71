#pragma once
#include "base/thread_activity.hpp"
#include "debug/fiber_view.hpp"

namespace weft::detail {
// A fiber on a processor, as of the moment when a report looked at all of them.
struct runner {
  const control_block* block;
  unsigned long long id;
  std::uint32_t worker;  // the processor's index
  std::int32_t tid;
  thread_activity doing;
  trace stack;  // empty: not to be had
};

// All of them. In memory that is all zero at first.
class runners {
 public:
  static constexpr std::size_t most = 1024;

  // Any thread; bounded in time. `only`: of one runtime; null: of all.
  void find(const module_map& code, const runtime_core* only) noexcept;
  // Null: it did not run then.
  const runner* of(const control_block* block, unsigned long long id) const noexcept;

 private:
  void find_in(runtime_core& core) noexcept;

  std::size_t count_;
  runner all_[most];
};

// What a thread of this process does, and its stack if it is the caller's or blocked in the kernel.
void look_at_thread(const module_map& code, std::int32_t tid, thread_activity&, trace& to) noexcept;
// The stack of a thread that is blocked in the kernel, by what the kernel tells: its frame pointer
// is not among it, so callers are guessed until one has saved it.
void walk_blocked(const module_map& code, std::int32_t tid, const thread_activity&,
                  trace& to) noexcept;
}  // namespace weft::detail
