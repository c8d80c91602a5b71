// Channels and select under the model checker. Production: src/channel/*.cpp as they are, with the
// state word. Replaced: the switch and the sleep of kernel threads (`sleep` below), and the timers
// and stops that end waits (`end_wait`). Each thread of a model is a fiber or a kernel thread.
#pragma once

#include "model.hpp"

#include <new>
#include <optional>

inline int give_way() noexcept {
  weft::detail::cpu_relax();
  return 0;
}

#define static_assert(...)  // sizes are the checker's
#define constinit
#define sched_yield() give_way()

#include "channel/channel_core.cpp"
#include "channel/select.cpp"
#include "channel/waiter.cpp"

namespace channel_model {

namespace model = ::model;  // and not weft::detail::model
using namespace weft::detail;
using model::check;
using model::checked;
using weft::channel_status;

// A fiber or a kernel thread, on a thread of the model.
struct party {
  control_block block;
  thread_header header;
  atomic<std::uint64_t> resumed{0};    // the epoch of the wait that it was made ready from
  atomic<std::uint64_t> published{0};  // the epoch of the wait whose tokens are out
  atomic<bool> called{false};          // end_wait() has been: no wait lasts from here on
  bool offers = false;                 // branches, which are spilled before it parks
};

struct world;
inline world* here;

struct world {
  static constexpr unsigned most = 4;
  party parties[most];
  channel_core a, b;

  void start(std::size_t capacity, std::initializer_list<bool> threads) {
    here = this;
    a.begin(capacity, value);
    b.begin(0, value);
    unsigned n = 0;
    for (const bool thread : threads) {
      party& each = parties[n++];
      if (thread) {
        each.block.flags = fiber_flag::kernel_thread;
        each.header.stand_in = &each.block;
      } else {
        each.header.fiber = &each.block;
      }
      each.block.cancel.hold_still(weft::detail::model::stillness::constant);
    }
  }

  // -- values: numbers, which are 0 when they have been moved from
  static checked<int>& number(void* at) { return *static_cast<checked<int>*>(at); }
  static void move(void* to, void* from) noexcept {
    check(number(to) == 0, "moved over a value");
    number(to) = static_cast<int>(number(from));
    number(from) = 0;
  }
  static void put(void* slot, void* from) noexcept {
    ::new (slot) checked<int>;
    number(slot) = 0;
    move(slot, from);
  }
  static void destroy(void* slot) noexcept {
    check(number(slot) == 0, "a value is lost");
    std::destroy_at(&number(slot));
  }
  static constexpr value_type value{sizeof(checked<int>), alignof(checked<int>), put, destroy};

  party& running() { return parties[rl::ctx().threadx_->index_]; }
  control_block& me() { return running().block; }

  // Each checks that the value has gone if, and only if, the status says so.
  channel_status send(channel_core& to, int n, nanos deadline = never) {
    checked<int> mine;
    mine = n;
    const bool parks = deadline != 0 && current()->fiber;
    const channel_status status =
        parks ? to.send(current(), &mine) : to.send_until(me(), &mine, deadline);
    check(mine == (status == channel_status::ok ? 0 : n), "sent by halves");
    return status;
  }
  channel_status receive(channel_core& from, int& got, nanos deadline = never) {
    checked<int> mine;
    mine = 0;
    const bool parks = deadline != 0 && current()->fiber;
    const channel_status status = parks ? from.receive(current(), {&mine, move})
                                        : from.receive_until(me(), {&mine, move}, deadline);
    got = mine;
    check((got != 0) == (status == channel_status::ok), "received by halves");
    return status;
  }

  struct chosen {
    std::size_t index;
    channel_status status;
    int got;
  };
  struct asked {
    channel_core* channel;
    int sends;  // 0: receives
  };
  // The place where cases lie is given away when the select is over.
  template <std::size_t N>
  chosen select(const asked (&wanted)[N], nanos deadline = never) {
    select_case cases[N];
    checked<int> values[N];
    for (std::size_t i = 0; i < N; ++i) {
      values[i] = wanted[i].sends;
      cases[i].channel = reinterpret_cast<channel_base*>(wanted[i].channel);
      cases[i].value = &values[i];
      cases[i].deliver = wanted[i].sends ? nullptr : move;
    }
    const select_choice made = select_one(cases, N, true, deadline);
    chosen result{made.index, made.status, 0};
    for (std::size_t i = 0; i < N; ++i) {
      const bool took = i == made.index && made.status == channel_status::ok;
      const int left = values[i];
      check(wanted[i].sends ? left == (took ? 0 : wanted[i].sends) : (left != 0) == took,
            "a case was half taken");
      if (took && !wanted[i].sends) result.got = left;
    }
    return result;
  }

