#pragma once

// Contexts by Boost.Context's fcontext, on every architecture that has it. What differs from our
// own instructions: whoever leaves cannot write down where he has left off, that is told to who
// comes next; so each switch takes a message along, and the resumed side does the rest of it.

#include <boost/context/detail/fcontext.hpp>
#include <cfenv>
#include <cstddef>

#include "context/context.hpp"
#include "fcontext_frame.hpp"

namespace weft::detail {

struct fp_env {
  std::fenv_t words;
  fp_env() noexcept {
    std::fenv_t running;
    std::fegetenv(&running);
    std::fesetenv(FE_DFL_ENV);
    std::fegetenv(&words);
    std::fesetenv(&running);
  }
};

inline void fp_env_save(fp_env* env) noexcept {
  std::fegetenv(&env->words);
}
inline void fp_env_load(const fp_env* env) noexcept {
  std::fesetenv(&env->words);
}

namespace fcontext {
namespace boost_detail = boost::context::detail;

// Lies in the frame that is left, which may be nobody's soon: copied before anything else is done.
struct message {
  context* saved;  // where to write down what was left; null: nobody comes back
  after_fn after;
  context* from;  // what `after` is told
  void* arg;
  void* to;              // what is resumed
  std::fenv_t fp_words;  // the thread's, which fcontext takes for the context's
};

// First thing on the resumed side.
inline void* arrive(boost_detail::transfer_t from) noexcept {
  const message told = *static_cast<const message*>(from.data);
  std::fesetenv(&told.fp_words);
  if (told.saved) told.saved->sp = from.fctx;
  if (told.after) told.after(told.arg, told.from);
  return told.arg;
}

// prepare() puts the entry above what make_fcontext() lays down, which is of one size.
inline constexpr std::size_t entry_room = 16;
inline std::ptrdiff_t frame_size() noexcept {
  static const std::ptrdiff_t size = [] {
    alignas(16) std::byte probe[1024];
    std::byte* const top = probe + sizeof probe;
    return top - static_cast<std::byte*>(boost_detail::make_fcontext(top, sizeof probe, nullptr));
  }();
  return size;
}

// Where a fresh context begins; named as in asm/, for backtraces.
extern "C" [[noreturn]] inline void weft_context_entry(boost_detail::transfer_t from) noexcept {
  mark_outermost_frame();
  auto* const frame = static_cast<std::byte*>(static_cast<const message*>(from.data)->to);
  const auto entry = *reinterpret_cast<const entry_fn*>(frame + frame_size());
  entry(arrive(from));
  __builtin_trap();
}

// Not instrumented: the message must not lie in a fake stack, which may end with the switch.
[[gnu::no_sanitize_address]] inline boost_detail::transfer_t go(context* saved, context to,
                                                                after_fn after, context* from,
                                                                void* arg) noexcept {
  message told{saved, after, from, arg, to.sp, {}};
  std::fegetenv(&told.fp_words);
  return boost_detail::jump_fcontext(to.sp, &told);
}
}  // namespace fcontext

inline context prepare(std::byte* stack_top, entry_fn entry) noexcept {
  std::byte* const top = stack_top - fcontext::entry_room;
  *reinterpret_cast<entry_fn*>(top) = entry;
  return {fcontext::boost_detail::make_fcontext(top, 0, fcontext::weft_context_entry)};
}

inline void* switch_to(context* from, context to, after_fn after, void* arg) noexcept {
  return fcontext::arrive(fcontext::go(from, to, after, from, arg));
}

[[noreturn, gnu::no_sanitize_address]] inline void switch_away(context* from, context to,
                                                               after_fn after, void* arg) noexcept {
  fcontext::go(nullptr, to, after, from, arg);
  __builtin_unreachable();
}

inline void* hop(context* from, context to, void* arg) noexcept {
  return switch_to(from, to, nullptr, arg);
}

}  // namespace weft::detail
