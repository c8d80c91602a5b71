// Stop requests and deadlines end what waits on a socket, and leave the socket usable.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <vector>

#include "api/net_support.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;

// Whether f ends by operation_canceled.
template <class F>
bool canceled(F&& f) {
  try {
    f();
  } catch (const operation_canceled&) {
    return true;
  }
  return false;
}

// Runs f on a fiber, waits until it is parked, asks it to stop and joins it.
template <class F>
void stop_while_parked(const runtime& on, F&& f) {
  fiber waiting(std::forward<F>(f));
  until_parked(on, 1);
  EXPECT_TRUE(waiting.request_stop());
  waiting.join();
}

TEST(net_cancel, stop_request_ends_accept) {
  runtime rt({.workers = 1});
  rt.run([&] {
    auto listener = listen_anywhere();
    bool ended = false;
    stop_while_parked(rt, [&] { ended = canceled([&] { listener.accept(); }); });
    EXPECT_TRUE(ended);
    std::error_code code;
    stop_while_parked(rt, [&] { listener.accept(code); });
    EXPECT_EQ(code, std::errc::operation_canceled);
    EXPECT_TRUE(connected(listener).far.is_open()) << "usable afterwards";
  });
}

TEST(net_cancel, stop_request_ends_read) {
  runtime rt({.workers = 1});
  rt.run([&] {
    auto ends = connected();
    std::byte buffer[10];
    bool ended = false;
    stop_while_parked(rt, [&] { ended = canceled([&] { ends.near.read_some(buffer); }); });
    EXPECT_TRUE(ended);
    std::error_code code;
    ends.far.write_all(bytes("abc"));
    std::size_t n = 0;
    stop_while_parked(rt, [&] { n = ends.near.read_all(buffer, code); });
    EXPECT_EQ(code, std::errc::operation_canceled);
    EXPECT_EQ(n, 3u) << "what was read before the stop is told";
    ends.far.write_all(bytes("x"));
    EXPECT_EQ(ends.near.read_some(buffer), 1u) << "usable afterwards";
  });
}

TEST(net_cancel, stop_request_ends_write) {
  runtime rt({.workers = 1});
  rt.run([&] {
    auto ends = connected();
    const std::vector<std::byte> much(64 << 20);
    bool ended = false;
    stop_while_parked(rt, [&] { ended = canceled([&] { ends.near.write_all(much); }); });
    EXPECT_TRUE(ended);
  });
}

TEST(net_cancel, stopped_fiber_begins_nothing) {
  runtime rt({.workers = 1});
  rt.run([] {
    auto ends = connected();
    ends.far.write_all(bytes("there is something to read"));
    const std::string address = listen_anywhere().local_address();
    fiber stopped([&](std::stop_token stop) {
      while (!stop.stop_requested()) this_fiber::yield();
      std::byte buffer[10];
      EXPECT_TRUE(canceled([&] { ends.near.read_some(buffer); }));
      EXPECT_TRUE(canceled([&] { ends.near.write_all(bytes("x")); }));
      EXPECT_TRUE(canceled([&] { net::tcp_stream::connect(address); }));
      EXPECT_EQ(ends.near.read_some({}), 0u);
    });
    stopped.request_stop();
    stopped.join();
  });
}

TEST(net_cancel, deadline_ends_accept_and_read) {
  runtime rt({.workers = 1});
  rt.run([] {
    auto listener = listen_anywhere();
    auto [near, far] = connected(listener);
    std::byte buffer[10];
    {
      const deadline_scope limit(1ms);
      EXPECT_THROW(listener.accept(), deadline_exceeded);
      EXPECT_THROW(near.read_some(buffer), deadline_exceeded);
      std::error_code code;
      EXPECT_EQ(near.read_some(buffer, code), 0u);
      EXPECT_EQ(code, std::errc::timed_out);
      EXPECT_FALSE(listener.accept(code).is_open());
      EXPECT_EQ(code, std::errc::timed_out);
    }
    far.write_all(bytes("late"));
    EXPECT_EQ(near.read_some(buffer), 4u) << "usable afterwards";
  });
}

TEST(net_cancel, deadline_ends_reads_on_kernel_threads) {
  auto [near, far] = connected();
  std::byte buffer[10];
  const deadline_scope limit(1ms);
  EXPECT_THROW(near.read_some(buffer), deadline_exceeded);
}

TEST(net_cancel, deadline_ends_write) {
  runtime rt({.workers = 1});
  rt.run([] {
    auto [near, far] = connected();
    const std::vector<std::byte> much(64 << 20);
    const deadline_scope limit(20ms);
    EXPECT_THROW(near.write_all(much), deadline_exceeded);
  });
}

TEST(net_cancel, deadline_ends_connect) {
  runtime rt({.workers = 1});
  rt.run([] {
    // Once the backlog is full, the kernel drops requests: a connect waits.
    auto listener = listen_anywhere({.backlog = 0});
    std::vector<net::tcp_stream> queued;
    bool expired = false;
    for (int i = 0; i < 64 && !expired; ++i) {
      const deadline_scope limit(50ms);
      try {
        queued.push_back(net::tcp_stream::connect(listener.local_address()));
      } catch (const deadline_exceeded&) {
        expired = true;
      }
    }
    EXPECT_TRUE(expired);
  });
}

TEST(net_cancel, timeout_of_tcp_itself_is_not_taken_for_a_deadline) {
  runtime rt({.workers = 1});
  rt.run([] {
    // A peer that reads nothing keeps its window closed, and TCP gives it up.
    auto [near, far] = connected();
    const unsigned milliseconds = 100;
    ASSERT_EQ(::setsockopt(near.native_handle(), IPPROTO_TCP, TCP_USER_TIMEOUT, &milliseconds,
                           sizeof milliseconds),
              0);
    const std::vector<std::byte> much(64 << 20);
    const deadline_scope far_away(1h);
    bool plain = false;
    try {
      near.write_all(much);
    } catch (const deadline_exceeded&) {
      ADD_FAILURE() << "an hour has not passed";
    } catch (const std::system_error& error) {
      EXPECT_EQ(error.code(), std::errc::timed_out);
      plain = true;
    }
    EXPECT_TRUE(plain);
  });
}

}  // namespace
}  // namespace weft::test
