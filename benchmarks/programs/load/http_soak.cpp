// Keeps `--size` connections alive and active for `--seconds`: each asks once in `--period-ms`,
// every eighth time twice in one segment. Every byte that comes back is compared. An answer that is
// missing when all is over, a wrong byte, a reset or a close is an error, and the exit status is 1.
#include <sys/epoll.h>

#include <algorithm>
#include <vector>

#include "http_client.hpp"

namespace {

using time_point = bench::clock::time_point;

struct connection {
  int fd = -1;
  std::uint64_t asked = 0;
  std::uint64_t answered = 0;
  std::uint64_t turns = 0;
  std::size_t position = 0;  // in the answer now arriving
  time_point last_asked{};
};

class soak {
 public:
  soak(std::uint16_t port, std::uint64_t size)
      : port_(port), answer_(bench::learn_answer(port)), connections_(size) {
    epoll_ = bench::checked(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
  }

  // A few hundred at a time: the server's backlog is bounded.
  void connect_all() {
    constexpr std::size_t at_once = 256;
    for (std::size_t first = 0; first < connections_.size(); first += at_once) {
      const std::size_t last = std::min(first + at_once, connections_.size());
      for (std::size_t i = first; i < last; ++i) open(i);
      for (std::size_t left = last - first; left > 0;) {
        epoll_event events[at_once];
        const int n = epoll_wait(epoll_, events, at_once, 10'000);
        if (n <= 0) bench::fail("a connection was not accepted within 10 s");
        for (int i = 0; i < n; ++i) left -= established(events[i]) ? 1u : 0u;
      }
    }
  }

  void run(std::chrono::nanoseconds length, std::chrono::nanoseconds period) {
    const auto begin = bench::clock::now();
    const auto gap = period / static_cast<std::int64_t>(connections_.size());
    auto due = begin;
    for (std::size_t next = 0; bench::clock::now() - begin < length;) {
      const auto now = bench::clock::now();
      for (; due <= now; due += gap) {
        ask(connections_[next]);
        next = (next + 1) % connections_.size();
      }
      receive(1);
    }
    // What is under way gets ten more seconds, and then counts as lost.
    const auto end = bench::clock::now();
    while (outstanding_ > 0 && bench::clock::now() - end < std::chrono::seconds(10)) receive(100);
    seconds_ = bench::seconds_since(begin);
  }

  bool report() const {
    std::uint64_t asked = 0;
    std::uint64_t alive = 0;
    for (const connection& c : connections_) {
      asked += c.asked;
      alive += c.fd >= 0 ? 1 : 0;
    }
    bench::report("load", "http_soak")
        .run(1, connections_.size(), asked, seconds_)
        .count("alive", alive)
        .count("lost", outstanding_)
        .count("errors", errors_)
        .real("worst_ms", worst_ms_)
        .print();
    return errors_ == 0 && outstanding_ == 0 && alive == connections_.size();
  }

 private:
  void open(std::size_t i) {
    connection& c = connections_[i];
    c.fd = bench::connect_from(1 + static_cast<std::uint32_t>(i % 4), port_, SOCK_NONBLOCK);
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.u64 = i;
    bench::checked(epoll_ctl(epoll_, EPOLL_CTL_ADD, c.fd, &event), "epoll_ctl");
  }

  bool established(const epoll_event& event) {
    if ((event.events & (EPOLLERR | EPOLLHUP)) != 0) bench::fail("a connection was refused");
    return (event.events & EPOLLOUT) != 0;
  }

  void ask(connection& c) {
    if (c.fd < 0) return;
    const std::uint64_t requests = ++c.turns % 8 == 0 ? 2 : 1;
    std::string text(bench::http_request);
    if (requests == 2) text += bench::http_request;
    const ssize_t n = send(c.fd, text.data(), text.size(), MSG_NOSIGNAL);
    c.asked += requests;
    outstanding_ += requests;
    c.last_asked = bench::clock::now();
    if (n != static_cast<ssize_t>(text.size())) drop(c, "send");
  }

  void receive(int timeout_ms) {
    epoll_event events[1024];
    const int n = epoll_wait(epoll_, events, 1024, timeout_ms);
    for (int i = 0; i < n; ++i) take(connections_[events[i].data.u64]);
  }

  void take(connection& c) {
    char buffer[4096];
    while (c.fd >= 0) {
      const ssize_t n = recv(c.fd, buffer, sizeof buffer, 0);
      if (n < 0 && errno == EAGAIN) return;
      if (n < 0) return drop(c, "recv");
      if (n == 0) return drop(c, "closed by the server");
      compare(c, std::string_view(buffer, static_cast<std::size_t>(n)));
    }
  }

  void compare(connection& c, std::string_view bytes) {
    while (!bytes.empty()) {
      const std::size_t part = std::min(bytes.size(), answer_.size() - c.position);
      if (c.answered == c.asked) return drop(c, "more answers than requests");
      if (answer_.compare(c.position, part, bytes.substr(0, part)) != 0)
        return drop(c, "a wrong byte");
      bytes.remove_prefix(part);
      c.position += part;
      if (c.position < answer_.size()) continue;
      c.position = 0;
      ++c.answered;
      --outstanding_;
      worst_ms_ = std::max(worst_ms_, bench::seconds_since(c.last_asked) * 1e3);
    }
  }

  // Its outstanding requests stay counted as lost.
  void drop(connection& c, const char* why) {
    if (++errors_ <= 5) std::fprintf(stderr, "connection lost: %s\n", why);
    close(c.fd);
    c.fd = -1;
  }

  std::uint16_t port_;
  std::string answer_;
  std::vector<connection> connections_;
  int epoll_ = -1;
  std::uint64_t outstanding_ = 0;
  std::uint64_t errors_ = 0;
  double worst_ms_ = 0;
  double seconds_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  const bench::arguments args(argc, argv);
  const std::uint64_t size = args.number("--size", 10'000);
  bench::raise_descriptor_limit(size + 64);
  soak run(static_cast<std::uint16_t>(args.number("--port", 8080)), size);
  run.connect_all();
  run.run(std::chrono::seconds(args.number("--seconds", 30)),
          std::chrono::milliseconds(args.number("--period-ms", 1000)));
  return run.report() ? 0 : 1;
}
