#pragma once
#include "base/atomic.hpp"

namespace weft::detail {
// Which fiber a processor is publishing: from before its word says `parked` until its tokens are
// out.
//
// Wakers and timers hold tokens, and those come out of publish(), so they cannot be early. A
// canceller needs no token: it reads the word. Were it to resume the fiber while publish() still
// reads from the fiber's frame or registers it somewhere, the frame would be dead and the
// registration stale. So a canceller waits until the mark is gone; that is some nanoseconds, and
// the parking fiber pays two plain stores instead of a locked instruction.
//
// INVARIANT. A canceller that has seen the word parked at epoch E, and afterwards no mark for the
// block, comes after the publication of E. Proof. open() is sequenced before the word's release
// store of {E, parked}; the canceller's acquire of that value makes open() visible to it, so what
// it then reads from the mark is open()'s value or a later one. A later one is close()'s, or a
// following owner's open() or close(), who has the processor from the one before him: the release
// of each and the canceller's acquire put the publication before the claim.
class publication_mark {
 public:
  // Owner of the processor, before wait_word::begin. release: pairs with the acquire in covers() of
  // a canceller who waits for the fiber before this one.
  void open(const void* block) noexcept { who_.store(block, std::memory_order_release); }
  // Owner, after the publication. release: pairs with the acquire in covers().
  void close() noexcept { who_.store(nullptr, std::memory_order_release); }
  // Any thread, after it has seen the block parked. acquire: pairs with close() and
  // open().
  bool covers(const void* block) const noexcept {
    return who_.load(std::memory_order_acquire) == block;
  }

 private:
  atomic<const void*> who_{nullptr};
};
}  // namespace weft::detail