  // Ends the wait of that party, the one that it is in or the next.
  void end_wait(unsigned of, wake_reason why) {
    party& who = parties[of];
    who.called.store(true, std::memory_order_seq_cst);
    // Timers are armed last, and cancellers wait for the publication.
    const std::uint64_t epoch = who.published.load(std::memory_order_seq_cst);
    if (epoch != 0 && who.block.word.claim(epoch, why)) make_ready(&who.block);
  }

  // Its last user destroys a channel: nobody holds its lock, and who takes or releases it from here
  // on is found.
  static void destroy(channel_core& gone) {
    check(gone.lock().try_lock(), "destroyed while somebody is at work on it");
  }
  static void check_untouched(channel_core& gone) {
    check(!gone.lock().try_lock(), "touched after its end");
    gone.lock().unlock();
  }
  void end() {
    a.end();
    b.end();
  }
};

constexpr nanos limit = 1;  // that there is one is what matters: end_wait() is the time

}  // namespace channel_model

namespace weft::detail {
std::uint32_t process_copy() noexcept {
  return 0;
}
using channel_model::here;
using channel_model::party;
thread_header* current() noexcept {
  return &here->parties[rl::ctx().threadx_->index_].header;
}
std::uint64_t ticks() noexcept {
  return 7;
}
nanos now() noexcept {
  return 0;
}
control_block& enter_channel_slow() {
  return here->me();
}
bool offers_branches(const thread_header*) noexcept {
  return here->running().offers;
}
void spill_now(thread_header*) noexcept {
  here->running().offers = false;
}
void make_ready(control_block* block) noexcept {
  auto* const who = reinterpret_cast<party*>(block);
  who->resumed.store(block->word.epoch(), std::memory_order_release);
}
void futex_wake(const void*, int) noexcept {}  // its sleeper looks by itself
void wake_batch::wake() noexcept {
  while (control_block* fiber = fibers_.pop_front()) make_ready(fiber);
}
void check_unused(const void*, spin_lock&, const wait_list&, const char*) noexcept {
  ::model::check(false, "somebody is linked still");
}
void throw_if_ended(wait_end) {}

// Opens the wait, lets `publish` do its part, and sleeps until somebody has ended it.
template <class Publish>
wake_reason sleep(bool may_end, Publish publish) {
  party& me = *reinterpret_cast<party*>(&here->me());
  const wait_word::epoch_type epoch = me.block.word.next_epoch();
  me.block.word.begin(true);
  publish(&me.block);
  me.published.store(epoch, std::memory_order_seq_cst);
  if (may_end && me.called.load(std::memory_order_seq_cst) &&
      me.block.word.claim(epoch, wake_reason::timeout)) {
    make_ready(&me.block);
  }
  if (me.block.flags & fiber_flag::kernel_thread) {
    while (wait_word::is_parked(me.block.word.futex_value())) cpu_relax();
  } else {
    while (me.resumed.load(std::memory_order_acquire) != epoch) cpu_relax();
  }
  return me.block.word.reason();
}

wake_reason park_fiber_locked(thread_header*, wait_kind, const void*, spin_lock& lock) noexcept {
  return sleep(true, [&lock](control_block*) { lock.unlock(); });
}

wait_end wait(wait_kind, const void*, nanos deadline, publish_fn publish, void* arg) {
  switch (sleep(deadline != never, [=](control_block* parked) { publish(parked, arg); })) {
    case wake_reason::wake:
      return wait_end::woken;
    case wake_reason::closed:
      return wait_end::closed;
    case wake_reason::cancel:
      return wait_end::cancelled;
    default:
      return wait_end::timed_out;
  }
}
}  // namespace weft::detail
