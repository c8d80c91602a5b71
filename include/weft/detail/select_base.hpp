#pragma once
#include <cstddef>
#include <cstdint>
#include <weft/detail/channel_base.hpp>

namespace weft::detail {
// One case of a select: a send or a receive.
struct select_case {
  channel_base* channel;
  void* value;                                        // to be sent; or where it goes
  void (*deliver)(void* place, void* from) noexcept;  // null: it sends

  // The library's.
  std::size_t turn;         // the number of the case that is tried in this one's place
  select_case* by_address;  // the case whose channel is locked in this one's place
  alignas(std::max_align_t) std::byte waiter[112];
};

struct select_choice {
  std::size_t index;  // of the case; no_case: none was ready
  channel_status status;
};
inline constexpr std::size_t no_case = static_cast<std::size_t>(-1);

// A cancellation point. Takes exactly one of the cases, or none where `waits` is false or the
// deadline has passed: then `timeout`.
select_choice select_one(select_case* cases, std::size_t count, bool waits, std::int64_t deadline);
}  // namespace weft::detail
