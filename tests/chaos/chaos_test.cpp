// Chaos mode itself: what it decides, and that it does it. Each test runs in a child under a seed
// of its own, so that it does not matter how this program was started.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/fatal.hpp"
#include "support/chaotic.hpp"
#include "support/descriptors.hpp"
#include "support/process.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;
using detail::chaos::point;
using detail::chaos::strikes;
using detail::chaos::struck;

// The disabled test `name` of this program under that WEFT_CHAOS.
ended child(const std::string& chaos, const std::string& name) {
  return shell("WEFT_CHAOS='" + chaos + "' " + own_command() + only("in_child.DISABLED_" + name) +
               "--gtest_brief=1");
}

// The decisions of one thread of the program's own, from the beginning of an episode.
std::string decisions() {
  std::string made;
  std::thread([&] {
    detail::chaos::begin_episode("decisions");
    for (int i = 0; i < 64; ++i) made += strikes(point::direct) ? '1' : '0';
    for (int i = 0; i < 64; ++i) made += strikes(point::take) ? '1' : '0';
  }).join();
  return made;
}

TEST(in_child, DISABLED_decides) {
  const std::string first = decisions();
  std::printf("decided %s\n", first.c_str());
  std::thread([] {  // others decide on their own
    for (int i = 0; i < 1000; ++i) static_cast<void>(strikes(point::direct));
  })
      .join();
  EXPECT_EQ(decisions(), first);
}

std::string decided(const ended& o) {
  const std::size_t at = o.output.find("decided ");
  return at == std::string::npos ? "" : o.output.substr(at, 8 + 128);
}

TEST(chaos, a_seed_decides_the_same_again) {
  const ended once = child("7", "decides");
  const ended again = child("7", "decides");
  const ended other = child("8", "decides");
  EXPECT_EQ(once.status, 0) << once.output;
  EXPECT_EQ(decided(once), decided(again));
  EXPECT_NE(decided(once), decided(other));
  EXPECT_NE(decided(once).find("01"), std::string::npos) << once.output;
}

// How often of 500 times a fiber came back on the thread that it left: where no other is free,
// which is so now and then, while one is on its way to the spare ones.
constexpr int rarely = 25;
template <class Wait>
int stays(unsigned workers, Wait wait) {
  runtime rt({.workers = workers});
  return rt.run([&] {
    int stayed = 0;
    for (int i = 0; i < 500; ++i) {
      const pid_t before = ::gettid();
      wait();
      stayed += ::gettid() == before;
    }
    return stayed;
  });
}

TEST(in_child, DISABLED_migrates) {
  for (const unsigned workers : {1u, 2u, 4u}) {
    EXPECT_LT(stays(workers, [] { this_fiber::yield(); }), rarely) << workers << " workers";
    EXPECT_LT(stays(workers, [] { this_fiber::sleep_for(1us); }), rarely) << workers << " workers";
  }
  // One worker: nobody writes before the reader has parked.
  const fd_pair p = make_pipe();
  const auto read_what_a_fiber_writes = [&] {
    const fiber writer([&] { write(p[1], "x"); });
    char c;
    io::read(p[0], &c, 1);
  };
  EXPECT_LT(stays(1, read_what_a_fiber_writes), rarely);
}

TEST(chaos, a_fiber_hardly_ever_resumes_where_it_left) {
  for (const char* seed : {"1:migrate", "2:migrate,inject,steal,far", "1:migrate,delay"}) {
    const ended run = child(seed, "migrates");
    EXPECT_EQ(run.status, 0) << run.output;
  }
}

TEST(in_child, DISABLED_strikes_everywhere) {
  const auto tree = [](auto self, int depth) -> void {
    if (depth == 0) return blocking([] { std::this_thread::sleep_for(20us); });
    fiber left([=] { self(self, depth - 1); });
    this_fiber::sleep_for(50us);
    self(self, depth - 1);
    left.join();
  };
  const auto missing = [] {
    std::string names;
    for (int i = 1; i < static_cast<int>(point::count_); ++i) {
      if (struck(static_cast<point>(i)) == 0) names += std::to_string(i) + " ";
    }
    return names;
  };
  // As long as it takes: whoever cannot strike is found by the time limit.
  until([&] {
    runtime rt({.workers = 3});
    rt.run([&] { tree(tree, 5); });
    return missing().empty();
  });
}

TEST(chaos, strikes_at_every_point) {
  const ended run = child("3", "strikes_everywhere");
  EXPECT_EQ(run.status, 0) << run.output;
  EXPECT_TRUE(run.has("weft: chaos mode, WEFT_CHAOS=3")) << run.output;
}

TEST(in_child, DISABLED_strikes_nowhere) {
  runtime rt({.workers = 1});
  rt.run([] {
    const pid_t home = ::gettid();
    for (int i = 0; i < 1000; ++i) this_fiber::yield();
    EXPECT_EQ(::gettid(), home);
  });
  for (int i = 0; i < static_cast<int>(point::count_); ++i) {
    EXPECT_EQ(struck(static_cast<point>(i)), 0u) << i;
  }
}

TEST(chaos, is_off_without_a_seed) {
  const ended run = child("", "strikes_nowhere");
  EXPECT_EQ(run.status, 0) << run.output;
  EXPECT_FALSE(run.has("weft:")) << run.output;
}

TEST(in_child, DISABLED_dies) {
  detail::fatal("as the test wants it");
}

TEST(chaos, a_fatal_error_names_the_seed) {
  EXPECT_TRUE(child("0x2a:wake", "dies")
                  .has("weft: as the test wants it\nweft: chaos mode, WEFT_CHAOS=0x2a:wake\n"));
}

TEST(in_child, DISABLED_starts) {
  const runtime rt({.workers = 1});
}

// Its constructor comes before those of the library's statics, in the order of linking.
const bool started_early = [] {
  const runtime rt({.workers = 1});
  return true;
}();

TEST(chaos, statics_of_the_program_may_be_runtimes) {
  EXPECT_TRUE(started_early);  // else the program has ended before main
}

TEST(chaos, nonsense_is_refused) {
  for (const char* wrong : {"x", "7x", "7:", "7:nothing", "7:wake,", "7,wake"}) {
    const ended run = child(wrong, "starts");
    EXPECT_NE(run.status, 0) << wrong;
    EXPECT_TRUE(run.has("it must be a seed, 7, or a seed and the only points")) << run.output;
  }
}
}  // namespace
}  // namespace weft::test
