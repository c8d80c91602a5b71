// The state word of a wait: of wake, timeout and cancel exactly one wins, so a fiber is made ready
// once and never lost; what the fiber wrote before it parked is seen by whoever resumes it, what
// the waker wrote is seen by the fiber; a token of an earlier wait or life is refused.
#include "fiber/state.hpp"

#include "base/asymmetric_fence.hpp"
#include "model.hpp"

namespace {

using model::check;
using model::checked;
using weft::detail::atomic;
using weft::detail::wait_word;
using weft::detail::wake_reason;
using epoch_type = wait_word::epoch_type;

// Stands for being put into a run queue and resumed there: touches the fiber's frame as its owner.
struct fiber {
  wait_word word;
  checked<int> frame;  // saved registers, wait nodes: whatever the fiber left behind
  atomic<int> resumed{0};

  // The winner of a claim.
  void resume(wake_reason how) {
    check(frame == 1, "resumed before it had parked, or twice");
    frame = 2;
    resumed.fetch_add(1, std::memory_order_relaxed);
    check(word.reason() == how, "the reason is not the winner's");
  }
};

// Two wakers with a token that the park made reachable (an unlocked queue, an armed timer), and a
// canceller who has none and looks at the word. Never lost: the token's holders come after begin().
struct one_of_three_wins : model::test<one_of_three_wins, 4> {
  fiber f;
  atomic<epoch_type> token{0};

  void thread(unsigned index) {
    if (index == 0) {
      f.frame = 1;
      const epoch_type epoch = f.word.next_epoch();
      f.word.begin(true);
      token.store(epoch, std::memory_order_release);
    } else if (index == 3) {
      const epoch_type epoch = f.word.cancellable_epoch();
      if (epoch != 0 && f.word.claim(epoch, wake_reason::cancel)) f.resume(wake_reason::cancel);
    } else {
      const epoch_type epoch = token.load(std::memory_order_acquire);
      const wake_reason how = index == 1 ? wake_reason::wake : wake_reason::timeout;
      if (epoch != 0 && f.word.claim(epoch, how)) f.resume(how);
    }
  }

  void after() {
    const bool woken = f.resumed.load(std::memory_order_relaxed) == 1;
    check(woken != f.word.is_parked(), "neither parked nor resumed, or both");
  }
};

// As above with a waker that waits for its token: the wait ends.
struct never_lost : model::test<never_lost, 3> {
  fiber f;
  atomic<epoch_type> token{0};

  void thread(unsigned index) {
    if (index == 0) {
      f.frame = 1;
      const epoch_type epoch = f.word.next_epoch();
      f.word.begin(true);
      token.store(epoch, std::memory_order_release);
    } else if (index == 1) {
      epoch_type epoch = 0;
      while ((epoch = token.load(std::memory_order_acquire)) == 0) weft::detail::cpu_relax();
      if (f.word.claim(epoch, wake_reason::wake)) f.resume(wake_reason::wake);
    } else {
      const epoch_type epoch = f.word.cancellable_epoch();
      if (epoch != 0 && f.word.claim(epoch, wake_reason::cancel)) f.resume(wake_reason::cancel);
    }
  }

  void after() {
    check(f.resumed.load(std::memory_order_relaxed) == 1, "the wake-up was lost or doubled");
  }
};

// Whoever finds the wait open may resume the fiber at once, whatever way the token came to it.
struct claim_alone_publishes : model::test<claim_alone_publishes, 2> {
  fiber f;

  void thread(unsigned index) {
    if (index == 0) {
      f.frame = 1;
      f.word.begin(false);
    } else {
      if (f.word.claim(1, wake_reason::wake)) f.resume(wake_reason::wake);
    }
  }
};

// The word alone carries the waker's writes to the one that is woken: by its reason ...
struct reason_sees_the_waker : model::test<reason_sees_the_waker, 2> {
  wait_word word;
  checked<int> gift;

  void before() { word.begin(false); }

  void thread(unsigned index) {
    if (index == 0) {
      if (word.reason() == wake_reason::wake) check(gift == 1, "woken without the gift");
    } else {
      gift = 1;
      check(word.claim(1, wake_reason::wake), "nobody else claims");
    }
  }
};

// ... and, for a kernel thread, by the value it would sleep on.
struct futex_value_sees_the_waker : model::test<futex_value_sees_the_waker, 2> {
  wait_word word;
  checked<int> gift;

  void before() { word.begin(false); }

  void thread(unsigned index) {
    if (index == 0) {
      if (!wait_word::is_parked(word.futex_value())) check(gift == 1, "woken without the gift");
    } else {
      gift = 1;
      check(word.claim(1, wake_reason::wake), "nobody else claims");
    }
  }
};

// A late waker of the first wait meets the second one, or the block's next life.
template <bool Renewed>
struct stale_tokens_fail : model::test<stale_tokens_fail<Renewed>, 3> {
  wait_word word;
  atomic<int> won{0};

  void before() { word.begin(true); }

