// Variables of which each fiber has its own: their keys, and whose values they are. What is to be
// done when a fiber ends lies beside them.
#include <cstdlib>
#include <mutex>
#include <new>
#include <vector>
#include <weft/local.hpp>

#include "base/fatal.hpp"
#include "fiber/extras.hpp"
#include "fiber/locals.hpp"
#include "sched/core.hpp"

namespace weft::detail {
namespace {
// Never destroyed: objects with static storage come and go before and after it.
struct keys {
  std::mutex lock;
  std::uint64_t last = 0;
  std::uint32_t slots = 0;
  std::vector<std::uint32_t> free;  // has room for all slots
};
keys& all_keys() {
  static auto& all = *new keys;
  return all;
}

void end_thread_locals(thread_header* header) noexcept {
  local_values* const its = header->locals;
  if (!its) return;
  if (!its->end()) {
    report(
        "a kernel thread ends, and the destructors of its fiber_locals still make values anew: "
        "those are left behind");
  }
  header->locals = nullptr;
  delete its;
}

control_block* running_fiber(const thread_header* header) noexcept {
  return header->fiber ? header->fiber : header->lent;
}

// Made on first use, with what sees to their end.
local_values& locals_here() {
  thread_header* const header = current();
  if (control_block* const me = running_fiber(header)) {
    fiber_extras& extras = extras_of(*me);
    me->flags |= fiber_flag::has_locals;
    return extras.locals;
  }
  if (!header->locals) {
    if (const int error = at_thread_end(header, thread_end::locals, end_thread_locals)) {
      throw_system(error,
                   "weft: no thread-specific data for a kernel thread's fiber_locals: memory, or "
                   "PTHREAD_KEYS_MAX keys for the whole process, have run out");
    }
    header->locals = new local_values;
  }
  return *header->locals;
}

// std's exit() ends the thread that calls it, as far as its thread_locals go.
void exit_thread() noexcept {
  const thread_header* const header = current();
  if (!running_fiber(header) && header->locals) header->locals->run_actions();
}
}  // namespace

local_key take_local_key() {
  keys& all = all_keys();
  const std::lock_guard guard(all.lock);
  if (all.free.empty()) {
    all.free.reserve(std::size_t{all.slots} + 1);  // so that giving it back cannot fail
    return {all.slots++, ++all.last};
  }
  const std::uint32_t slot = all.free.back();
  all.free.pop_back();
  return {slot, ++all.last};
}

void drop_local_key(local_key key) noexcept {
  reset_local(key);
  keys& all = all_keys();
  const std::lock_guard guard(all.lock);
  all.free.push_back(key.slot);
}

local_value* find_local(local_key key) noexcept {
  const local_values* const here = existing_locals(current());
  return here ? here->find(key) : nullptr;
}

void add_local(local_value* value) {
  locals_here().add(value);
}

void reset_local(local_key key) noexcept {
  if (local_values* const here = existing_locals(current())) here->reset(key);
}

const inherited_value* find_inherited(local_key key) noexcept {
  const local_values* const here = existing_locals(current());
  return here ? here->find_inherited(key) : nullptr;
}

void prepare_exit() {
  locals_here();
  if (running_fiber(current())) return;
  static const bool registered = [] {  // again at the next call if it throws
    if (std::atexit(exit_thread) == 0) return true;
    throw std::bad_alloc();
  }();
  static_cast<void>(registered);
}

void at_exit(exit_action& action) noexcept {
  local_values* here = existing_locals(current());
  if (!here) {
    // In a forked child, on a thread that was a fiber when there was made room: at its own end, and
    // without room for that, now.
    try {
      prepare_exit();
    } catch (...) {
      return action.run(&action);
    }
    here = existing_locals(current());
  }
  action.next = std::exchange(here->actions, &action);
}

void set_inherited(inherited_value* value) {
  locals_here().set(value);
  if (const control_block* const me = running_fiber(current())) {
    me->rt.load(std::memory_order_relaxed)
        ->slow_spawns.fetch_or(slow_spawn::inherits, std::memory_order_relaxed);
  }
}
}  // namespace weft::detail
