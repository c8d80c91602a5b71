// A fiber is made: a block, a permit and a number; a stack comes when it first runs.
#include "sched/spawn.hpp"

#include "base/errno.hpp"
#include "base/fatal.hpp"
#include "fiber/extras.hpp"
#include "fiber/slab.hpp"
#include "sched/explorer.hpp"
#include "sched/internal.hpp"
#include "sched/observe.hpp"
#include "sched/permits.hpp"
#include "sched/spawn_local.hpp"

namespace weft::detail {
namespace {
constexpr std::uint64_t serial_batch = 4096;

// One at a time in an explored run, so that no spawn takes the inlined way.
void refill_serials(processor& p) noexcept {
  explorer* const exploring = p.core->exploring;
  p.serial = exploring ? exploring->take_serial() : take_serials(serial_batch);
  p.serial_end = p.serial + (exploring ? 1 : serial_batch);
}

// On the runtime's own processor: everything comes from its caches. Null: no permit. Throws as
// slab_take.
control_block* make_local(processor& p) {
  if (!take_permit(p)) return nullptr;
  control_block* block;
  try {
    block = p.blocks.take();
  } catch (...) {
    put_permit(p);
    throw;
  }
  if (p.serial == p.serial_end) [[unlikely]]
    refill_serials(p);
  block->serial.store(p.serial++, std::memory_order_relaxed);
  return block;
}

control_block* make_foreign(const runtime_core& core) {
  const int before = errno;  // the first call probes how stacks can be guarded, by calls that fail
  const bool permitted = stack_arena::instance().acquire_permits(1);
  errno = before;
  if (!permitted) return nullptr;
  std::size_t taken = 0;
  control_block* block;
  try {
    block = slab_take(1, taken);
  } catch (...) {
    stack_arena::instance().release_permits(1);
    throw;
  }
  block->serial.store(core.exploring ? core.exploring->take_serial() : take_serials(1),
                      std::memory_order_relaxed);
  return block;
}

// The processor of `core` that the calling thread holds, if it does.
processor* held_of(const thread_header* header, const runtime_core& core) noexcept {
  return header->held && header->held->core == &core ? header->held : nullptr;
}
void inherit_or_unmake(inheritance& from, control_block& block) {
  try {
    inherit(from, block);
  } catch (...) {
    unmake_block(block);
    throw;
  }
  block.rt.load(std::memory_order_relaxed)
      ->slow_spawns.fetch_or(slow_spawn::inherits, std::memory_order_relaxed);
}
}  // namespace

control_block* make_block(runtime_core& core) {
  if (has_forked()) {
    throw_system(
        ENOTRECOVERABLE,
        "weft: no fiber can be spawned in a forked child: its threads stayed in the parent "
        "(spawn before fork, or exec)");
  }
  // acquire: pairs with the store in default_runtime.cpp; frozen_by is visible.
  // A fiber that spawns as another thread exits is no mistake of its own: its carrier stops at its
  // next switch. frozen_by: exit() may have been called on a fiber.
  if (core.frozen.load(std::memory_order_acquire) != 0 &&
      (!held_of(current(), core) || core.frozen_by.load(std::memory_order_relaxed) == current()))
      [[unlikely]] {
    throw_system(
        ENOTRECOVERABLE,
        "weft: no fiber can be spawned on the default runtime while the process exits (a static "
        "destructor or atexit handler tried to)");
  }
  thread_header* header = current();
  control_block* block;
  if (processor* p = held_of(header, core)) {
    const section inside(header);
    block = make_local(*p);
  } else {
    block = make_foreign(core);
  }
  if (!block) [[unlikely]]
    stack_arena::instance().throw_exhausted();
  block->size_class = core.default_class;
  // release: pairs with the acquire in request_stop_all, which must not mistake the block's former
  // wait for one of this runtime's.
  block->rt.store(&core, std::memory_order_release);
  if (const local_values* const mine = existing_locals(header); mine && mine->inherited)
    inherit_or_unmake(*mine->inherited, *block);
  return block;
}

void unmake_block(control_block& block) noexcept {
  runtime_core& core = *block.rt.load(std::memory_order_relaxed);
  thread_header* header = current();
  renew_block(block);
  if (processor* p = held_of(header, core)) {
    const section inside(header);
    put_permit(*p);
    p->blocks.give(&block);
  } else {
    stack_arena::instance().release_permits(1);
    slab_give(&block, &block);
  }
}

namespace {
void observe_if_observed(const runtime_core& core, control_block& block) noexcept {
  if (!is_observed(core)) [[likely]]
    return;
  block.flags |= fiber_flag::observed;
  observe_spawn(block);
}
}  // namespace

void start_block_parked(control_block& block) noexcept {
  runtime_core& core = *block.rt.load(std::memory_order_relaxed);
  observe_if_observed(core, block);
  begin_clock(block);
  core.foreign_spawned.fetch_add(1, std::memory_order_relaxed);
  if (core.exploring) [[unlikely]]
    core.exploring->parked_unbegun(block);
}

void start_block(control_block& block) noexcept {
  runtime_core& core = *block.rt.load(std::memory_order_relaxed);
  thread_header* header = current();
  observe_if_observed(core, block);
  if (processor* p = held_of(header, core)) {
    const section inside(header);
    return start_local(*p, block);
  }
  begin_clock(block);
  core.foreign_spawned.fetch_add(1, std::memory_order_relaxed);
  make_ready(&block);
}
}  // namespace weft::detail
