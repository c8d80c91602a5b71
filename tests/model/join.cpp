// Waiting for a fiber's end: the joiner is woken once and finds all that the fiber did, whatever
// ends its waits meanwhile; the block is recycled once, after the ending fiber's last touch of
// it, and no late registration reaches its next life.
//
// Production: wait_word. Mirrored, order for order: publish_join, withdraw, await_finished,
// detach_block, recycle (time/join.cpp), publish_end and publish_end_slow (sched/entry.cpp).
#include "model.hpp"

#include "fiber/state.hpp"

namespace {

using model::check;
using model::checked;
using weft::detail::atomic;
using weft::detail::wait_word;
using weft::detail::wake_reason;
using epoch_type = wait_word::epoch_type;

// Values of `joiner`; there is one joiner, so a number stands for its block.
enum : int { nobody = 0, finished = 1, detached = 2, ending = 3, registered = 8 };

// As it was: a registration whose wait was over was replaced by `finished` wherever it was still,
// or again, the same block.
enum class ending_by { second_look, pointer };

template <ending_by How>
struct world {
  // the block of the fiber that is joined
  atomic<int> joiner{nobody};
  atomic<epoch_type> joiner_epoch{0};
  checked<int> closure;  // what the fiber did; the next life writes it too
  checked<int> handle;   // what its owner did; likewise
  atomic<int> recycled{0};
  // the joiner
  wait_word word;
  checked<int> frame;  // 1: off its stack
  atomic<epoch_type> token{0};
  atomic<int> joined{0};

  bool has_ended() { return joiner.load(std::memory_order_acquire) == finished; }

  // sched/entry.cpp. True: the joiner is ours to resume.
  bool publish_end_slow() {
    const int seen = joiner.exchange(ending, std::memory_order_acq_rel);
    if (seen == detached) {
      renew();
      return false;
    }
    const bool woken = seen != nobody &&
                       word.claim(joiner_epoch.load(std::memory_order_relaxed), wake_reason::wake);
    joiner.store(finished, std::memory_order_release);
    return woken;
  }

  bool publish_end() {
    int seen = joiner.load(std::memory_order_acquire);
    if (seen == nobody && joiner.compare_exchange_strong(seen, finished, std::memory_order_acq_rel,
                                                         std::memory_order_acquire)) {
      return false;
    }
    if (seen == detached) {
      renew();
      return false;
    }
    const epoch_type epoch = joiner_epoch.load(std::memory_order_acquire);
    if (joiner.load(std::memory_order_relaxed) == seen && word.claim(epoch, wake_reason::wake)) {
      joiner.store(finished, std::memory_order_release);
      return true;
    }
    return publish_end_slow();
  }

  bool publish_end_by_pointer() {
    int seen = joiner.load(std::memory_order_acquire);
    for (;;) {
      if (seen == registered &&
          word.claim(joiner_epoch.load(std::memory_order_relaxed), wake_reason::wake)) {
        joiner.store(finished, std::memory_order_release);
        return true;
      }
      if (joiner.compare_exchange_strong(seen, finished, std::memory_order_acq_rel,
                                         std::memory_order_acquire)) {
        return false;
      }
    }
  }

  void end() {
    closure = 1;
    if (How == ending_by::pointer ? publish_end_by_pointer() : publish_end()) {
      resume(wake_reason::wake);
    }
  }

  // time/join.cpp
  void publish_join() {
    const epoch_type epoch = word.epoch();
    joiner_epoch.store(epoch, std::memory_order_release);
    int expected = nobody;
    if (!joiner.compare_exchange_strong(expected, registered, std::memory_order_acq_rel,
                                        std::memory_order_acquire)) {
      if (word.claim(epoch, wake_reason::wake)) resume(wake_reason::wake);
    }
  }

  bool withdraw() {
    int me = registered;
    return !joiner.compare_exchange_strong(me, nobody, std::memory_order_acq_rel,
                                           std::memory_order_acquire);
  }

  void renew() {
    closure = closure + 1;  // the next life's
    handle = handle + 1;
    joiner.store(nobody, std::memory_order_relaxed);
    recycled.fetch_add(1, std::memory_order_relaxed);
  }

  void recycle() {
    while (!has_ended()) weft::detail::cpu_relax();
    check(closure == 1, "joined a fiber that has not ended, or a later one");
    renew();
  }

  void detach_block() {
    handle = 0;
    int expected = nobody;
    if (!joiner.compare_exchange_strong(expected, detached, std::memory_order_acq_rel,
                                        std::memory_order_acquire)) {
      recycle();
    }
  }

  void join() {
    if (!has_ended()) return park();
    recycle();
    joined.fetch_add(1, std::memory_order_relaxed);
  }

