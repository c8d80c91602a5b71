"""The checks that mutate.py deletes. One that no model misses says why it is there all the same."""

from typing import NamedTuple, Optional

MODELS = ("scheduler", "state_word", "idle", "local_ring", "slot", "timers", "mutex", "barrier", "once",
          "future", "future_set", "channel", "select")
ON_SHIMS = ("scheduler", "slot", "timers", "mutex", "barrier", "once", "future", "future_set",
            "channel", "select")


class Deletion(NamedTuple):
    model: str
    only_models: str  # of the model program, those whose description contains this
    file: str  # below src/
    what: str
    check: str  # the expression; spaces are any spaces
    instead: str
    survives: Optional[str] = None
    which: int = 0  # where the expression stands more than once
    only: bool = True


WORD = "fiber/state.hpp"
IDLE = "sched/idle.cpp"
LOOP = "sched/loop.cpp"
READY = "sched/ready.cpp"
MONITOR = "sched/monitor.cpp"
SWITCH = "sched/switch.cpp"
TIMERS = "time/timers.cpp"
CHANNEL = "channel/channel_core.cpp"
SELECT = "channel/select.cpp"
MUTEX = "sync/mutex_core.cpp"
ONCE = "sync/once_core.cpp"
FUTURE = "task/future_core.cpp"
SET_READY = "flags_.fetch_or(ready, std::memory_order_release)"
RELAXED, SEQ_CST = "(std::memory_order_relaxed)", "(std::memory_order_seq_cst)"


def sched(models, file, what, check, instead="false", survives=None, which=None):
    return Deletion("scheduler", models, file, what, check, instead, survives, which or 0,
                    which is None)


