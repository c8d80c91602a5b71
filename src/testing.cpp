// The public side of explorations: which seeds, and what is told of them.
#include <weft/testing.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <optional>
#include <thread>
#include <weft/blocking.hpp>

#include "base/environment.hpp"
#include "base/errno.hpp"
#include "base/fatal.hpp"
#include "base/write_all.hpp"
#include "runtime_life.hpp"
#include "sched/signal_stack.hpp"
#include "testing/dying.hpp"
#include "testing/exploration.hpp"

namespace weft {
namespace testing {
namespace {
using weft::detail::current;
using weft::detail::exploration;
using weft::detail::exploration_here;

std::optional<std::uint64_t> number_from(const char* variable) {
  const char* const text = weft::detail::environment(variable);
  if (!text || !*text) return std::nullopt;
  char* end = nullptr;
  errno = 0;
  const std::uint64_t value = std::strtoull(text, &end, 10);
  if (*end != 0 || errno != 0 || *text == '-') {
    weft::detail::throw_system(EINVAL, "weft: %s is \"%s\"; it must be a number, not negative",
                               variable, text);
  }
  return value;
}

// "" if there is none, or it cannot be written: then a line says so.
std::string written_to_file(const std::string& schedule, const explore_options& options) {
  const char* const wish = weft::detail::environment("WEFT_EXPLORE_FILE");
  std::string path = wish && *wish ? wish : options.schedule_file;
  if (path.empty()) return "";
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0 || !weft::detail::write_all(fd, schedule.data(), schedule.size())) {
    weft::detail::report("the schedule cannot be written to %s: %s", path.c_str(),
                         std::strerror(errno));
    path.clear();
  }
  if (fd >= 0) ::close(fd);
  return path;
}

void describe(const exploration& by, explore_result& result, const explore_options& options,
              bool replayed) {
  const weft::detail::schedule& happened = by.what_happened();
  result.schedule = happened.text(0, "");
  const std::string file = written_to_file(result.schedule, options);
  const std::string seed = std::to_string(result.seed);
  std::string& r = result.report;
  r = "weft::testing: seed " + seed;
  r += result.ok() ? " passes" : " fails: " + result.message;
  if (!replayed) r += "\n  run " + std::to_string(result.runs) + " of this exploration";
  r += "\nschedule, " + std::to_string(result.steps) + " steps, virtual time " +
       weft::detail::time_text(result.time.count()) + ":\n   step  fiber            what it does\n";
  r += happened.text(options.print_lines,
                     file.empty() ? "all of them: WEFT_EXPLORE_FILE=path in the environment"
                                  : "all of them are in " + file);
  if (!by.deterministic()) {
    r += "not deterministic: descriptors, other kernel threads or a clock of the world took part\n";
  }
  if (result.abandoned) {
    r += std::to_string(result.abandoned) +
         " fibers would not end when asked to stop, and are abandoned with their stacks\n";
  }
  if (!replayed) {
    r += "again: weft::testing::replay(" + seed + ", f), or WEFT_EXPLORE_SEED=" + seed +
         " in the environment\n";
  }
  if (options.print_to >= 0) weft::detail::write_all(options.print_to, r.data(), r.size());
}

// A core of one worker and no thread. Not recycled when fibers are abandoned there: nobody may run
// what would be waked later.
class explored_runtime {
 public:
  explored_runtime() : core_(weft::detail::make_core({.workers = 1})) {}
  ~explored_runtime() {
    if (!kept_) weft::detail::release_core(core_);
  }
  explored_runtime(const explored_runtime&) = delete;
  explored_runtime& operator=(const explored_runtime&) = delete;

  weft::detail::runtime_core& core() noexcept { return core_; }
  void keep() noexcept { kept_ = true; }

 private:
  weft::detail::runtime_core& core_;
  bool kept_ = false;
};

struct plan {
  std::uint64_t first;
  std::uint64_t count;
  bool replayed;
};

explore_result run_plan(const plan& seeds, void (*call)(void*), void* f,
                        const explore_options& options, source_site site) {
  explore_result result;
  explored_runtime runtime;
  const weft::detail::signal_stack for_reports;
  exploration by(runtime.core(), options);
  const weft::detail::death_report on_death;
  for (std::uint64_t i = 0; i < seeds.count && result.ok(); ++i) {
    result.seed = seeds.first + i;
    ++result.runs;
    by.run(result.seed, call, f, site);
    result.kind = by.failure();
    result.message = by.message();
    if (result.ok() && options.failed && options.failed()) {
      result.kind = failure::predicate;
      result.message = "explore_options::failed says so";
    }
    if (!by.deterministic()) result.deterministic = false;
  }
  result.steps = by.what_happened().steps();
  result.time = std::chrono::nanoseconds(by.now());
  result.exception = by.exception();
  result.abandoned = by.abandoned();
  if (result.abandoned) runtime.keep();
  if (!result.ok() || seeds.replayed) describe(by, result, options, seeds.replayed);
  return result;
}

// A fiber's thread is a carrier already; and one inside blocking() is as well.
explore_result run_somewhere(const plan& seeds, void (*call)(void*), void* f,
                             const explore_options& options, source_site site) {
  if (!current()->fiber && !current()->self) return run_plan(seeds, call, f, options, site);
  explore_result result;
  std::exception_ptr error;
  weft::blocking([&] {
    std::thread([&] {
      try {
        result = run_plan(seeds, call, f, options, site);
      } catch (...) {
        error = std::current_exception();
      }
    }).join();
  });
  if (error) std::rethrow_exception(error);
  return result;
}
}  // namespace

namespace detail {
explore_result explore(void (*call)(void*), void* f, const explore_options& options,
                       source_site site) {
  plan seeds{options.first_seed, options.seeds, false};
  if (const auto count = number_from("WEFT_EXPLORE_SEEDS")) seeds.count = *count;
  if (const auto one = number_from("WEFT_EXPLORE_SEED")) seeds = {*one, 1, true};
  return run_somewhere(seeds, call, f, options, site);
}

explore_result replay(std::uint64_t seed, void (*call)(void*), void* f,
                      const explore_options& options, source_site site) {
  return run_somewhere({seed, 1, true}, call, f, options, site);
}
}  // namespace detail

void point(const char* label) noexcept {
  weft::detail::explore_point(weft::detail::point_kind::user, label);
}

void check(bool holds, std::string_view message, source_site site) {
  if (holds) return;
  std::string text =
      std::string("check at ") + site.file + ":" + std::to_string(site.line) + " does not hold";
  if (!message.empty()) text += ": " + std::string(message);
  exploration* const here = exploration_here();
  if (!here) weft::detail::fatal("%s", text.c_str());
  // Not from a destructor that runs while the run is being ended.
  if (here->is_over() && std::uncaught_exceptions() > 0) return;
  here->fail_check(std::move(text));
}

std::uint32_t choose(std::uint32_t bound) noexcept {
  exploration* const here = exploration_here();
  return here ? here->choose(bound) : 0;
}

bool exploring() noexcept {
  return current()->exploring != nullptr;
}

clock::time_point clock::now() noexcept {
  return time_point(duration(weft::detail::now_here()));
}
}  // namespace testing
}  // namespace weft
