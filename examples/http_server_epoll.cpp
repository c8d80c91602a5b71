// The server of http_server.cpp as a bare epoll loop: the least that the kernel can be asked to do
// for it. Each descriptor is added once, edge-triggered, for both directions; a request costs one
// recv, one send, and its share of one epoll_wait.
//
//   http_server_epoll --port P --loops N    N threads, each with its own loop and listening socket
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <memory>
#include <thread>
#include <vector>

#include "common/http_session.hpp"
#include "common/listen_socket.hpp"
#include "common/options.hpp"

namespace {

struct connection {
  example::http_session session;
  std::string_view unsent;      // what the socket did not take yet; nothing is read meanwhile
  bool close_when_sent = false;
  bool more_to_read = false;    // the edge that told of it is used up: only we know
};

class event_loop {
 public:
  event_loop(int listener, int stop) : listener_(listener), stop_(stop) {
    watch(listener_, EPOLLIN | EPOLLET);
    watch(stop_, EPOLLIN);
  }

  void run() {
    std::array<epoll_event, 512> events;
    for (;;) {
      const int n = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      if (n < 0 && errno != EINTR) example::check(n, "epoll_wait");
      for (int i = 0; i < n; ++i) {
        const epoll_event& event = events[static_cast<std::size_t>(i)];
        if (event.data.fd == stop_) return;
        if (event.data.fd == listener_)
          accept_all();
        else
          advance(event.data.fd, event.events);
      }
    }
  }

 private:
  void watch(int fd, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    example::check(epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
  }

  void accept_all() {
    for (;;) {
      const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd >= 0) {
        const auto slot = static_cast<std::size_t>(fd);
        if (slot >= connections_.size()) connections_.resize(slot * 2);
        connections_[slot] = std::make_unique<connection>();
        watch(fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
      } else if (errno == EAGAIN) {
        return;
      } else if (errno != ECONNABORTED && errno != EINTR) {
        std::perror("accept4");  // those that wait in the queue are taken with the next arrival
        return;
      }
    }
  }

  void advance(int fd, std::uint32_t events) {
    connection& c = *connections_[static_cast<std::size_t>(fd)];
    // What has been read is answered before more is read; the edge is remembered.
    if (!c.unsent.empty()) {
      c.more_to_read |= (events & ~std::uint32_t{EPOLLOUT}) != 0;
      if (!flush(fd, c)) return;
    }
    // The end of the stream may have come with the last bytes, in one edge: then a short read does
    // not mean that there is nothing left to learn.
    const bool ends = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    if ((events & EPOLLIN) != 0 || ends || c.more_to_read) read_and_answer(fd, c, ends);
  }

  void read_and_answer(int fd, connection& c, bool to_the_end) {
    for (;;) {
      const ssize_t n = recv(fd, buffer_.data(), buffer_.size(), 0);
      if (n < 0 && errno == EAGAIN) break;
      if (n <= 0) return drop(fd);
      const auto length = static_cast<std::size_t>(n);
      const auto reply = c.session.feed(std::span(buffer_).first(length));
      c.close_when_sent = reply.last;
      c.unsent = reply.bytes;
      c.more_to_read = to_the_end || length == buffer_.size();
      if (!flush(fd, c)) return;
      // A short read has emptied the socket: whatever comes now brings an edge of its own.
      if (!c.more_to_read) return;
    }
    c.more_to_read = false;
  }

  // False: nothing more can be done for this connection now, or it is gone.
  bool flush(int fd, connection& c) {
    while (!c.unsent.empty()) {
      const ssize_t n = send(fd, c.unsent.data(), c.unsent.size(), MSG_NOSIGNAL);
      if (n < 0) {
        if (errno != EAGAIN) drop(fd);
        return false;
      }
      c.unsent.remove_prefix(static_cast<std::size_t>(n));
    }
    if (!c.close_when_sent) return true;
    drop(fd);
    return false;
  }

  void drop(int fd) {
    close(fd);
    connections_[static_cast<std::size_t>(fd)].reset();
  }

  int epoll_ = example::check(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
  int listener_;
  int stop_;
  std::array<std::byte, example::read_size> buffer_;
  std::vector<std::unique_ptr<connection>> connections_{64};
};

}  // namespace

int main(int argc, char** argv) {
  auto port = example::option<std::uint16_t>(argc, argv, "--port", 8080);
  const auto loops = example::option<unsigned>(argc, argv, "--loops", 1, 1024);
  const sigset_t stop_signals = example::block_stop_signals();
  const int stop = example::check(eventfd(0, EFD_CLOEXEC), "eventfd");

  std::vector<int> listeners;
  for (unsigned i = 0; i < loops; ++i) {
    listeners.push_back(example::listen_socket(port, SOCK_STREAM | SOCK_NONBLOCK, true));
    port = example::port_of(listeners.front());
  }
  std::printf("listening on 127.0.0.1:%u\n", unsigned{port});
  std::fflush(stdout);

  std::vector<std::jthread> threads;
  for (const int listener : listeners)
    threads.emplace_back([listener, stop] { event_loop(listener, stop).run(); });
  int signal = 0;
  sigwait(&stop_signals, &signal);
  eventfd_write(stop, 1);
}
