#pragma once
#include "channel/channel_core.hpp"
#include "sync/core_of.hpp"

namespace weft::detail {
struct channel_access {
  static channel_core& core(channel_base& channel) noexcept {
    return core_of<channel_core>(channel.state_);
  }
};
inline channel_core& channel_core_of(channel_base& channel) noexcept {
  return channel_access::core(channel);
}
inline const channel_core& channel_core_of(const channel_base& channel) noexcept {
  return channel_access::core(const_cast<channel_base&>(channel));
}

// A fiber that need not look closer on entry to a cancellation point, nor arm a timer.
inline bool enters_plainly(const thread_header* header) noexcept {
  const control_block* const me = header->fiber;
  return me && !stop_or_explored(*me) && me->deadline == never;
}
// The look on entry, which may throw, and who it is that might wait: the running fiber's block or
// the thread's stand-in.
control_block& enter_channel_slow();
inline control_block& enter_channel() {
  thread_header* const header = current();
  return enters_plainly(header) ? *header->fiber : enter_channel_slow();
}
}  // namespace weft::detail
