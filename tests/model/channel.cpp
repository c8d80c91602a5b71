// A value goes once, whole, to one receiver, whatever ends the waits meanwhile; what is not sent
// stays with its sender; nobody touches a channel that its last user has destroyed.
#include "channel_world.hpp"

namespace channel_model {
namespace {

// A sender and a receiver; the waits of either may be ended. Whoever has received destroys it.
template <bool Threads>
struct rendezvous : model::test<rendezvous<Threads>, 3>, world {
  channel_status sent{}, received{};
  int got = 0;

  void before() { start(0, {Threads, Threads}); }
  void thread(unsigned index) {
    if (index == 0) {
      sent = send(a, 5, limit);
    } else if (index == 1) {
      received = receive(a, got, limit);
      if (received == channel_status::ok) destroy(a);
    } else {
      end_wait(0, wake_reason::timeout);
      end_wait(1, wake_reason::cancel);
      end_wait(0, wake_reason::cancel);
    }
  }
  void after() {
    check(sent == received, "one has met, the other has not");
    if (received == channel_status::ok) {
      check(got == 5, "another value");
      check_untouched(a);
    }
    end();
  }
};

enum class meeting { fiber_and_thread, thread_and_fiber, offering, offering_until };

// With nobody else to end the waits they meet. `offering`: each has branches of a fork_join to
// spill before it parks, and lets go of the lock for that; `until`: in the timed forms, which are
// those of the model's threads.
template <meeting How>
struct meets : model::test<meets<How>, 2>, world {
  int got = 0;
  void before() {
    constexpr bool timed = How == meeting::offering_until;
    start(0,
          {timed || How == meeting::thread_and_fiber, timed || How == meeting::fiber_and_thread});
    parties[0].offers = parties[1].offers = How >= meeting::offering;
  }
  void thread(unsigned index) {
    if (index == 0) {
      check(send(a, 5) == channel_status::ok, "not sent");
    } else {
      receive(a, got);
      destroy(a);
    }
  }
  void after() {
    check(got == 5, "not received");
    check_untouched(a);
    end();
  }
};

// The sender destroys the channel: of no capacity, so the value is there.
struct sender_destroys : model::test<sender_destroys, 2>, world {
  int got = 0;
  void before() { start(0, {true, true}); }
  void thread(unsigned index) {
    if (index == 0) {
      send(a, 5);
      destroy(a);
    } else {
      receive(a, got);
    }
  }
  void after() {
    check(got == 5, "not received");
    check_untouched(a);
    end();
  }
};

// One place: the second send waits for it, and may be ended; the receiver takes two, or one.
template <bool Threads>
struct buffered : model::test<buffered<Threads>, 3>, world {
  channel_status first{}, second{};
  int got[2] = {};

  void before() { start(1, {Threads, Threads}); }
  void thread(unsigned index) {
    if (index == 0) {
      first = send(a, 5);
      second = send(a, 6, limit);
    } else if (index == 1) {
      receive(a, got[0]);
      receive(a, got[1], 0);
    } else {
      end_wait(0, wake_reason::timeout);
      end_wait(0, wake_reason::cancel);
    }
  }
  void after() {
    check(first == channel_status::ok && got[0] == 5, "the first value is lost");
    check(got[1] == 0 || got[1] == 6, "another value");
    if (second == channel_status::ok && got[1] == 0) {
      check(a.size() == 1, "the second value is lost");
      check(receive(a, got[1], 0) == channel_status::ok && got[1] == 6, "another value");
    }
    check((second == channel_status::ok) == (got[1] == 6), "received and not sent");
    end();
  }
};

// Who waits for the place that is freed gets it, though nobody comes to receive once more.
struct place_freed : model::test<place_freed, 2>, world {
  int got = 0;
  void before() { start(1, {false, false}); }
  void thread(unsigned index) {
    if (index == 0) {
      send(a, 5);
      check(send(a, 6) == channel_status::ok, "not sent");
    } else {
      receive(a, got);
    }
  }
  void after() {
    check(got == 5 && a.size() == 1, "the first value is lost");
    check(receive(a, got, 0) == channel_status::ok && got == 6, "the second value is lost");
    end();
  }
};

// Of two receivers that wait one leaves, and one is served.
struct one_leaves : model::test<one_leaves, 3>, world {
  channel_status first{}, second{}, sent{};
  void before() { start(0, {false, true, true}); }
  void thread(unsigned index) {
    int got = 0;
    if (index == 0) {
      first = receive(a, got, limit);
    } else if (index == 1) {
      second = receive(a, got, limit);
    } else {
      end_wait(0, wake_reason::cancel);
      sent = send(a, 5, 0);
      end_wait(1, wake_reason::timeout);
    }
  }
  void after() {
    const int times = (first == channel_status::ok) + (second == channel_status::ok);
    check(times == (sent == channel_status::ok), "received twice, or not at all");
    end();
  }
};

// Two senders at one place, then close(): each value is received once, or was not sent.
struct closing : model::test<closing, 3>, world {
  channel_status sent[2] = {};
  int sum = 0;

