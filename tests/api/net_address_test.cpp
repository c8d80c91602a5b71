// "host:port": which texts are understood, which are refused and why, and names.
#include <gtest/gtest.h>
#include <netdb.h>

#include <array>

#include "api/net_support.hpp"

namespace weft::test {
namespace {

struct refused {
  std::string_view text;
  std::string_view why;
};

class net_address_refused : public testing::TestWithParam<refused> {};

TEST_P(net_address_refused, says_why) {
  const auto& [text, why] = GetParam();
  const thrown by_connect = thrown_by([&] { net::tcp_stream::connect(text); });
  EXPECT_EQ(by_connect.code, std::errc::invalid_argument);
  EXPECT_NE(by_connect.text.find(why), std::string::npos) << by_connect.text;
  const thrown by_bind = thrown_by([&] { net::tcp_listener::bind(text); });
  EXPECT_EQ(by_bind.code, std::errc::invalid_argument);
  EXPECT_NE(by_bind.text.find(why), std::string::npos) << by_bind.text;
  std::error_code code;
  EXPECT_FALSE(net::tcp_stream::connect(text, code).is_open());
  EXPECT_EQ(code, std::errc::invalid_argument);
}

using namespace std::string_view_literals;
INSTANTIATE_TEST_SUITE_P(
    texts, net_address_refused,
    testing::Values(
        refused{"", "port is missing"}, refused{"127.0.0.1", "port is missing"},
        refused{"[::1]", "port is missing"}, refused{"127.0.0.1:", "decimal number"},
        refused{"127.0.0.1:65536", "decimal number"}, refused{"127.0.0.1:-1", "decimal number"},
        refused{"127.0.0.1:+1", "decimal number"}, refused{"127.0.0.1: 1", "decimal number"},
        refused{"127.0.0.1:80x", "decimal number"}, refused{"127.0.0.1:http", "decimal number"},
        refused{"127.0.0.1:99999999999999999999", "decimal number"},
        refused{"::1:80", "needs brackets"}, refused{"[::1:80", "not closed"},
        refused{"[::1]x:80", "not closed"}, refused{"[]:80", "no IPv6 address"},
        refused{"[127.0.0.1]:80", "no IPv6 address"}, refused{"[localhost]:80", "no IPv6 address"},
        refused{"[::1%no-such-interface]:80", "no IPv6 address"},
        refused{"a\0b:80"sv, "zero byte"}));

TEST(net_address, texts_of_any_length_are_survived) {
  const std::string endless(100'000, 'x');
  const thrown error = thrown_by([&] { net::tcp_stream::connect(endless); });
  EXPECT_EQ(error.code, std::errc::invalid_argument);
  EXPECT_LT(error.text.size(), 1000u);
}

TEST(net_address, empty_host_listens_everywhere_and_connects_here) {
  runtime rt({.workers = 1});
  rt.run([] {
    auto listener = net::tcp_listener::bind(":0");
    const std::string port = std::to_string(listener.port());
    for (const std::string& address : {":" + port, "127.0.0.1:" + port}) {
      std::error_code code;
      auto near = net::tcp_stream::connect(address, code);
      EXPECT_TRUE(near.is_open()) << address << ": " << code.message();
      EXPECT_TRUE(listener.accept().is_open());
    }
  });
}

TEST(net_address, ipv6) {
  runtime rt({.workers = 1});
  bool available = true;
  rt.run([&] {
    std::error_code code;
    auto listener = net::tcp_listener::bind("[::1]:0", code);
    available = !code;
    if (!available) return;
    const std::string address = "[::1]:" + std::to_string(listener.port());
    EXPECT_EQ(listener.local_address(), address);
    auto [near, far] = connected(listener);
    EXPECT_EQ(near.peer_address(), address);
    near.write_all(bytes("six"));
    near.close();
    EXPECT_EQ(read_to_end(far), "six");
    auto scoped = net::tcp_stream::connect("[::1%lo]:" + std::to_string(listener.port()), code);
    EXPECT_TRUE(scoped.is_open()) << code.message();
  });
  if (!available) GTEST_SKIP() << "this machine has no IPv6";
}

TEST(net_address, foreign_addresses_are_refused) {
  std::error_code code;
  EXPECT_FALSE(net::tcp_listener::bind("192.0.2.1:0", code).is_open());  // RFC 5737: nobody's
  EXPECT_EQ(code, std::errc::address_not_available);
}

bool knows_localhost() {
  addrinfo* list = nullptr;
  if (::getaddrinfo("localhost", nullptr, nullptr, &list) != 0) return false;
  ::freeaddrinfo(list);
  return true;
}

TEST(net_address, names_are_looked_up_in_a_blocking_section) {
  if (!knows_localhost()) GTEST_SKIP() << "localhost has no address here";
  runtime rt({.workers = 1});
  rt.run([&] {
    // The name may stand for ::1 first, where nobody listens: then the next address is tried.
    auto listener = listen_anywhere();
    const auto before = rt.stats().blocking_calls;
    // On a stack on which the resolver itself would not have room.
    fiber client({.name = "client", .stack_size = 16 * 1024}, [&] {
      auto near = net::tcp_stream::connect("localhost:" + std::to_string(listener.port()));
      near.write_all(bytes("by name"));
    });
    auto far = listener.accept();
    EXPECT_EQ(read_to_end(far), "by name");
    client.join();
    EXPECT_GT(rt.stats().blocking_calls, before);
    EXPECT_TRUE(net::tcp_listener::bind("localhost:0").is_open());
  });
}

TEST(net_address, look_ups_are_given_up_when_time_is_up_or_the_fiber_is_stopped) {
  runtime rt({.workers = 1});
  rt.run([] {
    const std::string address = "localhost:" + std::to_string(listen_anywhere().port());
    {
      const deadline_scope over(std::chrono::seconds(0));
      EXPECT_THROW(net::tcp_stream::connect(address), deadline_exceeded);
      std::error_code code;
      EXPECT_FALSE(net::tcp_stream::connect(address, code).is_open());
      EXPECT_EQ(code, std::errc::timed_out);
    }
    std::error_code code;
    fiber stopped([&](std::stop_token stop) {
      while (!stop.stop_requested()) this_fiber::yield();
      net::tcp_stream::connect(address, code);
      net::tcp_stream::connect(address);
      ADD_FAILURE() << "connect in a stopped fiber returned";
    });
    stopped.request_stop();
    stopped.join();
    EXPECT_EQ(code, std::errc::operation_canceled);
  });
}

TEST(net_address, names_work_on_kernel_threads) {
  if (!knows_localhost()) GTEST_SKIP() << "localhost has no address here";
  EXPECT_TRUE(net::tcp_listener::bind("localhost:0").is_open());
}

TEST(net_address, unknown_names_have_the_resolvers_code) {
  runtime rt({.workers = 1});
  rt.run([] {
    // A label is at most 63 bytes long: no name server is asked.
    const std::string name = std::string(70, 'x') + ":80";
    const thrown error = thrown_by([&] { net::tcp_stream::connect(name); });
    EXPECT_EQ(&error.code.category(), &net::resolver_category()) << error.text;
    EXPECT_NE(error.text.find(name), std::string::npos) << error.text;
    std::error_code code;
    EXPECT_FALSE(net::tcp_listener::bind(name, code).is_open());
    EXPECT_EQ(&code.category(), &net::resolver_category());
    EXPECT_FALSE(code.message().empty());
  });
}

}  // namespace
}  // namespace weft::test
