#pragma once
#include <functional>
#include <type_traits>
#include <utility>

namespace weft {
namespace detail {
// Out-of-line halves of blocking(); the object itself is the library's.
class blocking_scope {
 public:
  blocking_scope() noexcept;
  ~blocking_scope();
  blocking_scope(const blocking_scope&) = delete;
  blocking_scope& operator=(const blocking_scope&) = delete;

 private:
  void* section_[3];
};
}  // namespace detail

/// Runs f(), which may block its kernel thread in the kernel, without holding up other fibers: when
/// the call lasts, the monitor gives the thread's processor to a spare thread. Costs nanoseconds
/// when f is quick. Inside f the caller counts as a plain kernel thread: weft's primitives block
/// it, this_fiber means this_thread. Afterwards the fiber may be on another kernel thread.
///
/// At most runtime_options::max_blocking callers are inside at a time; others park in order of
/// arrival (runtime_stats::blocking_waiting counts them). Not a cancellation point: f runs to its
/// end. On a kernel thread it just calls f. What f throws passes through.
/// @code
/// struct stat s;
/// int r = weft::blocking([&] { return ::stat(path, &s); });
/// @endcode
template <class F>
auto blocking(F&& f) -> std::invoke_result_t<F> {
  const detail::blocking_scope inside;
  return std::invoke(std::forward<F>(f));
}
}  // namespace weft
