#pragma once
#include "base/clock.hpp"
#include "debug/fiber_view.hpp"

namespace weft::detail {
// The backtrace of a fiber that runs now, taken by its own thread in a handler of SIGURG. That
// signal is the one that disturbs least: nobody's default action for it is more than to ignore it,
// hardly anybody uses it, and debuggers let it pass. Carriers leave it open. A program that handles
// SIGURG itself keeps it, and there is no backtrace then.
//
// `tid`: a carrier that computes; a call in which it is blocked might fail with EINTR. Waits until
// `deadline` at the latest. Empty: no answer, or the thread runs another fiber by now. Any thread.
void walk_on_thread(std::int32_t tid, const control_block& fiber, nanos deadline,
                    trace& to) noexcept;
}  // namespace weft::detail
