#include "register_audit.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <random>

#include "support/toy_scheduler.hpp"

namespace weft::test {

namespace {

audited_state poison(std::mt19937_64& random) {
  return {random(), random(), random(), random(), random(), random(), 0};
}

// Two sides, each of which fills what a switch must keep with its own values, and looks at them
// when it is back. Used by the test's thread and, through audit_entered, by the other context.
struct pair {
  detail::context main;
  detail::context other;
  detail::after_fn after = nullptr;
  bool call = false;  // by a function that switches, else by a bare switch
  bool hops = false;  // `call`: by hop()
  std::uint64_t main_skew = 0;
  std::uint64_t other_skew = 0;
  int mismatches = 0;
  int rounds = 0;
};

pair* running = nullptr;

// Goes from `from` to `to` and back with fresh poison.
void round(detail::context* from, const detail::context& to, void* arg, std::uint64_t skew,
           std::mt19937_64& random) {
  audited_state before = poison(random);
  audited_state result{};
  const auto call = running->hops ? audited_hop : audited_call;
  void* got = running->call
                  ? call(from, to.sp, running->after, arg, &before, &result, 0)
                  : audited_switch(from, to.sp, running->after, arg, &before, &result, skew);
  const bool kept =
      running->call ? before == result : before.rbp == result.rbp && before.rsp == result.rsp;
  if (!kept || got == nullptr) ++running->mismatches;
  if (before.rsp % 16 != skew) ++running->mismatches;
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
  for (;;) round(&running->other, running->main, &seen, running->other_skew, random);
}

namespace {

class register_audit : public testing::TestWithParam<std::tuple<bool, int, int>> {};

TEST_P(register_audit, both_sides_keep_the_stack_and_frame_pointer) {
  auto [with_after, main_skew, other_skew] = GetParam();
  guarded_stack stack;
  pair p;
  p.after = with_after ? &audited_after : nullptr;
  p.main_skew = static_cast<std::uint64_t>(main_skew);
  p.other_skew = static_cast<std::uint64_t>(other_skew);
  p.other = detail::prepare(stack.top(), &audited_entry);
  running = &p;
  std::mt19937_64 random(1);
  arrival seen{};
  for (int i = 0; i < 10'000; ++i) {
    round(&p.main, p.other, &seen, p.main_skew, random);
    if (with_after) {
      ASSERT_EQ(seen.rsp % 16, 8u) << "after() must be entered as by a call from aligned code";
    }
  }
  EXPECT_EQ(p.mismatches, 0);
  EXPECT_EQ(p.rounds, 10'000 + 9'999);  // the other side is in the middle of its last
}

INSTANTIATE_TEST_SUITE_P(all, register_audit,
                         testing::Combine(testing::Bool(), testing::Values(0, 8),
                                          testing::Values(0, 8)));

TEST(function_that_switches, keeps_what_a_called_function_must) {
  for (const detail::after_fn after :
       {detail::after_fn{nullptr}, detail::after_fn{audited_after}}) {
    guarded_stack stack;
    pair p;
    p.call = true;
    p.after = after;
    p.other = detail::prepare(stack.top(), &audited_entry);
    running = &p;
    std::mt19937_64 random(1);
    arrival seen{};
    for (int i = 0; i < 10'000; ++i) round(&p.main, p.other, &seen, 0, random);
    EXPECT_EQ(p.mismatches, 0);
  }
}

TEST(hop, keeps_what_a_called_function_must) {
  guarded_stack stack;
  pair p;
  p.call = p.hops = true;
  p.other = detail::prepare(stack.top(), &audited_entry);
  running = &p;
  std::mt19937_64 random(5);
  arrival seen{};
  for (int i = 0; i < 10'000; ++i) round(&p.main, p.other, &seen, 0, random);
  EXPECT_EQ(p.mismatches, 0);
  EXPECT_EQ(p.rounds, 10'000 + 9'999);
}

TEST(fresh_context, begins_aligned_and_ends_frame_pointer_walks) {
  guarded_stack stack;
  pair p;
  p.other = detail::prepare(stack.top(), &audited_entry);
  running = &p;
  std::mt19937_64 random(3);
  arrival seen{};
  round(&p.main, p.other, &seen, 0, random);
  EXPECT_EQ(seen.rdi, reinterpret_cast<std::uintptr_t>(&seen)) << "arg of the first switch";
  EXPECT_EQ(seen.rsp, reinterpret_cast<std::uintptr_t>(stack.top()) - 8)
      << "as by a call from the top of the stack, which is a multiple of 16";
  EXPECT_EQ(seen.rbp, 0u) << "frame-pointer walks end here";
}

TEST(after, runs_on_the_new_stack_and_gets_arg_and_from) {
  guarded_stack stack;
  pair p;
  p.other = detail::prepare(stack.top(), &audited_entry);
  p.after = &audited_after;
  running = &p;
  std::mt19937_64 random(4);
  arrival seen{};
  round(&p.main, p.other, &seen, 0, random);  // begins it: its entry overwrites the record
  round(&p.main, p.other, &seen, 0, random);
  EXPECT_EQ(seen.rdi, reinterpret_cast<std::uintptr_t>(&seen));
  EXPECT_EQ(seen.rsi, reinterpret_cast<std::uintptr_t>(&p.main));
  EXPECT_LT(seen.rsp, reinterpret_cast<std::uintptr_t>(stack.top()));
  EXPECT_GE(seen.rsp, reinterpret_cast<std::uintptr_t>(stack.limit()));
}

bool goes_on_at_endbr64(const detail::context& suspended) {
  const auto* frame = static_cast<const detail::saved_frame*>(suspended.sp);
  constexpr unsigned char endbr64[] = {0xf3, 0x0f, 0x1e, 0xfa};
  return std::memcmp(reinterpret_cast<const void*>(frame->rip), endbr64, sizeof endbr64) == 0;
}

bool main_goes_on_at_endbr64 = false;

void look_at_main(void*) noexcept {
  main_goes_on_at_endbr64 = goes_on_at_endbr64(running->main);
  for (;;) detail::switch_to(&running->other, running->main, nullptr, nullptr);
}

TEST(landing, is_an_endbr64) {
  guarded_stack stack;
  pair p;
  running = &p;
  p.other = detail::prepare(stack.top(), &look_at_main);
  EXPECT_TRUE(goes_on_at_endbr64(p.other)) << "fresh";
  detail::switch_to(&p.main, p.other, nullptr, nullptr);
  EXPECT_TRUE(main_goes_on_at_endbr64);
  EXPECT_TRUE(goes_on_at_endbr64(p.other)) << "suspended";
}

}  // namespace
}  // namespace weft::test
