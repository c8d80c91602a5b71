// Five philosophers, five forks; to eat takes two. Whoever takes both at once, as std::scoped_lock
// does, eats. With --greedy each takes the left one and waits for the right one, which his
// neighbour has: nobody will ever eat, and weft::dump says who waits for whom.
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <thread>
#include <vector>
#include <weft/weft.hpp>

namespace {

constexpr std::array names{"Aristotle", "Diogenes", "Epicurus", "Plato", "Socrates"};
constexpr std::size_t seats = names.size();
constexpr int meals = 10'000;

std::array<weft::mutex, seats> forks;

weft::fiber_options called(const char* name) {
  weft::fiber_options options;
  options.name = name;
  options.site = weft::source_site::current();
  return options;
}

void dine() {
  std::array<int, seats> eaten{};
  std::vector<weft::fiber> table;
  for (std::size_t i = 0; i < seats; ++i) {
    table.emplace_back(called(names[i]), [&eaten, i] {
      for (int n = 0; n < meals; ++n) {
        const std::scoped_lock both(forks[i], forks[(i + 1) % seats]);
        ++eaten[i];
      }
    });
  }
  for (weft::fiber& philosopher : table) philosopher.join();
  for (std::size_t i = 0; i < seats; ++i)
    std::printf("%s has eaten %d times\n", names[i], eaten[i]);
}

void starve() {
  static weft::latch seated(seats);
  for (std::size_t i = 0; i < seats; ++i) {
    weft::fiber(called(names[i]), [i] {
      const std::lock_guard left(forks[i]);
      seated.arrive_and_wait();
      const std::lock_guard right(forks[(i + 1) % seats]);
    }).detach();
  }
  seated.wait();
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  weft::dump(1);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "--greedy") == 0) {
    starve();
  } else {
    dine();
  }
  return 0;  // those who still wait are left where they are
}
