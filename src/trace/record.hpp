#pragma once
#include <cstdint>
#include <iterator>

namespace weft::detail {
// What happened. The names that a reader of the trace sees are in json.cpp.
enum class traced : std::uint8_t {
  text,      // the name of the fiber that the next record is about, instead of its site
  run,       // a fiber ran, for `span`; why it stopped: `why`, `arg`
  blocking,  // a fiber was inside blocking(), for `span`
  sleep,     // the thread slept on its futex, for `span`
  watch,     // the thread blocked in epoll, for `span`
  spawn,     // `arg`: the fiber that did it, 0: a thread
  wake,      // likewise; `why`, and `span` for its `arg`: the wait; `flow` leads to the run
  batch,     // `arg` fibers woken together by a carrier that looked at timers and readiness
  steal,     // `arg`: from which worker
  ready,     // `arg`: fibers queued to run on worker `id` of runtime `span`
  thread,    // the thread of this ring is carrier `arg` of runtime `id` from here on
};

// Why a fiber stopped running, or what the wait was for that a wake ends. The first ones are
// wait_kind of the fiber layer, in its order.
enum class trace_why : std::uint8_t {
  none,
  join,
  sleep,
  readable,
  writable,
  blocking,
  fork_join,
  event,
  poll,
  mutex,
  condition,
  semaphore,
  latch,
  barrier,
  future,
  send,
  receive,
  select,
  scope,
  once,
  yield,
  end,
  // What ended a wait, added to the above.
  timed_out = 0x40,
  canceled = 0x80,
};

// In the order of trace_why.
inline constexpr const char* why_names[] = {"",
                                            "join",
                                            "sleep",
                                            "readable",
                                            "writable",
                                            "blocking()",
                                            "fork_join()",
                                            "event",
                                            "io::poll",
                                            "mutex",
                                            "condition_variable",
                                            "semaphore",
                                            "latch",
                                            "barrier",
                                            "future",
                                            "send",
                                            "receive",
                                            "select",
                                            "scope",
                                            "call_once",
                                            "yield",
                                            "end"};
static_assert(std::size(why_names) == static_cast<std::size_t>(trace_why::end) + 1);

constexpr const char* name_of(trace_why why) noexcept {
  const auto at = static_cast<std::size_t>(why) & 0x3f;
  return at < std::size(why_names) ? why_names[at] : "?";
}

// One event, as it lies in a ring. Times are ticks().
struct trace_record {
  std::uint64_t at = 0;
  std::uint64_t span = 0;
  std::uint64_t id = 0;    // of the fiber
  std::uint64_t flow = 0;  // the same in a wake and in the run that it leads to; 0: none
  std::uint64_t arg = 0;
  std::uint16_t site = 0;  // where the fiber was spawned: index into the table of sites
  traced kind = traced::text;
  trace_why why = trace_why::none;
  // The thread, 0: the ring's. Of `run`: the wait before it, trace_why << 24 | `arg`.
  std::uint32_t tid = 0;
};
static_assert(sizeof(trace_record) == 48);

// The same space as a text; `kind` lies where it does in trace_record.
struct trace_text {
  static constexpr std::size_t size = 40;
  char text[size] = {};  // ends with a zero
  std::uint16_t site = 0;
  traced kind = traced::text;
  trace_why why = trace_why::none;
  std::uint32_t tid = 0;
};
static_assert(sizeof(trace_text) == sizeof(trace_record));
}  // namespace weft::detail
