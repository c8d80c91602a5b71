#pragma once
#include <functional>
#include <utility>
#include <weft/detail/sync_storage.hpp>

namespace weft {
/// std::once_flag [thread.once.onceflag] for fibers and kernel threads, mixed. 24 bytes; constinit.
class once_flag {
 public:
  constexpr once_flag() noexcept = default;
  once_flag(const once_flag&) = delete;
  once_flag& operator=(const once_flag&) = delete;

 private:
  template <class F, class... A>
  friend void call_once(once_flag&, F&&, A&&...);
  bool begin();
  void finish(bool success) noexcept;

  detail::sync_storage<3> state_;
};

/// std::call_once [thread.once.callonce]: calls f(args...) unless a call with this flag has
/// returned already; waits while another one is at it. If f throws, the caller gets the exception,
/// and the next one tries. f may park. Not a cancellation point.
/// @throws std::system_error resource_deadlock_would_occur: from inside f, with the same flag
/// @code
/// constinit weft::once_flag opened;
/// weft::call_once(opened, [] { open_log(); });
/// @endcode
template <class F, class... A>
void call_once(once_flag& flag, F&& f, A&&... args) {
  if (!flag.begin()) return;
  struct attempt {
    once_flag& flag;
    bool success = false;
    ~attempt() { flag.finish(success); }
  } it{flag};
  std::invoke(std::forward<F>(f), std::forward<A>(args)...);
  it.success = true;
}
}  // namespace weft
