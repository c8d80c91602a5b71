// When a channel may go: those who are done with it do not touch it any more.
#include <weft/select.hpp>

#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <optional>

#include "support/fibers.hpp"
#include "support/peers.hpp"

namespace weft::test {
namespace {
class channel_lives : public in_company {};
INSTANTIATE_TEST_SUITE_P(of, channel_lives, companies, company_name);
}  // namespace

// Those whose wait was ended do not touch the channel any more, nor does who ended it.
TEST_P(channel_lives, end_when_the_receiver_says) {
  run([&] {
    channel<channel<int>*> requests;
    const peer server = beside([&] {
      int n = 0;
      for (auto* answer : requests) {
        if (n % 3 == 0) this_fiber::yield();
        if (n % 4 == 3) {
          answer->close();
        } else {
          answer->send(n);
        }
        ++n;
      }
    });
    for (int i = 0; i < 3000; ++i) {
      auto answer = std::make_unique<channel<int>>(i % 2);
      requests.send(answer.get());
      if (i % 5 == 0) this_fiber::yield();
      EXPECT_EQ(answer->receive(), i % 4 == 3 ? std::nullopt : std::optional(i));
      answer.reset();
    }
    requests.close();
  });
}

// Likewise for a sender that knows there is nobody else.
TEST_P(channel_lives, end_when_the_sender_says) {
  run([&] {
    channel<channel<int>*> lines;
    const peer listener = beside([&] {
      int n = 0;
      for (auto* line : lines) {
        if (n % 3 == 0) this_fiber::yield();
        EXPECT_EQ(line->receive(), n++);
      }
    });
    for (int i = 0; i < 3000; ++i) {
      auto line = std::make_unique<channel<int>>();
      lines.send(line.get());
      if (i % 5 == 0) this_fiber::yield();
      line->send(i);
      line.reset();
    }
    lines.close();
  });
}

TEST_P(channel_lives, end_when_the_select_says) {
  run([&] {
    channel<channel<int>*> lines;
    channel<int> other;
    const peer caller = beside([&] {
      int n = 0;
      for (auto* line : lines) {
        if (n % 3 == 0) this_fiber::yield();
        if (n % 2 == 0) {
          line->send(n);
        } else {
          EXPECT_EQ(line->receive(), n);
        }
        ++n;
      }
    });
    for (int i = 0; i < 3000; ++i) {
      auto line = std::make_unique<channel<int>>();
      lines.send(line.get());
      if (i % 5 == 0) this_fiber::yield();
      int got = i;
      if (i % 2 == 0) {
        select(on_receive(other, [](int) {}), on_receive(*line, [&](int v) { got = v; }),
               on_receive(*line, [&](int v) { got = v; }));
      } else {
        select(on_receive(other, [](int) {}), on_send(*line, i, [] {}));
      }
      EXPECT_EQ(got, i);
      line.reset();
    }
    lines.close();
  });
}

// Those who wait at it stay in the parent: the child does not give its values to them.
TEST(channel_life, in_a_forked_child_goes_on_without_who_waited) {
  runtime rt({.workers = 1});
  channel<int> c;
  fiber waiting(on(rt), [&] { EXPECT_EQ(c.receive(), 2); });
  rt.run([&] { until_parked(rt, 1); });
  const pid_t child = ::fork();
  if (child == 0) {
    const bool alone = c.try_send(1) == channel_status::full;
    c.close();
    ::_exit(alone && c.receive() == std::nullopt ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(c.send(2));
}
}  // namespace weft::test
