// How values of weft::fiber_local end: on their fiber, before it does.
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>
#include <weft/local.hpp>

#include "support/chaotic.hpp"
#include "support/places.hpp"
#include "support/sanitizer.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;

class ends_of_locals : public anywhere {
 protected:
  // On a fiber or a thread that ends before this returns.
  template <class F>
  void run_and_end(F&& f) {
    if (GetParam() == 0) {
      std::thread(std::forward<F>(f)).join();
    } else {
      run([&] { fiber(std::forward<F>(f)).join(); });
    }
  }
};
INSTANTIATE_TEST_SUITE_P(workers, ends_of_locals, testing::Values(0u, 1u, 2u, 4u));

TEST_P(ends_of_locals, end_last_made_first_before_the_join) {
  std::string order;
  struct noted {
    std::string& to;
    char name;
    noted(std::string& text, char c) : to(text), name(c) {}
    noted(const noted&) = delete;
    noted& operator=(const noted&) = delete;
    ~noted() { to += name; }
  };
  fiber_local<noted> a([&] { return noted(order, 'a'); });
  fiber_local<noted> b([&] { return noted(order, 'b'); });
  fiber_local<noted> c([&] { return noted(order, 'c'); });
  run_and_end([&] {
    b.get();
    a.get();
    c.get();
    a.reset();
    order += '-';
  });
  EXPECT_EQ(order, "a-cb");
}

TEST_P(ends_of_locals, may_park_as_they_end) {
  std::atomic<int> ended = 0;
  struct slow {
    std::atomic<int>& count;
    ~slow() {
      this_fiber::sleep_for(1ms);
      this_fiber::yield();
      weft::run([] {});
      ++count;
    }
  };
  fiber_local<slow> local([&] { return slow{ended}; });
  for (int i = 1; i <= 3; ++i) {
    run_and_end([&] { local.get(); });
    EXPECT_EQ(ended, i);
  }
}

// The value of one is used by the end of another, whichever goes first.
TEST_P(ends_of_locals, may_use_one_another_as_they_end) {
  static std::atomic<int> made, ended;
  made = ended = 0;
  struct counted {
    counted() { ++made; }
    counted(const counted&) = delete;
    counted& operator=(const counted&) = delete;
    ~counted() { ++ended; }
  };
  fiber_local<counted> plain;
  struct user {
    fiber_local<counted>& of;
    ~user() { of.get(); }
  };
  fiber_local<user> uses([&] { return user{plain}; });
  run_and_end([&] {
    uses.get();
    plain.get();  // goes first, and is made again
  });
  EXPECT_EQ(made, 2);
  EXPECT_EQ(ended, 2);
  run_and_end([&] {
    plain.get();
    uses.get();  // goes first
  });
  EXPECT_EQ(made, 3);
  EXPECT_EQ(ended, 3);
}

// Nobody can destroy it for good; the fiber ends all the same.
TEST_P(ends_of_locals, that_make_themselves_anew_are_given_up) {
  if (sanitized) GTEST_SKIP() << "LeakSanitizer: they are left behind";
  struct again {
    fiber_local<again>*& self;
    int& count;
    ~again() {
      ++count;
      self->get();
    }
  };
  int count = 0;
  fiber_local<again>* self = nullptr;
  fiber_local<again> local([&] { return again{self, count}; });
  self = &local;
  testing::internal::CaptureStderr();
  run_and_end([&] { local.get(); });
  EXPECT_NE(testing::internal::GetCapturedStderr().find("still make values anew"),
            std::string::npos);
  EXPECT_GE(count, 4);
  EXPECT_LE(count, 64);
}

// A fiber that was asked to stop: their ends are not cancelled, and run.
TEST(locals_of_a_stopped_fiber, end_undisturbed) {
  runtime rt({.workers = 2});
  rt.run([] {
    bool ended = false;
    struct slow {
      bool& flag;
      ~slow() {
        this_fiber::sleep_for(1ms);
        flag = true;
      }
    };
    fiber_local<slow> local([&] { return slow{ended}; });
    fiber f([&] {
      local.get();
      this_fiber::sleep_for(1h);
    });
    this_fiber::sleep_for(1ms);
    f.request_stop();
    f.join();
    EXPECT_TRUE(ended);
  });
}

struct end_counted {
  static inline std::atomic<int> alive = 0;
  end_counted() { ++alive; }
  end_counted(const end_counted&) = delete;
  end_counted& operator=(const end_counted&) = delete;
  ~end_counted() { --alive; }
};

TEST(locals_of_many_fibers, end_once_each) {
  runtime rt({.workers = 4});
  end_counted::alive = 0;
  fiber_local<end_counted> local;
  rt.run([&] {
    for (int round = 0; round < times(20); ++round) {
      std::vector<fiber> all;
      for (int i = 0; i < 500; ++i) {
        all.emplace_back([&, i] {
          if (i % 3 != 0) local.get();
          this_fiber::yield();
        });
      }
    }
  });
  EXPECT_EQ(end_counted::alive, 0);
}
}  // namespace
}  // namespace weft::test
