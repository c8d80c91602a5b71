#include "sched/branch_list.hpp"

#include <stop_token>

#include "base/asymmetric_fence.hpp"
#include "fiber/cancel_frame.hpp"
#include "fiber/extras.hpp"
#include "sched/schedule.hpp"

namespace weft::detail {
namespace {
void set_bit(control_block& fiber) noexcept {
  order_release(&fiber.cancel);  // pairs with stop_requested
  // C1 in park/cancel.cpp. release: pairs with stop_requested, and with close in branch_join.cpp.
  fiber.cancel.fetch_or(cancel_bit::frame_stopped, std::memory_order_release);
}

void end_wait(runtime_core& core, control_block& fiber) noexcept {
  if (const wait_word::epoch_type epoch = fiber.word.cancellable_epoch()) {
    cancel_wait(core, fiber, epoch);
  }
}

// S5 for one fiber of the list. False: there is none left. The wait is ended, and callbacks run,
// after the lock; the token and the stop state keep.
bool tell_one(runtime_core& core, branch_list& list) noexcept {
  control_block* fiber = nullptr;
  wait_word::epoch_type epoch = 0;
  std::stop_source source{std::nostopstate};
  {
    const spin_guard guard(list.lock);
    branch_node* node = list.first;
    while (node && (node->told || !chain_stopped(node->below, nullptr))) node = node->next;
    if (!node) return false;
    node->told = true;
    fiber = node->fiber;
    epoch = fiber->word.cancellable_epoch();
    source = existing_stop_source(*fiber);
  }
  source.request_stop();  // first, as request_stop does
  if (epoch != 0) cancel_wait(core, *fiber, epoch);
  return true;
}
}  // namespace

listed_branch::listed_branch(const cancel_frame& below) noexcept {
  thread_header* header = current();
  control_block& me = *header->fiber;
  {
    const section inside(header);
    core_ = header->held->core;
    list_ = &header->held->branches;
  }
  node_.fiber = &me;
  node_.below = &below;
  core_->branches.fetch_add(1, std::memory_order_seq_cst);  // B1. seq_cst: pairs with S2
  {
    const spin_guard guard(list_->lock);  // B2
    node_.next = list_->first;
    if (node_.next) node_.next->previous = &node_;
    list_->first = &node_;
  }
  if (chain_stopped(&below, nullptr)) [[unlikely]]  // B3
    set_bit(me);
}

listed_branch::~listed_branch() {
  {
    const spin_guard guard(list_->lock);
    (node_.previous ? node_.previous->next : list_->first) = node_.next;
    if (node_.next) node_.next->previous = node_.previous;
  }
  core_->branches.fetch_sub(1, std::memory_order_relaxed);
}

void stop_branches(runtime_core& core, control_block* owner) noexcept {
  // S2. seq_cst: pairs with B1.
  if (!owner && core.branches.load(std::memory_order_seq_cst) == 0) return;
  if (owner) set_bit(*owner);
  for (std::uint32_t i = 0; i < core.workers; ++i) {  // S3
    branch_list& list = core.processors[i]->branches;
    const spin_guard guard(list.lock);
    for (branch_node* node = list.first; node; node = node->next) {
      if (chain_stopped(node->below, nullptr)) set_bit(*node->fiber);
    }
  }
  heavy_fence();  // S4
  if (owner) end_wait(core, *owner);
  for (std::uint32_t i = 0; i < core.workers; ++i) {
    while (tell_one(core, core.processors[i]->branches)) {
    }
  }
}
}  // namespace weft::detail
