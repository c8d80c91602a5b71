#pragma once
#include <concepts>
#include <cstddef>
#include <functional>
#include <iterator>
#include <memory>
#include <ranges>
#include <type_traits>
#include <utility>
#include <weft/context.hpp>

namespace weft {
namespace detail {
// The leaf has told something else than an element: that it yields another's, or that it has ended.
// Goes on until there is an element. Null: none is left. Throws what the outermost one ended by.
void* follow(generation&, void* told);
// `outer` is about to give way by telling its own address: then `inner` goes on, and `outer` when
// that has ended.
void delegate(computation& outer, computation& inner) noexcept;
[[noreturn]] void delegated_to_begun() noexcept;

inline void advance(generation& g) {
  if (!g.leaf) [[unlikely]]
    resumed_nothing("weft::generator");
  void* told = resume_computation(*g.leaf, g.leaf);
  if (!told || told == g.leaf) [[unlikely]]
    told = follow(g, told);
  g.value = told;
}
}  // namespace detail

/// A lazy sequence that an ordinary function computes, on a stack of its own: std::generator
/// [C++23] whose elements may be yielded from any depth of calls. The callable is called as
/// `f(yield)` with a generator::yielder&; it begins when the first element is asked for, and goes
/// on when the next one is. What is said of weft::context holds here too: threads and fibers,
/// moving, parking, misuse, cost.
///
/// A std::ranges::input_range and view, move-only: it goes through once, works in range-for and
/// with std::views, and is destroyed with the loop. References and values are as for
/// std::generator: `generator<T>` gives T&& and is what is moved from; `generator<const T&>` and
/// `generator<T&>` refer to what was yielded, without a copy. V is the range's value type, where
/// that is not Ref's.
///
/// An exception that leaves the computation comes out of begin() or ++, and the sequence has ended.
/// Destroying the generator, as an early break from a loop does, unwinds the computation by
/// context_destroyed.
/// @code
/// weft::generator<int> squares() {
///   return weft::generator<int>([](auto& yield) { for (int i = 0;; ++i) yield(i * i); });
/// }
/// for (int n : squares() | std::views::take(5)) std::cout << n << ' ';   // 0 1 4 9 16
/// @endcode
template <class Ref, class V = void>
class generator : public std::ranges::view_interface<generator<Ref, V>> {
 public:
  /// The range's value type.
  using value_type = std::conditional_t<std::is_void_v<V>, std::remove_cvref_t<Ref>, V>;
  /// What an iterator gives.
  using reference = std::conditional_t<std::is_void_v<V>, Ref&&, Ref>;
  /// What the computation gives way by.
  class yielder;
  /// Moves through the elements; one position for all iterators of a generator.
  class iterator;

  /// Nothing of f runs yet. @throws std::system_error when no further stack may exist.
  template <class F>
  requires(!std::same_as<std::remove_cvref_t<F>, generator>) explicit generator(F&& f)
      : generator(context_options{}, std::forward<F>(f)) {}
  /// The same with options.
  template <class F>
  generator(const context_options& options, F&& f) {
    static_assert(std::is_invocable_v<std::decay_t<F>&, yielder&>,
                  "weft::generator: the callable takes a yielder&");
    computation_ = detail::start_computation<body>(options.stack_size, std::forward<F>(f));
    position_ = &detail::position_of(*computation_);
  }

  /// Leaves the other one without a sequence.
  generator(generator&& other) noexcept
      : computation_(std::exchange(other.computation_, nullptr)),
        position_(std::exchange(other.position_, nullptr)) {}
  /// Destroys the sequence held so far.
  generator& operator=(generator&& other) noexcept {
    generator gone(std::move(*this));
    computation_ = std::exchange(other.computation_, nullptr);
    position_ = std::exchange(other.position_, nullptr);
    return *this;
  }
  generator(const generator&) = delete;
  generator& operator=(const generator&) = delete;
  /// Unwinds the computation, unless it has ended or not begun.
  ~generator() {
    if (computation_) detail::destroy_computation(*computation_);
  }

