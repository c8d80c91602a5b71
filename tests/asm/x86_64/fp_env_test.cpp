// Control words: weft_switch leaves them alone, fp_env_save and fp_env_load are exact.
#include <gtest/gtest.h>
#include <xmmintrin.h>

#include <cstdint>

#include "context/context.hpp"
#include "support/toy_scheduler.hpp"

namespace weft::test {
namespace {

constexpr std::uint32_t mxcsr_default = 0x1f80;
constexpr std::uint16_t x87_default = 0x37f;
constexpr std::uint32_t mxcsr_odd = 0xff80;  // flush to zero, round towards zero
constexpr std::uint16_t x87_odd = 0xc7f;     // 24 bits, round towards zero

std::uint16_t x87_control() {
  std::uint16_t word;
  asm volatile("fnstcw %0" : "=m"(word));
  return word;
}
void set_x87_control(std::uint16_t word) {
  asm volatile("fldcw %0" : : "m"(word));
}

class fp_env : public testing::Test {
 protected:
  ~fp_env() override {
    _mm_setcsr(mxcsr_default);
    set_x87_control(x87_default);
  }
};

TEST_F(fp_env, defaults_are_those_of_a_new_thread) {
  const detail::fp_env env;
  EXPECT_EQ(env.mxcsr, mxcsr_default);
  EXPECT_EQ(env.x87_cw, x87_default);
  EXPECT_EQ(_mm_getcsr() & ~0x3fu, env.mxcsr) << "but for the sticky status flags";
  EXPECT_EQ(x87_control(), env.x87_cw);
}

TEST_F(fp_env, save_and_load_both_words) {
  _mm_setcsr(mxcsr_odd);
  set_x87_control(x87_odd);
  detail::fp_env saved;
  detail::fp_env_save(&saved);
  EXPECT_EQ(saved.mxcsr, mxcsr_odd);
  EXPECT_EQ(saved.x87_cw, x87_odd);

  const detail::fp_env defaults;
  detail::fp_env_load(&defaults);
  EXPECT_EQ(_mm_getcsr(), mxcsr_default);
  EXPECT_EQ(x87_control(), x87_default);

  detail::fp_env_load(&saved);
  EXPECT_EQ(_mm_getcsr(), mxcsr_odd);
  EXPECT_EQ(x87_control(), x87_odd);
}

struct seen_words {
  std::uint32_t mxcsr;
  std::uint16_t x87_cw;
};

detail::context main_context;
detail::context other;
seen_words seen[2];

void look(void*) noexcept {
  seen[0] = {_mm_getcsr(), x87_control()};
  detail::switch_to(&other, main_context, nullptr, nullptr);
  seen[1] = {_mm_getcsr(), x87_control()};
  _mm_setcsr(mxcsr_odd);
  set_x87_control(x87_odd);
  detail::switch_away(&other, main_context, nullptr, nullptr);
}

TEST_F(fp_env, a_plain_switch_leaves_the_threads_words_alone) {
  guarded_stack stack;
  other = detail::prepare(stack.top(), &look);
  _mm_setcsr(mxcsr_default);
  detail::switch_to(&main_context, other, nullptr, nullptr);
  EXPECT_EQ(seen[0].mxcsr, mxcsr_default) << "fresh: the thread's";
  EXPECT_EQ(seen[0].x87_cw, x87_default);

  _mm_setcsr(mxcsr_odd);
  set_x87_control(x87_odd);
  detail::fp_env mine;
  detail::fp_env_save(&mine);
  const detail::fp_env defaults;
  detail::fp_env_load(&defaults);
  detail::switch_to(&main_context, other, nullptr, nullptr);
  EXPECT_EQ(seen[1].mxcsr, mxcsr_default) << "resumed: the thread's again";
  EXPECT_EQ(seen[1].x87_cw, x87_default);
  EXPECT_EQ(_mm_getcsr(), mxcsr_odd) << "what the other side set stays set";
  EXPECT_EQ(x87_control(), x87_odd);

  detail::fp_env_load(&mine);
  EXPECT_EQ(_mm_getcsr(), mxcsr_odd);
}

}  // namespace
}  // namespace weft::test
