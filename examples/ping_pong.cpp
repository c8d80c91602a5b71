// Two fibers play ping-pong over a socket pair: each parks until the other has answered, and the
// kernel thread under them never blocks.
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <weft/weft.hpp>

namespace {

constexpr int rounds = 100'000;

void hit_back(int table) {
  char ball;
  while (weft::io::read(table, &ball, 1) == 1) weft::io::write(table, &ball, 1);
}

}  // namespace

int main() {
  weft::run([] {
    std::array<int, 2> ends;
    if (weft::io::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) != 0) {
      std::perror("socketpair");
      return;
    }

    weft::fiber partner(hit_back, ends[1]);
    const auto begin = std::chrono::steady_clock::now();
    char ball = 'o';
    for (int i = 0; i < rounds; ++i) {
      weft::io::write(ends[0], &ball, 1);
      weft::io::read(ends[0], &ball, 1);
    }
    const std::chrono::duration<double, std::micro> time = std::chrono::steady_clock::now() - begin;

    weft::io::close(ends[0]);  // the partner reads the end of the stream, and leaves
    partner.join();
    weft::io::close(ends[1]);
    std::printf("%d rounds, %.2f us each\n", rounds, time.count() / rounds);
  });
}
