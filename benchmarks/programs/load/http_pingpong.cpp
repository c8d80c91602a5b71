// One connection, one request at a time: how long until the answer is there.
#include <algorithm>
#include <vector>

#include "http_client.hpp"

int main(int argc, char** argv) {
  const bench::arguments args(argc, argv);
  const auto port = static_cast<std::uint16_t>(args.number("--port", 8080));
  const std::uint64_t size = args.number("--size", 20'000);
  const std::uint64_t warm_up = size / 10;

  const std::string answer = bench::learn_answer(port);
  const int fd = bench::connect_from(1, port);
  std::vector<double> micros;
  micros.reserve(size);
  std::vector<char> buffer(answer.size() + 1);
  const auto begin = bench::clock::now();
  for (std::uint64_t i = 0; i < warm_up + size; ++i) {
    const auto asked = bench::clock::now();
    bench::send_all(fd, bench::http_request);
    for (std::size_t have = 0; have < answer.size();) {
      const ssize_t n = recv(fd, buffer.data() + have, buffer.size() - have, 0);
      if (n <= 0) bench::fail("the server closed the connection");
      have += static_cast<std::size_t>(n);
      if (have > answer.size()) bench::fail("more bytes than one answer has");
    }
    if (i >= warm_up) micros.push_back(bench::seconds_since(asked) * 1e6);
    if (answer != std::string_view(buffer.data(), answer.size())) bench::fail("a wrong answer");
  }
  const double seconds = bench::seconds_since(begin);

  std::sort(micros.begin(), micros.end());
  bench::report("load", "http_pingpong")
      .run(1, 1, size, seconds)
      .real("p50_us", micros[size / 2])
      .real("p99_us", micros[size * 99 / 100])
      .print();
}
