#include <weft/barrier.hpp>

#include "base/fatal.hpp"
#include "sync/barrier_core.hpp"
#include "sync/core_of.hpp"
#include "sync/points.hpp"
#include "sync/self.hpp"

namespace weft::detail {
namespace {
constexpr const char* barrier_name = "weft::barrier";
}

void barrier_base::refuse(std::ptrdiff_t expected) noexcept {
  fatal("%s: made by %s for %td, which is negative", barrier_name, owner_name(self()).text,
        expected);
}

barrier_base::~barrier_base() {
  core_of<barrier_core>(state_).end(barrier_name);
}

bool barrier_base::arrive(std::ptrdiff_t update, bool drop, std::uint64_t& phase) noexcept {
  notify_point();
  auto& core = core_of<barrier_core>(state_);
  const auto number = update < 0 ? 0 : static_cast<std::uint64_t>(update);
  const barrier_core::arrival done = core.arrive(number, drop, phase);
  if (done == barrier_core::arrival::too_many) [[unlikely]] {
    fatal("%s at %p: arrive(%td) by %s, but not so many are expected in this phase", barrier_name,
          static_cast<void*>(this), update, owner_name(self()).text);
  }
  return done == barrier_core::arrival::last;
}

void barrier_base::next_phase() noexcept {
  core_of<barrier_core>(state_).next_phase();
}

void barrier_base::wait(std::uint64_t phase) const {
  throw_if_ended(entry_check());
  auto& core = core_of<barrier_core>(state_);
  if (!core.has_ended(phase)) throw_if_ended(core.wait_slow(phase, never));
}
}  // namespace weft::detail
