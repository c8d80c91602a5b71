#include <cstdio>
#include <weft/weft.hpp>

int main() {
  const int answer = weft::run([] {
    int sum = 0;
    weft::fiber first([&] { sum += 20; });
    first.join();
    weft::fiber second([&] { sum += 22; });
    second.join();
    return sum;
  });
  std::printf("weft says %d\n", answer);
}