  void before() {
    start(1, {false, true, false});
    before_close = 0;
  }
  void thread(unsigned index) {
    if (index == 2) {
      before_close = 1;
      a.close();
      a.close();
      return;
    }
    sent[index] = send(a, 5 + static_cast<int>(index));
    if (a.closed()) check(before_close == 1, "the close is seen before what comes before it");
  }
  void after() {
    int got = 0;
    while (receive(a, got, 0) == channel_status::ok) sum += got;
    check(receive(a, got, 0) == channel_status::closed, "not closed");
    const int expected =
        (sent[0] == channel_status::ok ? 5 : 0) + (sent[1] == channel_status::ok ? 6 : 0);
    check(sum == expected, "received and not sent, or sent and not received");
    check(send(a, 1, 0) == channel_status::closed, "sent to a closed channel");
    end();
  }
  checked<int> before_close;
};

// A receiver waits, and the channel is closed or something sent: it is told one or the other.
template <bool Threads>
struct closed_receiver : model::test<closed_receiver<Threads>, 3>, world {
  int got = 0;
  channel_status received{}, sent{};
  void before() { start(0, {Threads, Threads, Threads}); }
  void thread(unsigned index) {
    if (index == 0) {
      received = receive(a, got);
      check(received != channel_status::timeout, "ended by nobody");
    } else if (index == 1) {
      sent = send(a, 5);
    } else {
      a.close();
    }
  }
  void after() {
    check(sent == received && (got == 5) == (sent == channel_status::ok), "told different things");
    end();
  }
};

}  // namespace
}  // namespace channel_model

int main() {
  using ::model::bounded;
  using namespace channel_model;
  return ::model::run(
      {
          bounded<meets<meeting::fiber_and_thread>>(3, "a fiber and a thread meet"),
          bounded<meets<meeting::thread_and_fiber>>(3, "a thread and a fiber meet"),
          bounded<meets<meeting::offering>>(4, "they meet and offer branches"),
          bounded<meets<meeting::offering_until>>(3, "they meet in the timed forms"),
          bounded<sender_destroys>(3, "threads meet, the sender destroys"),
          bounded<rendezvous<false>>(2, "fibers, against deadline and stop of both"),
          bounded<rendezvous<true>>(2, "threads, against deadline and stop of both"),
          bounded<buffered<false>>(2, "buffered: fibers, against deadline and stop"),
          bounded<buffered<true>>(2, "buffered: threads, against deadline and stop"),
          bounded<place_freed>(4, "buffered: who waits for the place"),
          bounded<one_leaves>(2, "against a stop: of two receivers one leaves"),
          bounded<closing>(3, "buffered: closed while two send"),
          bounded<closed_receiver<false>>(3, "closed while fibers meet"),
          bounded<closed_receiver<true>>(3, "closed while threads meet"),
      },
      "channel/channel_core.hpp channel/channel_core.cpp channel/waiter.cpp");
}
