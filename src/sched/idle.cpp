// A processor goes idle and is woken: the code behind the proof in idle.hpp.
#include "sched/idle.hpp"

#include "base/futex.hpp"
#include "sched/internal.hpp"
#include "sched/observe.hpp"

namespace weft::detail {
namespace {
constexpr auto as_word(sleep_state s) noexcept {
  return static_cast<std::uint32_t>(s);
}

void list_idle_locked(runtime_core& core, processor* p, carrier& sleeper) noexcept {
  p->state.store(processor_state::idle, std::memory_order_relaxed);
  p->holder.store(nullptr, std::memory_order_relaxed);
  p->sleeper = &sleeper;
  p->listed_idle = true;
  p->next_idle = core.idle_list;
  core.idle_list = p;
}

void unlist_idle_locked(runtime_core& core, processor* p) noexcept {
  processor** link = &core.idle_list;
  while (*link != p) link = &(*link)->next_idle;
  *link = p->next_idle;
  p->listed_idle = false;
}

bool is_notified(const carrier& me) noexcept {
  // acquire: pairs with the exchange in hand_over_locked; `handed` is visible then.
  return me.sleep.load(std::memory_order_acquire) == as_word(sleep_state::notified);
}

// Takes what a waker handed over.
void accept(thread_header* header, carrier& me, bool& searching) noexcept {
  searching = me.handed_searching.load(std::memory_order_relaxed);
  attach(header, me, me.handed.load(std::memory_order_relaxed));
}

// The processor this carrier went idle with, if nobody took it meanwhile.
bool take_back(runtime_core& core, thread_header* header, carrier& me, processor* p,
               bool to_search) noexcept {
  const spin_guard guard(core.idle_lock);
  if (!p->listed_idle || p->sleeper != &me) return false;
  unlist_idle_locked(core, p);
  core.idle.woken(to_search);
  attach(header, me, p);
  return true;
}

// Blocks in the watch until something happens. What it found goes to `ready`.
void watch(runtime_core& core, carrier& me, task_list<control_block>& ready) noexcept {
  for (;;) {
    const nanos until = core.events->earliest();
    // seq_cst: pairs with the armer in sleep_on_futex. Either it sees `until` and kicks, or the
    // second look sees its timer.
    core.watch_until.store(until, std::memory_order_seq_cst);
    if (core.events->earliest() >= until) break;
  }
  std::uint32_t expected = as_word(sleep_state::awake);
  // acq_rel: pairs with the exchange in hand_over_locked, whichever comes first.
  if (me.sleep.compare_exchange_strong(expected, as_word(sleep_state::in_watch),
                                       std::memory_order_acq_rel, std::memory_order_acquire)) {
    bump(me.watch_holds);
    const observed_sleep asleep(me, traced::watch);
    core.events->poll(chaos::sooner(core.watch_until.load(std::memory_order_relaxed)), ready);
    expected = as_word(sleep_state::in_watch);
    me.sleep.compare_exchange_strong(expected, as_word(sleep_state::awake),
                                     std::memory_order_acq_rel, std::memory_order_acquire);
  }
  if (core.watch_until.load(std::memory_order_relaxed) != never) {
    core.events->expire(now(), ready);
  }
}

// A processor runs that was idle before: the monitor must tick. seq_cst: pairs with its way to
// rest, which sets the flag and then looks whether all are idle; the processor was taken off the
// list before this.
void left_idleness(runtime_core& core) noexcept {
  if (core.monitor_resting.load(std::memory_order_seq_cst) != 0) wake_monitor_if_resting(core);
}

// A carrier starves: it gets the processor of the caller, which has none then. If the caller
// counted as a searcher, the other one does now.
wake_call give_to_starving_locked(runtime_core& core, thread_header* header,
                                  bool searching) noexcept {
  carrier* starving = core.spare_list;
  while (!starving->starving) starving = starving->next_spare;
  unlist_spare_locked(core, *starving);
  processor* p = header->held;
  attach(header, *header->self, nullptr);
  return hand_over_locked(*starving, p, searching);
}

void sleep_on_futex(runtime_core& core, carrier& me) noexcept {
  // What this processor armed while another held the watch may be due before that one returns.
  // seq_cst: pairs with watch().
  if (core.events->earliest() < core.watch_until.load(std::memory_order_seq_cst)) {
    core.events->kick();
  }
  std::uint32_t expected = as_word(sleep_state::awake);
  if (!me.sleep.compare_exchange_strong(expected, as_word(sleep_state::on_futex),
                                        std::memory_order_acq_rel, std::memory_order_acquire)) {
    return;
  }
  bump(me.sleeps);
  const observed_sleep asleep(me, traced::sleep);
  while (!is_notified(me)) futex_wait(&me.sleep, as_word(sleep_state::on_futex));
}
}  // namespace

wake_call hand_over_locked(carrier& to, processor* p, bool searching) noexcept {
  to.handed.store(p, std::memory_order_relaxed);
  to.handed_searching.store(searching, std::memory_order_relaxed);
  // acq_rel: pairs with the sleeper's compare-exchange and is_notified.
  const std::uint32_t found =
      to.sleep.exchange(as_word(sleep_state::notified), std::memory_order_acq_rel);
  return {&to, static_cast<sleep_state>(found)};
}

void carry_out(runtime_core& core, wake_call wake, processor* by) noexcept {
  if (!wake.who) return;
  if (by) {
    bump(by->count.wakes);
  } else {
    core.foreign.wakes.fetch_add(1, std::memory_order_relaxed);
  }
  if (wake.found == sleep_state::on_futex) futex_wake(&wake.who->sleep, 1);
  if (wake.found == sleep_state::in_watch) core.events->kick();
}

void push_spare_locked(runtime_core& core, carrier& c) noexcept {
  c.spare = true;
  c.next_spare = core.spare_list;
  core.spare_list = &c;
  // Pushed before it went idle, and its processor was taken before it looked again: nobody else
  // knows of it.
  if (c.pinned_count.load(std::memory_order_relaxed) > 0) {
    c.starving = true;
    core.starving.fetch_add(1, std::memory_order_relaxed);
  }
}

void unlist_spare_locked(runtime_core& core, carrier& c) noexcept {
  carrier** link = &core.spare_list;
  while (*link != &c) link = &(*link)->next_spare;
  *link = c.next_spare;
  c.spare = false;
  if (c.starving) {
    c.starving = false;
    core.starving.fetch_sub(1, std::memory_order_relaxed);
  }
}

wake_call give_idle_locked(runtime_core& core, processor* p, carrier& to) noexcept {
  unlist_idle_locked(core, p);
  core.idle.woken(true);
  if (p->sleeper != &to) {
    unlist_spare_locked(core, to);
    push_spare_locked(core, *p->sleeper);
  }
  return hand_over_locked(to, p, true);
}

void wake_one(runtime_core& core, processor* by) noexcept {
  if (core.exploring) [[unlikely]]
    return wake_explored(core, by);
  wake_call wake;
  {
    const spin_guard guard(core.idle_lock);
    if (!core.idle_list || core.idle.look().searching > 0) return;
    // The one in the watch last: it is the only one that sees readiness.
    processor* chosen = core.idle_list;
    for (processor* p = core.idle_list; p; p = p->next_idle) {
      if (p->sleeper->sleep.load(std::memory_order_relaxed) != as_word(sleep_state::in_watch)) {
        chosen = p;
        break;
      }
    }
    wake = give_idle_locked(core, chosen, *chosen->sleeper);
  }
  carry_out(core, wake, by);
}

bool take_idle_processor(runtime_core& core, thread_header* header) noexcept {
  {
    const spin_guard guard(core.idle_lock);
    processor* p = core.idle_list;
    if (!p) return false;
    unlist_idle_locked(core, p);
    core.idle.woken(false);
    push_spare_locked(core, *p->sleeper);
    attach(header, *header->self, p);
  }
  left_idleness(core);
  return true;
}

bool give_to_starving(runtime_core& core, thread_header* header, bool& searching) noexcept {
  wake_call wake;
  {
    const spin_guard guard(core.idle_lock);
    if (core.starving.load(std::memory_order_relaxed) == 0) return false;
    wake = give_to_starving_locked(core, header, searching);
  }
  searching = false;
  carry_out(core, wake, nullptr);
  return true;
}

void go_idle(carrier& me, bool& searching) noexcept {
  runtime_core& core = *me.core;
  thread_header* header = current();
  processor* const p = header->held;
  wake_call wake;
  bool given = false;
  {
    const spin_guard guard(core.idle_lock);
    if (core.starving.load(std::memory_order_relaxed) != 0) {
      // Under this lock a carrier starves only while no processor is idle, and a processor goes
      // idle only while none starves.
      wake = give_to_starving_locked(core, header, searching);
      given = true;
    } else {
      me.sleep.store(as_word(sleep_state::awake), std::memory_order_relaxed);
      header->held = nullptr;
      list_idle_locked(core, p, me);
      core.idle.went_idle(searching);  // Q1
    }
    searching = false;
  }
  if (given) return carry_out(core, wake, nullptr);
  if (anything_queued(core, me) || core.stopping.load(std::memory_order_seq_cst) != 0) {  // Q2
    if (take_back(core, header, me, p, true)) {
      searching = true;
      return left_idleness(core);  // it was on the list: the monitor may have gone to rest
    }
    wake_one(core, nullptr);  // starving beside an idle processor: its carrier gives it up
  }
  task_list<control_block> ready;
  for (;;) {  // Q3
    // acq_rel: the watch changes hands; pairs with the release below.
    if (core.watch.exchange(1, std::memory_order_acq_rel) == 0) {
      watch(core, me, ready);
      core.watch.store(0, std::memory_order_release);
      if (is_notified(me)) break;
      if (take_back(core, header, me, p, false)) break;
      if (is_notified(me)) break;
      // Another carrier runs on the processor by now: what was found is for whoever is running.
      make_ready(core, ready);
      ready = {};
      if (core.stopping.load(std::memory_order_seq_cst) != 0) return;
    } else {
      sleep_on_futex(core, me);
      break;
    }
  }
  if (!header->held) accept(header, me, searching);
  left_idleness(core);
  make_ready(core, ready);
}

void be_spare(carrier& me, bool& searching) noexcept {
  runtime_core& core = *me.core;
  thread_header* header = current();
  searching = false;
  bool sleeping = false;
  {
    const spin_guard guard(core.idle_lock);
    if (core.stopping.load(std::memory_order_relaxed) != 0) return;
    if (processor* p = core.idle_list) {
      unlist_idle_locked(core, p);
      core.idle.woken(true);
      push_spare_locked(core, *p->sleeper);
      searching = true;
      attach(header, me, p);
    } else {
      sleeping = true;
      me.sleep.store(as_word(sleep_state::awake), std::memory_order_relaxed);
      push_spare_locked(core, me);
    }
  }
  if (sleeping) {
    sleep_on_futex(core, me);
    if (is_notified(me) && me.handed.load(std::memory_order_relaxed)) accept(header, me, searching);
  }
  left_idleness(core);
}
}  // namespace weft::detail
