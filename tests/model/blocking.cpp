// The processor word of blocking(): a carrier leaves its processor while it is inside a call, and
// comes back to it unless the monitor has given it to another carrier.
//
// Mirrored, order for order: the constructor and destructor of blocking_section
// (sched/blocking.cpp), retake_blocked (sched/monitor.cpp) and attach (sched/idle.cpp). Change
// them here too.
#include "model.hpp"

#include "base/spin_lock.hpp"

namespace {

using model::check;
using model::checked;
using weft::detail::atomic;
using weft::detail::spin_guard;
using weft::detail::spin_lock;
using word = std::uint64_t;

constexpr word running = 1;
constexpr word taken = 2;
constexpr word blocking = 3;

constexpr bool is_blocking(word state) {
  return (state & 3) == blocking;
}

// Numbered: the word of a blocking processor carries the number of the call.
template <bool Numbered>
struct processor {
  atomic<word> state{running};
  checked<int> holder;  // in production an atomic, for dumps
  checked<int> queue;   // all that belongs to the owner
  checked<int> calls;

  void work() { queue = queue + 1; }

  // The carrier has the processor, and leaves it.
  word enter() {
    work();
    calls = calls + 1;
    const word call = blocking | (Numbered ? static_cast<word>(calls) << 2 : 0);
    state.store(call, std::memory_order_release);
    return call;
  }
  // False: somebody else has it, or had it.
  bool leave(word call, int me) {
    if (!state.compare_exchange_strong(call, running, std::memory_order_acq_rel,
                                       std::memory_order_relaxed)) {
      return false;
    }
    check(holder == me, "came back to a processor that another one had left");
    work();
    return true;
  }
  void attach(int me) {
    holder = me;
    state.store(running, std::memory_order_relaxed);
    work();
  }
  // The monitor, a tick after it saw the same call. 0: nothing to take.
  word take() {
    const word seen = state.load(std::memory_order_acquire);
    if (!is_blocking(seen)) return 0;
    word expected = seen;
    return state.compare_exchange_strong(expected, taken, std::memory_order_acq_rel,
                                         std::memory_order_relaxed)
               ? seen
               : 0;
  }
};

// The owner comes back while the monitor takes the processor for a spare carrier, which itself
// enters and leaves a call. The spare begins on the monitor's thread: a new thread sees all that
// its maker saw.
template <bool Numbered>
struct taken_for_a_spare : model::test<taken_for_a_spare<Numbered>, 2> {
  processor<Numbered> p;
  bool first_has_it = false;
  bool spare_has_it = false;

  void thread(unsigned index) {
    if (index == 0) {
      const word call = p.enter();
      first_has_it = p.leave(call, 0);
    } else if (p.take() != 0) {
      p.attach(1);
      const word call = p.enter();
      spare_has_it = p.leave(call, 1);
    }
  }

  void after() {
    check(first_has_it != spare_has_it, "the processor has two carriers, or none");
    check(p.state.load(std::memory_order_relaxed) == running, "owned and not running");
  }
};

// The same with a second tick, which takes the processor from the spare for a third carrier.
struct taken_twice : model::test<taken_twice, 3> {
  processor<true> p;
  spin_lock ready;       // stands for the futex that the spare sleeps on
  checked<bool> handed;  // guarded by it
  bool has_it[3] = {};

  void thread(unsigned index) {
    if (index == 0) {
      const word call = p.enter();
      has_it[0] = p.leave(call, 0);
    } else if (index == 1) {
      if (p.take() == 0) return;
      {
        const spin_guard guard(ready);
        handed = true;
      }
      if (p.take() == 0) return;
      p.attach(2);
      has_it[2] = true;
    } else {
      {
        const spin_guard guard(ready);
        if (!handed) return;
      }
      p.attach(1);
      const word call = p.enter();
      has_it[1] = p.leave(call, 1);
    }
  }

  void after() {
    const int owners = has_it[0] + has_it[1] + has_it[2];
    const word state = p.state.load(std::memory_order_relaxed);
    // `taken` without an owner: handed to the spare, which has not looked yet.
    check(owners == 1 ? state == running : owners == 0 && state == taken,
          "the processor has two carriers, or is lost");
  }
};

// No thread is to be had: the monitor puts the call back. Whoever left meanwhile does not come
// back for it, and the next tick finds it, whoever is there to take it then.
struct put_back : model::test<put_back, 2> {
  processor<true> p;
  bool has_it = false;

  void thread(unsigned index) {
    if (index == 0) {
      const word call = p.enter();
      has_it = p.leave(call, 0);
      if (!has_it) return;
      const word second = p.enter();
      has_it = p.leave(second, 0);
    } else if (const word seen = p.take()) {
      p.work();  // start_carrier_for may look at it
      p.state.store(seen, std::memory_order_release);
    }
  }

  void after() {
    const word state = p.state.load(std::memory_order_relaxed);
    check(has_it ? state == running : is_blocking(state), "neither owned nor to be taken");
    if (has_it) return;
    check(p.take() != 0, "the next tick does not get it");
    p.attach(1);
  }
};

}  // namespace

int main() {
  using model::operation;
  return model::run(
      {
          model::full<taken_for_a_spare<true>>("the owner returns, or a spare has the processor"),
          model::full<put_back>("no thread to be had: the call is put back"),
          model::bounded<taken_twice>(4, "taken, left and taken again"),
          model::broken<taken_for_a_spare<false>>(3, "calls without numbers"),
      },
      "model/blocking.cpp",
      {
          {"take", operation::load, std::memory_order_relaxed,
           "the exchange that follows is what takes; it acquires"},
          {"take", operation::read_modify_write, std::memory_order_acquire,
           "the taker has written nothing yet"},
          {"take", operation::read_modify_write, std::memory_order_release,
           "the load before it has acquired the same call"},
          {"leave", operation::read_modify_write, std::memory_order_acquire,
           "who comes back has written nothing yet"},
      });
}