  void thread(unsigned index) {
    if (index == 0) {
      while (word.reason() == wake_reason::none) weft::detail::cpu_relax();
      if (Renewed) word.renew();
      word.begin(true);
    } else {
      const wake_reason how = index == 1 ? wake_reason::wake : wake_reason::timeout;
      if (word.claim(1, how)) won.fetch_add(1, std::memory_order_relaxed);
    }
  }

  void after() {
    check(won.load(std::memory_order_relaxed) == 1, "the first wait ended other than once");
    check(word.is_parked(), "a stale token ended the second wait");
    check(word.cancellable_epoch() == (Renewed ? 3 : 2), "the epoch did not move on");
  }
};

// park/cancel.cpp: {park; light fence; look at the stop bit} against {set the bit; look at the
// word; heavy fence; look again}. A fiber that was asked to stop does not stay in a cancellable
// wait.
struct stop_request_is_not_missed : model::test<stop_request_is_not_missed, 2> {
  fiber f;
  atomic<int> stop{0};

  void thread(unsigned index) {
    if (index == 0) {
      f.frame = 1;
      const epoch_type epoch = f.word.next_epoch();
      f.word.begin(true);
      weft::detail::light_fence();
      if (stop.load(std::memory_order_relaxed) == 0) return;
      if (f.word.claim(epoch, wake_reason::cancel)) f.resume(wake_reason::cancel);
    } else {
      stop.fetch_or(1, std::memory_order_relaxed);
      if (end_cancellable_wait()) return;
      weft::detail::heavy_fence();
      end_cancellable_wait();
    }
  }
  bool end_cancellable_wait() {
    const epoch_type epoch = f.word.cancellable_epoch();
    if (epoch == 0 || !f.word.claim(epoch, wake_reason::cancel)) return false;
    f.resume(wake_reason::cancel);
    return true;
  }

  void after() {
    check(f.resumed.load(std::memory_order_relaxed) == 1, "parked for ever, or resumed twice");
  }
};

// The same where a wait is open already, which the canceller ends without a fence, or loses to a
// waker. The fiber goes on to a second one in which only the stop can end it.
template <bool Again>
struct stop_reaches_the_next_wait : model::test<stop_reaches_the_next_wait<Again>, 3> {
  wait_word word;
  atomic<int> stop{0};

  void before() { word.begin(true); }

  void thread(unsigned index) {
    if (index == 0) {
      while (word.reason() == wake_reason::none) weft::detail::cpu_relax();
      const epoch_type epoch = word.next_epoch();
      word.begin(true);
      weft::detail::light_fence();
      if (stop.load(std::memory_order_relaxed) != 0) word.claim(epoch, wake_reason::cancel);
    } else if (index == 1) {
      word.claim(1, wake_reason::wake);
    } else {
      stop.fetch_or(1, std::memory_order_relaxed);
      epoch_type epoch = word.cancellable_epoch();
      const bool ended = epoch != 0 && word.claim(epoch, wake_reason::cancel);
      if (Again ? ended : epoch != 0) return;
      weft::detail::heavy_fence();
      epoch = word.cancellable_epoch();
      if (epoch != 0) word.claim(epoch, wake_reason::cancel);
    }
  }

  void after() { check(!word.is_parked(), "asked to stop, and in a wait that nobody ends"); }
};

// A dump (debug/fiber_view.cpp) looks at a block whose fiber has ended: if the word says that it is
// another life's, the former life's number is gone too.
struct looked_at_while_reused : model::test<looked_at_while_reused, 2> {
  wait_word word;
  atomic<std::uint64_t> serial{7};

  void thread(unsigned index) {
    if (index == 0) {
      serial.store(0, std::memory_order_relaxed);  // as renew_block does
      word.renew();
    } else if (word.value() >> 8 == 1) {
      check(serial.load(std::memory_order_relaxed) == 0, "the next life under the former's number");
    }
  }
};

}  // namespace

int main() {
  return model::run(
      {
          model::full<claim_alone_publishes>("a claim sees what was left before the park"),
          model::full<reason_sees_the_waker>("the woken sees the waker's writes: reason"),
          model::full<futex_value_sees_the_waker>("the woken sees the waker's writes: futex value"),
          model::full<stop_request_is_not_missed>("park against a stop request"),
          model::bounded<stop_reaches_the_next_wait<true>>(3, "a stop request, and the next wait"),
          model::broken<stop_reaches_the_next_wait<false>>(3, "content with a claim that it lost"),
          model::bounded<stale_tokens_fail<false>>(3, "late tokens meet the next wait"),
          model::bounded<stale_tokens_fail<true>>(3, "late tokens meet the block's next life"),
          model::full<looked_at_while_reused>("a dump's look at a block that is reused"),
          model::bounded<never_lost>(3, "a waker that waits, and a canceller"),
          model::bounded<one_of_three_wins>(3, "wake, timeout and cancel at once"),
      },
      "fiber/state.hpp",
      {
          {"cancellable_epoch", model::operation::load, std::memory_order_acquire,
           "the canceller's heavy fence before it does the ordering"},
      });
}
