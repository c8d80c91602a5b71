#include "park/park.hpp"

#include <limits.h>

#include "base/fatal.hpp"
#include "base/futex.hpp"
#include "fiber/slab.hpp"
#include "sched/process_end.hpp"
#include "sched/spawn.hpp"

namespace weft::detail {
namespace {
void recycle_stand_in(thread_header* header) noexcept {
  control_block* const block = header->stand_in;
  if (!block) return;
  header->stand_in = nullptr;
  renew_block(*block);
  slab_give(block, block);
}

[[gnu::noinline]] control_block& make_stand_in(thread_header* header) {
  note_forks();
  note_exit();
  if (const int error = at_thread_end(header, thread_end::stand_in, recycle_stand_in)) {
    throw_system(error,
                 "weft: no thread-specific data for a kernel thread that is to wait: memory, or "
                 "PTHREAD_KEYS_MAX (%d) keys for the whole process, have run out",
                 PTHREAD_KEYS_MAX);
  }
  std::size_t taken = 0;
  control_block* block = slab_take(1, taken);
  block->word.renew();
  block->next = nullptr;
  block->flags = fiber_flag::kernel_thread;
  block->rt.store(nullptr, std::memory_order_relaxed);
  adopt_thread(header);
  header->stand_in = block;
  return *block;
}

// Inside blocking() in an explored run: the thread that would sleep is the one that could wake it.
// What has a limit ends by it at once, without virtual time going on.
void end_explored_sleep(control_block& me, wait_word::epoch_type epoch, nanos deadline) noexcept {
  if (deadline != never) {
    me.word.claim(epoch, wake_reason::timeout);
  } else if (me.word.is_open(epoch)) {
    fatal(
        "code inside weft::blocking() waits for a fiber, in a run of weft::testing::explore: there "
        "blocking() keeps the only kernel thread, so no fiber can run meanwhile. Wait outside of "
        "it");
  }
}

wake_reason sleep_as_thread(control_block& me, bool cancellable, publish_fn publish, void* arg,
                            nanos deadline) noexcept {
  const wait_word::epoch_type epoch = me.word.next_epoch();
  me.word.begin(cancellable);
  if (publish) publish(&me, arg);
  if (current()->exploring) [[unlikely]]
    end_explored_sleep(me, epoch, deadline);
  for (std::uint32_t seen = me.word.futex_value(); wait_word::is_parked(seen);
       seen = me.word.futex_value()) {
    if (!futex_wait(me.word.futex_address(), seen, deadline)) {
      me.word.claim(epoch, wake_reason::timeout);
    }
  }
  return me.word.reason();
}
}  // namespace

control_block& self_block() {
  thread_header* header = current();
  if (header->fiber) return *header->fiber;
  if (header->stand_in) return *header->stand_in;
  return make_stand_in(header);
}

wake_reason park(wait_kind kind, const void* on, bool cancellable, publish_fn publish, void* arg,
                 nanos deadline) {
  if (on_fiber()) return park_fiber(kind, on, cancellable, publish, arg);
  return sleep_as_thread(self_block(), false, publish, arg, deadline);
}
}  // namespace weft::detail
