// An HTTP server: one fiber for each connection, in code that reads as if it blocked.
//
//   http_server --port P --workers N      port 0: the system chooses, and the choice is printed
//
// SIGINT or SIGTERM stops it; --stats then prints what the runtime has counted.
#include <sys/signalfd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <string>
#include <system_error>
#include <weft/weft.hpp>

#include "common/http_session.hpp"
#include "common/options.hpp"
#include "common/print_stats.hpp"

using namespace std::chrono_literals;

namespace {

void serve(weft::net::tcp_stream peer) try {
  example::http_session session;
  std::array<std::byte, example::read_size> buffer;
  for (;;) {
    const weft::deadline_scope idle_limit(10s);
    const std::size_t n = peer.read_some(buffer);
    if (n == 0) return;
    const auto reply = session.feed(std::span(buffer).first(n));
    peer.write_all(std::as_bytes(std::span(reply.bytes)));
    if (reply.last) return;
  }
} catch (const std::system_error&) {
  // The peer has reset the connection, or was silent for too long. It is closed by now.
}

void accept_connections(weft::net::tcp_listener& listener) {
  for (;;) {
    try {
      weft::fiber({.site = weft::source_site::current()}, serve, listener.accept()).detach();
    } catch (const std::system_error& error) {
      std::fprintf(stderr, "no connection accepted: %s\n", error.what());
      weft::this_fiber::sleep_for(10ms);  // time for those that are served to give something back
    }
  }
}

// Readable once SIGINT or SIGTERM has come; neither ends the process any more.
int stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signalfd(-1, &signals, SFD_CLOEXEC);
}

}  // namespace

int main(int argc, char** argv) try {
  const auto port = example::option<std::uint16_t>(argc, argv, "--port", 8080);
  const auto workers = example::option<unsigned>(argc, argv, "--workers", 0);
  const int stop = stop_signals();  // before the runtime starts threads: they inherit the mask

  weft::runtime runtime({.workers = workers});
  runtime.run([&] {
    auto listener = weft::net::tcp_listener::bind("127.0.0.1:" + std::to_string(port));
    std::printf("listening on 127.0.0.1:%u\n", unsigned{listener.port()});
    std::fflush(stdout);

    const weft::fiber accepting(accept_connections, std::ref(listener));
    weft::io::wait_readable(stop);
  });  // ~fiber asks accepting to stop, and joins it
  if (example::flag(argc, argv, "--stats")) {
    example::print_stats(runtime.stats());
    weft::dump_stack_use(1);  // nothing, unless WEFT_MEASURE_STACKS=1
  }
  // ~runtime does so for every connection that is left
} catch (const std::exception& error) {
  std::fprintf(stderr, "http_server: %s\n", error.what());
  return 1;
}