DELETIONS = (
    # -- the state word
    Deletion("state_word", "", WORD, "`claim`: is it the token's epoch?",
             "seen >> epoch_shift != epoch", "false"),
    Deletion("state_word", "", WORD, "`claim`: is the wait still open?",
             "(seen & state_mask) != parked", "false"),
    Deletion("state_word", "", WORD, "`renew`: a new epoch for the next life",
             "next_epoch() << epoch_shift", "epoch() << epoch_shift"),
    sched("wakers", WORD, "`cancellable_epoch`: may a stop end this wait?",
          "(seen & cancellable_bit) != 0", "true"),
    # -- idle word and protocol
    Deletion("idle", "", "sched/idle.hpp", "`found`: was it the last searcher?",
             "(before & searching_mask) == 1", "false"),
    Deletion("idle", "", "sched/idle.hpp", "`should_wake`: does somebody search already?",
             "(seen & searching_mask) == 0", "true",
             "it spares the lock; `wake_one` looks again under it"),
    sched("idle", LOOP, "`stop_searching`: the last one wakes another",
          "p.core->idle.found()", "(p.core->idle.found(), false)",
          survives="not reached in one preemption; the model idle shows it, by `found` above"),
    sched("watch", IDLE, "`go_idle`, Q2: is anything queued?", "anything_queued(core, me)"),
    sched("watch", IDLE, "`go_idle`, Q2: is the runtime stopping?",
          f"core.stopping.load{SEQ_CST} != 0", which=0),
    sched("idle", IDLE, "`wake_one`: does somebody search already?",
          "core.idle.look().searching > 0",
          survives="it spares kernel threads from being woken for nothing"),
    # -- the watch
    sched("watch", IDLE, "`watch`: the second look at the timers",
          "core.events->earliest() >= until", "true"),
    sched("watch", IDLE, "`sleep_on_futex`: is the holder of the watch to be kicked?",
          f"core.events->earliest() < core.watch_until.load{SEQ_CST}"),
    sched("watch", IDLE, "`go_idle`: notified while in the watch?", "is_notified(me)", which=1,
          survives="a waker has unlisted the processor before it notifies, so `take_back` fails and "
                   "the third look finds it"),
    sched("watch", IDLE, "`go_idle`: notified while it took back?", "is_notified(me)", which=2,
          survives="the next turn finds it: the sleep word says so, and the carrier does not sleep"),
    sched("watch", IDLE, "`take_back`: is the processor still listed?", "!p->listed_idle"),
    sched("blocking", IDLE, "`take_back`: and still with this carrier?", "p->sleeper != &me",
          survives="not reached: another carrier must have taken the processor and gone idle with it meanwhile"),
    sched("watch", MONITOR, "a tick: does the watch sleep over a timer?",
          f"!watch_free && core.events->earliest() < core.watch_until.load{SEQ_CST}"),
    sched("watch", MONITOR, "a tick: is a processor idle and the watch free?",
          "core.idle.should_wake()",
          survives="not reached here; the mirror in the model watch has the case"),
    # -- the monitor's rest
    sched("resting", MONITOR, "`rest`: are all idle?", "idle && watched", "watched"),
    sched("resting", MONITOR, "`rest`: is somebody in the watch?",
          "idle && watched", "idle",
          survives="whoever goes idle last takes the watch by itself, see the proof at `rest`; it spares a "
                   "rest that ends at once"),
    sched("resting", IDLE, "`take_idle_processor`: the monitor is woken", "left_idleness(core)",
          "void()", which=0),
    sched("resting", IDLE, "`go_idle`, Q2: the monitor is woken", "left_idleness(core)", "void()",
          which=1),
    sched("resting", IDLE, "`go_idle`, after sleep: the monitor is woken", "left_idleness(core)",
          "void()", which=2),
    sched("resting", IDLE, "`be_spare`: the monitor is woken", "left_idleness(core)", "void()",
          which=3),
    # -- pinned fibers and starving carriers
    sched("pinned", IDLE, "`go_idle`: does a carrier starve?", f"core.starving.load{RELAXED} != 0"),
    sched("pinned", IDLE, "`give_to_starving`: does one still?",
          f"core.starving.load{RELAXED} == 0",
          survives="not reached: two processors must give at once"),
    sched("pinned", IDLE, "`push_spare_locked`: has this carrier pinned work?",
          f"c.pinned_count.load{RELAXED} > 0"),
    sched("pinned", LOOP, "`anything_queued`: pinned work?", f"me.pinned_count.load{SEQ_CST} > 0"),
    sched("pinned", LOOP, "`find_next`: does a carrier starve?",
          f"core.starving.load{RELAXED} != 0",
          survives="a processor that goes idle looks again; this is for one that never does"),
    sched("pinned", READY, "`make_pinned_ready`: its home is a spare: an idle processor for it",
          "!with && home.spare"),
    sched("pinned", READY, "`make_pinned_ready`: its home is a spare: it starves",
          "home.spare && !home.starving"),
    # -- ends of waits, lives of runtimes
    sched("wakers", READY, "`cancel_wait`: is the wait still being published?",
          "core.processors[i]->publishing.covers(&block)",
          survives="not reached at random; the model publication shows it (without the mark)"),
    sched("wakers", "sched/switch.cpp", "`after_park`, F3: asked to stop meanwhile?",
          "stop_requested(*parked)"),
    sched("reuse", "sched/core.cpp", "`stop_threads`: is a foreign thread inside a wake?",
          "core.foreign_visits.load(std::memory_order_acquire) != 0",
          survives="not reached at random: the watch must end by itself between a waker's exchange and its "
                   "kick, and the runtime close its descriptors meanwhile"),
    sched("reuse", "sched/drain.hpp", "`tell_if_draining`: does somebody wait for the last end?",
          f"core.draining.load{RELAXED} != 0"),
    sched("blocking", MONITOR, "`retake_blocked`: has the call lasted a tick?", "blocked_at[i] == state", "true",
          survives="it only decides when; taking at once is correct and slow"),
    sched("blocking", "sched/blocking.cpp", "the way out: is a processor idle?",
          "take_idle_processor(core, header)",
          survives="it spares a hop; the fiber is made ready and found either way"),
    # -- fibers that wait for a stack
    sched("stackless", LOOP, "`find_next`, F2: does a fiber wait for a stack?", "any_stackless()"),
    sched("stackless", MONITOR, "`sleep_and_tidy`: does one?", f"stackless.now.load{SEQ_CST} != 0"),
    sched("stackless", "sched/stackless.cpp", "`wait_for_stack`, W3: is a monitor resting?",
          f"core->monitor_resting.load{SEQ_CST} != 0"),
    # -- the slot
    Deletion("slot", "", SWITCH, "`push_slot_shared`: is it full?", f"p.slot.load{RELAXED}",
             "nullptr", which=2, only=False),
    Deletion("slot", "", SWITCH, "`push_slot_shared`: or empty by now?",
             "former = p.slot.exchange(block, std::memory_order_release)",
             "p.slot.store(block, std::memory_order_release), former"),
    Deletion("slot", "", LOOP, "`steal_slot`: is the same fiber still there?",
             "victim.slot.compare_exchange_strong(seen, nullptr, std::memory_order_acquire, "
             "std::memory_order_relaxed)",
             "victim.slot.exchange(nullptr, std::memory_order_acquire) != nullptr"),
    Deletion("slot", "", LOOP, "`steal_slot`: is it the same push?",
             f"victim.slot_pushes.load{RELAXED} != push", "false",
             "it spares pairs of fibers that wake one another from being torn apart"),
    Deletion("slot", "", SWITCH, "`take_next_shared`: is the fiber still in the slot?",
             "p.slot.compare_exchange_strong(block, nullptr, std::memory_order_relaxed, "
             "std::memory_order_relaxed)",
             "(p.slot.store(nullptr, std::memory_order_relaxed), true)"),
    # -- timers
    Deletion("timers", "", TIMERS, "`expire`: has the wait ended?",
             "!token.block->word.claim(token.epoch, wake_reason::timeout)", "false"),
    Deletion("timers", "", TIMERS, "`note_stale`: is the wait open?",
             "!token.block->word.is_open(token.epoch)", "true"),
    Deletion("timers", "", TIMERS, "`publish_earliest_locked`: is it another one?",
             f"earliest_.load{RELAXED} != earliest", "true",
             "it spares a store to a line that others read"),
    Deletion("timers", "", TIMERS, "`expire`: is anything due?", "earliest() > at", "false",
             "it spares the lock"),
    # -- the mutex
    Deletion("mutex", "wait", MUTEX, "`enqueue_locked`: is it free by now?",
             "(seen & ~queued) == 0", "false", which=1, only=False),
    Deletion("mutex", "handed", MUTEX, "`unlock_locked`: was it passed over often enough?",
             "node.passed_over >= most_passed_over", "false"),
    Deletion("mutex", "handed", MUTEX, "`unlock_locked`: has anybody been woken?",
             "!next || !handed", "!handed"),
    # -- barrier and once
    Deletion("barrier", "a phase", "sync/barrier_core.cpp", "`enqueue_locked`: has the phase ended?",
             f"phase_.load{RELAXED} != phase", "false"),
    Deletion("once", "two call", ONCE, "`enqueue_locked`: is nobody at it by now?",
             "seen == done || (seen & ~queued) == 0", "false"),
    Deletion("once", "three call", ONCE, "`finish`: do others wait?", "queue_.empty()", "true"),
    # -- the future, and what every wait in a queue ends with
    Deletion("future", "", FUTURE, "`enqueue_locked`: is it ready by now?",
             f"flags_.load{RELAXED} & ready", "false", which=0, only=False),
    Deletion("future_set", "", FUTURE, "`add_hook`: is it ready by now?",
             f"!(flags_.load{RELAXED} & ready)", "true"),
    Deletion("future_set", "", FUTURE, "`begin_set`: does somebody store already?",
             "flags_.fetch_or(satisfied, std::memory_order_acquire) & satisfied",
             "(flags_.fetch_or(satisfied, std::memory_order_acquire), false)"),
    Deletion("future_set", "", FUTURE, "`claim_deferred`: has another run the function?",
             "flags_.fetch_and(~deferred, std::memory_order_relaxed) & deferred",
             "(flags_.fetch_and(~deferred, std::memory_order_relaxed), true)"),
    Deletion("future", "", FUTURE, "`release`: was it the last reference?",
             "more_references_.fetch_sub(1, std::memory_order_acq_rel) != 0",
             "(more_references_.fetch_sub(1, std::memory_order_acq_rel), false)"),
    # The load is where the checker may let others run.
    Deletion("future", "", FUTURE, "`end_set`: the queue is taken before it is ready", SET_READY,
             f"({SET_READY}, flags_.load{RELAXED}, waiting.take(queue_), 0)"),
    Deletion("future", "", FUTURE, "`end_set`: so are the hooks", SET_READY,
             f"({SET_READY}, flags_.load{RELAXED}, hooks = hooks ? hooks : hooks_, 0)",
             which=1, only=False),
    Deletion("future_set", "", FUTURE, "`end_set`: the next hook is known before one has run",
             "hooks = next", "hooks = hooks->next"),
    Deletion("future", "", "sync/queued_wait.hpp", "`ended`: has it been unlinked by a waker?",
             "node_.linked", "true",
             "it would write into the frame of a waker that has left it, which no model can see"),
    Deletion("future", "", "sync/queued_wait.hpp", "`ended`: or is it linked still?",
             "node_.linked", "false"),
    # -- the ring
    Deletion("local_ring", "spilling", "queue/local_ring.hpp", "`push`: is there room?",
             "tail - head > mask_", "false"),
    # -- channels
    Deletion("channel", "against", CHANNEL, "`claim_first_locked`: is the wait still open?",
             "!node.token.block->word.claim(node.token.epoch, why)",
             "(node.token.block->word.claim(node.token.epoch, why), false)"),
    Deletion("channel", "closed", CHANNEL, "`send_locked`: is it closed?",
             f"closed_.load{RELAXED}", "false", which=0, only=False),
    Deletion("channel", "closed", CHANNEL, "`receive_locked`: is it closed?",
             f"closed_.load{RELAXED}", "false", which=1, only=False),
    Deletion("channel", "buffered", CHANNEL, "`receive_locked`: who waits for the place?",
             "!senders_.empty()", "false", which=0, only=False),
    Deletion("channel", "offer branches", CHANNEL, "`send_or_park_locked`: again, after a spill",
             "send_locked(value)", "done", which=0, only=False),
    Deletion("channel", "offer branches", CHANNEL, "`receive_or_park_locked`: again, after a spill",
             "receive_locked(to)", "done", which=0, only=False),
    Deletion("channel", "timed forms", CHANNEL, "`send_until`: again, after a spill",
             "send_locked(value)", "done", which=2, only=False),
    Deletion("channel", "timed forms", CHANNEL, "`receive_until`: again, after a spill",
             "receive_locked(to)", "done", which=2, only=False),
    Deletion("channel", "against", "channel/channel_core.hpp", "`unlink_locked`: is it linked?",
             "node.linked", "true"),
    Deletion("select", "two cases", CHANNEL, "`claim_first_locked`: its other cases here",
             "each->at == this", "each == &node"),
    Deletion("select", "meet", SELECT, "`lock_and_try`: is a case ready by now?",
             "!takes_place(each, result)", "true", which=1, only=False),
    Deletion("select", "two cases", SELECT, "`park`: the chosen channel may be gone",
             "claimed && each->at == wait_.chosen->at", "false"),
)