  void park() {
    frame = 1;
    const epoch_type epoch = word.next_epoch();
    word.begin(false);
    publish_join();
    // Timers are armed last, and a canceller waits for the publication: see publication.cpp.
    token.store(epoch, std::memory_order_relaxed);
  }

  // The joiner runs, on the thread that has won its claim.
  void resume(wake_reason how) {
    check(frame == 1, "resumed twice");
    frame = 2;
    if (how == wake_reason::wake || withdraw()) {
      recycle();
      joined.fetch_add(1, std::memory_order_relaxed);
    } else {
      park();  // joins again
    }
  }

  // A deadline, of whatever wait is open.
  void time_out() {
    const epoch_type epoch = token.load(std::memory_order_relaxed);
    if (epoch != 0 && word.claim(epoch, wake_reason::timeout)) resume(wake_reason::timeout);
  }

  void check_joined() {
    check(joined.load(std::memory_order_relaxed) == 1, "the joiner is parked for ever");
    check(recycled.load(std::memory_order_relaxed) == 1, "the block is recycled twice");
    check(joiner.load(std::memory_order_relaxed) == nobody, "a registration in the next life");
  }
};

struct plain_join : model::test<plain_join, 2> {
  world<ending_by::second_look> w;
  void thread(unsigned index) {
    if (index == 0) {
      w.join();
    } else {
      w.end();
    }
  }
  void after() { w.check_joined(); }
};

// The wait times out and is begun again while the fiber ends.
template <ending_by How>
struct join_again : model::test<join_again<How>, 2> {
  world<How> w;
  void before() { w.park(); }
  void thread(unsigned index) {
    if (index == 0) {
      w.time_out();
    } else {
      w.end();
    }
  }
  void after() { w.check_joined(); }
};

// Two waits time out.
struct join_thrice : model::test<join_thrice, 3> {
  world<ending_by::second_look> w;
  void before() { w.park(); }
  void thread(unsigned index) {
    if (index < 2) {
      w.time_out();
    } else {
      w.end();
    }
  }
  void after() { w.check_joined(); }
};

struct detach : model::test<detach, 2> {
  world<ending_by::second_look> w;
  void thread(unsigned index) {
    if (index == 0) {
      w.detach_block();
    } else {
      w.end();
    }
  }
  void after() {
    check(w.recycled.load(std::memory_order_relaxed) == 1, "not recycled once");
    check(w.joiner.load(std::memory_order_relaxed) == nobody, "a late touch of the next life");
  }
};

// The wait times out, and the fiber is detached while it ends.
struct detach_after_timeout : model::test<detach_after_timeout, 2> {
  world<ending_by::second_look> w;
  void before() {
    w.frame = 1;
    w.word.begin(false);
    w.publish_join();
  }
  void thread(unsigned index) {
    if (index == 0) {
      if (!w.word.claim(1, wake_reason::timeout)) return;
      if (w.withdraw()) {
        w.recycle();
      } else {
        w.detach_block();
      }
    } else {
      w.end();
    }
  }
  void after() {
    check(w.recycled.load(std::memory_order_relaxed) == 1, "not recycled once");
    check(w.joiner.load(std::memory_order_relaxed) == nobody, "a late touch of the next life");
  }
};

const char* const recycle_looks = "recycle looks again, and acquires";
const char* const not_reordered =
    "holds the look at joiner_epoch back from the next life, where the checker reorders no loads";

}  // namespace

int main() {
  using model::operation;
  return model::run(
      {
          model::full<plain_join>("a join against the end"),
          model::full<detach>("detached while it ends"),
          model::bounded<detach_after_timeout>(4, "timed out and detached while it ends"),
          model::bounded<join_again<ending_by::second_look>>(5, "timed out, joined again"),
          model::bounded<join_thrice>(3, "timed out twice, joined again"),
          model::broken<join_again<ending_by::pointer>>(4, "registrations told apart by the block"),
      },
      "model/join.cpp",
      {
          {"publish_join", operation::read_modify_write, std::memory_order_release, recycle_looks},
          {"detach_block", operation::read_modify_write, std::memory_order_release, recycle_looks},
          {"withdraw", operation::read_modify_write, std::memory_order_release, recycle_looks},
          {"withdraw", operation::read_modify_write, std::memory_order_acquire,
           "the next registration's release covers it"},
          {"publish_end", operation::store, std::memory_order_relaxed,
           "only the joiner reads it, and the storer resumes it"},
          {"publish_end_slow", operation::read_modify_write, std::memory_order_acquire,
           "who finds `ending` waits for `finished`"},
          {"publish_end_slow", operation::store, std::memory_order_relaxed, not_reordered},
      });
}
