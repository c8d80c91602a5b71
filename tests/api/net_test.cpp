// Streams that work: what one end writes, the other reads.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>

#include <array>
#include <thread>
#include <type_traits>
#include <vector>

#include "api/net_support.hpp"

namespace weft::test {
namespace {

static_assert(!std::is_copy_constructible_v<net::tcp_stream>);
static_assert(std::is_nothrow_move_constructible_v<net::tcp_stream>);
static_assert(std::is_nothrow_move_assignable_v<net::tcp_listener>);

void echo(net::tcp_stream peer) {
  std::array<std::byte, 64> buffer;
  while (const std::size_t n = peer.read_some(buffer)) peer.write_all(std::span(buffer).first(n));
}

void expect_echoes(const std::string& address, int client) {
  auto stream = net::tcp_stream::connect(address);
  for (int i = 0; i < 50; ++i) {
    const std::string sent = "client " + std::to_string(client) + " line " + std::to_string(i);
    stream.write_all(bytes(sent));
    std::string received(sent.size(), '\0');
    EXPECT_EQ(stream.read_all(std::as_writable_bytes(std::span(received))), sent.size());
    EXPECT_EQ(received, sent);
  }
  stream.shutdown_write();
  EXPECT_EQ(read_to_end(stream), "");
}

TEST(net, echoes_to_fibers_and_kernel_threads_at_once) {
  constexpr int fibers = 20, threads = 3;
  runtime rt({.workers = 2});
  auto listener = listen_anywhere();
  const std::string address = listener.local_address();
  std::vector<std::thread> clients;
  for (int i = 0; i < threads; ++i) clients.emplace_back(expect_echoes, address, i);
  rt.run([&] {
    fiber accepting([&] {
      for (int i = 0; i < fibers + threads; ++i) fiber(echo, listener.accept()).detach();
    });
    std::vector<fiber> mine;
    for (int i = 0; i < fibers; ++i) mine.emplace_back(expect_echoes, address, threads + i);
    for (fiber& each : mine) each.join();
    accepting.join();
  });
  for (std::thread& each : clients) each.join();
}

TEST(net, needs_no_runtime_on_kernel_threads) {
  auto listener = listen_anywhere();
  std::thread server([&] { echo(listener.accept()); });
  expect_echoes(listener.local_address(), 0);
  server.join();
}

TEST(net, one_listener_serves_several_acceptors) {
  runtime rt({.workers = 2});
  rt.run([] {
    auto listener = listen_anywhere();
    std::vector<fiber> acceptors;
    for (int i = 0; i < 4; ++i) acceptors.emplace_back([&] { echo(listener.accept()); });
    for (int i = 0; i < 4; ++i) expect_echoes(listener.local_address(), i);
    for (fiber& each : acceptors) each.join();
  });
}

TEST(net, burst_of_connections_reaches_every_acceptor_that_waits) {
  constexpr int count = 8;
  runtime rt({.workers = 2});
  auto listener = listen_anywhere();
  rt.run([&] {
    std::vector<fiber> acceptors;
    for (int i = 0; i < count; ++i) acceptors.emplace_back([&] { echo(listener.accept()); });
    until_parked(rt, count);
    // All at once, so that one event stands for several connections.
    std::vector<net::tcp_stream> clients;
    blocking([&] {
      for (int i = 0; i < count; ++i) {
        clients.push_back(net::tcp_stream::connect(listener.local_address()));
      }
    });
    for (net::tcp_stream& each : clients) {
      each.write_all(bytes("here"));
      each.shutdown_write();
      EXPECT_EQ(read_to_end(each), "here");
    }
    for (fiber& each : acceptors) each.join();
  });
}

TEST(net, shutdown_write_ends_one_direction_only) {
  runtime rt({.workers = 1});
  rt.run([] {
    auto [near, far] = connected();
    near.write_all(bytes("request"));
    near.shutdown_write();
    EXPECT_EQ(read_to_end(far), "request");
    std::byte more;
    EXPECT_EQ(far.read_some({&more, 1}), 0u) << "the end stays the end";
    far.write_all(bytes("reply"));
    far.close();
    EXPECT_EQ(read_to_end(near), "reply");
  });
}

TEST(net, shutdown_read_ends_a_read_that_waits) {
  runtime rt({.workers = 1});
  rt.run([&] {
    auto ends = connected();
    fiber reader([&] { EXPECT_EQ(read_to_end(ends.near), ""); });
    until_parked(rt, 1);
    ends.near.shutdown_read();
    reader.join();
  });
}

TEST(net, read_all_tells_an_early_end_by_its_count) {
  runtime rt({.workers = 1});
  rt.run([] {
    auto [near, far] = connected();
    near.write_all(bytes("12345"));
    near.close();
    std::array<std::byte, 3> buffer;
    EXPECT_EQ(far.read_all(buffer), 3u);
    EXPECT_EQ(far.read_all(buffer), 2u);
    EXPECT_EQ(far.read_all(buffer), 0u);
  });
}

TEST(net, empty_buffers_neither_wait_nor_fail) {
  runtime rt({.workers = 1});
  rt.run([] {
    auto [near, far] = connected();
    EXPECT_EQ(near.read_some({}), 0u) << "although nothing has come";
    EXPECT_EQ(near.read_all({}), 0u);
    EXPECT_EQ(near.write_some({}), 0u);
    near.write_all({});
    near.write_all(bytes("x"));
    std::byte one;
    EXPECT_EQ(far.read_some({&one, 1}), 1u) << "an empty write sends nothing";
    EXPECT_EQ(one, std::byte{'x'});
  });
}

// Bytes that depend on their position, and a sum that depends on their order.
std::byte byte_at(std::size_t i, std::uint32_t seed) {
  const auto mixed = (static_cast<std::uint32_t>(i) + seed) * 2654435761u;
  return static_cast<std::byte>(mixed >> 24);
}

constexpr std::size_t transfer_size = 10'000'000;

std::uint64_t sum_of(std::uint64_t before, std::span<const std::byte> data) {
  for (const std::byte b : data) before = (before ^ std::to_integer<unsigned>(b)) * 1099511628211u;
  return before;
}

std::uint64_t write_much(net::tcp_stream& to, std::uint32_t seed) {
  std::vector<std::byte> data(transfer_size);
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = byte_at(i, seed);
  to.write_all(data);
  to.shutdown_write();
  return sum_of(0, data);
}

std::uint64_t read_much(net::tcp_stream& from) {
  std::vector<std::byte> buffer(30'000);
  std::uint64_t sum = 0;
  std::size_t total = 0;
  while (const std::size_t n = from.read_some(buffer)) {
    sum = sum_of(sum, std::span(buffer).first(n));
    total += n;
  }
  EXPECT_EQ(total, transfer_size);
  return sum;
}

TEST(net, large_transfers_both_ways_at_once_arrive_whole) {
  runtime rt({.workers = 2});
  rt.run([] {
    auto ends = connected();
    const int small = 8192;  // a write of everything takes very many sends
    for (const int fd : {ends.near.native_handle(), ends.far.native_handle()}) {
      ASSERT_EQ(::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
    }
    std::uint64_t near_sent = 0, far_sent = 0, near_got = 0, far_got = 1;
    {
      fiber a([&] { near_sent = write_much(ends.near, 1); });
      fiber b([&] { far_sent = write_much(ends.far, 2); });
      fiber c([&] { near_got = read_much(ends.near); });
      fiber d([&] { far_got = read_much(ends.far); });
      a.join(), b.join(), c.join(), d.join();
    }
    EXPECT_EQ(far_got, near_sent);
    EXPECT_EQ(near_got, far_sent);
    EXPECT_NE(near_sent, far_sent);
  });
}

TEST(net, write_some_takes_what_fits) {
  runtime rt({.workers = 1});
  rt.run([] {
    auto [near, far] = connected();
    const std::vector<std::byte> much(64 << 20);  // more than any socket's buffers
    const std::size_t n = near.write_some(much);
    EXPECT_GT(n, 0u);
    EXPECT_LT(n, much.size());
  });
}

TEST(net, accepted_connections_inherit_nodelay_at_no_cost) {
  runtime rt({.workers = 1});
  rt.run([&] {
    for (const bool nodelay : {true, false}) {
      auto listener = listen_anywhere({.nodelay = nodelay});
      auto near = net::tcp_stream::connect(listener.local_address(), {.nodelay = nodelay});
      // The kernel may queue it after connect() has returned: accept() would try twice.
      pollfd queued{listener.native_handle(), POLLIN, 0};
      ASSERT_EQ(::poll(&queued, 1, -1), 1);
      const auto before = rt.stats().syscalls;
      auto far = listener.accept();
      const auto after = rt.stats().syscalls;
      EXPECT_EQ(after.accept - before.accept, 1u);
      EXPECT_EQ(after.other - before.other, 0u);
      EXPECT_EQ(get_option(far.native_handle(), IPPROTO_TCP, TCP_NODELAY) != 0, nodelay);
      EXPECT_EQ(get_option(near.native_handle(), IPPROTO_TCP, TCP_NODELAY) != 0, nodelay);
    }
  });
}

TEST(net, options_of_a_stream_can_be_changed) {
  runtime rt({.workers = 1});
  rt.run([] {
    auto listener = listen_anywhere();
    auto near = net::tcp_stream::connect(listener.local_address(), {.keep_alive = true});
    EXPECT_NE(get_option(near.native_handle(), SOL_SOCKET, SO_KEEPALIVE), 0);
    near.set_keep_alive(false);
    EXPECT_EQ(get_option(near.native_handle(), SOL_SOCKET, SO_KEEPALIVE), 0);
    near.set_nodelay(false);
    EXPECT_EQ(get_option(near.native_handle(), IPPROTO_TCP, TCP_NODELAY), 0);
  });
}

TEST(net, release_and_adopt_pass_ownership_on) {
  runtime rt({.workers = 1});
  rt.run([] {
    auto listener = listen_anywhere();
    auto [near, far] = connected(listener);
    const int fd = near.native_handle();
    ASSERT_GE(fd, 0);
    EXPECT_EQ(near.release(), fd);
    EXPECT_FALSE(near.is_open());
    EXPECT_EQ(near.native_handle(), -1);
    near.close();  // not its own any more
    auto again = net::tcp_stream::adopt(fd);
    again.write_all(bytes("still connected"));
    again = net::tcp_stream();  // closes
    EXPECT_EQ(read_to_end(far), "still connected");

    const auto port = listener.port();
    auto inherited = net::tcp_listener::adopt(listener.release());
    EXPECT_EQ(inherited.port(), port);
    EXPECT_TRUE(connected(inherited).far.is_open());
  });
}

TEST(net, both_ends_tell_their_addresses) {
  runtime rt({.workers = 1});
  rt.run([] {
    auto listener = listen_anywhere();
    auto [near, far] = connected(listener);
    EXPECT_EQ(listener.local_address(), "127.0.0.1:" + std::to_string(listener.port()));
    EXPECT_EQ(near.peer_address(), listener.local_address());
    EXPECT_EQ(near.local_address(), far.peer_address());
    EXPECT_EQ(far.local_address(), listener.local_address());
  });
}

}  // namespace
}  // namespace weft::test
