#include "task/scope_core.hpp"

#include <stop_token>
#include <utility>

#include "base/asymmetric_fence.hpp"
#include "fiber/extras.hpp"
#include "park/park.hpp"
#include "sched/branch_list.hpp"

// Asking many at once: the bits of all, one heavy fence, then the std stop states and the waits of
// all, as park/cancel.cpp does for one. Behind the fence, because a child makes its state and then
// looks at its bit: one of the two sees the other. A child is alive while it is linked and the lock
// is held. What may take long is done without the lock, with what does not need the child any more:
// a copy of its std stop source, whose callbacks are the user's, and {block, epoch}, which a late
// claim fails with.
//
// The list is walked by moving the one in front to the back, as often as there were children. Some
// may leave and others come meanwhile: those not yet seen are always in front of those seen.
namespace weft::detail {
namespace {
constexpr std::size_t at_once = 16;

// look(block, item): whether the item is wanted; then, without the lock, use(item).
template <class Item, class Look, class Use>
void for_each_child(scope_core& core, Look&& look, Use&& use) noexcept {
  core.lock.lock();
  std::size_t left = core.count;
  while (left > 0) {
    Item items[at_once];
    std::size_t wanted = 0;
    for (; left > 0 && wanted < at_once && core.first; --left) {
      scope_link& child = *core.first;
      core.erase_locked(child);
      core.push_back_locked(child);
      if (look(*child.block, items[wanted])) ++wanted;
    }
    if (!core.first) left = 0;
    core.lock.unlock();
    for (std::size_t i = 0; i < wanted; ++i) use(items[i]);
    core.lock.lock();
  }
  core.lock.unlock();
}
}  // namespace

void scope_core::stop_children() noexcept {
  struct nothing {};
  for_each_child<nothing>(
      *this,
      [](control_block& block, nothing&) {
        mark_stop(block);
        return false;
      },
      [](nothing&) {});
  heavy_fence();
  struct child {
    runtime_core* core = nullptr;
    wait_token open;
    std::stop_source source{std::nostopstate};  // the default would allocate
  };
  for_each_child<child>(
      *this,
      [](control_block& block, child& found) {
        found.core = block.rt.load(std::memory_order_relaxed);
        found.open = {&block, block.word.cancellable_epoch()};
        if (block.extras.load(std::memory_order_relaxed)) {
          found.source = existing_stop_source(block);
        }
        return found.open.epoch != 0 || found.source.stop_possible();
      },
      [](child& found) {
        // Before the child is woken, so that its token says so when the wait has ended.
        std::exchange(found.source, std::stop_source(std::nostopstate)).request_stop();
        if (found.open.epoch != 0) cancel_wait(*found.core, *found.open.block, found.open.epoch);
      });
  // Once for each runtime, or nearly so.
  const runtime_core* told = nullptr;
  for_each_child<runtime_core*>(
      *this,
      [&told](control_block& block, runtime_core*& core) {
        core = block.rt.load(std::memory_order_relaxed);
        return core != std::exchange(told, core);
      },
      [](runtime_core* core) { stop_branches(*core, nullptr); });
}
}  // namespace weft::detail
