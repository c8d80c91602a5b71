#include "fiber/extras.hpp"

#include <cstring>
#include <memory>

namespace weft::detail {
namespace {
// Keeps extras alive while a thread that does not own their block looks into them.
constinit spin_lock visitors;
}  // namespace

fiber_extras& extras_of(control_block& block) {
  // acquire: pairs with the release of whoever made them.
  if (fiber_extras* made = block.extras.load(std::memory_order_acquire)) return *made;
  auto mine = std::make_unique<fiber_extras>();
  fiber_extras* other = nullptr;
  // release: pairs with the acquire loads of the same pointer. acquire on failure: the winner's.
  if (block.extras.compare_exchange_strong(other, mine.get(), std::memory_order_acq_rel,
                                           std::memory_order_acquire)) {
    return *mine.release();
  }
  return *other;
}

std::stop_source stop_source_of(control_block& block) {
  fiber_extras& extras = extras_of(block);
  if (std::stop_source existing = existing_stop_source(block); existing.stop_possible()) {
    return existing;
  }
  std::stop_source fresh;
  {
    const spin_guard guard(extras.lock);
    if (extras.source.stop_possible()) return extras.source;
    extras.source = fresh;
  }
  // Outside the lock: constructing a callback on a stopped source calls it at once.
  extras.from_std.emplace(fresh.get_token(), fiber_extras::bridge{&block});
  // A stop requested before the state existed. seq_cst: pairs with request_stop, which sets the bit
  // first and then looks for a state.
  if (block.cancel.load(std::memory_order_seq_cst) & cancel_bit::stop_requested) {
    fresh.request_stop();
  }
  return fresh;
}

std::stop_source existing_stop_source(control_block& block) noexcept {
  // acquire: pairs with the release of whoever made them, in extras_of.
  fiber_extras* extras = block.extras.load(std::memory_order_acquire);
  if (!extras) return std::stop_source(std::nostopstate);
  const spin_guard guard(extras->lock);
  return extras->source;
}

std::stop_source share_stop_source(control_block& block, const runtime_core* owner) noexcept {
  const spin_guard guard(visitors);
  if (block.rt.load(std::memory_order_acquire) != owner) return std::stop_source(std::nostopstate);
  return existing_stop_source(block);
}

void drop_extras(control_block& block) noexcept {
  fiber_extras* dropped;
  {
    const spin_guard guard(visitors);
    dropped = block.extras.load(std::memory_order_relaxed);
    block.extras.store(nullptr, std::memory_order_relaxed);
  }
  delete dropped;  // outside: a stop_callback's destructor may wait for a running callback
}

void copy_name(const control_block& block, char (&to)[fiber_extras::name_size]) noexcept {
  to[0] = 0;
  if (!visitors.try_lock()) return;
  if (const fiber_extras* extras = block.extras.load(std::memory_order_relaxed)) {
    std::memcpy(to, extras->name, sizeof to);
  }
  visitors.unlock();
}

const char* name_of(const control_block& block) noexcept {
  // acquire: pairs with the release in extras_of.
  const fiber_extras* extras = block.extras.load(std::memory_order_acquire);
  return extras ? extras->name : "";
}
}  // namespace weft::detail
