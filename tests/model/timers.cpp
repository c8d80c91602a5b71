// Timer against wake against cancel, over time/timers.cpp and its heap as they are: of those that
// would end a wait one does, an entry left behind ends no later wait, a sweep drops no entry of a
// wait that is open, and who blocks in the watch learns of an earlier deadline.
#include "model.hpp"

#include <new>

#define static_assert(...)  // sizes are the checker's
#define constinit

#include "time/timers.cpp"

namespace weft::detail {
inline void (*made_ready)(control_block*);
void make_ready(control_block* block) noexcept {
  made_ready(block);
}
}  // namespace weft::detail

namespace {

namespace model = ::model;  // and not weft::detail::model
using namespace weft::detail;
using model::check;
using model::checked;

constexpr nanos soon = 5, later = 9, far = 100;

// One fiber's wait with a deadline, and the next one with a later deadline.
struct fiber {
  control_block block;
  timer_set timers;
  atomic<wait_word::epoch_type> token{0};
  atomic<bool> resumed{false};
  checked<int> resumptions;

  void resume() {
    resumptions = resumptions + 1;  // two at once are a race
    resumed.store(true, std::memory_order_release);
  }
  // As publish_timed does: the timer last.
  void park(bool cancellable, nanos deadline) {
    timers.reserve_one();
    block.word.begin(cancellable);
    const wait_token mine{&block, block.word.epoch()};
    token.store(mine.epoch, std::memory_order_release);
    timers.arm(deadline, mine);
  }
  void wait() {
    while (!resumed.load(std::memory_order_acquire)) cpu_relax();
    if (block.word.reason() != wake_reason::timeout) timers.note_stale();
  }
  void fire(nanos at) {
    task_list<control_block> ready;
    timers.expire(at, ready);
    while (ready.pop_front()) resume();
  }
  void wake() {
    const wait_word::epoch_type epoch = token.load(std::memory_order_acquire);
    if (epoch != 0 && block.word.claim(epoch, wake_reason::wake)) resume();
  }
  void cancel() {
    const wait_word::epoch_type epoch = block.word.cancellable_epoch();
    if (epoch != 0 && block.word.claim(epoch, wake_reason::cancel)) resume();
  }
};

enum class rival { wake, cancel };

template <rival Rival>
struct ended_once : model::test<ended_once<Rival>, 3> {
  fiber f;
  atomic<bool> over{false};

  void thread(unsigned index) {
    if (index == 0) {
      f.park(true, soon);
      f.wait();
      check(f.resumptions == 1, "resumed twice");
      over.store(true, std::memory_order_relaxed);
      f.token.store(0, std::memory_order_relaxed);  // the next one has no waker
      f.timers.reserve_one();
      f.block.word.begin(false);
      f.timers.arm(later, {&f.block, f.block.word.epoch()});
    } else if (index == 1) {
      Rival == rival::wake ? f.wake() : f.cancel();
    } else {
      for (f.fire(soon); !over.load(std::memory_order_relaxed); f.fire(soon)) cpu_relax();
    }
  }
  void after() {
    check(f.resumptions == 1 && f.block.word.is_open(2), "the next wait was ended by an old entry");
    check(f.timers.earliest() <= later, "the next wait's deadline is forgotten");
    f.fire(later);
    check(f.resumptions == 2 && f.block.word.reason() == wake_reason::timeout, "not fired");
    check(f.timers.earliest() == never, "something is left in the heap");
  }
};

// Who ends a wait early sweeps the heap while the fiber arms another.
struct swept_while_armed : model::test<swept_while_armed, 2> {
  fiber f;
  control_block gone;
  static constexpr int entries = 64;  // the fewest that are worth a sweep

  void before() {
    for (int i = 0; i < entries; ++i) {
      f.timers.reserve_one();
      f.timers.arm(far, {&gone, 99});
    }
    for (int i = 0; i < entries / 2; ++i) f.timers.note_stale();
  }
  void thread(unsigned index) {
    if (index == 0) return f.park(true, soon);
    f.timers.note_stale();
    check(f.timers.earliest() != far, "not swept");
    f.fire(soon - 1);
  }
  void after() {
    check(f.resumptions == 0, "fired early");
    f.fire(soon);
    check(f.resumptions == 1, "an open wait was swept away");
    check(f.timers.earliest() == never, "something is left in the heap");
  }
};

// The armer and the holder of the watch, as in sched/idle.cpp. A third one fires an entry before
// it, which makes the armer find its own deadline published already.
struct armed_while_watched : model::test<armed_while_watched, 3> {
  fiber f;
  control_block gone;
  atomic<nanos> watch_until{soon - 2};  // the former holder's
  atomic<bool> kicked{false};
  nanos until = 0;

  void thread(unsigned index) {
    if (index == 0) {
      f.timers.reserve_one();
      f.timers.arm(soon - 1, {&gone, 99});
      f.park(false, soon);
      if (f.timers.earliest() < watch_until.load(std::memory_order_seq_cst)) {
        kicked.store(true, std::memory_order_relaxed);
      }
    } else if (index == 1) {
      do {
        until = f.timers.earliest();
        watch_until.store(until, std::memory_order_seq_cst);
      } while (f.timers.earliest() < until);
    } else {
      f.fire(soon - 1);
    }
  }
  void after() {
    check(kicked.load(std::memory_order_relaxed) || until <= soon, "a deadline is slept over");
  }
};

// A pinned fiber is made ready by itself, under the lock of the timers.
struct pinned : model::test<pinned, 2> {
  fiber f;
  inline static pinned* here;

  void before() {
    here = this;
    made_ready = [](control_block*) { here->f.resume(); };
    f.block.flags = fiber_flag::pinned;
  }
  void thread(unsigned index) {
    if (index == 0) return f.park(true, soon);
    f.fire(soon);
    f.wake();
  }
  void after() {
    f.fire(soon);
    check(f.resumptions == 1, "not resumed once");
    check(f.timers.earliest() == never, "something is left in the heap");
  }
};

}  // namespace

int main() {
  using ::model::bounded;
  using ::model::full;
  return ::model::run(
      {
          full<pinned>("a pinned fiber's deadline"),
          bounded<armed_while_watched>(4, "arming against the holder of the watch"),
          bounded<swept_while_armed>(4, "a sweep against arming"),
          bounded<ended_once<rival::wake>>(3, "a wake against the deadline"),
          bounded<ended_once<rival::cancel>>(3, "a stop request against the deadline"),
      },
      "time/timers.hpp time/timers.cpp");
}
