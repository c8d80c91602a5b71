// A fiber that runs into the guard below its stack is named before the process ends. Each runs in a
// child process.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <string>

#include "support/death.hpp"
#include "support/fibers.hpp"

namespace weft::test {
namespace {
using testing::ExitedWithCode;
using testing::KilledBySignal;

class overflow : public faults_in_a_child {};

// Noinline and no tail call: a frame each time.
[[gnu::noinline]] int recurse(int n) {
  volatile char frame[200];
  frame[n % 200] = 1;
  const int below = n == 0 ? 0 : recurse(n - 1);
  return below + frame[n % 200];
}

constexpr int too_deep = 1'000'000;
constexpr const char* frame_of_test = "weft:   #[0-9]+ [^ ]*weft_api_tests\\+0x[0-9a-f]+";
constexpr const char* addresses =
    " \\[0x[0-9a-f]+, 0x[0-9a-f]+\\) ended at the fault address 0x[0-9a-f]+\n";

std::string advice(const std::string& bytes) {
  return "(.|\n)*weft: raise fiber_options::stack_size \\(now " + bytes +
         "\\) or runtime_options::stack_size\n";
}

TEST_F(overflow, names_the_fiber_where_it_was_spawned_its_stack_and_what_to_change) {
  EXPECT_EXIT(
      {
        runtime rt({.workers = 2});
        fiber_options options = on(rt);
        options.name = "reader";
        options.site.file = "server.cpp";
        options.site.line = 42;
        fiber(options, [] { return recurse(too_deep); }).join();
      },
      KilledBySignal(SIGSEGV),
      std::string(
          "^weft: stack overflow in fiber [0-9]+ \"reader\" \\(spawned at server.cpp:42\\): "
          "its stack of 256 KiB") +
          addresses + frame_of_test + advice("262144") + and_no_more());
}

TEST_F(overflow, counts_the_frames_of_a_recursion_and_goes_on_with_its_caller) {
  EXPECT_EXIT(run([] { return recurse(too_deep); }), KilledBySignal(SIGSEGV),
              std::string(frame_of_test) + ", and [0-9]+ more of the same\n" + frame_of_test);
}

TEST_F(overflow, of_a_fiber_without_a_name) {
  EXPECT_EXIT(
      fiber([] { return recurse(too_deep); }).join(), KilledBySignal(SIGSEGV),
      "^weft: stack overflow in fiber [0-9]+ \\(spawned at [^ ]*overflow_test.cpp:[0-9]+\\)");
}

TEST_F(overflow, of_a_fiber_whose_site_is_a_return_address) {
  EXPECT_EXIT(
      {
        fiber_options options;
        options.name = "x";
        fiber(options, [] { return recurse(too_deep); }).join();
      },
      KilledBySignal(SIGSEGV), "\"x\" \\(spawned at [^ ]*weft_api_tests\\+0x[0-9a-f]+\\)");
}

TEST_F(overflow, of_the_smallest_stack) {
  EXPECT_EXIT(
      {
        fiber_options options;
        options.stack_size = 1;
        fiber(options, [] { return recurse(too_deep); }).join();
      },
      KilledBySignal(SIGSEGV), frame_of_test + advice("(16384|32768)"));  // by its signal frames
}

TEST_F(overflow, of_a_pinned_fiber) {
  EXPECT_EXIT(
      {
        fiber_options options;
        options.pinned = true;
        options.name = "pinned";
        fiber(options, [] {
          this_fiber::yield();
          return recurse(too_deep);
        }).join();
      },
      KilledBySignal(SIGSEGV), "overflow in fiber [0-9]+ \"pinned\"");
}

TEST_F(overflow, after_parks_on_whatever_carrier_it_is) {
  EXPECT_EXIT(
      {
        runtime rt({.workers = 3});
        rt.run([] {
          for (int i = 0; i < 1000; ++i) this_fiber::yield();
          return recurse(too_deep);
        });
      },
      KilledBySignal(SIGSEGV), "weft: stack overflow in fiber [0-9]+");
}

TEST_F(overflow, inside_blocking) {
  EXPECT_EXIT(run([] { return blocking([] { return recurse(too_deep); }); }),
              KilledBySignal(SIGSEGV),
              std::string("weft: stack overflow in fiber [0-9]+") + "(.|\n)*" + frame_of_test);
}

TEST_F(overflow, through_std_function) {
  EXPECT_EXIT(run([] {
                std::function<int(int)> f = [&f](int n) { return n == 0 ? 0 : f(n - 1) + n % 3; };
                return f(too_deep);
              }),
              KilledBySignal(SIGSEGV),
              std::string("weft: stack overflow in") + "(.|\n)*" + frame_of_test);
}

// The C library is built without frame pointers, and its sort takes a stack of the caller's.
TEST_F(overflow, in_a_callback_from_the_c_library) {
  struct sorter {
    static int compare(const void*, const void*) {
      int two[2] = {2, 1};
      std::qsort(two, 2, sizeof two[0], compare);
      return two[0] - two[1];
    }
  };
  EXPECT_EXIT(run([] { return sorter::compare(nullptr, nullptr); }), KilledBySignal(SIGSEGV),
              std::string("weft: stack overflow in") + "(.|\n)*" + frame_of_test);
}

TEST_F(overflow, of_one_large_array) {
  EXPECT_EXIT(run([] {
                volatile char large[300 * 1024];
                for (auto& c : large) c = 1;
                return large[0] + large[sizeof large - 1];
              }),
              KilledBySignal(SIGSEGV), "weft: stack overflow in fiber [0-9]+");
}

// One write a line: every line is whole, and each begins one.
struct one_or_two_whole_reports {
  using is_gtest_matcher = void;
  bool MatchAndExplain(const std::string& text, std::ostream*) const {
    int reports = 0;
    for (std::size_t at = 0, end = 0; at < text.size(); at = end + 1) {
      end = text.find('\n', at);
      if (emulated() && text.compare(at, 6, "qemu: ") == 0) continue;
      if (end == std::string::npos || text.compare(at, 6, "weft: ") != 0) return false;
      const std::string line = text.substr(at + 6, end - at - 6);
      if (line.find("weft: ") != std::string::npos) return false;
      if (line.find("stack overflow") == 0) ++reports;
    }
    return reports == 1 || reports == 2;
  }
  void DescribeTo(std::ostream* to) const { *to << "one or two reports in whole lines"; }
  void DescribeNegationTo(std::ostream* to) const { *to << "torn lines"; }
};

TEST_F(overflow, of_two_fibers_at_a_time_tears_no_line) {
  EXPECT_EXIT(
      {
        runtime rt({.workers = 2});
        std::atomic<int> here = 0;
        const auto body = [&] {
          for (++here; here < 2;) this_fiber::yield();
          return recurse(too_deep);
        };
        fiber a(on(rt), body);
        fiber b(on(rt), body);
        a.join();
      },
      KilledBySignal(SIGSEGV), one_or_two_whole_reports());
}

TEST_F(overflow, the_previous_handler_comes_after_the_report) {
  EXPECT_EXIT(
      {
        struct sigaction mine {};
        mine.sa_handler = [](int) { ::_exit(7); };
        mine.sa_flags = SA_ONSTACK;
        ::sigaction(SIGSEGV, &mine, nullptr);
        run([] { return recurse(too_deep); });
      },
      ExitedWithCode(7), "weft: stack overflow in fiber [0-9]+(.|\n)*weft: raise");
}

TEST_F(overflow, is_not_reported_when_switched_off) {
  EXPECT_EXIT(
      {
        ::setenv("WEFT_OVERFLOW_REPORT", "0", 1);
        run([] { return recurse(too_deep); });
      },
      KilledBySignal(SIGSEGV), "^" + and_no_more());
}

TEST_F(overflow, a_handler_installed_later_has_the_signal_to_itself) {
  EXPECT_EXIT(
      {
        runtime rt({.workers = 1});
        struct sigaction mine {};
        mine.sa_handler = [](int) { ::_exit(8); };
        mine.sa_flags = SA_ONSTACK;  // on the carrier's
        ::sigaction(SIGSEGV, &mine, nullptr);
        rt.run([] { return recurse(too_deep); });
      },
      ExitedWithCode(8), "^$");
}

TEST_F(overflow, after_a_signal_that_was_sent_and_ignored) {
  EXPECT_EXIT(
      {
        std::signal(SIGSEGV, SIG_IGN);
        run([] {
          std::raise(SIGSEGV);
          return recurse(too_deep);
        });
      },
      KilledBySignal(SIGSEGV), "^weft: stack overflow in fiber [0-9]+");
}

TEST_F(overflow, in_a_forked_child) {
  EXPECT_EXIT(run([] {
                if (::fork() == 0) recurse(too_deep);
                int status = 0;
                ::wait(&status);
                std::_Exit(WIFSIGNALED(status) ? WTERMSIG(status) : 1);
              }),
              ExitedWithCode(SIGSEGV), "^weft: stack overflow in fiber [0-9]+(.|\n)*weft: raise");
}
}  // namespace
}  // namespace weft::test
