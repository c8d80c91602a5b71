#pragma once
#include <cstdint>

namespace weft {
/// While one lives, the waits of this fiber are not cut short by requests to stop it, nor by the
/// end of a deadline_scope: for a block that must run its course, as a commit or an orderly
/// farewell. Both take effect again at the first cancellation point behind it. Limits that the
/// calls inside give themselves hold as ever, also those of a deadline_scope that is made inside.
///
/// Waits of destructors that run while an exception unwinds the fiber are shielded without one.
/// Shields nest, to any depth. Must be destroyed by the fiber (or kernel thread) that made it, as
/// locals are.
///
/// It does not reach into fibers that are spawned inside: they can be asked to stop. But the
/// deadline outside is hidden from those of a scope, too: they are spawned under the deadline that
/// holds there, and inside there is none but what a deadline_scope inside gives. Branches of a
/// fork_join inside are part of the block: shielded, and not limited from outside either.
/// @code
/// weft::cancel_shield whole;
/// peer.write_all(farewell);
/// peer.shutdown_write();
/// @endcode
class cancel_shield {
 public:
  /// @throws std::system_error, on a kernel thread's first use of weft, when memory or
  /// thread-specific keys have run out
  cancel_shield();
  ~cancel_shield();
  cancel_shield(const cancel_shield&) = delete;
  cancel_shield& operator=(const cancel_shield&) = delete;

 private:
  std::int64_t hidden_deadline_;
  bool outer_;
};
}  // namespace weft