  /// Computes the first element, unless that was done before: then it is where the sequence is.
  /// Throws what leaves the computation.
  iterator begin() {
    if (!position_) [[unlikely]]
      detail::resumed_nothing("weft::generator");
    if (position_->leaf && !position_->value) detail::advance(*position_);
    return iterator(position_);
  }
  /// The end of the sequence.
  std::default_sentinel_t end() const noexcept { return std::default_sentinel; }

 private:
  struct body;

  detail::computation* computation_ = nullptr;
  detail::generation* position_ = nullptr;  // on its stack
};

/// One position; copies of it move together.
template <class Ref, class V>
class generator<Ref, V>::iterator {
 public:
  /// What a single pass over the elements allows.
  using iterator_concept = std::input_iterator_tag;
  /// An element, when it is copied.
  using value_type = generator::value_type;
  /// Never computed.
  using difference_type = std::ptrdiff_t;

  /// Of no generator.
  iterator() noexcept = default;
  /// The element: what the computation has yielded, not a copy of it.
  reference operator*() const noexcept(std::is_reference_v<reference>) {
    using object = std::remove_reference_t<reference>;
    return static_cast<reference>(*static_cast<object*>(at_->value));
  }
  /// Goes on with the computation up to the next element. Throws what leaves it.
  iterator& operator++() {
    detail::advance(*at_);
    return *this;
  }
  /// The same.
  void operator++(int) { ++*this; }
  /// Whether no element is left.
  friend bool operator==(const iterator& i, std::default_sentinel_t) noexcept {
    return !i.at_->leaf;
  }

 private:
  friend class generator;
  explicit iterator(detail::generation* at) noexcept : at_(at) {}

  detail::generation* at_ = nullptr;
};

/// Given to the computation by reference; see context::yielder.
template <class Ref, class V>
class generator<Ref, V>::yielder {
  using yielded = std::conditional_t<std::is_reference_v<reference>, reference, const reference&>;
  using object = std::remove_reference_t<yielded>;

 public:
  /// Gives way, with the element. Returns when the next one is asked for. The element lives on in
  /// the caller's frame meanwhile, and may be changed or moved from if its type allows.
  /// @throws context_destroyed when the generator is destroyed.
  void operator()(yielded element) { give(detail::address_of(element)); }
  /// The same, with a copy of the element.
  void operator()(const object& element) requires std::is_rvalue_reference_v<yielded> &&
      std::constructible_from < std::remove_cv_t<object>,
  const object& > {
    std::remove_cv_t<object> copy(element);
    give(detail::address_of(copy));
  }
  /// All elements of another generator, which must not have begun. However deep such calls are
  /// nested, an element costs the same: its consumer resumes the innermost one. What leaves the
  /// other's computation is thrown here.
  void all(generator inner) {
    if (!inner.position_) detail::resumed_nothing("weft::generator");
    if (inner.position_->value) detail::delegated_to_begun();
    if (!inner.position_->leaf) return;
    detail::delegate(of_, *inner.computation_);
    give(&of_);
  }
  /// All elements of a range.
  template <std::ranges::input_range R>
  requires(!std::same_as<std::remove_cvref_t<R>, generator>) void all(R&& range) {
    for (auto&& element : range) (*this)(std::forward<decltype(element)>(element));
  }
  yielder(const yielder&) = delete;
  yielder& operator=(const yielder&) = delete;

 private:
  friend class generator;
  explicit yielder(detail::computation& of) noexcept : of_(of) {}

  void give(void* told) {
    if (!detail::suspend_computation(of_, told)) [[unlikely]]
      detail::throw_pending(of_);
  }

  detail::computation& of_;
};

/// @cond
template <class Ref, class V>
struct generator<Ref, V>::body {
  template <class F>
  static void run(detail::computation& self, F& f, void*) {
    yielder yield(self);
    static_cast<void>(std::invoke(f, yield));
  }
};
/// @endcond
}  // namespace weft
