#pragma once
#include <optional>
#include <stop_token>

#include "base/spin_lock.hpp"
#include "fiber/control_block.hpp"
#include "fiber/locals.hpp"

namespace weft::detail {
struct carrier;

// Marks the block as asked to stop and ends its wait if that may be ended. Any thread; implemented
// where fibers are made ready (park/cancel.cpp).
void request_stop_word(control_block*) noexcept;

// The part of a fiber that few fibers have: a name, a std stop state, a kernel thread it is tied
// to, floating-point words or locals of its own. Made on first need by any thread that may reach
// the block (its handle's owner or the fiber itself), freed when the block is recycled.
struct fiber_extras {
  struct bridge {
    control_block* block;
    void operator()() const noexcept { request_stop_word(block); }
  };

  static constexpr std::size_t name_size = 32;  // 31 bytes and a zero
  char name[name_size] = {};
  carrier* pinned_to = nullptr;  // owner only
  unsigned pin_depth = 0;        // owner only: nested this_fiber::pin
  fp_env fp;                     // owner only
  local_values locals;           // owner only; none is left when the fiber has ended

  spin_lock lock;  // guards the two below
  std::stop_source source{std::nostopstate};
  std::optional<std::stop_callback<bridge>> from_std;  // std's request_stop reaches the fiber
};

// Any thread that may reach the block. May throw std::bad_alloc.
fiber_extras& extras_of(control_block&);
// The fiber's std stop state, made now if it does not exist: already stopped if the fiber was.
std::stop_source stop_source_of(control_block&);
// The existing stop state or none.
std::stop_source existing_stop_source(control_block&) noexcept;
// Any thread, for a block it does not own: the stop state if the block is `owner`'s and has one.
// Safe against the block being recycled meanwhile.
std::stop_source share_stop_source(control_block&, const runtime_core* owner) noexcept;
// Block goes back to its slab; nobody can reach it any more.
void drop_extras(control_block&) noexcept;
// "" when it has none. The text lives as long as the block is not recycled.
const char* name_of(const control_block&) noexcept;
// Any thread, for dumps: copies it, or "" if the block is just being recycled.
void copy_name(const control_block&, char (&to)[fiber_extras::name_size]) noexcept;

// The locals of the fiber that the calling thread runs, or is inside blocking() for; else the
// thread's. Null: none yet.
inline local_values* existing_locals(const thread_header* header) noexcept {
  const control_block* fiber = header->fiber;
  if (!fiber) [[unlikely]] {
    fiber = header->lent;
    if (!fiber) return header->locals;
  }
  // acquire: pairs with the release in extras_of.
  fiber_extras* const extras = fiber->extras.load(std::memory_order_acquire);
  return extras ? &extras->locals : nullptr;
}
}  // namespace weft::detail
