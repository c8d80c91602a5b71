#pragma once
#include "park/park.hpp"
#include "time/deadline_scope.hpp"

namespace weft::detail {
// park() with a deadline, for fibers and kernel threads. The wait ends with wake_reason::timeout
// when `deadline` has passed. May throw std::bad_alloc before anything has happened: a timer needs
// a place.
wake_reason park_until(wait_kind kind, const void* on, bool cancellable, nanos deadline,
                       publish_fn publish, void* arg);

enum class wait_end { woken, timed_out, scope_expired, cancelled, closed };
// A cancellation point's wait: park_until with the earlier of `deadline` and the scope's,
// cancellable unless shielded; looks at both before it parks, in the order cancel, scope.
wait_end wait(wait_kind kind, const void* on, nanos deadline, publish_fn publish, void* arg);
// The look alone: `woken` means go ahead.
wait_end entry_check() noexcept;
// Throws operation_canceled or deadline_exceeded for those two ends.
void throw_if_ended(wait_end end);
}  // namespace weft::detail
