#include "debug/runners.hpp"

#include <unistd.h>

#include "base/current.hpp"
#include "base/peek.hpp"
#include "debug/probe.hpp"
#include "sched/core_visit.hpp"
#include "sched/threads.hpp"

namespace weft::detail {
namespace {
// For the answers of all threads together.
constexpr nanos patience = 200'000'000;

stack_walk::registers here() noexcept {
  stack_walk::registers mine{};
  mine.fp = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  mine.pc = reinterpret_cast<std::uintptr_t>(__builtin_return_address(0));
  mine.sp = mine.fp;
  return mine;
}
}  // namespace

void runners::find_in(runtime_core& core) noexcept {
  const core_visit visit(core);
  if (!visit) return;
  for (std::uint32_t i = 0; i < core.workers && count_ < most; ++i) {
    const processor& p = *core.processors[i];
    const carrier* const holder = p.holder.load(std::memory_order_relaxed);
    if (!holder) continue;
    // acquire: pairs with the release in carrier_loop; the header is a carrier's.
    const thread_header* const header = holder->header.load(std::memory_order_acquire);
    const control_block* const block = header ? peek(header->fiber) : nullptr;
    if (!block) continue;
    runner& found = all_[count_++];
    found.block = block;
    found.id = block->serial.load(std::memory_order_relaxed);
    found.worker = i;
    found.tid = holder->tid.load(std::memory_order_relaxed);
  }
}

void runners::find(const module_map& code, const runtime_core* only) noexcept {
  count_ = 0;
  for (runtime_core* core = first_core(); core; core = core->next_core) {
    if (!only || only == core) find_in(*core);
  }
  // The threads may end from here on: a number that is nobody's, or somebody else's, gets no
  // answer.
  const nanos until = now() + patience;
  for (std::size_t i = 0; i < count_; ++i) {
    runner& r = all_[i];
    look_at_thread(code, r.tid, r.doing, r.stack);
    if (r.doing.what == thread_activity::runs && r.tid != ::gettid()) {
      walk_on_thread(r.tid, *r.block, until, r.stack);
    }
  }
}

const runner* runners::of(const control_block* block, unsigned long long id) const noexcept {
  for (std::size_t i = 0; i < count_; ++i) {
    if (all_[i].block == block && all_[i].id == id) return &all_[i];
  }
  return nullptr;
}

void look_at_thread(const module_map& code, std::int32_t tid, thread_activity& doing,
                    trace& to) noexcept {
  if (tid == ::gettid()) {  // which the kernel would call blocked, in the call that asks
    doing.what = thread_activity::runs;
    return walk_running(code, here(), to);
  }
  doing = activity_of(tid);
  if (doing.what == thread_activity::blocked) walk_blocked(code, tid, doing, to);
}

void walk_blocked(const module_map& code, std::int32_t tid, const thread_activity& seen,
                  trace& to) noexcept {
  stack_walk::registers from{};
  from.pc = seen.pc;
  from.sp = seen.sp;
  walk_running(code, from, to);
  const thread_activity after = activity_of(tid);
  if (after.what != seen.what || after.sp != seen.sp || after.pc != seen.pc) to.count = 0;
}
}  // namespace weft::detail
