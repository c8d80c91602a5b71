#include "sched/observe.hpp"

#include <unistd.h>

#include <new>

#include "base/clock.hpp"
#include "fiber/sites.hpp"
#include "sched/internal.hpp"
#include "sched/observe_put.hpp"
#include "stack/high_water.hpp"
#include "trace/probes.hpp"

namespace weft::detail {
namespace {
static_assert(as_why(wait_kind::poll) == trace_why::poll);
static_assert(as_why(wait_kind::once) == trace_why::once);

// From here on the processor's fibers take the long way.
void divert(processor& p) noexcept {
  if (p.diverted) return;
  p.diverted = true;
  p.true_tick = p.tick;
  p.tick = look_every;
}

void put_slice(runtime_core& core, observer& o, traced kind, trace_why why,
               std::uint64_t arg) noexcept {
  if (!(watchers(core) & observed_by::trace)) return;
  o.running.span = ticks() - o.running.at;
  o.running.kind = kind;
  o.running.why = why;
  o.running.arg = arg;
  put(&o, o.running, o.name);
  if (o.ring) o.ring->close();
}
}  // namespace

void begin_observing(runtime_core& core, std::uint32_t by) noexcept {
  if (by == 0) return;
  core.observed.fetch_or(by, std::memory_order_relaxed);
  core.slow_spawns.fetch_or(slow_spawn::observed, std::memory_order_relaxed);
}

void end_observing(runtime_core& core, std::uint32_t by) noexcept {
  if ((core.observed.fetch_and(~by, std::memory_order_relaxed) & ~by) != 0) return;
  // Should another begin meanwhile, it misses spawns, and nothing else.
  core.slow_spawns.fetch_and(~slow_spawn::observed, std::memory_order_relaxed);
}

void look_for_probes(runtime_core& core) noexcept {
  const bool before = (core.observed.load(std::memory_order_relaxed) & observed_by::probes) != 0;
  if (probes_attached() == before) [[likely]]
    return;
  if (before) {
    end_observing(core, observed_by::probes);
  } else {
    begin_observing(core, observed_by::probes);
  }
}

void observe_thread(thread_header* header) noexcept {
  carrier& me = *header->self;
  if (!me.seen) me.seen = new (std::nothrow) observer;
  if (!me.seen) return;
  me.seen->running = {};
  if (!(watchers(*me.core) & observed_by::trace)) return;
  if (!me.seen->ring) me.seen->ring = make_trace_ring();
  trace_record record;
  record.kind = traced::thread;
  record.id = me.core->number;
  record.arg = me.index;
  record.tid = static_cast<std::uint32_t>(::gettid());
  put_event(header, record);
}

void observe_run(thread_header* header, control_block& next, bool begins) noexcept {
  carrier& me = *header->self;
  processor& p = *header->held;
  const std::uint32_t by = watchers(*p.core);
  if (by == 0) return;
  divert(p);
  next.flags |= fiber_flag::observed;
  if (!me.seen) observe_thread(header);
  if (!me.seen) return;
  observer& o = *me.seen;
  o.running = {};
  o.running.id = next.serial.load(std::memory_order_relaxed);
  o.running.site = site_of(next);
  if (begins && (by & observed_by::stacks)) {
    constexpr std::ptrdiff_t first_frame = 512;  // what prepare() has written lies above
    paint_stack(next.stk, next.stk.hi - first_frame);
  }
  if (by & observed_by::probes) probe_run(o.running.id, p.index);
  if (by & observed_by::trace) {
    copy_name_of(next, o.name);
    if (!begins && next.waits_for != wait_kind::none) {
      o.running.tid = static_cast<std::uint32_t>(wait_of(next)) << 24 |
                      (static_cast<std::uint32_t>(what(next)) & 0xff'ffff);
    }
    const bool led = begins || next.waits_for != wait_kind::none;
    if (led && !(next.flags & fiber_flag::batch_woken)) o.running.flow = flow_of(next);
    o.running.at = ticks();
    if (o.ring) o.ring->open(traced::run, o.running.at, o.running.id, o.running.site, o.name);
  }
  next.flags &= static_cast<std::uint8_t>(~fiber_flag::batch_woken);
}

void observe_end(const control_block& me) noexcept {
  const runtime_core& core = *me.rt.load(std::memory_order_relaxed);
  if (!(core.observed.load(std::memory_order_relaxed) & observed_by::stacks)) return;
  spawn_site& site = site_at(site_of(me));
  note_stack_use(site, used_of_stack(me.stk), static_cast<std::size_t>(me.stk.hi - me.stk.lo));
  site.fibers.fetch_add(1, std::memory_order_relaxed);
}

void observe_stop(thread_header* header, const control_block* me) noexcept {
  observer* const o = own(header);
  if (!o || o->running.id == 0) return;
  const trace_why why = !me                                ? trace_why::end
                        : me->waits_for == wait_kind::none ? trace_why::yield
                                                           : as_why(me->waits_for);
  const std::uint64_t arg = me ? what(*me) : 0;
  runtime_core& core = *header->self->core;
  const std::uint32_t by = core.observed.load(std::memory_order_relaxed);
  if (by & observed_by::probes) probe_stop(o->running.id, static_cast<std::uint32_t>(why), arg);
  if (by & observed_by::trace) put_slice(core, *o, traced::run, why, arg);
  o->running.id = 0;
}

void observe_blocking(thread_header* header, const control_block&) noexcept {
  observer* const o = own(header);
  if (!o || o->running.id == 0) return;
  runtime_core& core = *header->self->core;
  const std::uint32_t by = core.observed.load(std::memory_order_relaxed);
  if (by & observed_by::probes) {
    probe_stop(o->running.id, static_cast<std::uint32_t>(trace_why::blocking), 0);
  }
  if (!(by & observed_by::trace)) return;
  put_slice(core, *o, traced::run, trace_why::blocking, 0);
  o->running.at = ticks();
  o->running.flow = 0;
  o->running.tid = 0;
  if (o->ring)
    o->ring->open(traced::blocking, o->running.at, o->running.id, o->running.site, o->name);
}

void observe_unblocked(thread_header* header) noexcept {
  observer* const o = own(header);
  if (!o || o->running.id == 0) return;
  put_slice(*header->self->core, *o, traced::blocking, trace_why::none, 0);
  o->running.id = 0;
}

void observe_return(thread_header* header) noexcept {
  processor& p = *header->held;
  p.diverted = false;
  p.tick = p.true_tick;
}

void observed_sleep::begin() noexcept {
  since_ = ticks();
  const std::uint32_t by = watchers(*me_.core);
  if (by & observed_by::probes) probe_sleep(me_.index, static_cast<std::uint32_t>(how_));
  if ((by & observed_by::trace) && me_.seen && me_.seen->ring) {
    me_.seen->ring->open(how_, since_, 0, 0, {});
  }
}

void observed_sleep::end() noexcept {
  const std::uint32_t by = watchers(*me_.core);
  if (by & observed_by::probes) probe_awake(me_.index, static_cast<std::uint32_t>(how_));
  if (!(by & observed_by::trace) || !me_.seen) return;
  trace_record record;
  record.kind = how_;
  record.at = since_;
  record.span = ticks() - since_;
  put(me_.seen, record, {});
  if (me_.seen->ring) me_.seen->ring->close();
}
}  // namespace weft::detail
