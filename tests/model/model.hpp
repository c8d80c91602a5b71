// The harness of the model checks. A model is a small program over production headers, run through
// every interleaving (or every one with at most N preemptions) and every value a load may see.
//
// A model file is one class and one main:
//
//   struct my_model : model::test<my_model, 2> {       // 2 threads
//     weft::detail::atomic<int> x{0};
//     void before() {}                                  // by one thread, before the others start
//     void thread(unsigned index) {}                    // 0 .. threads - 1
//     void after() {}                                   // by one thread, when all have ended
//   };
//   int main() { return model::run({model::full<my_model>("what it shows")}, "dir/header.hpp"); }
//
// What a run does is asked for in its environment, for tools (mutate.py) and long runs:
//   WEFT_MODEL=check|orders|mutant   only the models as written; only the weakened orders; only
//                             which model fails, for a source that mutate.py has changed
//   WEFT_MODEL_ONLY=text      only the models whose description contains it
//   WEFT_MODEL_DEEPER=n       n preemptions more than the model says
//
// `run` checks each model as written, then weakens every memory order that the header asked for,
// one at a time by one step, and expects some model to fail: which proves that the models can
// fail. An order whose weakening goes unnoticed is printed as MISSED and fails the run, unless
// the file lists it as `spared` with the reason.
//
// Rules inside a model: no statics, no rand(), no addresses as data; shared plain data is
// model::checked<T>; a loop that waits calls weft::detail::cpu_relax().
#pragma once

#include "base/atomic.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <initializer_list>
#include <ostream>
#include <streambuf>
#include <string_view>
#include <vector>

// Relacy prints pointers in its histories, and does not expect one to a const. A model over such
// an atomic includes this file first.
namespace rl {
template <class T>
struct atomic_add_type<const T*> {
  using type = std::ptrdiff_t;
  using output_type = const void*;
};
}  // namespace rl

#include "model_search.hpp"

namespace model {

namespace detail {

// The model that fails with the table as it is; null: none. Few preemptions suffice for most
// failures and take a fraction of the time, so the long searches come last.
inline const char* failing(std::initializer_list<subject> subjects, bool long_ones) {
  constexpr unsigned few = 3;
  for (const subject& s : subjects) {
    if (s.must_fail || !asked_for(s)) continue;
    const unsigned own = depth_of(s);
    if (!search(s, own != 0 && own < few ? own : few, true).passed) return s.name;
  }
  for (const subject& s : subjects) {
    if (s.must_fail || !asked_for(s)) continue;
    const unsigned own = depth_of(s);
    if (long_ones && s.samples == 0 && (own == 0 || own > few) && !search(s, own, true).passed)
      return s.name;
  }
  return nullptr;
}

inline bool is_one_of(std::string_view file, std::string_view endings) {
  for (std::size_t at = 0; at < endings.size();) {
    const std::size_t end = std::min(endings.find(' ', at), endings.size());
    if (file.ends_with(endings.substr(at, end - at))) return true;
    at = end + 1;
  }
  return false;
}

// Weakens entry `i` of the table to `weak`. True if a model fails for it, or it is spared.
inline bool try_weakened(int i, std::memory_order weak, std::initializer_list<subject> subjects,
                         std::initializer_list<spared> allowed) {
  const ordering o = orderings.entries[i];
  const spared* const pardon = find_spared(allowed, o, weak);
  orderings.weakened = i;
  orderings.weaker = weak;
  const char* const found_by = failing(subjects, pardon == nullptr);
  orderings.weakened = -1;
  const bool good = found_by != nullptr || pardon != nullptr;
  const char* const verdict = found_by != nullptr ? "found " : (good ? "spared" : "MISSED");
  const char* const detail =
      found_by != nullptr ? found_by : (good ? pardon->reason : "no model fails");
  std::printf("%s  %s:%u %s as %s: %s [%s]\n", verdict, base_name(o.file), o.line, name_of(o.order),
              name_of(weak), detail, o.function);
  std::fflush(stdout);
  return good;
}

}  // namespace detail

// The exit status of main. Only orders asked for in a file whose path ends in one of `weaken_in`,
// which spaces divide, are weakened; what else the models pass through (the spin lock, say) is
// taken as given.
inline int run(std::initializer_list<subject> subjects, const char* weaken_in,
               std::initializer_list<spared> allowed = {}) {
  if (!detail::asked_for("check") && !detail::asked_for("orders")) {
    const char* const killer = detail::failing(subjects, false);
    std::printf("%s\n", killer == nullptr ? "survived" : killer);
    detail::leave(0);
  }
  for (const subject& s : subjects) {
    if (s.must_fail || !detail::asked_for(s)) continue;
    if (!detail::asked_for("check")) {
      detail::search(s, 1, true);  // so that the orders are known
      continue;
    }
    const outcome o = detail::search(s, detail::depth_of(s), true);
    std::printf("%s  %s: %llu interleavings, ", o.passed ? "ok    " : "FAILED", s.name,
                o.interleavings);
    if (s.samples != 0) {
      std::printf("at random, %.1f s\n", o.seconds);
    } else if (s.preemptions == 0) {
      std::printf("all there are, %.1f s\n", o.seconds);
    } else {
      std::printf("all with at most %u preemptions, %.1f s\n", detail::depth_of(s), o.seconds);
    }
    std::fflush(stdout);
    if (!o.passed) {
      detail::search(s, detail::depth_of(s), false);  // prints the interleaving
      detail::leave(1);
    }
  }

  if (weaken_in == nullptr || !detail::asked_for("orders")) return 0;
  bool good = true;
  int tried = 0;
  for (int i = 0; i < orderings.count; ++i) {
    if (!detail::is_one_of(orderings.entries[i].file, weaken_in)) continue;
    for (const std::memory_order weak : detail::one_step_weaker(orderings.entries[i])) {
      good = detail::try_weakened(i, weak, subjects, allowed) && good;
      ++tried;
    }
  }
  // Last: what only these ask for is not weakened.
  for (const subject& s : subjects) {
    if (!s.must_fail) continue;
    const outcome o = detail::search(s, s.preemptions, true);
    std::printf("%s  %s: %s after %llu interleavings\n", o.passed ? "FAILED" : "broken", s.name,
                o.passed ? "no failure" : "fails, as it must,", o.interleavings);
    good = good && !o.passed;
  }
  if (tried == 0) {
    std::printf("FAILED  no order in %s was ever asked for: nothing was modelled\n", weaken_in);
    return 1;
  }
  return good ? 0 : 1;
}

}  // namespace model
