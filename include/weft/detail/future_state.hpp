#pragma once
#include <cstdint>
#include <exception>
#include <future>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <weft/detail/at_exit.hpp>
#include <weft/detail/ready_hook.hpp>
#include <weft/detail/spawn.hpp>
#include <weft/detail/sync_storage.hpp>

// What a promise and its futures share.
namespace weft::detail {
[[noreturn]] void throw_future_error(std::future_errc);

class queued_coroutine;

class future_state_base {
 public:
  future_state_base(const future_state_base&) = delete;
  future_state_base& operator=(const future_state_base&) = delete;

  void retain() noexcept;
  void release() noexcept;  // the last one destroys it

  // A cancellation point. Runs a deferred function.
  void wait();
  // The same with a limit; a deferred function is not run.
  std::future_status wait_until(std::int64_t deadline);
  bool is_ready() const noexcept;
  // Runs at once if the state is ready. The hook must live until it has run.
  void when_ready(ready_hook& hook) noexcept;

  // A promise's future is had once. @throws std::future_error
  void retrieve();
  // The one who makes it ready: claims that right, stores value or exception, then publishes it.
  // False: another has it.
  bool begin_set() noexcept;
  void abort_set() noexcept;  // what was to be stored has thrown
  void end_set() noexcept;
  // All three for an exception.
  void set_exception(std::exception_ptr error);
  // The same, but for the last: that is done when the running fiber or thread ends.
  void set_exception_at_exit(std::exception_ptr error);
  void break_promise() noexcept;

 protected:
  explicit future_state_base(bool deferred = false) noexcept;
  virtual ~future_state_base();
  void store_exception(std::exception_ptr error) noexcept { error_ = std::move(error); }
  void rethrow_if_failed() const {
    if (error_) std::rethrow_exception(error_);
  }
  // Nobody refers to it any more.
  virtual void destroy() noexcept { delete this; }
  // The fiber that makes it ready has been spawned: waits for its end, passing a stop on. False: it
  // never ends, and may yet touch the state.
  bool join_maker(control_block* maker) noexcept;

 private:
  friend class queued_coroutine;
  virtual void run_deferred() noexcept {}
  void claim_deferred() noexcept;
  void store_claimed(std::exception_ptr error);

  sync_storage<5> state_;
  std::exception_ptr error_;
};

// An owning reference.
template <class State>
class state_ref {
 public:
  state_ref() noexcept = default;
  explicit state_ref(State* owned) noexcept : state_(owned) {}
  state_ref(const state_ref& other) noexcept : state_(other.state_) {
    if (state_) state_->retain();
  }
  template <class Derived>
  requires std::is_base_of_v<State, Derived> state_ref(state_ref<Derived>&& other)
  noexcept : state_(other.give_up()) {}
  state_ref(state_ref&& other) noexcept : state_(other.give_up()) {}
  state_ref& operator=(state_ref other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~state_ref() {
    if (state_) state_->release();
  }
  State* give_up() noexcept { return std::exchange(state_, nullptr); }
  State* get() const noexcept { return state_; }
  State* operator->() const noexcept { return state_; }
  explicit operator bool() const noexcept { return state_ != nullptr; }
  // @throws std::future_error no_state
  State& checked() const {
    if (!state_) throw_future_error(std::future_errc::no_state);
    return *state_;
  }

 private:
  State* state_ = nullptr;
};

// end_set() of a state, done when the running fiber or thread ends: nothing fails any more when
// there is something to tell.
class set_at_exit {
 public:
  // May throw std::bad_alloc, std::system_error.
  set_at_exit() : action_(new action{{run}, {}}) { prepare_exit(); }
  void commit(future_state_base& state) noexcept {
    state.retain();
    action_->state = state_ref<future_state_base>(&state);
    at_exit(*action_.release());
  }

 private:
  struct action : exit_action {
    state_ref<future_state_base> state;
  };
  static void run(exit_action* of) noexcept {
    const std::unique_ptr<action> mine(static_cast<action*>(of));
    mine->state->end_set();
  }
  std::unique_ptr<action> action_;
};

template <class T>
class future_state : public future_state_base {
 public:
  future_state() noexcept = default;

  template <class... V>
  void set_value(V&&... value) {
    put_value(std::forward<V>(value)...);
    end_set();
  }
  template <class... V>
  void set_value_at_exit(V&&... value) {
    set_at_exit later;
    put_value(std::forward<V>(value)...);
    later.commit(*this);
  }

  // All but end_set().
  template <class... V>
  void put_value(V&&... value) {
    if (!begin_set()) throw_future_error(std::future_errc::promise_already_satisfied);
    if constexpr (!std::is_nothrow_constructible_v<stored, V...>) {
      try {
        store(std::forward<V>(value)...);
      } catch (...) {
        abort_set();
        throw;
      }
    } else {
      store(std::forward<V>(value)...);
    }
  }

  // Ready: what std::future<T>::get returns, or std::shared_future<T>::get.
  T take() {
    rethrow_if_failed();
    if constexpr (std::is_void_v<T>) {
      return;
    } else if constexpr (std::is_reference_v<T>) {
      return **value_;
    } else {
      return std::move(*value_);
    }
  }
  decltype(auto) look() const {
    rethrow_if_failed();
    if constexpr (std::is_void_v<T>) {
      return;
    } else if constexpr (std::is_reference_v<T>) {
      return static_cast<T>(**value_);
    } else {
      return static_cast<const T&>(*value_);
    }
  }

  // Stores what call() returns or throws. The right to is the caller's; end_set is left to it.
  template <class Call>
  void fill(Call&& call) noexcept {
    try {
      if constexpr (std::is_void_v<T>) {
        std::forward<Call>(call)();
        store();
      } else {
        store(std::forward<Call>(call)());
      }
    } catch (...) {
      store_exception(std::current_exception());
    }
  }

 protected:
  explicit future_state(bool deferred) noexcept : future_state_base(deferred) {}
  ~future_state() override = default;

 private:
  struct nothing {};
  using stored =
      std::conditional_t<std::is_void_v<T>, nothing,
                         std::conditional_t<std::is_reference_v<T>,
                                            std::add_pointer_t<std::remove_reference_t<T>>, T>>;

  template <class... V>
  void store(V&&... value) {
    if constexpr (std::is_reference_v<T>) {
      value_.emplace(std::addressof(value)...);
    } else {
      value_.emplace(std::forward<V>(value)...);
    }
  }

  std::optional<stored> value_;
};

// One whose memory is the allocator's.
template <class T, class Allocator>
class allocated_state final : public future_state<T> {
  using traits = typename std::allocator_traits<Allocator>::template rebind_traits<allocated_state>;
  using allocator = typename traits::allocator_type;

 public:
  static state_ref<future_state<T>> make(const Allocator& from) {
    allocator of(from);
    const auto place = traits::allocate(of, 1);
    return state_ref<future_state<T>>(::new (static_cast<void*>(std::to_address(place)))
                                          allocated_state(of));
  }

 private:
  explicit allocated_state(const allocator& of) noexcept : allocator_(of) {}
  ~allocated_state() override = default;
  void destroy() noexcept override {
    allocator of(std::move(allocator_));
    const auto place = std::pointer_traits<typename traits::pointer>::pointer_to(*this);
    this->~allocated_state();
    traits::deallocate(of, place, 1);
  }
  [[no_unique_address]] allocator allocator_;
};
}  // namespace weft::detail
