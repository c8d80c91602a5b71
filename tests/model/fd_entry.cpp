// A descriptor's entry: a reader that parks is woken by an edge, its deadline or the close, never
// left behind by one that came between its system call and its park.
//
// Production: the spin lock, wait_word. Mirrored: io::recv (io/stream.cpp), wait_fd and
// publish_fd (io/fd_wait.cpp), poller::arm_locked and deliver (io/poller.cpp), io::close
// (io/open.cpp), and the kernel: a socket whose writes make one pending edge until it is
// harvested.
#include "model.hpp"

#include "base/spin_lock.hpp"
#include "fiber/state.hpp"

namespace {

using model::check;
using model::checked;
using weft::detail::atomic;
using weft::detail::spin_guard;
using weft::detail::spin_lock;
using weft::detail::wait_word;
using weft::detail::wake_reason;
using epoch_type = wait_word::epoch_type;

struct rules {
  bool edges_before_call = true;  // read before the system call, compared before the park
  bool wake_after_close = true;   // once more, when the kernel has dropped the registration
};

struct world {
  rules rule;
  // the kernel
  spin_lock kernel;
  int bytes = 0;
  bool pending = false;
  bool open = true;
  bool in_epoll = false;
  // the entry
  spin_lock lock;
  checked<epoch_type> waiter;  // its token; 0: none. Guarded by the lock.
  bool armed = false;          // likewise
  atomic<int> edges{1};        // written under the lock
  atomic<int> generation{1};   // likewise
  atomic<int> drained_at{0};
  // the reader
  wait_word word;
  checked<int> frame;  // 1: parked, 2: running
  atomic<epoch_type> token{0};
  int life = 0;  // the generation it began with
  checked<int> got;
  int wanted = 0;
  atomic<int> ended{0};

  // -- the kernel --
  void write_byte() {
    const spin_guard guard(kernel);
    ++bytes;
    pending = in_epoll;
  }
  // -1: closed.
  int receive() {
    const spin_guard guard(kernel);
    if (!open) return -1;
    const int n = bytes;
    bytes = 0;
    return n;
  }
  // Registering brings the edge if there is something to read. False: closed.
  bool epoll_add() {
    const spin_guard guard(kernel);
    in_epoll = open;
    pending = open && bytes > 0;
    return open;
  }
  bool harvest() {
    const spin_guard guard(kernel);
    const bool event = open && pending;
    pending = false;
    return event;
  }

  // -- io --
  void finish() { ended.fetch_add(1, std::memory_order_relaxed); }

  void read() {
    while (got < wanted) {
      int seen = edges.load(std::memory_order_relaxed);
      if (drained_at.load(std::memory_order_relaxed) != seen) {
        const int n = receive();
        if (n < 0) return finish();
        if (n > 0) {
          got = got + n;
          drained_at.store(seen, std::memory_order_relaxed);  // shorter than what was asked for
          continue;
        }
      }
      if (!rule.edges_before_call) seen = edges.load(std::memory_order_relaxed);
      if (!wait_fd(seen)) return;
    }
    finish();
  }

  // True: try again. False: parked, or given up.
  bool wait_fd(int seen) {
    lock.lock();
    if (generation.load(std::memory_order_relaxed) != life) {
      lock.unlock();
      finish();
      return false;
    }
    if (edges.load(std::memory_order_relaxed) != seen) {
      lock.unlock();
      return true;
    }
    const epoch_type epoch = word.next_epoch();
    waiter = epoch;
    if (!armed && !epoll_add()) {
      waiter = 0;
      lock.unlock();
      finish();
      return false;
    }
    armed = true;
    frame = 1;
    word.begin(false);
    lock.unlock();
    token.store(epoch, std::memory_order_relaxed);
    return false;
  }

  // Runs on the thread that has won the claim.
  void resume(wake_reason how) {
    check(frame == 1, "resumed twice");
    frame = 2;
    if (how == wake_reason::closed) return finish();
    if (how == wake_reason::timeout) {
      const spin_guard guard(lock);
      waiter = 0;
    }
    read();
  }

  bool wake_locked(wake_reason how) {
    const epoch_type epoch = waiter;
    waiter = 0;
    return epoch != 0 && word.claim(epoch, how);
  }

  void poll() {
    if (!harvest()) return;
    bool woken = false;
    {
      const spin_guard guard(lock);
      edges.store(edges.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
      woken = wake_locked(wake_reason::wake);
    }
    if (woken) resume(wake_reason::wake);
  }

  void time_out() {
    const epoch_type epoch = token.load(std::memory_order_relaxed);
    if (epoch != 0 && word.claim(epoch, wake_reason::timeout)) resume(wake_reason::timeout);
  }

  void close() {
    bool closed = false;
    bool woken = false;
    {
      const spin_guard guard(lock);
      generation.store(generation.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
      armed = false;
      closed = wake_locked(wake_reason::closed);
    }
    {
      const spin_guard guard(kernel);
      open = in_epoll = false;
    }
    if (rule.wake_after_close) {
      const spin_guard guard(lock);
      woken = wake_locked(wake_reason::wake);
    }
    if (closed) resume(wake_reason::closed);
    if (woken) resume(wake_reason::wake);
  }

  void begin(int bytes_wanted) {
    life = generation.load(std::memory_order_relaxed);
    wanted = bytes_wanted;
    read();
  }

  void check_ended() {
    while (pending) poll();
    check(ended.load(std::memory_order_relaxed) == 1, "the reader is parked for ever");
  }
};

template <bool Before>
struct reads : model::test<reads<Before>, 3> {
  world w;
  void before() {
    w.rule.edges_before_call = Before;
    w.armed = w.in_epoll = true;
  }
  void thread(unsigned index) {
    if (index == 0) {
      w.begin(2);
    } else if (index == 1) {
      w.write_byte();
      w.write_byte();
    } else {
      w.poll();
      w.poll();
    }
  }
  void after() { w.check_ended(); }
};

struct times_out : model::test<times_out, 3> {
  world w;
  void thread(unsigned index) {
    if (index == 0) {
      w.begin(1);
    } else if (index == 1) {
      w.write_byte();
      w.poll();
    } else {
      w.time_out();
    }
  }
  void after() { w.check_ended(); }
};

template <bool Again>
struct closes : model::test<closes<Again>, 3> {
  world w;
  void before() { w.rule.wake_after_close = Again; }
  void thread(unsigned index) {
    if (index == 0) {
      w.begin(1);
    } else if (index == 1) {
      w.close();
    } else {
      w.write_byte();
      w.poll();
    }
  }
  void after() { w.check_ended(); }
};

}  // namespace

int main() {
  return model::run(
      {
          model::bounded<reads<true>>(3, "reads against edges"),
          model::bounded<times_out>(3, "a deadline against an edge"),
          model::bounded<closes<true>>(3, "a close against a reader"),
          model::broken<reads<false>>(3, "edges looked at after the call"),
          model::broken<closes<false>>(3, "no wake after the kernel's close"),
      },
      "base/spin_lock.hpp");
}
