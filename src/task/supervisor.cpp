#include <weft/supervisor.hpp>

#include <algorithm>
#include <limits>
#include <mutex>
#include <new>

#include "base/fatal.hpp"
#include "sched/schedule.hpp"
#include "task/unreceived.hpp"

namespace weft {
namespace {
bool is_unlimited(const restart_limit& limit) noexcept {
  return limit.restarts == std::numeric_limits<unsigned>::max();
}

// False: no memory to remember it; then it counts as one too many.
bool note(std::vector<std::int64_t>& failures, std::int64_t now) noexcept {
  try {
    failures.push_back(now);
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}
}  // namespace

supervisor::supervisor(restart_limit limit)
    : limit_(limit), unwinding_(std::uncaught_exceptions()) {
  // So that nothing can fail when something fails, but for limits beyond all reason.
  if (!is_unlimited(limit)) failures_.reserve(std::min(limit.restarts, 1000u));
}

supervisor::~supervisor() {
  request_stop();
  // All have ended before the first is destroyed: until then their handlers may start further ones,
  // and be on their way to stop any of them.
  for (std::size_t i = 0; child* const each = child_at(i); ++i) {
    try {
      each->join();
    } catch (...) {
      if (!error_) error_ = std::current_exception();
    }
  }
  children_.clear();
  if (error_ && std::uncaught_exceptions() <= unwinding_) {
    detail::end_with_unreceived("weft::supervisor", this, error_);
  }
}

void supervisor::add(std::unique_ptr<child> owned) {
  const std::lock_guard guard(lock_);
  children_.push_back(std::move(owned));
}

bool supervisor::is_asked_to_stop() noexcept {
  return detail::asked_to_stop(*detail::current()->fiber);
}

// Others may be added meanwhile: so the lock is not held while something is done to one, which may
// run the user's stop callbacks.
supervisor::child* supervisor::child_at(std::size_t index) const {
  const std::lock_guard guard(lock_);
  return index < children_.size() ? children_[index].get() : nullptr;
}

void supervisor::stop() noexcept {
  for (std::size_t i = 0; child* const each = child_at(i); ++i) each->stop();
}

void supervisor::request_stop() noexcept {
  {
    const std::lock_guard guard(lock_);
    stopping_ = true;
  }
  for (std::size_t i = 0; child* const each = child_at(i); ++i) each->request_stop();
}

bool supervisor::stop_requested() const noexcept {
  const std::lock_guard guard(lock_);
  return stopping_;
}

std::uint64_t supervisor::restarts() const noexcept {
  const std::lock_guard guard(lock_);
  return restarts_;
}

void supervisor::join() {
  for (std::size_t i = 0; child* const each = child_at(i); ++i) each->join();
  std::exception_ptr error;
  {
    const std::lock_guard guard(lock_);
    error = std::exchange(error_, nullptr);
  }
  if (error) std::rethrow_exception(std::move(error));
}

bool supervisor::may_restart(std::exception_ptr error) noexcept {
  {
    const std::lock_guard guard(lock_);
    if (stopping_) return false;  // it was to end anyway
    if (is_unlimited(limit_)) {
      ++restarts_;
      return true;
    }
    const std::int64_t now = detail::monotonic_now();
    const std::int64_t since = now - limit_.within.count();
    std::erase_if(failures_, [since](std::int64_t at) { return at < since; });
    if (failures_.size() < limit_.restarts && note(failures_, now)) {
      ++restarts_;
      return true;
    }
    if (!error_) error_ = std::move(error);
  }
  request_stop();
  return false;
}
}  // namespace weft
