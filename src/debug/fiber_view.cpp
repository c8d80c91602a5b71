// Fibers are read while they go on. The pattern is a seqlock's with the wait word as its count: the
// word changes with every park, and with every claim that ends one. A parked fiber whose word was
// the same before and after was off its stack in between. What is read of one that is resumed
// meanwhile is thrown away; that it was read does no harm, because blocks and stacks are
// type-stable, and nothing is read but the block, and the stack between its bounds.
//
// The walk follows frame pointers, and guesses where code was compiled without them. Not the unwind
// tables: to find them takes the dynamic linker's lock or its lists, a walk that trusts what it
// reads may not be let loose on a stack that changes under it, and an interpreter of those tables
// that is fit for a signal handler would be most of this layer. gdb has one: `weft fiber ID bt`.
#include "debug/fiber_view.hpp"

#include <algorithm>

#include "base/peek.hpp"
#include "fiber/computation.hpp"
#include "stack/arena.hpp"
#include "time/join.hpp"

namespace weft::detail {
namespace {
// False: it went on meanwhile.
bool try_read(const control_block& block, fiber_view& to) noexcept {
  to.id = block.serial.load(std::memory_order_relaxed);
  to.block = &block;
  to.doing = {};
  to.core = block.rt.load(std::memory_order_relaxed);
  to.flags = peek(block.flags);
  to.word = block.word.value();
  to.kind = peek(block.waits_for);
  to.on = peek(block.waits_on);
  to.since = peek(block.exceptions.since);
  to.site_file = peek(block.site_file);
  to.site_line = peek(block.site_line);
  copy_name(block, to.name);
  // One that has not begun may wait, too: for a coroutine.
  if (wait_word::is_parked(static_cast<std::uint32_t>(to.word))) {
    to.state = fiber_state::parked;
  } else if (!(to.flags & fiber_flag::started)) {
    to.state = fiber_state::fresh;
  } else {
    // Who was given a place at the gate and has not run since is not inside yet.
    const bool inside = to.kind == wait_kind::blocking && to.core &&
                        to.on != static_cast<const void*>(&to.core->gate);
    to.state = inside ? fiber_state::blocking : fiber_state::ready;
  }
  return still_so(to);
}
}  // namespace

bool read_fiber(const control_block& block, fiber_view& to) noexcept {
  for (int tries = 0; tries < 4; ++tries) {
    if (block.serial.load(std::memory_order_relaxed) == 0 || has_ended(block)) return false;
    if (try_read(block, to)) return to.id != 0;
  }
  // It parks and goes on all the time. Or fibers live here one after another, and what was read may
  // be of two: a place of the one, and of the other that its place is no string.
  to.state = fiber_state::ready;
  to.kind = wait_kind::none;
  return to.id != 0 && block.serial.load(std::memory_order_relaxed) == to.id;
}

bool still_so(const fiber_view& view) noexcept {
  // acquire: the second look of the seqlock comes after what was read.
  fence(std::memory_order_acquire);
  return view.block->word.value() == view.word &&
         view.block->serial.load(std::memory_order_relaxed) == view.id;
}

void trace::append(const stack_walk& from) noexcept {
  for (const stack_walk::frame& f : from) {
    if (count == stack_walk::most) return;
    if (f.guessed) guessed |= std::uint32_t{1} << count;
    repeated[count] = static_cast<std::uint32_t>(f.repeated);
    pc[count++] = f.pc;
  }
}

bool trace::operator==(const trace& other) const noexcept {
  return count == other.count && std::equal(pc, pc + count, other.pc);
}

namespace {
// A context that was left at `sp`, as far as can be told without trusting it.
bool registers_at(const std::byte* sp, stack& where, stack_walk::registers& to) noexcept {
  if (!stack_arena::instance().find(sp, &where)) return false;
  if (sp < where.lo || sp + suspended_frame.sp > where.hi) return false;
  const auto word_at = [sp](std::size_t offset) {
    return peek(*reinterpret_cast<const std::uintptr_t*>(sp + offset));
  };
  to = {};
  to.pc = word_at(suspended_frame.pc);
  to.fp = word_at(suspended_frame.fp);
  to.sp = reinterpret_cast<std::uintptr_t>(sp) + suspended_frame.sp;
  return true;
}

// The frames on that stack and, where it is a weft::context's, those that wait for it. A resumer's
// stack pointer is looked up like any other, so that one that is gone leads nowhere.
void walk_through(const module_map& code, stack where, stack_walk::registers from,
                  trace& to) noexcept {
  constexpr int most_contexts = 16;
  to.count = to.guessed = 0;
  for (int i = 0; i < most_contexts; ++i) {
    to.append(stack_walk(code, from, where.lo, where.hi));
    const computation* const inner = computation_on(where);
    if (!inner ||
        !registers_at(static_cast<const std::byte*>(peek(inner->resumer.sp)), where, from)) {
      return;
    }
  }
}
}  // namespace

void walk_suspended(const module_map& code, const fiber_view& view, trace& to) noexcept {
  to.count = 0;
  if (!(view.flags & fiber_flag::started)) return;
  const auto* const sp = static_cast<const std::byte*>(peek(view.block->ctx.sp));
  stack where;
  stack_walk::registers from{};
  if (!registers_at(sp, where, from)) return;
  walk_through(code, where, from, to);
  if (!still_so(view) || peek(view.block->ctx.sp) != sp) to.count = 0;
}

void walk_running(const module_map& code, const stack_walk::registers& from, trace& to) noexcept {
  to.count = to.guessed = 0;
  const auto* const sp = reinterpret_cast<const std::byte*>(from.sp);
  stack where;
  if (!stack_arena::instance().find(sp, &where) || sp < where.lo || sp > where.hi) return;
  walk_through(code, where, from, to);
}
}  // namespace weft::detail
