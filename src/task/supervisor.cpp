#include <weft/supervisor.hpp>

#include <algorithm>
#include <mutex>

#include "base/fatal.hpp"
#include "task/unreceived.hpp"

namespace weft {
supervisor::supervisor(restart_limit limit)
    : limit_(limit), unwinding_(std::uncaught_exceptions()) {
  failures_.reserve(limit.restarts);  // so that nothing can fail when something fails
}

supervisor::~supervisor() {
  request_stop();
  children_.clear();  // each waits for its fiber
  if (error_ && std::uncaught_exceptions() <= unwinding_) {
    detail::end_with_unreceived("weft::supervisor", this, error_);
  }
}

supervisor::child* supervisor::add(std::unique_ptr<child> owned) {
  const std::lock_guard guard(lock_);
  children_.push_back(std::move(owned));
  return children_.back().get();
}

void supervisor::drop(const child* which) noexcept {
  std::unique_ptr<child> dropped;
  const std::lock_guard guard(lock_);
  const auto at = std::find_if(children_.begin(), children_.end(),
                               [which](const auto& each) { return each.get() == which; });
  dropped = std::move(*at);
  children_.erase(at);
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
    const std::int64_t now = detail::monotonic_now();
    const std::int64_t since = now - limit_.within.count();
    std::erase_if(failures_, [since](std::int64_t at) { return at < since; });
    if (failures_.size() < limit_.restarts) {
      failures_.push_back(now);
      ++restarts_;
      return true;
    }
    if (!error_) error_ = std::move(error);
  }
  request_stop();
  return false;
}
}  // namespace weft
