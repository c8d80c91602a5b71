// weft::fiber has std::jthread's members with std::jthread's meaning.
#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

#include "support/places.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;

static_assert(std::is_nothrow_default_constructible_v<fiber>);
static_assert(std::is_nothrow_move_constructible_v<fiber>);
static_assert(std::is_nothrow_move_assignable_v<fiber>);
static_assert(!std::is_copy_constructible_v<fiber> && !std::is_copy_assignable_v<fiber>);
static_assert(!std::is_convertible_v<void (*)(), fiber>, "explicit");

class fibers : public anywhere {};
INSTANTIATE_TEST_SUITE_P(workers, fibers, places);

TEST_P(fibers, default_constructed_is_no_fiber) {
  run([] {
    fiber f;
    EXPECT_FALSE(f.joinable());
    EXPECT_EQ(f.get_id(), fiber::id());
    EXPECT_FALSE(f.request_stop());
    EXPECT_FALSE(f.get_stop_source().stop_possible());
    EXPECT_FALSE(f.get_stop_token().stop_possible());
    EXPECT_EQ(thrown_by([&] { f.join(); }).code, std::errc::invalid_argument);
    EXPECT_EQ(thrown_by([&] { f.detach(); }).code, std::errc::invalid_argument);
  });
}

void add(int& to, int a, int b) {
  to += a + b;
}
struct adder {
  int total = 0;
  void add(int n) { total += n; }
  void operator()(int n) { total += 10 * n; }
};

TEST_P(fibers, every_kind_of_callable) {
  run([] {
    int sum = 0;
    fiber([&] { sum += 1; }).join();
    fiber(add, std::ref(sum), 2, 3).join();
    EXPECT_EQ(sum, 6);
    adder a;
    fiber(&adder::add, &a, 7).join();
    fiber(std::ref(a), 1).join();
    EXPECT_EQ(a.total, 17);
    std::function<void(int)> f = [&](int n) { sum = n; };
    fiber(f, 9).join();
    EXPECT_EQ(sum, 9);
    fiber_options options;
    options.name = "named";
    fiber(options, add, std::ref(sum), 1, 1).join();
    EXPECT_EQ(sum, 11);
    fiber([&] { ++sum; }, source_site::current()).join();
    EXPECT_EQ(sum, 12);
  });
}

TEST_P(fibers, callables_that_take_a_token) {
  run([] {
    int got = 0;
    fiber a([&](std::stop_token stop) { got += stop.stop_possible(); });
    a.join();
    fiber b([&](std::stop_token stop, int n) { got += stop.stop_possible() * n; }, 10);
    b.join();
    EXPECT_EQ(got, 11);
    fiber c([&](std::stop_token stop) {
      EXPECT_EQ(stop, this_fiber::get_stop_token());
      until([&] { return stop.stop_requested(); });
      got = 0;
    });
    EXPECT_TRUE(c.request_stop());
    c.join();
    EXPECT_EQ(got, 0);
  });
}

// As an rvalue, like std::jthread, and what they return is nobody's; both ways a closure is kept.
TEST_P(fibers, callables_are_called_as_rvalues) {
  struct one_use {
    int* called;
    [[nodiscard]] int operator()() && { return *called = 1; }
    [[nodiscard]] int operator()() & { return *called = 2; }
  };
  struct one_large_use : one_use {
    char more[100] = {};
  };
  struct only_rvalue {
    int* called;
    void operator()() && { *called = 3; }
  };
  run([] {
    int called = 0;
    fiber(one_use{&called}).join();
    EXPECT_EQ(called, 1);
    called = 0;
    fiber(one_large_use{{&called}}).join();
    EXPECT_EQ(called, 1);
    fiber(only_rvalue{&called}).join();
    EXPECT_EQ(called, 3);
  });
}

TEST_P(fibers, arguments_are_decay_copied) {
  run([] {
    std::string text = "before";
    const char literal[] = "abc";
    std::string got;
    fiber f([&](std::string a, const char* b) { got = a + b; }, text, literal);
    text = "after";
    f.join();
    EXPECT_EQ(got, "beforeabc");
    auto owned = std::make_unique<int>(5);
    int value = 0;
    fiber([&](std::unique_ptr<int> p) { value = *p; }, std::move(owned)).join();
    EXPECT_EQ(value, 5);
    EXPECT_EQ(owned, nullptr);
  });
}

