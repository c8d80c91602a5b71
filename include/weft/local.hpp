#pragma once
#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>
#include <weft/detail/locals.hpp>

namespace weft {
/// A variable of which every fiber has its own: what thread_local is to threads. A fiber's value is
/// made when it uses it first, and destroyed when it ends, on the fiber, last made first: before
/// whoever joins it goes on, and before its stack goes. On a kernel thread, one for each thread,
/// destroyed when that ends (not at exit(), as with pthread keys). Inside blocking(), and in
/// contexts and generators, it is the fiber's.
///
/// Destructors of values may park, and may use other fiber_locals, even such as were destroyed
/// already: those are made anew and destroyed in another round. After eight rounds what is still
/// made anew is left behind, with a line on stderr. They are shielded from cancellation.
///
/// An object may be made and destroyed at any time, by anybody; there may be any number. When it is
/// destroyed, the value of the fiber that does so goes at once. Those of other fibers go when
/// their fibers end, or when they first use a fiber_local that has taken its place. No fiber may be
/// using the object meanwhile.
///
/// Cost: get() is some 40 instructions, whatever the number of objects; a first use allocates. Each
/// fiber has a table as long as the most of these objects that were alive together when it first
/// used one. Fibers that use none pay nothing.
/// @code
/// weft::fiber_local<std::mt19937> random([] { return std::mt19937(std::random_device()()); });
/// int roll() { return std::uniform_int_distribution(1, 6)(*random); }
/// @endcode
template <class T>
class fiber_local {
  static_assert(std::is_object_v<T> && !std::is_array_v<T>);

  struct held : detail::local_value {
    template <class Make>
    held(detail::local_key of, Make& make) : detail::local_value{of, destroy_held}, value(make()) {}
    static void destroy_held(detail::local_value* of) noexcept { delete static_cast<held*>(of); }
    T value;
  };
  struct maker {
    virtual held* make(detail::local_key) = 0;
    virtual ~maker() = default;
  };
  template <class Make>
  struct maker_by final : maker {
    Make call;
    template <class F>
    explicit maker_by(F&& f) : call(std::forward<F>(f)) {}
    held* make(detail::local_key key) override { return new held(key, call); }
  };

  template <class F>
  static constexpr bool makes = !std::same_as<std::remove_cvref_t<F>, T> &&
                                !std::same_as<std::remove_cvref_t<F>, fiber_local> &&
                                std::is_invocable_r_v<T, std::decay_t<F>&>;

 public:
  /// Each fiber begins with T().
  fiber_local() requires std::default_initializable<T> : fiber_local([] { return T(); }) {}
  /// Each fiber begins with a copy of this value.
  explicit fiber_local(T initial) requires std::copy_constructible<T>
      : fiber_local([initial = std::move(initial)] { return T(initial); }) {}
  /// Each fiber begins with what make() returns. It is called on that fiber, by several at once
  /// perhaps; what it throws comes out of get(), and the next use calls it again.
  template <class F>
  requires makes<F>
  explicit fiber_local(F&& make)
      : make_(std::make_unique<maker_by<std::decay_t<F>>>(std::forward<F>(make))),
        key_(detail::take_local_key()) {}
  fiber_local(const fiber_local&) = delete;
  fiber_local& operator=(const fiber_local&) = delete;
  ~fiber_local() { detail::drop_local_key(key_); }

  /// The running fiber's value, made now if need be. It stays where it is until the fiber ends or
  /// resets it. @throws std::bad_alloc, and what making it throws.
  T& get() {
    if (detail::local_value* const found = detail::find_local(key_)) [[likely]]
      return static_cast<held*>(found)->value;
    return make();
  }
  /// The same.
  T& operator*() { return get(); }
  /// The same.
  T* operator->() { return std::addressof(get()); }
  /// The running fiber's value, or null if it has none yet.
  T* get_if() noexcept {
    detail::local_value* const found = detail::find_local(key_);
    return found ? std::addressof(static_cast<held*>(found)->value) : nullptr;
  }
  /// Destroys the running fiber's value; the next use makes another.
  void reset() noexcept { detail::reset_local(key_); }

 private:
  T& make() {
    std::unique_ptr<held> made(make_->make(key_));
    detail::add_local(made.get());
    return made.release()->value;
  }

  const std::unique_ptr<maker> make_;
  const detail::local_key key_;
};

/// A value that fibers hand down: a fiber sees what the fiber or thread that spawned it saw at that
/// moment, until it sets its own, which those that it spawns from then on will see. For what goes
/// with a request: an id, a user, a logger.
///
/// A value that is set is never copied or changed, but shared: a spawn costs the spawner one count
/// and one allocation, however many of these it has set, and set() costs a list of them. It
/// is destroyed when the last fiber lets go of it, on that one, or later by its thread. Where
/// nothing was set on the way down, get() is the object's initial value.
///
/// On kernel threads, one for each thread; run(f) and fibers that a thread spawns inherit from it.
/// Threads do not inherit from threads. Once a fiber of a runtime has or inherits a value, all
/// spawns in that runtime take the longer way, some 50 ns more each.
/// @code
/// weft::inherited_local<std::string> request("none");
/// weft::fiber f([] {
///   request.set("r-17");
///   weft::fiber([] { log(*request); }).join();   // r-17
/// });
/// @endcode
template <class T>
class inherited_local {
  struct held : detail::inherited_value {
    held(detail::local_key of, T&& from)
        : detail::inherited_value{of, destroy_held}, value(std::move(from)) {}
    static void destroy_held(detail::inherited_value* of) noexcept {
      delete static_cast<held*>(of);
    }
    const T value;
  };

 public:
  /// What is seen where nothing was set: T().
  inherited_local() requires std::default_initializable<T> : inherited_local(T()) {}
  /// What is seen where nothing was set.
  explicit inherited_local(T initial)
      : initial_(std::move(initial)), key_(detail::take_local_key()) {}
  inherited_local(const inherited_local&) = delete;
  inherited_local& operator=(const inherited_local&) = delete;
  /// Values that were set live on until their fibers end. No fiber may be using the object.
  ~inherited_local() { detail::drop_local_key(key_); }

  /// The running fiber's. The reference is good until that fiber calls set() on this object, or
  /// ends; another fiber may be reading the same value.
  const T& get() const noexcept {
    const detail::inherited_value* const found = detail::find_inherited(key_);
    return found ? static_cast<const held*>(found)->value : initial_;
  }
  /// The same.
  const T& operator*() const noexcept { return get(); }
  /// The same.
  const T* operator->() const noexcept { return std::addressof(get()); }
  /// For the running fiber, and those that it spawns from now on. @throws std::bad_alloc
  void set(T value) {
    std::unique_ptr<held> made = std::make_unique<held>(key_, std::move(value));
    detail::set_inherited(made.get());
    made.release();
  }

 private:
  const T initial_;
  const detail::local_key key_;
};
}  // namespace weft
