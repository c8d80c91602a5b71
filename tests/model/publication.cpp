// A fiber parks cancellably: after its word says `parked`, the publication still reads its frame
// and registers it somewhere. A canceller, who needs no token, must not resume it before that is
// done.
//
// Production: publication_mark, wait_word, the fences. Mirrored: after_park (sched/switch.cpp),
// cancel_wait (sched/ready.cpp) and request_stop_word (park/cancel.cpp).
#include "model.hpp"

#include "base/asymmetric_fence.hpp"
#include "fiber/state.hpp"
#include "sched/publication.hpp"

namespace {

using model::check;
using model::checked;
using weft::detail::atomic;
using weft::detail::publication_mark;
using weft::detail::wait_word;
using weft::detail::wake_reason;
using epoch_type = wait_word::epoch_type;

template <bool Marked>
struct world {
  wait_word word;
  atomic<int> stop{0};
  atomic<epoch_type> token{0};
  checked<int> frame;       // 1: the fiber is off its stack, 2: it has been resumed
  checked<int> registered;  // somewhere that only publish() and the resumed fiber write
  atomic<int> resumed{0};
  publication_mark marks[2];  // of two processors; the fiber parks on the second

  // The winner of a claim makes the fiber ready, and it runs there at once.
  void resume() {
    check(frame == 1, "resumed before it had parked, or twice");
    frame = 2;
    check(registered == 1, "resumed before it was registered");
    registered = 0;  // takes its registration back
    resumed.fetch_add(1, std::memory_order_relaxed);
  }

  void park(bool with_token) {
    frame = 1;
    const epoch_type epoch = word.next_epoch();
    if (Marked) marks[1].open(&word);
    word.begin(true);
    check(frame == 1, "publish() reads the frame of a fiber that runs");
    registered = 1;
    if (with_token) token.store(epoch, std::memory_order_release);
    if (Marked) marks[1].close();
    weft::detail::light_fence();
    if (stop.load(std::memory_order_relaxed) == 0) return;
    if (word.claim(epoch, wake_reason::cancel)) resume();
  }

  bool end_cancellable_wait() {
    const epoch_type epoch = word.cancellable_epoch();
    if (epoch == 0) return false;
    for (publication_mark& mark : marks) {
      while (mark.covers(&word)) weft::detail::cpu_relax();
    }
    if (!word.claim(epoch, wake_reason::cancel)) return false;
    resume();
    return true;
  }
  void cancel() {
    stop.fetch_or(1, std::memory_order_relaxed);
    if (end_cancellable_wait()) return;
    weft::detail::heavy_fence();
    end_cancellable_wait();
  }
};

// Nobody wakes it: the stop request must.
template <bool Marked>
struct parks_against_a_stop : model::test<parks_against_a_stop<Marked>, 2> {
  world<Marked> w;

  void thread(unsigned index) {
    if (index == 0) {
      w.park(false);
    } else {
      w.cancel();
    }
  }

  void after() {
    check(w.resumed.load(std::memory_order_relaxed) == 1, "parked for ever, or resumed twice");
  }
};

// A waker with the token too.
struct waker_and_canceller : model::test<waker_and_canceller, 3> {
  world<true> w;

  void thread(unsigned index) {
    if (index == 0) {
      w.park(true);
    } else if (index == 1) {
      w.cancel();
    } else {
      const epoch_type epoch = w.token.load(std::memory_order_acquire);
      // A waker comes after the token, not after close(): publish() lets go of the frame before
      // its tokens are out, and this is the last thing that it does.
      if (epoch != 0 && w.word.claim(epoch, wake_reason::wake)) w.resume();
    }
  }

  void after() {
    check(w.resumed.load(std::memory_order_relaxed) == 1, "parked for ever, or resumed twice");
  }
};

// The processor goes to another thread, which publishes another fiber. The canceller may find that
// one's mark, and has to be behind the first publication all the same.
struct processor_moves_on : model::test<processor_moves_on, 3> {
  world<true> w;
  wait_word other;
  atomic<int> handed{0};

  void thread(unsigned index) {
    if (index == 0) {
      w.park(false);
      handed.store(1, std::memory_order_release);
    } else if (index == 1) {
      w.cancel();
    } else if (handed.load(std::memory_order_acquire) != 0) {
      w.marks[1].open(&other);
      other.begin(true);
    }
  }

  void after() {
    check(w.resumed.load(std::memory_order_relaxed) == 1, "parked for ever, or resumed twice");
  }
};

}  // namespace

int main() {
  return model::run(
      {
          model::full<parks_against_a_stop<true>>("publication against a stop request"),
          model::bounded<waker_and_canceller>(3, "a waker and a canceller"),
          model::bounded<processor_moves_on>(3, "the processor publishes another fiber"),
          model::broken<parks_against_a_stop<false>>(3, "without the mark"),
      },
      "sched/publication.hpp");
}
