// The steps of the scenario that use descriptors.
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <span>
#include <string>

#include "fault/steps.hpp"

namespace weft::test {
void over_a_socketpair(findings& into) {
  int ends[2];
  if (!worked(into, "socketpair", io::socketpair(AF_UNIX, SOCK_STREAM, 0, ends))) return;
  const bool made = step(into, [&] {
    fiber echo([&] {
      char c;
      for (;;) {
        const ssize_t n = io::read(ends[1], &c, 1);
        if (n == 0 || !worked(into, "read", n) || !worked(into, "write", io::write(ends[1], &c, 1)))
          break;
      }
      ::shutdown(ends[1], SHUT_RDWR);
    });
    for (char c = 1; c <= 20; ++c) {
      char back = 0;
      if (!worked(into, "write", io::write(ends[0], &c, 1))) break;
      const ssize_t n = io::read(ends[0], &back, 1);
      if (n == 0 || !worked(into, "read", n)) break;
      expect(into, "the echo", back, c);
    }
    ::shutdown(ends[0], SHUT_RDWR);
    echo.join();
  });
  static_cast<void>(made);
  io::close(ends[0]);
  io::close(ends[1]);
}

void over_a_pipe(findings& into) {
  int ends[2];
  if (!worked(into, "pipe", io::pipe(ends))) return;
  const int foreign = ::dup(ends[0]);  // armed anew at each park
  step(into, [&] {
    fiber writer([&] {
      this_fiber::yield();
      worked(into, "write", io::write(ends[1], "xyz", 3));
    });
    char c;
    if (worked(into, "read", io::read(foreign, &c, 1))) expect(into, "read", c, 'x');
    writer.join();
  });
  io::close(foreign);
  io::close(ends[0]);
  io::close(ends[1]);
}

void over_tcp(findings& into, const char* host) {
  step(into, [&] {
    net::tcp_listener listener = net::tcp_listener::bind("127.0.0.1:0");
    const std::string target = std::string(host) + ':' + std::to_string(listener.port());
    fiber server([&] {
      step(into, [&] {
        net::tcp_stream stream = listener.accept();
        std::byte buffer[64];
        while (const std::size_t n = stream.read_some(buffer)) {
          stream.write_all(std::span(buffer, n));
        }
      });
      listener.close();  // a client that waits for its turn is refused
    });
    const bool went_well = step(into, [&] {
      net::tcp_stream stream = net::tcp_stream::connect(target);
      const std::array<std::byte, 5> sent = {};
      std::array<std::byte, 5> got;
      stream.write_all(sent);
      std::size_t have = 0;
      while (have < got.size()) {
        const std::size_t n = stream.read_some(std::span(got).subspan(have));
        if (n == 0) break;  // the server's end failed, which it has told
        have += n;
      }
      stream.shutdown_write();
      this_fiber::yield();
    });
    if (!went_well) listener.close();
    server.join();
  });
}

}  // namespace weft::test
