#include "stack/arena.hpp"

#include <algorithm>

#include "base/errno.hpp"
#include "base/fatal.hpp"
#include "base/stack_memory.hpp"

namespace weft::detail {
namespace {
constinit stack_arena arena{real_platform};

// What a slot's `next` says while the slot is on no list (on one: the next slot, or 0). Neither is
// an id: no chunk has index 0.
constexpr slot_id handed_out = 1;
constexpr slot_id being_moved = 2;
}  // namespace

stack_arena& stack_arena::instance() noexcept {
  return arena;
}

stack stack_arena::stack_of(slot_id id) const noexcept {
  return chunk_table::stack_in(*chunks_.at(id), id % most_slots);
}

slot_links& stack_arena::links(slot_id id) noexcept {
  return chunks_.at(id)->links()[id % most_slots];
}

slot_id stack_arena::unlink_locked(depot& d, level l, slot_id id) noexcept {
  idle_list& list = d.idle[l];
  slot_links& own = links(id);
  (own.before == 0 ? list.head : links(own.before).next) = own.next;
  (own.next == 0 ? list.tail : links(own.next).before) = own.before;
  own.next = being_moved;
  --list.count;
  list.low = std::min(list.low, list.count);
  return id;
}

void stack_arena::push_locked(depot& d, level l, slot_id id) noexcept {
  idle_list& list = d.idle[l];
  links(id) = {list.head, 0};
  (list.head == 0 ? list.tail : links(list.head).before) = id;
  list.head = id;
  ++list.count;
}

std::size_t stack_arena::pop_idle_locked(depot& d, slot_id* ids, std::size_t n) noexcept {
  std::size_t got = 0;
  for (const level l : {warm, cool, cold}) {
    while (got < n && d.idle[l].head != 0) {
      const slot_id id = unlink_locked(d, l, d.idle[l].head);
      links(id).next = handed_out;
      ids[got++] = id;
    }
  }
  return got;
}

// Slots that have no guard yet.
std::size_t stack_arena::claim_new_locked(depot& d, slot_id* ids, std::size_t n) noexcept {
  std::size_t got = 0;
  while (got < n && d.idle[bare].head != 0) ids[got++] = unlink_locked(d, bare, d.idle[bare].head);
  if (d.current == nullptr) return got;
  const std::uint32_t fresh = d.current->fresh.load(std::memory_order_relaxed);
  const auto more =
      static_cast<std::uint32_t>(std::min<std::size_t>(n - got, d.current->slots - fresh));
  for (std::uint32_t i = 0; i < more; ++i) ids[got++] = d.current->id(fresh + i);
  d.current->fresh.store(fresh + more, std::memory_order_relaxed);
  return got;
}

std::size_t stack_arena::take(stack_class c, stack* out, std::size_t n) noexcept {
  if (!ready()) return 0;
  std::size_t done = 0;
  in_use_.fetch_add(n, std::memory_order_relaxed);
  while (done < n) {
    const std::size_t wanted = std::min(n - done, batch);
    const std::size_t got = take_batch(c, out + done, wanted);
    done += got;
    // The last idle stacks will do for now: a new one costs a guard and cold memory.
    if (got < wanted) break;
  }
  if (done < n) in_use_.fetch_sub(n - done, std::memory_order_relaxed);
  return done;
}

std::size_t stack_arena::take_batch(stack_class c, stack* out, std::size_t n) noexcept {
  depot& d = depots_[c];
  slot_id ids[batch];
  for (;;) {
    const chunk* full = nullptr;
    std::size_t idle = 0;
    std::size_t claimed = 0;
    {
      const spin_guard held(d.lock);
      idle = pop_idle_locked(d, ids, n);
      if (idle == 0) claimed = claim_new_locked(d, ids, n);
      full = d.current;
    }
    if (idle > 0) {
      cached_.fetch_sub(idle, std::memory_order_relaxed);
      for (std::size_t i = 0; i < idle; ++i) out[i] = stack_of(ids[i]);
      return idle;
    }
    if (claimed > 0) {
      std::byte* at[batch];
      for (std::size_t i = 0; i < claimed; ++i) at[i] = stack_of(ids[i]).lo - guard_size;
      stack_failure why;
      const std::size_t guarded = guards_.install(at, claimed, why);
      if (guarded < claimed) fail(why);
      for (std::size_t i = 0; i < guarded; ++i) {
        announce_stack_memory(at[i] + guard_size, at[i] + slot_bytes(c));
      }
      const spin_guard held(d.lock);
      for (std::size_t i = 0; i < guarded; ++i) {
        links(ids[i]).next = handed_out;
        out[i] = stack_of(ids[i]);
      }
      for (std::size_t i = guarded; i < claimed; ++i) push_locked(d, bare, ids[i]);
      return guarded;
    }
    if (!grow(c, full)) return 0;
  }
}

void stack_arena::give(stack_class c, const stack* in, std::size_t n) noexcept {
  depot& d = depots_[c];
  {
    const spin_guard held(d.lock);
    for (std::size_t i = 0; i < n; ++i) {
      const chunk* const home = chunks_.find(in[i].lo);
      if (home == nullptr || home->cls != c) {
        fatal("%p is not a stack of size class %u", static_cast<void*>(in[i].lo), unsigned{c});
      }
      const auto offset = static_cast<std::size_t>(in[i].lo - home->first);
      const slot_id id = home->id(static_cast<std::uint32_t>(offset / home->stride));
      if (links(id).next != handed_out) {
        fatal("the stack at %p was given back twice", static_cast<void*>(in[i].lo));
      }
      push_locked(d, warm, id);
    }
  }
  in_use_.fetch_sub(n, std::memory_order_relaxed);
  cached_.fetch_add(n, std::memory_order_relaxed);
  end_period();
  // One portion for each batch that comes in: memory leaves faster than it arrives, and nobody pays
  // for more than 64 stacks at once.
  if (release(d, cool) == 0) release(d, warm);
}

// Chunks double from 64 MiB to 1 GiB; where the kernel refuses one, a smaller one may do.
bool stack_arena::grow(stack_class c, const chunk* full) noexcept {
  const std::lock_guard growing(growing_);
  depot& d = depots_[c];
  {
    const spin_guard held(d.lock);
    if (d.current != full) return true;  // another thread did it meanwhile
  }
  const std::size_t least =
      (slot_bytes(c) + page_size + smallest_chunk - 1) / smallest_chunk * smallest_chunk;
  std::size_t bytes = std::max(d.next_chunk, least);
  chunk* made = chunks_.add(c, bytes, os_);
  while (made == nullptr && errno == ENOMEM && bytes / 2 >= least) {
    bytes /= 2;
    made = chunks_.add(c, bytes, os_);
  }
  if (made == nullptr) {
    fail({errno == 0 ? shortage::chunks : shortage::mapping, errno});
    return false;
  }
  d.next_chunk = std::min(bytes * 2, largest_chunk);
  mapped_.fetch_add(bytes, std::memory_order_relaxed);
  const spin_guard held(d.lock);
  d.current = made;
  return true;
}

bool stack_arena::find(const void* address, stack* out) const noexcept {
  const chunk* const home = chunks_.find(address);
  const auto* const at = static_cast<const std::byte*>(address);
  if (home == nullptr || at < home->first) return false;
  const std::size_t i = static_cast<std::size_t>(at - home->first) / home->stride;
  if (i >= home->fresh.load(std::memory_order_relaxed)) return false;
  *out = chunk_table::stack_in(*home, static_cast<std::uint32_t>(i));
  return true;
}
}  // namespace weft::detail
