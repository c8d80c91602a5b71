// Actors handle messages one at a time; what fails is begun anew, or told.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <variant>
#include <vector>
#include <weft/supervisor.hpp>

#include "support/death.hpp"
#include "support/fibers.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;

struct get {
  promise<int> reply;
};
struct fail {};
using message = std::variant<int, get, fail>;

// Unguarded: its actor is the only one at it.
class sum {
 public:
  void operator()(message&& m) {
    if (auto* ask = std::get_if<get>(&m)) return ask->reply.set_value(sum_);
    if (std::holds_alternative<fail>(m)) throw std::runtime_error("asked to fail");
    sum_ += std::get<int>(m);
  }

 private:
  int sum_ = 0;
};

int sum_of(actor<message>& of) {
  return of.ask<int>([](promise<int> reply) { return get{std::move(reply)}; }).get();
}

class actors : public testing::TestWithParam<unsigned> {
 protected:
  runtime rt{{.workers = GetParam()}};
};
INSTANTIATE_TEST_SUITE_P(workers, actors, testing::Values(1, 2, 4));

TEST_P(actors, handle_every_message_once_one_at_a_time) {
  rt.run([] {
    actor<message> adder{sum()};
    scope senders;
    for (int i = 0; i < 20; ++i) {
      senders.spawn([&] {
        for (int k = 0; k < 500; ++k) ASSERT_TRUE(adder.send(1));
      });
    }
    senders.join();
    EXPECT_EQ(sum_of(adder), 10'000);
  });
}

TEST_P(actors, are_sent_to_by_kernel_threads) {
  rt.run([] {
    actor<message> adder(sum(), {.mailbox = 0, .name = "adder"});
    std::thread outside([&] {
      for (int k = 0; k < 200; ++k) adder.send(2);
    });
    blocking([&] { outside.join(); });
    EXPECT_EQ(sum_of(adder), 400);
  });
  actor<message> on_the_default_runtime{sum()};
  on_the_default_runtime.send(3);
  EXPECT_EQ(sum_of(on_the_default_runtime), 3);
}

TEST_P(actors, stop_handles_what_is_in_the_mailbox) {
  rt.run([] {
    std::atomic<int> handled{0};
    actor<int> counts([&](int) {
      this_fiber::yield();
      ++handled;
    });
    for (int i = 0; i < 50; ++i) counts.send(i);
    counts.stop();
    EXPECT_FALSE(counts.send(1));
    EXPECT_EQ(counts.try_send(1), channel_status::closed);
    counts.join();
    EXPECT_EQ(handled, 50);
  });
}

TEST_P(actors, the_destructor_drops_what_has_not_begun) {
  rt.run([] {
    const auto held = std::make_shared<int>(0);
    {
      actor<std::shared_ptr<int>> slow(
          [](const std::shared_ptr<int>&) { this_fiber::sleep_for(1h); });
      for (int i = 0; i < 10; ++i) slow.send(held);
    }
    EXPECT_EQ(held.use_count(), 1);
  });
}

TEST_P(actors, a_handler_that_throws_ends_the_actor_and_nobody_waits_for_ever) {
  rt.run([] {
    actor<message> adder(sum(), {.mailbox = 2});
    std::atomic<int> refused{0};
    scope others;
    adder.send(fail{});
    for (int i = 0; i < 20; ++i) {
      others.spawn([&] {
        while (adder.send(1)) this_fiber::yield();
        ++refused;
      });
    }
    EXPECT_THROW(sum_of(adder), std::future_error);
    others.join();
    EXPECT_EQ(refused, 20);
    EXPECT_THROW(adder.join(), std::runtime_error);
  });
}

// It mostly outlives the deadline_scope that it was made in.
TEST_P(actors, are_not_limited_by_the_deadline_of_their_maker) {
  rt.run([] {
    std::unique_ptr<actor<message>> adder;
    supervisor keeper({.restarts = 0});
    actor<message>* kept = nullptr;
    const auto end = std::chrono::steady_clock::now() + 1ms;
    {
      const deadline_scope limit(end);
      adder = std::make_unique<actor<message>>(sum());
      kept = &keeper.start<message>([] { return sum(); });
    }
    while (std::chrono::steady_clock::now() < end + 1ms) this_fiber::sleep_for(1ms);
    for (actor<message>* const each : {adder.get(), kept}) {
      EXPECT_TRUE(each->send(2));
      EXPECT_EQ(sum_of(*each), 2);
    }
  });
}

TEST_P(actors, a_supervisor_begins_anew) {
  rt.run([] {
    supervisor keeper({.restarts = 3});
    int made = 0;
    auto& adder = keeper.start<message>([&made] {
      ++made;
      return sum();
    });
    adder.send(5);
    EXPECT_EQ(sum_of(adder), 5);
    for (int failures = 1; failures <= 3; ++failures) {
      adder.send(fail{});
      adder.send(failures);
      EXPECT_EQ(sum_of(adder), failures);  // a fresh one
      EXPECT_EQ(keeper.restarts(), static_cast<std::uint64_t>(failures));
    }
    EXPECT_FALSE(keeper.stop_requested());
    keeper.stop();
    keeper.join();
    EXPECT_EQ(made, 4);
  });
}

TEST_P(actors, a_supervisor_gives_up_when_there_are_too_many_failures) {
  rt.run([] {
    supervisor keeper({.restarts = 2, .within = 1h});
    auto& one = keeper.start<message>([] { return sum(); });
    auto& two = keeper.start<message>([] { return sum(); });
    one.send(fail{});
    two.send(fail{});
    one.send(fail{});
    EXPECT_THROW(keeper.join(), std::runtime_error);
    EXPECT_TRUE(keeper.stop_requested());
    EXPECT_EQ(keeper.restarts(), 2u);
    EXPECT_FALSE(one.send(1));
    EXPECT_FALSE(two.send(1));
    keeper.join();  // told once
  });
}

TEST_P(actors, failures_of_long_ago_do_not_count) {
  rt.run([] {
    supervisor keeper({.restarts = 1, .within = 1ms});
    auto& adder = keeper.start<message>([] { return sum(); });
    for (int i = 0; i < 5; ++i) {
      adder.send(fail{});
      EXPECT_EQ(sum_of(adder), 0);
      this_fiber::sleep_for(5ms);
    }
    EXPECT_EQ(keeper.restarts(), 5u);
  });
}

TEST_P(actors, a_make_that_throws_is_a_failure) {
  rt.run([] {
    supervisor keeper({.restarts = 4});
    int made = 0;
    auto& adder = keeper.start<message>([&made] {
      if (++made < 4) throw std::logic_error("not yet");
      return sum();
    });
    adder.send(7);
    EXPECT_EQ(sum_of(adder), 7);
    EXPECT_EQ(keeper.restarts(), 3u);
  });
}

TEST_P(actors, the_destructor_of_a_supervisor_stops_all) {
  rt.run([] {
    std::atomic<int> begun{0};
    std::atomic<int> stopped{0};
    {
      supervisor keeper;
      for (int i = 0; i < 20; ++i) {
        auto& sleeper = keeper.start<int>([&] {
          return [&](int) {
            ++begun;
            if (canceled([] { this_fiber::sleep_for(1h); })) ++stopped;
          };
        });
        sleeper.send(1);
      }
      until([&] { return begun == 20; });
    }
    EXPECT_EQ(stopped, 20);
  });
}

using actor_death = faults_in_a_child;

TEST_F(actor_death, a_failure_that_nobody_asked_for_ends_the_process) {
  EXPECT_DEATH(
      {
        ::alarm(20);
        weft::run([] {
          supervisor keeper({.restarts = 0});
          keeper.start<message>([] { return sum(); }).send(fail{});
          until([&] { return keeper.stop_requested(); });  // it has failed: one was too many
        });
      },
      "weft::supervisor at 0x[0-9a-f]+: nobody has received what a fiber of it has thrown: "
      "asked to fail");
}
}  // namespace
}  // namespace weft::test
