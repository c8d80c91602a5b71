// How a branch ends, and how its caller waits for all.
//
// INVARIANT. The owner of a frame goes on when each of its branches has been run by it, skipped by
// it, or has settled; and nothing of the frame is touched by others after that.
// Let the upper half of `word` be the balance. Each branch that others run takes one off it, its
// last access (settle). The owner knows how many there are, k: those that it neither claimed nor
// keeps. It goes on at once if the balance is -k: all have settled. Else it parks, and adds k once
// it is off its stack. Before that the balance is at most 0, and 0 only if none has settled, so no
// settling makes it 0; behind it, it is the number that have not settled, and one operation makes
// it 0: the owner's own, or the last settling. Whoever does so wakes the owner. Nobody else can:
// the wait has no deadline and cannot be cancelled. The frame lives until then, and whoever settled
// before does not touch it any more. The operations are acquire and release on one word, so what
// branches did is seen by the owner, and by who wakes it the wait that it began before.
// Model: tests/model/branch_join.cpp.
#include <exception>
#include <new>

#include "base/fatal.hpp"
#include "fiber/extras.hpp"
#include "sched/branches.hpp"
#include "sched/internal.hpp"
#include "sched/spawn.hpp"

namespace weft::detail {
namespace {
// relaxed: who stops a frame publishes nothing by it but the bit. What it leaves in `error` comes
// to the owner by its settling.
bool is_stopped(const fork_state& f) noexcept {
  return f.word.load(std::memory_order_relaxed) & cancel_frame::stopped;
}

std::int32_t balance_of(std::uint64_t word) noexcept {
  return static_cast<std::int32_t>(word >> 32);
}

// By whoever runs one of its branches. False: another one has failed before.
bool stop(fork_state& f) noexcept {
  // seq_cst: S1 of sched/branch_list.hpp.
  return !(f.word.fetch_or(cancel_frame::stopped, std::memory_order_seq_cst) &
           cancel_frame::stopped);
}

void stop_others(fork_state& f, const control_block& me) noexcept {
  stop_branches(*me.rt.load(std::memory_order_relaxed), f.owner == &me ? nullptr : f.owner);
}

// A branch has failed, in a handler. Should there be no memory for the exception, the handler's end
// would lose it: std::terminate says so.
void fail(fork_state& f, const control_block& me) noexcept {
  if (!stop(f)) return;
  f.error = new std::exception_ptr(std::current_exception());
  stop_others(f, me);
}

// Ends a wait that is published; on a fiber's stack or in an after function.
void wake_owner(control_block& owner, wait_word::epoch_type epoch, bool ending) noexcept {
  owner.word.claim(epoch, wake_reason::wake);
  thread_header* const header = current();
  const bool near = ending && header->held->core == owner.rt.load(std::memory_order_relaxed) &&
                    !(owner.flags & (fiber_flag::pinned | fiber_flag::observed)) && !chaos::on() &&
                    !header->exploring;
  if (!near) return make_ready(&owner);
  // Who settles ends in a moment, and this processor runs what lies in its slot: nobody is woken.
  const section inside(header);
  push_slot(*header->held, &owner);
}

void settle(fork_state& f) noexcept {
  order_release(&f);  // pairs with wait_for
  // The owner first: the frame may be gone after the next operation, unless it makes the balance 0.
  control_block& owner = *f.owner;
  // acq_rel: pairs with wait_for and publish_wait.
  const std::uint64_t before = f.word.fetch_sub(fork_state::one_out, std::memory_order_acq_rel);
  if (balance_of(before) == 1) wake_owner(owner, owner.word.epoch(), true);
}

struct counted {
  fork_state* call;
  std::int32_t out;
};

void publish_wait(control_block* parked, void* arg) noexcept {
  const counted c = *static_cast<counted*>(arg);
  const wait_word::epoch_type epoch = parked->word.epoch();
  // acq_rel: pairs with settle.
  const std::uint64_t before = c.call->word.fetch_add(
      static_cast<std::uint64_t>(c.out) * fork_state::one_out, std::memory_order_acq_rel);
  if (balance_of(before) + c.out == 0) wake_owner(*parked, epoch, false);
}

void wait_for(fork_state& f, std::int32_t out) noexcept {
  if (out == 0) return;
  // acquire: pairs with settle.
  if (balance_of(f.word.load(std::memory_order_acquire)) != -out) {
    if (has_forked()) {
      fatal(
          "a forked child returns from a branch of weft::fork_join whose other branches run in the "
          "parent: call exec or _exit in the child");
    }
    counted c{&f, out};
    park_fiber(wait_kind::fork_join, nullptr, false, publish_wait, &c);
  }
  order_acquire(&f);  // pairs with settle
}

// All has settled.
void close(fork_state& f) noexcept {
  control_block& me = *f.owner;
  set_frame(me, f.parent);
  if (!is_stopped(f)) return;
  // A branch that failed elsewhere has set it; another frame may have, too.
  // acquire: pairs with set_bit (sched/branch_list.cpp). A bit that is taken away may have been of
  // an outer frame: then that is seen to be stopped.
  me.cancel.fetch_and(~cancel_bit::frame_stopped, std::memory_order_acquire);
  // relaxed: this fiber alone reads that bit.
  if (chain_stopped(f.parent, &me)) {
    me.cancel.fetch_or(cancel_bit::frame_stopped, std::memory_order_relaxed);
  }
}

// The branches from `b` on that are nobody's yet are skipped, in a frame that is stopped. How many
// others run.
std::int32_t skip(fork_state& f, const branch* b, std::size_t count) noexcept {
  if (f.lane) {
    while (count > 0 && f.lane->offered.pop()) --count;
    return static_cast<std::int32_t>(count);
  }
  std::int32_t out = 0;
  for (std::size_t i = 0; i < count; ++i) out += !is_kept(b[i]);
  return out;
}

[[noreturn]] void rethrow(fork_state& f) {
  const std::exception_ptr error = *f.error;
  delete f.error;
  std::rethrow_exception(error);
}
}  // namespace

void run_as_fiber(void* closure) {
  branch& b = **static_cast<branch**>(closure);
  fork_state& f = call_of(b);
  control_block& me = *current()->fiber;
  set_frame(me, &f);
  me.deadline = f.deadline;
  {
    const listed_branch listed(f);
    const std::uint64_t word = f.word.load(std::memory_order_relaxed);
    if (word & cancel_frame::shielded) me.shielded = 1;
    if (!is_stopped(f)) {
      try {
        // relaxed: set before the branch was offered, or nothing is there to be seen.
        if (me.rt.load(std::memory_order_relaxed)->slow_spawns.load(std::memory_order_relaxed) &
            slow_spawn::inherits) [[unlikely]] {
          inherit_from(*f.owner, me);
        }
        b.code->run(b.callable);
      } catch (...) {
        fail(f, me);
      }
    }
  }
  set_frame(me, nullptr);
  settle(f);
}

bool claim_branch(fork_frame& frame) noexcept {
  fork_state& f = state_of(frame);
  return f.lane && !is_stopped(f) && f.lane->offered.pop();
}

// Nobody else runs any then, and nobody has: thieves take the last one first. So nobody can have
// stopped the frame.
bool claim_last_branch(fork_frame& frame) noexcept {
  fork_state& f = state_of(frame);
  if (!f.lane || !f.lane->offered.pop()) [[unlikely]]
    return false;
  control_block& me = *f.owner;
  if (f.parent) [[likely]]
    me.frame = f.parent;
  else
    set_frame(me, nullptr);
  return true;
}

void join_branches(fork_frame& frame, branch* branches, std::size_t count) {
  fork_state& f = state_of(frame);
  std::int32_t out;
  if (f.lane) {
    // Not claimed: all stolen, or the frame is stopped.
    out = is_stopped(f) ? skip(f, branches, count) : static_cast<std::int32_t>(count);
  } else {
    out = skip(f, branches, count);
    for (std::size_t i = 0; i < count; ++i) {
      if (!is_kept(branches[i]) || is_stopped(f)) continue;
      try {
        code_of(branches[i]).run(branches[i].callable);
      } catch (...) {
        fail(f, *f.owner);
      }
    }
  }
  wait_for(f, out);
  close(f);
  if (is_stopped(f)) rethrow(f);
}

void abandon_branches(fork_frame& frame, branch* branches, std::size_t count) {
  fork_state& f = state_of(frame);
  const bool first = stop(f);
  if (first) stop_others(f, *f.owner);
  wait_for(f, skip(f, branches, count));
  close(f);
  if (first) throw;
  rethrow(f);
}
}  // namespace weft::detail
