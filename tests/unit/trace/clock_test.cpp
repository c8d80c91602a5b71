#include "trace/trace_clock.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace weft::detail {
namespace {
// A tick is a nanosecond. The thread is interrupted between every two reads now and then.
struct fake_clocks {
  static inline std::uint64_t time = 0;
  static inline nanos late = 0;
  static std::uint64_t ticks() noexcept { return time += 10; }
  static nanos now() noexcept { return static_cast<nanos>(time += 10) + late; }
};

// Else the end of one slice, converted early, lies behind the begin of the next, converted late.
TEST(trace_clock, moments_keep_their_order_whenever_they_are_converted) {
  basic_trace_clock<fake_clocks> clock;
  clock.begin();
  struct moment {
    std::uint64_t tick;
    double ns;
  };
  std::vector<moment> moments;
  for (int i = 0; i < 1000; ++i) {  // it keeps 64 points
    fake_clocks::time += 50'000;
    fake_clocks::late = i % 7 == 0 ? 2000 : 0;
    const std::uint64_t tick = fake_clocks::time;
    moments.push_back({tick, static_cast<double>(clock.since_begin(tick))});
    double before = 0;
    for (const moment& m : moments) {
      const auto again = static_cast<double>(clock.since_begin(m.tick));
      ASSERT_NEAR(again, m.ns, 2100) << i;  // no more than a reading was wrong
      ASSERT_GT(again, before) << i;
      before = again;
    }
    if (moments.size() < 2) continue;
    const moment& last = moments[moments.size() - 2];
    ASSERT_NEAR(static_cast<double>(clock.since_begin(last.tick)), last.ns, 1) << i;
  }
}
}  // namespace
}  // namespace weft::detail
