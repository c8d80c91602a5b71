#include "task/scope_core.hpp"

#include <stop_token>
#include <utility>

#include "base/asymmetric_fence.hpp"
#include "fiber/extras.hpp"
#include "park/park.hpp"
#include "sched/branch_list.hpp"

// Asking many at once: the bits of all, one heavy fence, then the waits of all, as park/cancel.cpp
// does for one. A child is alive while it is linked and the lock is held. What may take long is
// done without the lock, with what does not need the child any more: a copy of its std stop source,
// whose callbacks are the user's, and {block, epoch}, which a late claim fails with.
//
// The list is walked by moving the one in front to the back, as often as there were children. Some
// may leave and others come meanwhile: those not yet seen are always in front of those seen.
namespace weft::detail {
namespace {
constexpr std::size_t at_once = 16;

std::size_t count_locked(const scope_core& core) noexcept {
  std::size_t count = 0;
  for (const scope_link* child = core.first; child; child = child->next) ++count;
  return count;
}

// look(block, item): whether the item is wanted; then, without the lock, use(item).
template <class Item, class Look, class Use>
void for_each_child(scope_core& core, Look&& look, Use&& use) noexcept {
  core.lock.lock();
  std::size_t left = count_locked(core);
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
  for_each_child<std::stop_source>(
      *this,
      [](control_block& block, std::stop_source& source) {
        mark_stop(block);
        if (!block.extras.load(std::memory_order_relaxed)) return false;
        source = existing_stop_source(block);
        return source.stop_possible();
      },
      [](std::stop_source& source) { source.request_stop(); });
  heavy_fence();
  struct open_wait {
    runtime_core* core = nullptr;
    wait_token token;
  };
  for_each_child<open_wait>(
      *this,
      [](control_block& block, open_wait& open) {
        open = {block.rt.load(std::memory_order_relaxed), {&block, block.word.cancellable_epoch()}};
        return open.token.epoch != 0;
      },
      [](const open_wait& open) { cancel_wait(*open.core, *open.token.block, open.token.epoch); });
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
