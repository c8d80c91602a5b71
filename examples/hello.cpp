#include <cstdio>
#include <weft/weft.hpp>

int main() {
  weft::run([] {
    weft::fiber world([] { std::puts("world"); });
    std::puts("hello");
    world.join();
  });
}
