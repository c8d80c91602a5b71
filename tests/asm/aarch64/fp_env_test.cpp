// The control word: weft_switch leaves it alone, fp_env_save and fp_env_load are exact.
#include <gtest/gtest.h>

#include <cstdint>

#include "context/context.hpp"
#include "support/toy_scheduler.hpp"

namespace weft::test {
namespace {

constexpr std::uint64_t odd = 3u << 22 | 1u << 24;        // round towards zero, flush to zero
constexpr std::uint64_t other_odd = 1u << 22 | 1u << 25;  // round up, default NaN

std::uint64_t fpcr() {
  std::uint64_t word;
  asm volatile("mrs %0, fpcr" : "=r"(word));
  return word;
}
void set_fpcr(std::uint64_t word) {
  asm volatile("msr fpcr, %0" : : "r"(word));
}

class fp_env : public testing::Test {
 protected:
  ~fp_env() override { set_fpcr(0); }
};

TEST_F(fp_env, the_default_is_that_of_a_new_thread) {
  EXPECT_EQ(detail::fp_env().fpcr, 0u);
  EXPECT_EQ(fpcr(), 0u);
}

TEST_F(fp_env, save_and_load) {
  set_fpcr(odd);
  detail::fp_env saved;
  detail::fp_env_save(&saved);
  EXPECT_EQ(saved.fpcr, odd);
  const detail::fp_env defaults;
  detail::fp_env_load(&defaults);
  EXPECT_EQ(fpcr(), 0u);
  detail::fp_env_load(&saved);
  EXPECT_EQ(fpcr(), odd);
  const volatile double three = 3;
  const volatile double third = 1 / three;
  set_fpcr(2u << 22);  // round down, the same for a positive number
  EXPECT_EQ(third, 1 / three) << "it rounds as its word says";
  set_fpcr(1u << 22);
  EXPECT_LT(third, 1 / three);
}

detail::context main_context;
detail::context other;
std::uint64_t seen[2];

void look(void*) noexcept {
  seen[0] = fpcr();
  detail::switch_to(&other, main_context, nullptr, nullptr);
  seen[1] = fpcr();
  set_fpcr(other_odd);
  detail::switch_away(&other, main_context, nullptr, nullptr);
}

TEST_F(fp_env, a_plain_switch_leaves_the_threads_word_alone) {
  guarded_stack stack;
  other = detail::prepare(stack.top(), &look);
  detail::switch_to(&main_context, other, nullptr, nullptr);
  EXPECT_EQ(seen[0], 0u) << "fresh: the thread's";
  set_fpcr(odd);
  detail::switch_to(&main_context, other, nullptr, nullptr);
  EXPECT_EQ(seen[1], odd) << "resumed: the thread's again";
  EXPECT_EQ(fpcr(), other_odd) << "what the other side set stays set";
}

}  // namespace
}  // namespace weft::test
