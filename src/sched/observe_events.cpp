// What happens to a fiber that is not running: it is spawned, woken, stolen.
#include "sched/internal.hpp"
#include "sched/observe.hpp"
#include "sched/observe_put.hpp"
#include "trace/probes.hpp"

namespace weft::detail {
void observe_spawn(const control_block& block) noexcept {
  runtime_core& core = *block.rt.load(std::memory_order_relaxed);
  const std::uint32_t by = watchers(core);
  const thread_header* header = current();
  if (by & observed_by::probes) {
    const spawn_site& site = site_at(site_of(block));
    probe_spawn(block.serial.load(std::memory_order_relaxed), running_id(header), site.file,
                site.line);
  }
  if (!(by & observed_by::trace)) return;
  trace_record record;
  record.kind = traced::spawn;
  record.arg = running_id(header);
  record.flow = flow_of(block);
  put_event(header, record, &block);
}

void observe_wake(const control_block& block) noexcept {
  runtime_core& core = *block.rt.load(std::memory_order_relaxed);
  const std::uint32_t by = watchers(core);
  // Not begun, or not waiting: it has only been moved to another queue.
  if (by == 0 || block.waits_for == wait_kind::none) return;
  const thread_header* header = current();
  const trace_why why = wait_of(block);
  if (by & observed_by::probes) {
    probe_wake(block.serial.load(std::memory_order_relaxed), running_id(header),
               static_cast<std::uint32_t>(why));
  }
  if (!(by & observed_by::trace)) return;
  trace_record record;
  record.kind = traced::wake;
  record.why = why;
  record.arg = running_id(header);
  record.span = what(block);
  record.flow = flow_of(block);
  put_event(header, record, &block);
}

// One event for all: who has been woken by what is said where it runs. A line for each would be
// half of the trace of a server.
void observe_wakes(runtime_core& core, const task_list<control_block>& batch) noexcept {
  const std::uint32_t by = watchers(core);
  for (control_block* block = batch.first; block; block = block->next) {
    if (block->waits_for == wait_kind::none) continue;
    block->flags |= fiber_flag::batch_woken;
    if (by & observed_by::probes) {
      probe_wake(block->serial.load(std::memory_order_relaxed), 0,
                 static_cast<std::uint32_t>(wait_of(*block)));
    }
  }
  if (!(by & observed_by::trace)) return;
  trace_record record;
  record.kind = traced::batch;
  record.arg = batch.count;
  put_event(current(), record);
}

void observe_steal(thread_header* header, std::uint32_t from, const control_block& first) noexcept {
  const processor& me = *header->held;
  const std::uint32_t by = watchers(*me.core);
  if (by & observed_by::probes) {
    probe_steal(me.index, from, first.serial.load(std::memory_order_relaxed));
  }
  if (!(by & observed_by::trace)) return;
  trace_record record;
  record.kind = traced::steal;
  record.arg = from;
  put_event(header, record);
}

void observe_ready(thread_header* header) noexcept {
  processor& p = *header->held;
  if (!(watchers(*p.core) & observed_by::trace)) return;
  trace_record record;
  record.kind = traced::ready;
  record.id = p.index;
  record.span = p.core->number;
  record.arg = p.ring.size() + count_children(p) + (p.slot.load(std::memory_order_relaxed) ? 1 : 0);
  put_event(header, record);
}
}  // namespace weft::detail
