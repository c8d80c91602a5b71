#include "sched/standstill.hpp"

#include "fiber/slab.hpp"
#include "sched/drain.hpp"
#include "sched/internal.hpp"
#include "sched/threads.hpp"

namespace weft::detail {
namespace {
struct census {
  std::uint32_t not_begun = 0;
  bool others = false;  // running, ready, or waiting for something that may come
};

void count(control_block& block, void* to) noexcept {
  auto& all = *static_cast<census*>(to);
  const bool ended = block.joiner.load(std::memory_order_relaxed) == joiner_finished;
  if (block.serial.load(std::memory_order_relaxed) == 0 || ended) return;
  if (block.flags & fiber_flag::kernel_thread) return;
  if (!(block.flags & fiber_flag::started)) {
    ++all.not_begun;
    return;
  }
  const bool joining = wait_word::is_parked(block.word.futex_value()) &&
                       block.waits_for == wait_kind::join && block.deadline == never;
  if (!joining) all.others = true;
}
}  // namespace

standstill look_for_standstill(std::uint32_t waiting) noexcept {
  standstill seen{0, false};
  for (const runtime_core* core = first_core(); core; core = core->next_core) {
    // relaxed: an over-long look at a runtime that ends is repeated.
    if (core->in_use.load(std::memory_order_relaxed))
      seen.switches += total(*core, &counters::switches);
  }
  census all;
  slab_for_each(count, &all);
  seen.complete = !all.others && all.not_begun == waiting;
  return seen;
}
}  // namespace weft::detail
