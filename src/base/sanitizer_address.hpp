// The hooks of base/sanitizer.hpp under AddressSanitizer: included by it, and by nothing else.
#pragma once
#include <pthread.h>
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>

#include <cstddef>

#include "base/race_none.hpp"

namespace weft::detail {
inline constexpr bool address_sanitizer = true;

struct stack_bounds;

struct thread_stack {
  void* low = nullptr;
  std::size_t size = 0;

  static thread_stack here() noexcept {
    thread_stack found;
    pthread_attr_t attributes;
    if (::pthread_getattr_np(::pthread_self(), &attributes) == 0) {
      ::pthread_attr_getstack(&attributes, &found.low, &found.size);
      ::pthread_attr_destroy(&attributes);
    }
    return found;
  }
};

struct stack_bounds {
  const void* low;
  std::size_t size;
  stack_bounds(const void* from, const void* to, const race_clock&) noexcept
      : low(from),
        size(static_cast<std::size_t>(static_cast<const char*>(to) -
                                      static_cast<const char*>(from))) {}
  explicit stack_bounds(const thread_stack& of) noexcept : low(of.low), size(of.size) {}
};

class announced_switch {
 public:
  explicit announced_switch(const stack_bounds& to) noexcept {
    __sanitizer_start_switch_fiber(&fake_stack_, to.low, to.size);
  }
  void returned() noexcept { __sanitizer_finish_switch_fiber(fake_stack_, nullptr, nullptr); }

 private:
  void* fake_stack_ = nullptr;  // of the side that leaves
};

[[gnu::no_sanitize_address]] inline void announce_fresh_stack() noexcept {
  __sanitizer_finish_switch_fiber(nullptr, nullptr, nullptr);
}

[[gnu::no_sanitize_address]] inline void announce_last_switch(const stack_bounds& to,
                                                              const void* high) noexcept {
  const auto* const here = static_cast<const char*>(__builtin_frame_address(0));
  __asan_unpoison_memory_region(here,
                                static_cast<std::size_t>(static_cast<const char*>(high) - here));
  __sanitizer_start_switch_fiber(nullptr, to.low, to.size);
}

inline void forget_frames(void* low, std::size_t size) noexcept {
  __asan_unpoison_memory_region(low, size);
}

class announced_visits {
 public:
  void begin() noexcept {}
  void end() noexcept {}
  race_clock clock() const noexcept { return {}; }

  class visit {
   public:
    visit(announced_visits&, const void* low, const void* high) noexcept {
      __sanitizer_start_switch_fiber(
          &fake_stack_, low,
          static_cast<std::size_t>(static_cast<const char*>(high) - static_cast<const char*>(low)));
    }
    void returned() noexcept { __sanitizer_finish_switch_fiber(fake_stack_, nullptr, nullptr); }

   private:
    void* fake_stack_ = nullptr;
  };
  [[gnu::no_sanitize_address]] void arrived() noexcept {
    __sanitizer_finish_switch_fiber(nullptr, &low_, &size_);
  }
  class absence {
   public:
    explicit absence(announced_visits& of) noexcept : of_(of) {
      __sanitizer_start_switch_fiber(&fake_stack_, of.low_, of.size_);
    }
    void returned() noexcept {
      __sanitizer_finish_switch_fiber(fake_stack_, &of_.low_, &of_.size_);
    }

   private:
    announced_visits& of_;
    void* fake_stack_ = nullptr;
  };
  [[gnu::no_sanitize_address]] void leave(const void* high) noexcept {
    const auto* const here = static_cast<const char*>(__builtin_frame_address(0));
    __asan_unpoison_memory_region(here,
                                  static_cast<std::size_t>(static_cast<const char*>(high) - here));
    __sanitizer_start_switch_fiber(nullptr, low_, size_);
  }

 private:
  const void* low_ = nullptr;  // of the stack that the context was resumed from
  std::size_t size_ = 0;
};
}  // namespace weft::detail
