// The server of http_server.cpp on one kernel thread for each connection: what fibers replace.
//
//   http_server_threads --port P          port 0: the system chooses, and the choice is printed
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <thread>

#include "common/http_session.hpp"
#include "common/listen_socket.hpp"
#include "common/options.hpp"

namespace {

constexpr timeval idle_limit{.tv_sec = 10, .tv_usec = 0};

bool send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

void serve(int fd) {
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &idle_limit, sizeof idle_limit);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &idle_limit, sizeof idle_limit);
  example::http_session session;
  std::array<std::byte, example::read_size> buffer;
  for (;;) {
    const ssize_t n = recv(fd, buffer.data(), buffer.size(), 0);
    if (n <= 0) break;  // the peer has closed, failed, or been silent for too long
    const auto reply = session.feed(std::span(buffer).first(static_cast<std::size_t>(n)));
    if (!send_all(fd, reply.bytes) || reply.last) break;
  }
  close(fd);
}

void accept_connections(int listener) {
  for (;;) {
    const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd >= 0) {
      try {
        std::thread(serve, fd).detach();
        continue;
      } catch (const std::system_error& error) {
        std::fprintf(stderr, "a connection was dropped, no thread for it: %s\n", error.what());
        close(fd);
      }
    } else if (errno == ECONNABORTED || errno == EINTR) {
      continue;
    }
    // Out of descriptors or of threads: give those that are served a moment to end.
    usleep(10'000);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const auto port = example::option<std::uint16_t>(argc, argv, "--port", 8080);
  const sigset_t stop_signals = example::block_stop_signals();
  const int listener = example::listen_socket(port, SOCK_STREAM, false);
  std::printf("listening on 127.0.0.1:%u\n", unsigned{example::port_of(listener)});
  std::fflush(stdout);

  std::thread(accept_connections, listener).detach();
  int signal = 0;
  sigwait(&stop_signals, &signal);
  // The threads are still running and nothing can ask them to stop: no destructor may run.
  std::_Exit(0);
}
