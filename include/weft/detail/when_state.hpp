#pragma once
// The states behind <weft/when.hpp>: a hook on each future, and the result of their turning ready.
#include <cstddef>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>
#include <weft/detail/sync_storage.hpp>
#include <weft/future.hpp>

namespace weft::detail {
template <class>
inline constexpr bool is_future = false;
template <class T>
inline constexpr bool is_future<future<T>> = true;
template <class T>
inline constexpr bool is_future<shared_future<T>> = true;

// Counts down from `count`, from any thread.
class countdown {
 public:
  explicit countdown(std::size_t count) noexcept : state_(count) {}
  bool arrive() noexcept;  // true: the last one

 private:
  sync_storage<1> state_;
};

template <class Future>
void check_valid(const Future& f) {
  if (!f.valid()) throw_future_error(std::future_errc::no_state);
}
// As many that are not valid. Forward iterators: the range is walked again.
template <class Iterator>
auto places_for(Iterator first, Iterator last) {
  std::vector<std::iter_value_t<Iterator>> all;
  for (; first != last; ++first) {
    check_valid(*first);
    all.emplace_back();
  }
  return all;
}

// A future of `Result` that watches futures. The hooks together hold one reference to it, until the
// last of them has run; only then may they go.
template <class Result, class Sequence, class Derived>
class when_state : public future_state<Result> {
 public:
  // take(places) moves the futures into those, which are not valid. It comes last of what can fail:
  // when memory has run out they are the caller's still.
  template <class Take>
  static future<Result> begin(Sequence places, std::size_t count, Take&& take) {
    auto hooks = std::make_unique<hook[]>(count);
    state_ref<Derived> state(new Derived(std::move(places), count));
    state->hooks_ = std::move(hooks);
    std::forward<Take>(take)(state->futures_);
    state->retain();
    state->watch();
    return future_access::make<Result>(state_ref<Derived>(state));
  }

 protected:
  when_state(Sequence futures, std::size_t count)
      : futures_(std::move(futures)), count_(count), to_run_(count + 1) {}
  ~when_state() override = default;

  Sequence futures_;

 private:
  struct hook : ready_hook {
    Derived* of = nullptr;
    std::size_t index = 0;
  };

  static void ran(ready_hook* which) noexcept {
    auto& me = *static_cast<hook*>(which);
    Derived& of = *me.of;
    of.one_is_ready(me.index);
    of.one_has_run();
  }

  template <class Future>
  void watch_one(Future& f, std::size_t index) {
    hook& mine = hooks_[index];
    mine.run = ran;
    mine.of = static_cast<Derived*>(this);
    mine.index = index;
    future_access::state(f)->when_ready(mine);
  }

  // The futures stay here until this is over: see when_any_state.
  void watch() {
    auto& self = static_cast<Derived&>(*this);
    if constexpr (requires { futures_.size(); }) {
      for (std::size_t i = 0; i < count_; ++i) watch_one(futures_[i], i);
    } else {
      std::apply(
          [this](auto&... each) {
            static_cast<void>(this);  // no futures: not used
            [[maybe_unused]] std::size_t i = 0;
            (watch_one(each, i++), ...);
          },
          futures_);
    }
    self.all_are_watched();
    one_has_run();
  }

  void one_has_run() noexcept {
    if (to_run_.arrive()) this->release();
  }

  std::unique_ptr<hook[]> hooks_;
  std::size_t count_;
  countdown to_run_;
};

template <class Sequence>
class when_all_state final : public when_state<Sequence, Sequence, when_all_state<Sequence>> {
  using base = when_state<Sequence, Sequence, when_all_state>;
  friend base;

 public:
  when_all_state(Sequence futures, std::size_t count)
      : base(std::move(futures), count), missing_(count + 1) {}

 private:
  void one_is_ready(std::size_t /*index*/) noexcept {
    if (!missing_.arrive()) return;
    static_cast<void>(this->begin_set());
    this->fill([this] { return std::move(this->futures_); });
    this->end_set();
  }
  void all_are_watched() noexcept { one_is_ready(0); }

  countdown missing_;
};

template <class Result, class Sequence>
class when_any_state final : public when_state<Result, Sequence, when_any_state<Result, Sequence>> {
  using base = when_state<Result, Sequence, when_any_state>;
  friend base;

 public:
  when_any_state(Sequence futures, std::size_t count)
      : base(std::move(futures), count), none_(count == 0) {}

 private:
  void one_is_ready(std::size_t index) noexcept {
    if (!this->begin_set()) return;
    index_ = index;
    publish_if_both();
  }
  void all_are_watched() noexcept {
    if (none_) static_cast<void>(this->begin_set());
    if (none_) publish_if_both();
    publish_if_both();
  }
  // The result takes the futures away, which `watch` is at work on until it is over.
  void publish_if_both() noexcept {
    if (!both_.arrive()) return;
    this->fill([this] { return Result{index_, std::move(this->futures_)}; });
    this->end_set();
  }

  bool none_;
  std::size_t index_ = static_cast<std::size_t>(-1);
  countdown both_{2};
};
}  // namespace weft::detail
