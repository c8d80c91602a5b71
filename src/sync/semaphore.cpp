#include <weft/semaphore.hpp>

#include "base/fatal.hpp"
#include "sync/core_of.hpp"
#include "sync/points.hpp"
#include "sync/self.hpp"
#include "sync/semaphore_core.hpp"

namespace weft::detail {
namespace {
constexpr const char* name = "weft::counting_semaphore";
}

void semaphore_base::refuse(std::ptrdiff_t desired, std::ptrdiff_t most) noexcept {
  fatal("%s: made by %s with a count of %td, which is not from 0 to %td", name,
        owner_name(self()).text, desired, most);
}

semaphore_base::~semaphore_base() {
  core_of<semaphore_core>(state_).end(name);
}

bool semaphore_base::try_acquire() noexcept {
  lock_point();
  return core_of<semaphore_core>(state_).try_acquire();
}

void semaphore_base::acquire() {
  throw_if_ended(entry_check());
  auto& core = core_of<semaphore_core>(state_);
  if (core.try_acquire()) return;
  throw_if_ended(core.acquire_slow(never));
}

bool semaphore_base::acquire_until(std::int64_t deadline) {
  throw_if_ended(entry_check());
  auto& core = core_of<semaphore_core>(state_);
  if (core.try_acquire()) return true;
  if (deadline <= 0) return false;
  const wait_end end = core.acquire_slow(deadline);
  throw_if_ended(end);
  return end == wait_end::woken;
}

void semaphore_base::release(std::ptrdiff_t update, std::ptrdiff_t most) noexcept {
  notify_point();
  auto& core = core_of<semaphore_core>(state_);
  if (update < 0 ||
      !core.release(static_cast<std::uint64_t>(update), static_cast<std::uint64_t>(most))) {
    fatal("%s at %p: release(%td) by %s would take its count out of the range from 0 to %td", name,
          static_cast<void*>(this), update, owner_name(self()).text, most);
  }
}
}  // namespace weft::detail
