#pragma once
#include "sched/schedule.hpp"

// The seam between the scheduler and an exploration of schedules (src/testing): one worker, on the
// kernel thread that called weft::testing::explore, where a strategy chooses at every scheduling
// point which of the ready fibers goes on.
//
// Nobody else pays for it, because a processor of an explored run never has what the short paths
// need, and the choices sit on the long ones:
//
//   - tick is at its limit, so pick_next finds nothing and every switch goes by the loop;
//   - solo is false, so yields and queues take their general way;
//   - serials come one at a time, so every spawn makes its block in make_block;
//   - the idle word says that a processor idles, so every queueing ends in wake_one, which looks at
//     runtime_core::exploring;
//   - blocking_limit is 0, so blocking() takes its slow way in;
//   - cancelling_bit::explored is set, so cancellation points look closer.
//
// There is no monitor, and nothing is stolen.
namespace weft::detail {
// Why a fiber that stays ready gave way.
enum class point_kind : std::uint8_t {
  yield,
  spawn,         // it has spawned a fiber
  user,          // weft::testing::point
  stop_request,  // it is about to ask a fiber to stop
  stopped,       // it has
  cancellation,  // it is about to enter a cancellation point
  blocking,      // it is about to enter blocking()
  lock,          // it is about to lock, or has unlocked
  notify,        // it has woken, or might have
};

class explorer {
 public:
  virtual ~explorer() = default;

  // The loop, after the fiber that it returned last has given way, parked or ended: who goes on.
  // Null: the run is over.
  virtual control_block* next() noexcept = 0;
  // The run's own thread: that fiber is there, and waits before it has begun. For a coroutine.
  virtual void parked_unbegun(control_block&) noexcept = 0;
  // The running fiber, before it gives way. `label` has static storage or is null.
  virtual void at_point(point_kind, const char* label) noexcept = 0;
  // An exception has left the running fiber, and is the current one. The fiber ends.
  virtual void unhandled(control_block&, const char* what) noexcept = 0;
  virtual nanos now() const noexcept = 0;
  // A clock of the world was read, by the run's own thread.
  virtual void real_clock() noexcept = 0;
  // Any thread.
  virtual std::uint64_t take_serial() noexcept = 0;
  // Any thread but the run's own: it has made a fiber of the run ready.
  virtual void foreign_wake() noexcept = 0;
};

// On a fiber of an explored run: others may go first. Elsewhere nothing. No lock may be held.
void explore_point(point_kind, const char* label = nullptr) noexcept;

// The time that deadlines are in: virtual on the thread of an explored run.
inline nanos now_here() noexcept {
  const explorer* const exploring = current()->exploring;
  return exploring ? exploring->now() : now();
}
inline bool has_passed_here(const thread_header* header, nanos deadline) noexcept {
  const explorer* const exploring = header->exploring;
  return exploring ? exploring->now() >= deadline : has_passed(deadline);
}

// While one lives, the calling kernel thread is the one carrier of the core. It has none of its own
// and is on no fiber.
class explored_carrier {
 public:
  // May throw std::system_error.
  explored_carrier(runtime_core&, explorer&);
  ~explored_carrier();
  explored_carrier(const explored_carrier&) = delete;
  explored_carrier& operator=(const explored_carrier&) = delete;

  // Runs fibers until next() returns null.
  void run() noexcept;
  // The fibers that have become ready since the last call, in order, each taken off its queue.
  task_list<control_block> take_ready() noexcept;

 private:
  runtime_core& core_;
  explorer& explorer_;
  sys_counts* syscalls_before_;
};
}  // namespace weft::detail
