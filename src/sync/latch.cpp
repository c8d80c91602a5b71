#include <weft/latch.hpp>

#include "base/fatal.hpp"
#include "sync/core_of.hpp"
#include "sync/latch_core.hpp"
#include "sync/points.hpp"
#include "sync/self.hpp"

namespace weft {
namespace {
using detail::core_of;
using detail::latch_core;

constexpr const char* latch_name = "weft::latch";
}  // namespace

void latch::refuse(std::ptrdiff_t expected) noexcept {
  detail::fatal("%s: made by %s with a count of %td, which is negative", latch_name,
                detail::owner_name(detail::self()).text, expected);
}

latch::~latch() {
  core_of<latch_core>(state_).end(latch_name);
}

void latch::count_down(std::ptrdiff_t update) noexcept {
  detail::notify_point();
  auto& core = core_of<latch_core>(state_);
  if (update < 0 || !core.count_down(static_cast<std::uint64_t>(update))) [[unlikely]] {
    detail::fatal("%s at %p: count_down(%td) by %s, but its count is %llu", latch_name,
                  static_cast<void*>(this), update, detail::owner_name(detail::self()).text,
                  static_cast<unsigned long long>(core.count()));
  }
}

bool latch::try_wait() const noexcept {
  detail::lock_point();
  return core_of<latch_core>(state_).is_down();
}

void latch::wait() const {
  detail::throw_if_ended(detail::entry_check());
  auto& core = core_of<latch_core>(state_);
  if (!core.is_down()) detail::throw_if_ended(core.wait_slow(detail::never));
}
}  // namespace weft
