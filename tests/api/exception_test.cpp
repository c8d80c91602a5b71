// The C++ runtime's exception state belongs to the fiber: current_exception,
// uncaught_exceptions and rethrowing work across parks and migrations, in
// handlers and in destructors that run while unwinding.
#include <gtest/gtest.h>

#include <atomic>
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/fibers.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;

void park_somehow(int how) {
  switch (how % 4) {
    case 0:
      return this_fiber::yield();
    case 1:
      return this_fiber::sleep_for(1us);
    case 2: {
      fiber f([] {
        try {
          throw 1;
        } catch (int) {
          this_fiber::yield();
        }
      });
      return f.join();
    }
    default:
      return run([] {});
  }
}

// Whether the exception being handled is the one with this text.
bool handles(const std::string& text) {
  try {
    throw;
  } catch (const std::runtime_error& error) {
    return error.what() == text;
  } catch (...) {
    return false;
  }
}

class exceptions : public testing::TestWithParam<unsigned> {
 protected:
  // f(i) on 16 fibers at once.
  template <class F>
  void run_many(F&& f) {
    runtime rt({.workers = GetParam()});
    rt.run([&] {
      std::vector<fiber> fibers;
      for (int i = 0; i < 16; ++i) fibers.emplace_back([&f, i] { f(i); });
      for (fiber& each : fibers) each.join();
    });
  }
};
INSTANTIATE_TEST_SUITE_P(workers, exceptions, testing::Values(1u, 2u, 4u));

TEST_P(exceptions, in_a_handler_that_parks) {
  run_many([](int i) {
    for (int round = 0; round < 100; ++round) {
      const std::string text = std::to_string(i * 1000 + round);
      try {
        throw std::runtime_error(text);
      } catch (const std::runtime_error& error) {
        park_somehow(i + round);
        ASSERT_EQ(error.what(), text);
        ASSERT_TRUE(handles(text));
        ASSERT_EQ(std::uncaught_exceptions(), 0);
      }
      ASSERT_EQ(std::current_exception(), nullptr);
    }
  });
}

TEST_P(exceptions, nested_handlers_that_park_and_rethrow) {
  run_many([](int i) {
    for (int round = 0; round < 50; ++round) {
      const std::string outer = "outer" + std::to_string(i),
                        inner = "inner" + std::to_string(round);
      try {
        try {
          throw std::runtime_error(outer);
        } catch (const std::runtime_error&) {
          park_somehow(round);
          try {
            throw std::runtime_error(inner);
          } catch (const std::runtime_error&) {
            park_somehow(i + round);
            ASSERT_TRUE(handles(inner));
          }
          ASSERT_TRUE(handles(outer));
          park_somehow(i);
          throw;
        }
      } catch (const std::runtime_error& error) {
        park_somehow(round + 1);
        ASSERT_EQ(error.what(), outer);
      }
    }
  });
}

TEST_P(exceptions, a_destructor_that_parks_while_unwinding) {
  struct parks {
    int how;
    int& checks;
    ~parks() {
      checks += std::uncaught_exceptions() == 1;
      park_somehow(how);
      checks += std::uncaught_exceptions() == 1;
      try {
        throw std::runtime_error("within");
      } catch (const std::runtime_error&) {
        park_somehow(how + 1);
        checks += handles("within");
      }
      checks += std::uncaught_exceptions() == 1;
    }
  };
  run_many([](int i) {
    for (int round = 0; round < 50; ++round) {
      int checks = 0;
      const std::string text = std::to_string(i * 100 + round);
      try {
        const parks a{i, checks};
        const parks b{round, checks};
        throw std::runtime_error(text);
      } catch (const std::runtime_error& error) {
        ASSERT_EQ(error.what(), text);
      }
      ASSERT_EQ(checks, 8);
      ASSERT_EQ(std::uncaught_exceptions(), 0);
    }
  });
}

TEST_P(exceptions, an_exception_pointer_travels_between_fibers) {
  run_many([](int i) {
    std::exception_ptr carried;
    fiber thrower([&] {
      try {
        throw std::runtime_error(std::to_string(i));
      } catch (...) {
        carried = std::current_exception();
        this_fiber::yield();
      }
    });
    thrower.join();
    try {
      park_somehow(i);
      std::rethrow_exception(carried);
    } catch (const std::runtime_error& error) {
      park_somehow(i + 1);
      EXPECT_EQ(error.what(), std::to_string(i));
    }
  });
}

TEST_P(exceptions, a_new_fiber_begins_without) {
  run_many([](int i) {
    for (int round = 0; round < 50; ++round) {
      try {
        throw i;
      } catch (int) {
        fiber f([] {
          EXPECT_EQ(std::current_exception(), nullptr);
          EXPECT_EQ(std::uncaught_exceptions(), 0);
        });
        f.join();
        ASSERT_NE(std::current_exception(), nullptr);
      }
    }
  });
}

// Fibers that end in the middle of somebody else's unwinding, and blocks that
// are used again after parks in handlers and destructors: nothing of it sticks
// to the next fiber.
TEST_P(exceptions, do_not_stick_to_what_is_reused) {
  run_many([](int i) {
    for (int round = 0; round < 100; ++round) {
      fiber([&] {
        EXPECT_EQ(std::uncaught_exceptions(), 0);
        EXPECT_EQ(std::current_exception(), nullptr);
        struct parks {
          ~parks() { this_fiber::yield(); }
        };
        try {
          const parks p;
          if ((i + round) % 2) throw 1;
        } catch (int) {
          this_fiber::yield();
        }
      }).join();
    }
  });
}

TEST_P(exceptions, std_nested_exceptions) {
  run_many([](int i) {
    try {
      try {
        throw std::runtime_error("cause");
      } catch (...) {
        park_somehow(i);
        std::throw_with_nested(std::logic_error("effect"));
      }
    } catch (const std::logic_error& effect) {
      park_somehow(i + 1);
      bool found = false;
      try {
        std::rethrow_if_nested(effect);
      } catch (const std::runtime_error& cause) {
        park_somehow(i + 2);
        found = cause.what() == std::string("cause");
      }
      EXPECT_TRUE(found);
    }
  });
}

// A deep stack is unwound through frames that park, on whatever thread the
// fiber is by then.
TEST_P(exceptions, through_many_frames_that_park) {
  struct deep {
    static void down(int n) {
      struct parks {
        int n;
        ~parks() {
          if (n % 7 == 0) park_somehow(n / 7);
        }
      };
      const parks p{n};
      if (n == 0) throw std::runtime_error("bottom");
      down(n - 1);
    }
  };
  run_many([](int i) { EXPECT_THROW(deep::down(50 + i), std::runtime_error); });
}
}  // namespace
}  // namespace weft::test
