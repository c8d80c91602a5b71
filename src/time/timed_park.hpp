#pragma once
#include "park/park.hpp"
#include "time/deadline_scope.hpp"

namespace weft::detail {
enum class wait_end { woken, timed_out, scope_expired, cancelled, closed };
// A cancellation point's wait, of a fiber or a kernel thread: until the earlier of `deadline` and
// the scope's, cancellable unless shielded. May throw std::bad_alloc before anything has happened:
// a timer needs a place.
wait_end wait(wait_kind kind, const void* on, nanos deadline, publish_fn publish, void* arg);
// A wait that is no cancellation point: only `deadline` and wakers end it.
wait_end wait_plainly(wait_kind kind, const void* on, nanos deadline, publish_fn publish,
                      void* arg);
// What comes before a cancellation point's: whether there is a reason not to begin, a stop first,
// then the scope's deadline. `woken` means go ahead.
wait_end entry_check() noexcept;
// Throws operation_canceled or deadline_exceeded for those two ends.
void throw_if_ended(wait_end end);
}  // namespace weft::detail