TEST_P(fibers, closures_of_any_size_and_alignment) {
  run([] {
    const auto check = [](auto payload) {
      payload.fill(42);
      int sum = 0;
      fiber([payload, &sum] {
        this_fiber::yield();
        for (const auto n : payload) sum += n;
      }).join();
      EXPECT_EQ(sum, 42 * static_cast<int>(payload.size()));
    };
    check(std::array<unsigned char, 1>());
    check(std::array<unsigned char, 40>());
    check(std::array<unsigned char, 41>());
    check(std::array<unsigned char, 48>());
    check(std::array<unsigned char, 49>());
    check(std::array<unsigned char, 10'000>());
    struct alignas(64) wide {
      int n = 3;
    };
    bool aligned = false;
    fiber([w = wide(), &aligned] {
      aligned = reinterpret_cast<std::uintptr_t>(&w) % 64 == 0 && w.n == 3;
    }).join();
    EXPECT_TRUE(aligned);
  });
}

TEST_P(fibers, closures_are_destroyed_once_on_their_fiber) {
  run([] {
    struct probe {
      fiber::id& where;
      int& destroyed;
      ~probe() {
        where = this_fiber::get_id();
        ++destroyed;
      }
    };
    for (const bool big : {false, true}) {
      fiber::id where;
      int destroyed = 0;
      std::unique_ptr<probe> p(new probe{where, destroyed});
      fiber f;
      if (big) {
        f = fiber([p = std::move(p), pad = std::array<char, 100>()] { static_cast<void>(pad); });
      } else {
        f = fiber([p = std::move(p)] {});
      }
      const fiber::id id = f.get_id();
      f.join();
      EXPECT_EQ(destroyed, 1);
      EXPECT_EQ(where, id);
    }
  });
}

struct throws_when_copied {
  throws_when_copied() = default;
  throws_when_copied(const throws_when_copied&) { throw std::runtime_error("copy"); }
  void operator()() const {}
};

TEST_P(fibers, a_callable_that_cannot_be_copied_leaves_nothing_behind) {
  run([] {
    const throws_when_copied one;
    for (int i = 0; i < 100; ++i) EXPECT_THROW(fiber f(one), std::runtime_error);
    bool ran = false;
    fiber([&] { ran = true; }).join();
    EXPECT_TRUE(ran);
  });
}

TEST_P(fibers, move_and_swap_hand_over_the_fiber) {
  run([] {
    fiber a([](std::stop_token stop) { until([&] { return stop.stop_requested(); }); });
    const fiber::id first = a.get_id();
    fiber b(std::move(a));
    EXPECT_FALSE(a.joinable());
    EXPECT_EQ(b.get_id(), first);
    fiber c;
    swap(b, c);
    EXPECT_EQ(c.get_id(), first);
    c.swap(b);
    EXPECT_EQ(b.get_id(), first);
    fiber& itself = b;  // clang warns of b = std::move(b)
    b = std::move(itself);
    EXPECT_EQ(b.get_id(), first) << "to itself";
    bool second_ran = false;
    b = fiber([&] { second_ran = true; });  // the first is stopped and joined here
    EXPECT_NE(b.get_id(), first);
    b.join();
    EXPECT_TRUE(second_ran);
    b = fiber();
    EXPECT_FALSE(b.joinable());
  });
}

TEST_P(fibers, the_destructor_stops_and_joins) {
  run([] {
    bool ended = false;
    {
      fiber f([&](std::stop_token stop) {
        until([&] { return stop.stop_requested(); });
        for (int i = 0; i < 10; ++i) this_fiber::yield();
        ended = true;
      });
    }
    EXPECT_TRUE(ended);
  });
}

TEST_P(fibers, a_detached_fiber_goes_on_alone) {
  run([] {
    std::atomic<int> ended{0};
    for (int i = 0; i < 100; ++i) {
      fiber f([&, i] {
        for (int k = i % 5; k > 0; --k) this_fiber::yield();
        ++ended;
      });
      if (i % 3 == 0) this_fiber::yield();
      f.detach();
      EXPECT_FALSE(f.joinable());
    }
    until([&] { return ended == 100; });
  });
}

TEST_P(fibers, ids_are_unique_ordered_hashed_and_printed) {
  run([] {
    std::unordered_set<fiber::id> ids{fiber::id()};
    for (int i = 0; i < 500; ++i) {
      fiber f([] {});
      EXPECT_TRUE(ids.insert(f.get_id()).second) << "not reused";
      f.join();
      EXPECT_EQ(f.get_id(), fiber::id());
    }
    fiber::id own;
    fiber f([&] { own = this_fiber::get_id(); });
    const fiber::id id = f.get_id();
    f.join();
    EXPECT_EQ(own, id);
    EXPECT_NE(id <=> fiber::id(), std::strong_ordering::equal);
    std::ostringstream text;
    text << id;
    EXPECT_EQ(text.str(), std::to_string(id.value()));
  });
}

TEST_P(fibers, hardware_concurrency) {
  EXPECT_GE(fiber::hardware_concurrency(), 1u);
  EXPECT_LE(fiber::hardware_concurrency(), std::max(1u, std::thread::hardware_concurrency()));
}
}  // namespace
}  // namespace weft::test
