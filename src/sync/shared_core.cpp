#include "sync/shared_core.hpp"

#include <cerrno>

#include "base/fatal.hpp"
#include "park/park.hpp"
#include "sched/spawn.hpp"

namespace weft::detail {
// ThreadSanitizer is told of readers and writers apart: readers do not order one another.
bool shared_core::acquired(bool exclusive) noexcept {
  order_acquire(this);                  // pairs with unlock
  order_acquire_if(exclusive, &word_);  // pairs with unlock_shared
  return true;
}

bool shared_core::try_lock(owner_id me) noexcept {
  std::uint64_t seen = 0;
  // acquire: pairs with the release of those who were inside before.
  if (!word_.compare_exchange_strong(seen, writer, std::memory_order_acquire,
                                     std::memory_order_relaxed)) {
    return false;
  }
  owner_.store(me, std::memory_order_relaxed);
  return acquired(true);
}

bool shared_core::try_lock_shared() noexcept {
  std::uint64_t seen = word_.load(std::memory_order_relaxed);
  while (!(seen & (writer | queued))) {
    // acquire: pairs with the release of the writer before.
    if (word_.compare_exchange_weak(seen, seen + reader, std::memory_order_acquire,
                                    std::memory_order_relaxed)) {
      return acquired(false);
    }
  }
  return false;
}

bool shared_core::enqueue_locked(shared_waiter& node) noexcept {
  std::uint64_t seen = word_.load(std::memory_order_relaxed);
  for (;;) {
    const std::uint64_t in_the_way = node.exclusive ? ~queued : writer;
    if (queue_.empty() && !(seen & in_the_way)) {
      const std::uint64_t inside = (seen & ~queued) + (node.exclusive ? writer : reader);
      // relaxed: lock_slow acquires, on the waiter's own.
      if (!word_.compare_exchange_weak(seen, inside, std::memory_order_relaxed,
                                       std::memory_order_relaxed)) {
        continue;
      }
      if (node.exclusive) owner_.store(node.id, std::memory_order_relaxed);
      return false;
    }
    // From here on who leaves last comes by the queue's lock, which we hold.
    if (seen & queued || word_.compare_exchange_weak(seen, seen | queued, std::memory_order_relaxed,
                                                     std::memory_order_relaxed)) {
      break;
    }
  }
  queue_.push_back(node);
  return true;
}

// The lock is held. With `queued` set nobody else changes the word, but readers that leave and are
// not the last.
void shared_core::admit_locked(wake_batch& admitted) noexcept {
  while (waiter* first = queue_.front()) {
    auto& node = static_cast<shared_waiter&>(*first);
    const std::uint64_t in_the_way = node.exclusive ? ~queued : writer;
    if (word_.load(std::memory_order_relaxed) & in_the_way || admitted.full()) return;
    const bool exclusive = node.exclusive;
    const owner_id id = node.id;
    wait_list::erase(node);
    if (node.process != process_copy()) continue;
    const claimed_wait woken = claim(node.token);
    if (!woken) continue;
    admitted.add(woken);
    // relaxed: the lock, which the admitted one passes, and its claim order this.
    if (exclusive) owner_.store(id, std::memory_order_relaxed);
    word_.fetch_add(exclusive ? writer : reader, std::memory_order_relaxed);
  }
  word_.fetch_and(~queued, std::memory_order_relaxed);
}

// Takes `leaving`, a reader, a writer or nobody, off the word, and admits others.
void shared_core::admit_after(std::uint64_t leaving) noexcept {
  bool more = true;
  while (more) {
    wake_batch admitted;
    const spin_guard guard(queue_lock(this));
    // release: pairs with the acquire of who comes in next.
    if (leaving) word_.fetch_sub(leaving, std::memory_order_release);
    leaving = 0;
    admit_locked(admitted);
    more = admitted.full();  // then others stand in the queue, for whom the object lives on
  }
}

void shared_core::unlock(owner_id me, const char* what) noexcept {
  order_release(this);  // pairs with acquired
  const owner_id owner = owner_.load(std::memory_order_relaxed);
  // In a forked child the fiber that has locked it goes on as a plain thread.
  if (owner != me && (owner == 0 || !has_forked())) [[unlikely]] {
    fatal("%s at %p: unlocked by %s, but its owner is %s", what, static_cast<const void*>(this),
          owner_name(me).text, owner_name(owner).text);
  }
  owner_.store(0, std::memory_order_relaxed);
  std::uint64_t seen = writer;
  // release: pairs with the acquire of who comes in next. The last touch.
  if (!word_.compare_exchange_strong(seen, 0, std::memory_order_release, std::memory_order_relaxed))
      [[unlikely]] {
    admit_after(writer);
  }
}

void shared_core::unlock_shared(const char* what) noexcept {
  order_release(&word_);  // pairs with acquired
  std::uint64_t seen = word_.load(std::memory_order_relaxed);
  do {
    if (seen < reader) [[unlikely]] {
      fatal("%s at %p: unlock_shared by %s, but nobody holds it shared", what,
            static_cast<const void*>(this), owner_name(self()).text);
    }
    if (seen & queued && seen < 2 * reader) return admit_after(reader);
    // release: pairs with the acquire of the next writer. The last touch.
  } while (!word_.compare_exchange_weak(seen, seen - reader, std::memory_order_release,
                                        std::memory_order_relaxed));
}

bool shared_core::lock_slow(owner_id me, bool exclusive, const char* what, nanos deadline) {
  if (deadline <= 0) return false;
  if (owner_.load(std::memory_order_relaxed) == me) {
    throw_system(EDEADLK, "%s at %p: %s owns it already and would wait for itself", what,
                 static_cast<const void*>(this), owner_name(me).text);
  }
  shared_waiter node;
  node.id = me;
  node.exclusive = exclusive;
  queued_wait wait(this, node, [this](waiter& each) noexcept {
    return enqueue_locked(static_cast<shared_waiter&>(each));
  });
  if (wait.plain(wait_kind::mutex, deadline) != wait_end::woken) {
    admit_after(0);
    return false;
  }
  // See END. A fiber is made ready when the lock has been released.
  if (!on_fiber()) const spin_guard passed(queue_lock(this));
  // acquire: pairs with the release of all who were inside before; who admitted us may be none of
  // them.
  static_cast<void>(word_.load(std::memory_order_acquire));
  return acquired(exclusive);
}

void shared_core::end(const char* what) noexcept {
  if (const std::uint64_t seen = word_.load(std::memory_order_relaxed)) [[unlikely]] {
    check_unused(this, queue_, what);
    check_unowned(this, owner_.load(std::memory_order_relaxed), what);
    if (seen >= reader) check_no_readers(this, seen / reader, what);
  }
  order_forget(this);
  order_forget(&word_);
}
}  // namespace weft::detail
