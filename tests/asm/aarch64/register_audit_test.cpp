#include "register_audit.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <random>

#include "support/toy_scheduler.hpp"

namespace weft::test {

namespace {

audited_state poison(std::mt19937_64& random) {
  audited_state state{};
  for (auto& word : state.x19_to_x28) word = random();
  state.x29 = random();
  for (auto& word : state.d8_to_d15) word = random();
  return state;
}

// Two sides, each of which fills what a switch must keep with its own values, and looks at them
// when it is back. Used by the test's thread and, through audit_entered, by the other context.
struct pair {
  detail::context main;
  detail::context other;
  detail::after_fn after = nullptr;
  bool call = false;  // by a function that switches, else by a bare switch
  int mismatches = 0;
  int rounds = 0;
};

pair* running = nullptr;

// Goes from `from` to `to` and back with fresh poison.
void round(detail::context* from, const detail::context& to, void* arg, std::mt19937_64& random) {
  audited_state before = poison(random);
  audited_state result{};
  void* got = (running->call ? audited_call : audited_switch)(from, to.sp, running->after, arg,
                                                              &before, &result);
  const bool kept =
      running->call ? before == result : before.x29 == result.x29 && before.sp == result.sp;
  if (!kept || got == nullptr) ++running->mismatches;
  ++running->rounds;
}

}  // namespace

extern "C" [[gnu::noinline]] void* switch_called(detail::context* from, void* to,
                                                 detail::after_fn after, void* arg) {
  return detail::switch_to(from, {to}, after, arg);
}

extern "C" void audit_entered(void*) noexcept {
  std::mt19937_64 random(2);
  arrival seen{};
  for (;;) round(&running->other, running->main, &seen, random);
}

namespace {

class register_audit : public testing::TestWithParam<std::tuple<bool, bool>> {};

// By a bare switch, the stack and frame pointer; by a function, all that a called function keeps.
TEST_P(register_audit, both_sides_find_what_they_left) {
  guarded_stack stack;
  pair p;
  p.call = std::get<0>(GetParam());
  p.after = std::get<1>(GetParam()) ? &audited_after : nullptr;
  p.other = detail::prepare(stack.top(), &audited_entry);
  running = &p;
  std::mt19937_64 random(1);
  arrival seen{};
  for (int i = 0; i < 10'000; ++i) {
    round(&p.main, p.other, &seen, random);
    ASSERT_EQ(seen.sp % 16, 0u);
  }
  EXPECT_EQ(p.mismatches, 0);
  EXPECT_EQ(p.rounds, 10'000 + 9'999);  // the other side is in the middle of its last
}

INSTANTIATE_TEST_SUITE_P(all, register_audit, testing::Combine(testing::Bool(), testing::Bool()));

TEST(fresh_context, begins_at_the_top_and_ends_frame_pointer_walks) {
  guarded_stack stack;
  pair p;
  p.other = detail::prepare(stack.top(), &audited_entry);
  running = &p;
  std::mt19937_64 random(3);
  arrival seen{};
  round(&p.main, p.other, &seen, random);
  EXPECT_EQ(seen.x0, reinterpret_cast<std::uintptr_t>(&seen)) << "arg of the first switch";
  EXPECT_EQ(seen.sp, reinterpret_cast<std::uintptr_t>(stack.top()))
      << "all of the stack is its own";
  EXPECT_EQ(seen.x29, 0u) << "frame-pointer walks end here";
}

TEST(after, runs_on_the_new_stack_and_gets_arg_and_from) {
  guarded_stack stack;
  pair p;
  p.other = detail::prepare(stack.top(), &audited_entry);
  p.after = &audited_after;
  running = &p;
  std::mt19937_64 random(4);
  arrival seen{};
  round(&p.main, p.other, &seen, random);  // begins it: its entry overwrites the record
  round(&p.main, p.other, &seen, random);
  EXPECT_EQ(seen.x0, reinterpret_cast<std::uintptr_t>(&seen));
  EXPECT_EQ(seen.x1, reinterpret_cast<std::uintptr_t>(&p.main));
  EXPECT_LT(seen.sp, reinterpret_cast<std::uintptr_t>(stack.top()));
  EXPECT_GE(seen.sp, reinterpret_cast<std::uintptr_t>(stack.limit()));
  EXPECT_EQ(seen.x29, seen.sp) << "walks by frame pointers go on with the context to be resumed";
}

bool goes_on_at_bti_j(const detail::context& suspended) {
  const auto* frame = static_cast<const detail::saved_frame*>(suspended.sp);
  constexpr std::uint32_t bti_j = 0xd503'249f;
  return std::memcmp(reinterpret_cast<const void*>(frame->x30), &bti_j, sizeof bti_j) == 0;
}

bool main_goes_on_at_bti_j = false;

void look_at_main(void*) noexcept {
  main_goes_on_at_bti_j = goes_on_at_bti_j(running->main);
  for (;;) detail::switch_to(&running->other, running->main, nullptr, nullptr);
}

TEST(landing, is_a_bti_j) {
  guarded_stack stack;
  pair p;
  running = &p;
  p.other = detail::prepare(stack.top(), &look_at_main);
  EXPECT_TRUE(goes_on_at_bti_j(p.other)) << "fresh";
  detail::switch_to(&p.main, p.other, nullptr, nullptr);
  EXPECT_TRUE(main_goes_on_at_bti_j);
  EXPECT_TRUE(goes_on_at_bti_j(p.other)) << "suspended";
}

}  // namespace
}  // namespace weft::test
