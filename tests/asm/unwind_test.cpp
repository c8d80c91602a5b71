// Unwinders, by CFI and by frame pointers, find every frame of a context and stop at its entry.
#include <gtest/gtest.h>
#include <unwind.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "context/context.hpp"
#include "support/toy_scheduler.hpp"

namespace weft::test {
namespace {

struct trace {
  std::vector<std::uintptr_t> functions;  // where the function of each frame begins; 0: unknown
  _Unwind_Reason_Code end = _URC_NO_REASON;
};

[[gnu::noinline]] trace backtrace_here() {
  trace t;
  t.functions.reserve(1000);
  t.end = _Unwind_Backtrace(
      [](_Unwind_Context* frame, void* arg) {
        auto* found = static_cast<trace*>(arg);
        int before = 0;
        std::uintptr_t ip = _Unwind_GetIPInfo(frame, &before);
        if (ip == 0) return _URC_NO_REASON;  // libgcc reports the end as one more frame
        if (before == 0) --ip;
        found->functions.push_back(reinterpret_cast<std::uintptr_t>(
            _Unwind_FindEnclosingFunction(reinterpret_cast<void*>(ip))));
        return found->functions.size() < 1000 ? _URC_NO_REASON : _URC_NORMAL_STOP;
      },
      &t);
  return t;
}

template <class... A>
std::uintptr_t address_of(void (*f)(A...) noexcept) {
  return reinterpret_cast<std::uintptr_t>(f);
}

detail::context main_context;
detail::context other;
trace taken;
int depth_wanted;

const std::uintptr_t outermost = reinterpret_cast<std::uintptr_t>(&detail::weft_context_entry);

[[gnu::noinline]] void deeper(int depth) {
  if (depth > 0) {
    deeper(depth - 1);
  } else {
    taken = backtrace_here();
  }
  asm volatile("");  // no tail call
}

void entry(void*) noexcept {
  for (;;) {
    deeper(depth_wanted);
    detail::switch_to(&other, main_context, nullptr, nullptr);
  }
}

class unwind : public testing::Test {
 protected:
  unwind() { other = detail::prepare(stack_.top(), &entry); }

  static std::size_t frames_from(int depth) {
    depth_wanted = depth;
    detail::switch_to(&main_context, other, nullptr, nullptr);
    return taken.functions.size();
  }

 private:
  guarded_stack stack_;
};

TEST_F(unwind, stops_at_the_entry) {
  const std::size_t frames = frames_from(0);
  EXPECT_EQ(taken.end, _URC_END_OF_STACK);
  ASSERT_GE(frames, 3u);
  EXPECT_EQ(taken.functions[frames - 2], address_of(&entry));
  EXPECT_EQ(taken.functions[frames - 1], outermost);
}

TEST_F(unwind, finds_each_frame_once) {
  const std::size_t shallow = frames_from(0);
  for (int depth : {1, 2, 10, 100}) {
    EXPECT_EQ(frames_from(depth), shallow + static_cast<std::size_t>(depth));
    EXPECT_EQ(taken.end, _URC_END_OF_STACK);
    EXPECT_EQ(taken.functions.back(), outermost);
  }
}

detail::context second;

void take(void*, detail::context*) noexcept {
  taken = backtrace_here();
  asm volatile("");
}

void suspend_once(void*) noexcept {
  detail::switch_to(&second, main_context, nullptr, nullptr);
  detail::switch_away(&second, main_context, nullptr, nullptr);
}

// From `after` the caller is weft_switch, and behind it the frames of the context that is about to
// go on.
TEST_F(unwind, from_after_shows_the_context_to_be_resumed) {
  guarded_stack stack;
  second = detail::prepare(stack.top(), &suspend_once);
  detail::switch_to(&main_context, second, &take, nullptr);
  EXPECT_EQ(taken.end, _URC_END_OF_STACK);
  const std::size_t fresh = taken.functions.size();
  ASSERT_GE(fresh, 3u);
  EXPECT_EQ(taken.functions[fresh - 1], outermost);
  EXPECT_EQ(taken.functions[fresh - 3], address_of(&take)) << "weft_switch between";

  detail::switch_to(&main_context, second, &take, nullptr);
  EXPECT_EQ(taken.end, _URC_END_OF_STACK);
  const std::size_t suspended = taken.functions.size();
  EXPECT_GE(suspended, fresh + 1);
  EXPECT_EQ(taken.functions[suspended - 1], outermost);
  EXPECT_EQ(taken.functions[suspended - 2], address_of(&suspend_once));
}

// The same by frame pointers, as a sampling profiler walks.
[[gnu::noinline]] std::size_t walk_frame_pointers() {
  std::size_t frames = 0;
  auto* frame = static_cast<std::uintptr_t*>(__builtin_frame_address(0));
  while (frame != nullptr && frames < 1000) {
    ++frames;
    frame = reinterpret_cast<std::uintptr_t*>(frame[0]);
  }
  return frames;
}

std::size_t walked;

void walk(void*) noexcept {
  walked = walk_frame_pointers();
  detail::switch_away(&second, main_context, nullptr, nullptr);
}

TEST_F(unwind, frame_pointers_end_at_the_entry) {
  guarded_stack stack;
  second = detail::prepare(stack.top(), &walk);
  detail::switch_to(&main_context, second, nullptr, nullptr);
  EXPECT_EQ(walked, 2u) << "walk_frame_pointers and the entry";
}

}  // namespace
}  // namespace weft::test
