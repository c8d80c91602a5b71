#pragma once

namespace weft {
/// Thrown by a cancellation point in a fiber that was asked to stop (fiber::request_stop, the end
/// of its runtime or scope). Not a std::exception on purpose: a loop that catches those and goes on
/// must not swallow it. Leaving a fiber that was asked to stop, it ends that fiber normally.
/// @code
/// weft::fiber f([] { weft::this_fiber::sleep_for(1h); });   // the sleep throws at the stop
/// f.request_stop();
/// f.join();
/// @endcode
class operation_canceled {
 public:
  /// A text for logs. Never null.
  const char* what() const noexcept { return "weft: the fiber was asked to stop"; }
};
}  // namespace weft
