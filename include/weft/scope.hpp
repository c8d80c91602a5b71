#pragma once
#include <functional>
#include <stop_token>
#include <tuple>
#include <type_traits>
#include <utility>
#include <weft/detail/bind.hpp>
#include <weft/detail/scope_base.hpp>
#include <weft/fiber.hpp>
#include <weft/source_site.hpp>

namespace weft {
/// A nursery: no fiber that is spawned in it outlives it. For a number of fibers that work on one
/// thing and end or fail together.
///
/// The first exception that leaves a fiber of the scope stops the others, and join() rethrows it
/// when all have ended; later ones are dropped. A fiber that ends by operation_canceled after it
/// was asked to stop has not failed. Fibers spawned here run on the spawner's runtime (from a
/// kernel thread: the default one), under the deadline_scope of the spawner.
///
/// Fibers that have not begun are run youngest first while somebody waits for the scope, so that a
/// tree of scopes is run depth first, and oldest first otherwise.
///
/// Any fiber may spawn into a scope that it can be sure to find alive, those of the scope included;
/// one at a time may join it. 64 bytes; a child whose callable has up to 24 bytes costs no
/// allocation. Works on kernel threads too.
/// @code
/// weft::scope all;
/// for (auto& part : parts) all.spawn([&part] { fetch(part); });
/// all.join();  // rethrows what a fetch has thrown
/// @endcode
class scope : private detail::scope_base {
 public:
  /// Empty.
  scope() noexcept = default;
  /// request_stop(), and waits for all. Not a cancellation point. An exception that join() has not
  /// rethrown ends the process through std::terminate, after a line that tells of it, unless an
  /// exception unwinds the scope.
  ~scope() = default;
  scope(const scope&) = delete;
  scope& operator=(const scope&) = delete;

  /// Starts f(), or f(std::stop_token), on a fiber of the scope. Once the scope has been asked to
  /// stop, the fiber begins as one that has.
  /// @throws std::system_error when no further fiber may exist; the text names the limit
  template <class F>
  [[gnu::always_inline]] void spawn(F&& f, source_site site = source_site::current()) {
    spawn_in(detail::begin_spawn(nullptr, site), std::forward<F>(f));
  }
  /// The same with arguments, decay-copied as for std::jthread.
  template <class F, class A, class... Rest>
  requires(!std::is_same_v<std::remove_cvref_t<A>, source_site> &&
           !std::is_same_v<std::remove_cvref_t<F>, fiber_options>)
      [[gnu::always_inline]] void spawn(F&& f, A&& a, Rest&&... rest) {
    spawn_in(detail::begin_spawn(nullptr, {}), std::forward<F>(f), std::forward<A>(a),
             std::forward<Rest>(rest)...);
  }
  /// The same with options: a name, a stack size.
  template <class F, class... A>
  [[gnu::always_inline]] void spawn(const fiber_options& options, F&& f, A&&... a) {
    spawn_in(detail::begin_spawn(&options, {}), std::forward<F>(f), std::forward<A>(a)...);
  }

  /// Waits until all fibers of the scope have ended, their fiber_locals and what they do at thread
  /// exit included, also those spawned meanwhile; then rethrows the first exception, once. Not a
  /// cancellation point: a stop requested of the calling fiber is passed on to those of the scope,
  /// and the wait goes on. The scope may be used again after it, unless it was stopped.
  using scope_base::join;
  /// Asks every fiber of the scope to stop, those to come too. Sticky. Any thread. False: it had
  /// been asked before. O(fibers).
  using scope_base::request_stop;
  /// Whether it was asked to, or an exception has. Any thread.
  using scope_base::stop_requested;

 private:
  template <class F, class... A>
  void spawn_in(detail::spawn_place place, F&& f, A&&... a) {
    using Bound = detail::bound<std::decay_t<F>, std::decay_t<A>...>;
    using Child = detail::scope_child<Bound>;
    auto* const child = static_cast<Child*>(place.closure);
    try {
      if constexpr (Bound::takes_token) detail::make_stop_state(*place.block);
      if constexpr (Child::fits) {
        ::new (&child->callable) Bound{std::forward<F>(f), {std::forward<A>(a)...}};
      } else {
        ::new (&child->callable) Bound*(new Bound{std::forward<F>(f), {std::forward<A>(a)...}});
      }
    } catch (...) {
      detail::abandon_spawn(place.block);
      throw;
    }
    start(place.block, child->link, Child::invoke);
  }
};
}  // namespace weft
