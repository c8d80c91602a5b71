// Branches of fork_join that wait for one another at channels: what nobody has taken yet becomes a
// fiber before the first one parks there.
#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <weft/channel.hpp>
#include <weft/fork_join.hpp>
#include <weft/select.hpp>

#include "support/chaotic.hpp"
#include "support/fibers.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;

class channels_of_branches : public testing::TestWithParam<unsigned> {
 protected:
  // Both orders: whichever branch comes first must wait for the other.
  template <class Send, class Receive>
  void meet(Send send, Receive receive) {
    rt_.run([&] {
      for (int i = 1; i <= times(1000); ++i) {
        channel<int> c(0);
        int got = 0;
        fork_join([&] { send(c, i); }, [&] { got = receive(c); });
        ASSERT_EQ(got, i);
        got = 0;
        fork_join([&] { got = receive(c); }, [&] { send(c, i); });
        ASSERT_EQ(got, i);
      }
    });
  }

 private:
  runtime rt_{{.workers = GetParam()}};
};
INSTANTIATE_TEST_SUITE_P(workers, channels_of_branches, testing::Values(1u, 2u, 4u),
                         testing::PrintToStringParamName());

TEST_P(channels_of_branches, meet) {
  meet([](channel<int>& c, int i) { ASSERT_TRUE(c.send(i)); },
       [](channel<int>& c) { return c.receive().value_or(-1); });
}

TEST_P(channels_of_branches, meet_under_a_deadline) {
  meet(
      [](channel<int>& c, int i) {
        const deadline_scope limit(1h);
        ASSERT_TRUE(c.send(i));
      },
      [](channel<int>& c) {
        int got = -1;
        std::optional<int> place;
        if (c.try_receive_for(place, 1h) == channel_status::ok) got = *place;
        return got;
      });
}

TEST_P(channels_of_branches, meet_in_a_select) {
  meet(
      [](channel<int>& c, int i) {
        channel<int> silent(0);
        int done = 0;
        select(on_send(c, i, [&] { ++done; }), on_receive(silent, [&](int) { done = 9; }));
        EXPECT_EQ(done, 1);
      },
      [](channel<int>& c) {
        channel<int> silent(0);
        int got = -1;
        select(on_receive(silent, [](int) {}), on_receive(c, [&](int v) { got = v; }));
        return got;
      });
}

// The outer call's branches are spilled as well, and nothing is lost of either.
TEST_P(channels_of_branches, nest) {
  runtime rt({.workers = GetParam()});
  rt.run([] {
    for (int i = 0; i < times(300); ++i) {
      channel<int> c(1);
      std::atomic<int> sum{0};
      const auto take = [&] { sum += c.receive().value_or(1000); };
      fork_join(
          [&] {
            fork_join(
                take, [&] { c.send(1); }, take);
          },
          [&] { c.send(2); }, [&] { fork_join([&] { c.send(4); }, take); });
      ASSERT_EQ(sum, 7);
    }
  });
}
}  // namespace
}  // namespace weft::test
