// migration [ROUNDS]: fibers that cross from kernel thread to kernel thread, see round.hpp. Exits
// with 1 at the first mismatch.
// migration --control: the mistake, made on purpose; exits with 0 if it showed.
#include <cstring>
#include <vector>

#include "round.hpp"

namespace weft::migration {
namespace {
constexpr unsigned travellers = 256;

struct tally {
  long rounds = 0, moves = 0;
};

void travel(traveller& t, long rounds) {
  for (unsigned leg = t.turn(); t.rounds() < rounds; ++leg) {
    switch (leg % 8) {
      case 0:
        journey_in_handlers(t);
        break;
      case 1:
        journey_while_unwinding(t);
        break;
      case 2:
        journey_of_exceptions(t);
        break;
      case 3:
        if (leg % 64 == 3) journey_of_calls(t);
        break;
      default:
        journey_plain(t);
    }
    MUST(std::uncaught_exceptions() == 0);
  }
}

tally rounds_on(unsigned workers, long rounds) {
  runtime rt({.workers = workers});
  ferries all(rt);
  std::vector<tally> tallies(travellers);
  std::vector<fiber> fibers;
  for (unsigned i = 0; i < travellers; ++i) {
    fibers.emplace_back(fiber_options{.on = &rt}, [&, i] {
      traveller t(all, i * 1000);
      travel(t, rounds / travellers + 1);
      tallies[i] = {t.rounds(), t.moves()};
    });
  }
  for (fiber& f : fibers) f.join();
  tally sum;
  for (const tally& each : tallies) {
    sum.rounds += each.rounds;
    sum.moves += each.moves;
  }
  std::printf("%u workers: %ld rounds, the kernel thread changed in %ld\n", workers, sum.rounds,
              sum.moves);
  std::fflush(stdout);
  return sum;
}

int check(long rounds) {
  long moves = 0;
  for (const unsigned workers : {2u, 3u}) {
    const tally done = rounds_on(workers, rounds / 2);
    MUST(done.rounds >= rounds / 2);
    moves += done.moves;
  }
  MUST(moves >= rounds / 2);  // else nothing was forced
  std::printf("no mismatch\n");
  return 0;
}

int control() {
  runtime rt({.workers = 2});
  ferries all(rt);
  std::atomic<long> wrong{0};
  std::vector<fiber> fibers;
  for (unsigned i = 0; i < travellers; ++i) {
    fibers.emplace_back(fiber_options{.on = &rt}, [&, i] {
      traveller t(all, i);
      wrong += wrong_by_glibc(t, 100);
    });
  }
  for (fiber& f : fibers) f.join();
  std::printf("errno was another's in %ld of %u rounds\n", wrong.load(), travellers * 100);
  return wrong == 0;
}
}  // namespace
}  // namespace weft::migration

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "--control") == 0) return weft::migration::control();
  return weft::migration::check(argc > 1 ? std::atol(argv[1]) : 1'000'000);
}
