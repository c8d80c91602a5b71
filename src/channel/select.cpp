// One of several operations on channels, and never two.
//
// First each case is tried by itself, in random order, as a try_ would: what is ready costs one
// lock. If none is, all channels are locked, in the order of their addresses, and each is tried
// once more; so "none is ready" is true of one moment. Then a waiter is linked for each case, all
// with one token, and the fiber parks; the locks are released when the wait is open.
//
// INVARIANT. Exactly one case takes place, or none and the select ends by its deadline, a stop, or
// because it does not wait. Proof. While it tries, none of its waiters is linked, so nobody can
// claim it, while it may claim others. It stops at the first case that takes place. When it has
// linked its waiters and released the locks, it tries no more, and each of those who would take one
// of its cases must win the claim of its token, which one does.
//
// Two selects that could meet: both look for a partner only while they hold that channel's lock.
// Who locks first finds nobody, or has released the locks of all its channels, parked and linked,
// when the other one looks. A claim never waits for anything, and nobody is claimed who is still
// looking, so there is no circle of selects each of which waits for the other's decision.
//
// No deadlock: locks are taken in one order, and nobody who holds one waits for anything else.
//
// FRAME. publish_select reads this frame until it releases its last lock, that of the lowest
// address. The select leaves the frame when it has locked each channel but the chosen one, in order
// to unlink its waiter. It was claimed with the chosen one's lock held, hence after that was
// released. So publish_select is through.
#include <weft/detail/select_base.hpp>

#include <functional>
#include <new>
#include <utility>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "channel/enter.hpp"
#include "channel/park_locked.hpp"

namespace weft::detail {
namespace {
static_assert(sizeof(channel_waiter) <= sizeof(select_case::waiter));
static_assert(alignof(channel_waiter) <= alignof(select_case));

class selecting {
 public:
  selecting(select_case* cases, std::size_t count) noexcept : cases_(cases), count_(count) {}

  // Both: whether a case has taken place; `chosen` says which. No lock is held afterwards, but for
  // all of them when lock_and_try fails.
  bool try_each();
  bool lock_and_try();
  void unlock_all() noexcept;
  // All locks are held, until the wait is open.
  wait_end park(control_block& me, nanos deadline);

  select_choice chosen{no_case, channel_status::timeout};

 private:
  static channel_core& core_of_case(const select_case& each) noexcept {
    return channel_core_of(*each.channel);
  }
  static channel_waiter& waiter_of_case(select_case& each) noexcept {
    return *std::launder(reinterpret_cast<channel_waiter*>(each.waiter));
  }
  static void publish_unlock_all(control_block*, void* self) noexcept {
    static_cast<selecting*>(self)->unlock_all();
  }
  // The channel's lock is held. Whether the case takes place.
  bool takes_place(select_case&, attempt&) noexcept;
  void finish(select_case&, const attempt&) noexcept;
  void sort() noexcept;
  void link_all(wait_token) noexcept;
  void unlink_all_locked() noexcept;

