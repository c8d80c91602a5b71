#pragma once
#include <cstring>

#include "base/clock.hpp"
#include "fiber/extras.hpp"
#include "fiber/sites.hpp"
#include "sched/observe.hpp"
#include "trace/trace.hpp"

// How events are put together; for observe.cpp and observe_events.cpp.
namespace weft::detail {
constexpr trace_why as_why(wait_kind kind) noexcept {
  return static_cast<trace_why>(kind);
}
// Who watches. A trace that has ended by itself is noticed here.
inline std::uint32_t watchers(runtime_core& core) noexcept {
  const std::uint32_t by = core.observed.load(std::memory_order_relaxed);
  if ((by & observed_by::trace) && !tracing()) [[unlikely]] {
    end_observing(core, observed_by::trace);
    return by & ~observed_by::trace;
  }
  return by;
}

// The wait that a fiber is in, for the arrow from the wake to the run. The first run has the epoch
// that the spawn saw.
inline std::uint64_t flow_of(const control_block& block) noexcept {
  return block.serial.load(std::memory_order_relaxed) << 24 | (block.word.epoch() & 0xff'ffff);
}

// The wait that has ended, and how.
inline trace_why wait_of(const control_block& block) noexcept {
  const wake_reason reason = block.word.reason();
  const trace_why ended = reason == wake_reason::timeout  ? trace_why::timed_out
                          : reason == wake_reason::cancel ? trace_why::canceled
                                                          : trace_why::none;
  return static_cast<trace_why>(static_cast<unsigned>(as_why(block.waits_for)) |
                                static_cast<unsigned>(ended));
}

inline std::uint64_t what(const control_block& block) noexcept {
  if (block.waits_for == wait_kind::join && block.waits_on) {
    return static_cast<const control_block*>(block.waits_on)
        ->serial.load(std::memory_order_relaxed);
  }
  const bool fd = block.waits_for == wait_kind::readable || block.waits_for == wait_kind::writable;
  return fd ? reinterpret_cast<std::uintptr_t>(block.waits_on) : 0;
}

inline void copy_name_of(const control_block& block, trace_text& to) noexcept {
  static_assert(fiber_extras::name_size <= trace_text::size);
  // No further than its end: the name of those that have none is a constant of one byte.
  std::strncpy(to.text, name_of(block), fiber_extras::name_size);
  to.text[fiber_extras::name_size - 1] = 0;
}

// Of the calling thread; `name` may be empty.
inline void put(observer* by, const trace_record& record, const trace_text& name) noexcept {
  trace_record both[2];
  const std::uint64_t count = name.text[0] ? 2 : 1;
  if (count == 2) std::memcpy(static_cast<void*>(&both[0]), &name, sizeof name);
  both[count - 1] = record;
  if (!by) return trace_foreign(both, count);
  if (by->ring && by->ring->push(both, count)) wake_trace_writer();
}

// The carrier's observer, or null on another thread.
inline observer* own(const thread_header* header) noexcept {
  return header->self ? header->self->seen : nullptr;
}

inline std::uint64_t running_id(const thread_header* header) noexcept {
  if (const observer* o = own(header)) return o->running.id;
  return header->fiber ? header->fiber->serial.load(std::memory_order_relaxed) : 0;
}

inline void put_event(const thread_header* header, trace_record record,
                      const control_block* about = nullptr) noexcept {
  trace_text name;
  if (about) {
    record.id = about->serial.load(std::memory_order_relaxed);
    record.site = site_of(*about);
    copy_name_of(*about, name);
  }
  record.at = ticks();
  put(own(header), record, name);
}
}  // namespace weft::detail
