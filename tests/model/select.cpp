// A select takes one case, whole, or none, whoever else takes part and whatever ends its wait; two
// of them that meet agree; the chosen channel is left alone. Production: src/channel/select.cpp.
#include "channel_world.hpp"

namespace channel_model {
namespace {

// A select that may receive from either of two channels, whose senders do not wait for long.
template <bool Threads>
struct select_of_two : model::test<select_of_two<Threads>, 3>, world {
  chosen made{};
  channel_status sent[2] = {};

  void before() { start(0, {Threads, false, true}); }
  void thread(unsigned index) {
    if (index == 0) {
      made = select({{&a, 0}, {&b, 0}}, limit);
    } else {
      channel_core& mine = index == 1 ? a : b;
      sent[index - 1] = send(mine, 4 + static_cast<int>(index), 0);
      if (sent[index - 1] != channel_status::ok) end_wait(0, wake_reason::timeout);
    }
  }
  void after() {
    const int times = (sent[0] == channel_status::ok) + (sent[1] == channel_status::ok);
    check(times == (made.status == channel_status::ok), "two cases, or none, were taken");
    if (times == 1) check(made.got == 5 + static_cast<int>(made.index), "another's value");
    end();
  }
};

// A select that sends or receives, against a deadline, a stop and one who takes either.
template <bool Threads>
struct select_ended : model::test<select_ended<Threads>, 3>, world {
  chosen made{};
  channel_status received{};
  int got = 0;

  void before() { start(0, {Threads, Threads}); }
  void thread(unsigned index) {
    if (index == 0) {
      made = select({{&a, 5}, {&b, 0}}, limit);
    } else if (index == 1) {
      received = receive(a, got, limit);
      if (received == channel_status::ok) destroy(a);
    } else {
      end_wait(0, wake_reason::timeout);
      end_wait(0, wake_reason::cancel);
      end_wait(1, wake_reason::timeout);
    }
  }
  void after() {
    check((made.status == channel_status::ok) == (received == channel_status::ok) &&
              (made.status != channel_status::ok || (made.index == 0 && got == 5)),
          "one has met, the other has not");
    if (received == channel_status::ok) check_untouched(a);
    end();
  }
};

// Two selects, each of which would send to the other on one channel and receive on the other.
template <bool Threads>
struct selects_meet : model::test<selects_meet<Threads>, 2>, world {
  chosen made[2] = {};

  void before() { start(0, {Threads, !Threads}); }
  void thread(unsigned index) {
    if (index == 0) {
      made[0] = select({{&a, 5}, {&b, 0}});
    } else {
      made[1] = select({{&b, 6}, {&a, 0}});
    }
  }
  void after() {
    check(made[0].index != made[1].index, "both send, or both receive");
    check(made[0].got + made[1].got == (made[0].index == 0 ? 5 : 6), "another value");
    end();
  }
};

// The same, where the first one may be ended; the second one is, if it was.
struct selects_meet_or_end : model::test<selects_meet_or_end, 3>, world {
  chosen made[2] = {};

  void before() { start(0, {false, true}); }
  void thread(unsigned index) {
    if (index == 0) {
      made[0] = select({{&a, 5}, {&b, 0}}, limit);
    } else if (index == 1) {
      made[1] = select({{&b, 6}, {&a, 0}}, 0);
      if (made[1].index == no_case) made[1] = select({{&a, 0}, {&b, 6}}, limit);
    } else {
      end_wait(0, wake_reason::cancel);
      end_wait(1, wake_reason::cancel);
    }
  }
  void after() {
    check((made[0].index == no_case) == (made[1].index == no_case), "one alone has taken a case");
    end();
  }
};

// One channel in two cases of a select, against a close and a sender that is its last user.
struct select_twice : model::test<select_twice, 2>, world {
  chosen made{};
  void before() { start(0, {true, true}); }
  void thread(unsigned index) {
    if (index == 0) {
      made = select({{&a, 0}, {&b, 0}, {&a, 0}});
    } else {
      send(a, 5);
      destroy(a);
    }
  }
  void after() {
    check(made.got == 5, "not received");
    check_untouched(a);
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
          bounded<selects_meet<false>>(4, "a fiber's and a thread's select meet"),
          bounded<selects_meet<true>>(4, "a thread's and a fiber's select meet"),
          bounded<select_twice>(4, "a channel in two cases of a select"),
          bounded<select_ended<false>>(2, "select: fibers, against deadline and stop"),
          bounded<select_ended<true>>(2, "select: threads, against deadline and stop"),
          bounded<select_of_two<false>>(2, "select of two: a fiber's"),
          bounded<select_of_two<true>>(2, "select of two: a thread's"),
          bounded<selects_meet_or_end>(2, "two selects, against stops of both"),
      },
      nullptr);
}