  select_case* const cases_;
  const std::size_t count_;
  channel_wait wait_;
};

// A random number, the same ones in every repetition of an explored run.
std::uint32_t any_number() noexcept {
  thread_header* const header = current();
  if (!header->held) return header->exploring ? 1 : static_cast<std::uint32_t>(ticks());
  const section inside(header);
  return header->held->rng.below(~0u);
}

bool selecting::takes_place(select_case& each, attempt& result) noexcept {
  channel_core& core = core_of_case(each);
  result =
      each.deliver ? core.receive_locked({each.value, each.deliver}) : core.send_locked(each.value);
  if (result.status != channel_status::ok && result.status != channel_status::closed) return false;
  chosen = {static_cast<std::size_t>(&each - cases_), result.status};
  return true;
}

void selecting::finish(select_case& each, const attempt& done) noexcept {
  if (each.deliver) {
    finish_receive(done, {each.value, each.deliver});
  } else {
    finish_send(done, each.value);
  }
}

// Each turn falls to any of those left, so all that are ready have the same chance.
bool selecting::try_each() {
  for (std::size_t i = 0; i < count_; ++i) cases_[i].turn = i;
  random numbers(any_number());
  for (std::size_t i = 0; i < count_; ++i) {
    const auto left = static_cast<std::uint32_t>(count_ - i);
    if (left > 1) std::swap(cases_[i].turn, cases_[i + numbers.below(left)].turn);
    select_case& each = cases_[cases_[i].turn];
    attempt result;
    {
      const spin_guard guard(core_of_case(each).lock());
      if (!takes_place(each, result)) continue;
    }
    finish(each, result);
    return true;
  }
  return false;
}

void selecting::sort() noexcept {
  for (std::size_t i = 0; i < count_; ++i) {
    std::size_t at = i;
    for (; at > 0 && std::less<>{}(cases_[i].channel, cases_[at - 1].by_address->channel); --at) {
      cases_[at].by_address = cases_[at - 1].by_address;
    }
    cases_[at].by_address = &cases_[i];
  }
}

bool selecting::lock_and_try() {
  sort();
  const channel_base* before = nullptr;
  for (std::size_t i = 0; i < count_; ++i) {
    select_case& each = *cases_[i].by_address;
    if (each.channel != before) core_of_case(each).lock().lock();
    before = each.channel;
  }
  for (std::size_t i = 0; i < count_; ++i) {
    select_case& each = cases_[cases_[i].turn];
    attempt result;
    if (!takes_place(each, result)) continue;
    unlock_all();
    finish(each, result);
    return true;
  }
  return false;
}

// The lowest address last. What is needed of the frame is read before that: see FRAME.
void selecting::unlock_all() noexcept {
  channel_base* at = count_ > 0 ? cases_[count_ - 1].by_address->channel : nullptr;
  for (std::size_t i = count_; i > 0; --i) {
    channel_base* const below = i > 1 ? cases_[i - 2].by_address->channel : nullptr;
    if (below == at) continue;
    channel_core_of(*at).lock().unlock();
    at = below;
  }
}

void selecting::link_all(wait_token token) noexcept {
  channel_waiter** last = &wait_.first;
  for (std::size_t i = 0; i < count_; ++i) {
    select_case& each = cases_[i];
    auto* const node = ::new (each.waiter) channel_waiter;
    node->token = token;
    node->of = &wait_;
    node->at = &core_of_case(each);
    node->value = each.value;
    node->deliver = each.deliver;
    node->at->link_locked(*node);
    *last = node;
    last = &node->sibling;
  }
}

void selecting::unlink_all_locked() noexcept {
  for (channel_waiter* each = wait_.first; each; each = each->sibling) {
    each->at->unlink_locked(*each);
  }
}

wait_end selecting::park(control_block& me, nanos deadline) {
  const void* const on = count_ > 0 ? cases_[0].channel : nullptr;
  order_release(&wait_);  // pairs with claim_first_locked
  link_all({&me, me.word.next_epoch()});
  wait_end end;
  try {
    end = wait(wait_kind::select, on, deadline, publish_unlock_all, this);
  } catch (...) {  // no place for the timer; nothing was published
    unlink_all_locked();
    unlock_all();
    throw;
  }
  const bool claimed = end == wait_end::woken || end == wait_end::closed;
  if (claimed) await_release(wait_, me);
  for (channel_waiter* each = wait_.first; each; each = each->sibling) {
    if (claimed && each->at == wait_.chosen->at) continue;  // it may be gone
    const spin_guard guard(each->at->lock());
    each->at->unlink_locked(*each);
  }
  for (std::size_t i = 0; claimed && i < count_; ++i) {
    if (&waiter_of_case(cases_[i]) != wait_.chosen) continue;
    chosen = {i, end == wait_end::woken ? channel_status::ok : channel_status::closed};
  }
  return end;
}
}  // namespace

select_choice select_one(select_case* cases, std::size_t count, bool waits, std::int64_t deadline) {
  control_block& me = enter_channel();
  selecting all(cases, count);
  if (all.try_each()) return all.chosen;
  if (waits && deadline > 0 && offers_branches(current())) spill_now(current());
  if (all.lock_and_try()) return all.chosen;
  if (!waits || deadline <= 0) {
    all.unlock_all();
    return all.chosen;
  }
  throw_if_ended(all.park(me, deadline));
  return all.chosen;
}
}  // namespace weft::detail
