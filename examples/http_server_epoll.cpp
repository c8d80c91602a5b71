// The server of http_server.cpp as a bare epoll loop: the least that the kernel can be asked to do
// for it. Each descriptor is added once, edge-triggered, for both directions; a request costs one
// recv, one send, and its share of one epoll_wait.
//
//   http_server_epoll --port P --loops N    N threads, each with its own loop and listening socket
//
// --stats: when it is stopped, it prints how many system calls it has made.
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <future>
#include <memory>
#include <vector>

#include "common/http_session.hpp"
#include "common/listen_socket.hpp"
#include "common/options.hpp"

namespace {

struct connection {
  example::http_session session;
  std::string_view unsent;  // what the socket did not take yet; nothing is read meanwhile
  bool close_when_sent = false;
  bool more_to_read = false;  // the edge that told of it is used up: only we know
};

struct call_counts {
  unsigned long epoll_wait = 0, epoll_ctl = 0, accept4 = 0, recv = 0, send = 0, close = 0;
};

class event_loop {
 public:
  event_loop(int listener, int stop) : listener_(listener), stop_(stop) {
    watch(listener_, EPOLLIN | EPOLLET);
    watch(stop_, EPOLLIN);
  }

  call_counts run() {
    std::array<epoll_event, 512> events;
    for (;;) {
      ++calls_.epoll_wait;
      const int n = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      if (n < 0 && errno != EINTR) example::check(n, "epoll_wait");
      for (int i = 0; i < n; ++i) {
        const epoll_event& event = events[static_cast<std::size_t>(i)];
        if (event.data.fd == stop_) return calls_;
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
    ++calls_.epoll_ctl;
    example::check(epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
  }

  void accept_all() {
    for (;;) {
      ++calls_.accept4;
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
      ++calls_.recv;
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
      ++calls_.send;
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
    ++calls_.close;
    close(fd);
    connections_[static_cast<std::size_t>(fd)].reset();
  }

  call_counts calls_;
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

  std::vector<std::future<call_counts>> threads;
  for (const int listener : listeners)
    threads.push_back(std::async(std::launch::async,
                                 [listener, stop] { return event_loop(listener, stop).run(); }));
  int signal = 0;
  sigwait(&stop_signals, &signal);
  eventfd_write(stop, 1);

  call_counts all;
  for (auto& thread : threads) {
    const call_counts one = thread.get();
    all.epoll_wait += one.epoll_wait;
    all.epoll_ctl += one.epoll_ctl;
    all.accept4 += one.accept4;
    all.recv += one.recv;
    all.send += one.send;
    all.close += one.close;
  }
  if (example::flag(argc, argv, "--stats"))
    std::printf(
        "{\"system_calls\": {\"epoll_wait\": %lu, \"epoll_ctl\": %lu, \"accept4\": %lu, "
        "\"recv\": %lu, \"send\": %lu, \"close\": %lu}}\n",
        all.epoll_wait, all.epoll_ctl, all.accept4, all.recv, all.send, all.close);
}
