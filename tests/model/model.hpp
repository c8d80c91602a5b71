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
// `run` checks each model as written, then weakens every memory order that the header asked for,
// one at a time by one step, and expects some model to fail: which proves that the models can
// fail. An order whose weakening goes unnoticed is printed as MISSED and fails the run, unless
// the file lists it as `spared` with the reason.
//
// Rules inside a model: no statics, no rand(), no addresses as data; shared plain data is
// model::checked<T>; a loop that waits calls weft::detail::cpu_relax().
#pragma once

#include "base/atomic.hpp"

#include <chrono>
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

namespace model {

using weft::detail::model::check;
using weft::detail::model::checked;
using weft::detail::model::operation;
using weft::detail::model::ordering;
using weft::detail::model::orderings;

template <class Derived, int Threads>
using test = rl::test_suite<Derived, Threads>;

// One model and how far it is searched.
struct subject {
  const char* name;
  bool (*simulate)(rl::test_params&);
  unsigned preemptions;  // 0: every interleaving
  bool must_fail = false;
};

template <class Model>
subject full(const char* name) {
  return {name, &rl::simulate<Model>, 0};
}

// Every interleaving with at most `preemptions` switches away from a thread that could go on.
template <class Model>
subject bounded(unsigned preemptions, const char* name) {
  return {name, &rl::simulate<Model>, preemptions};
}

// A design that was given up, or a rule left out: the search must find the failure. It shows what
// the rule is for, and that the model would notice its loss.
template <class Model>
subject broken(unsigned preemptions, const char* name) {
  return {name, &rl::simulate<Model>, preemptions, true};
}

// An order that the models cannot show to be necessary, and why it is there all the same.
struct spared {
  const char* function;  // its name, as in "push": lines move
  operation op;
  std::memory_order weakened_to;
  const char* reason;
};

struct outcome {
  bool passed;
  unsigned long long interleavings;
  double seconds;
};

namespace detail {

class null_buffer : public std::streambuf {
 protected:
  int overflow(int c) override { return c; }
};

// `preemptions` 0: every interleaving.
inline outcome search(const subject& s, unsigned preemptions, bool quiet) {
  null_buffer nowhere;
  std::ostream silent(&nowhere);
  rl::test_params params;
  params.output_stream = quiet ? &silent : &std::cout;
  params.progress_stream = &silent;
  params.search_type = preemptions == 0 ? rl::sched_full : rl::sched_bound;
  params.context_bound = preemptions;
  const auto start = std::chrono::steady_clock::now();
  const bool passed = s.simulate(params);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  return {passed, static_cast<unsigned long long>(params.stop_iteration), took.count()};
}

inline const char* name_of(std::memory_order order) {
  switch (order) {
    case std::memory_order_relaxed:
      return "relaxed";
    case std::memory_order_consume:
      return "consume";
    case std::memory_order_acquire:
      return "acquire";
    case std::memory_order_release:
      return "release";
    case std::memory_order_acq_rel:
      return "acq_rel";
    case std::memory_order_seq_cst:
      return "seq_cst";
  }
  return "?";
}

// The orders one step below, at most two; relaxed itself only where nothing lies between.
inline std::vector<std::memory_order> one_step_weaker(const ordering& o) {
  switch (o.order) {
    case std::memory_order_seq_cst:
      if (o.op == operation::load) return {std::memory_order_acquire};
      if (o.op == operation::store) return {std::memory_order_release};
      return {std::memory_order_acq_rel};
    case std::memory_order_acq_rel:
      return {std::memory_order_acquire, std::memory_order_release};
    default:
      return {std::memory_order_relaxed};
  }
}

inline const char* base_name(const char* path) {
  const char* const slash = std::strrchr(path, '/');
  return slash == nullptr ? path : slash + 1;
}

// Whether a signature as the compiler writes it is that of a function of this name.
inline bool is_function(std::string_view signature, std::string_view name) {
  const std::size_t paren = signature.find('(');
  const std::string_view before = signature.substr(0, paren);
  if (before.size() <= name.size() || !before.ends_with(name)) return false;
  const char c = before[before.size() - name.size() - 1];
  return c == ':' || c == ' ' || c == '*' || c == '&';
}

inline const spared* find_spared(std::initializer_list<spared> list, const ordering& o,
                                 std::memory_order weak) {
  for (const spared& s : list) {
    if (is_function(o.function, s.function) && s.op == o.op && s.weakened_to == weak) return &s;
  }
  return nullptr;
}

}  // namespace detail

namespace detail {

// The model that fails with the table as it is; null: none. Few preemptions suffice for most
// failures and take a fraction of the time, so the long searches come last.
inline const char* failing(std::initializer_list<subject> subjects, bool long_ones) {
  constexpr unsigned few = 3;
  for (const subject& s : subjects) {
    if (!s.must_fail && !search(s, few, true).passed) return s.name;
  }
  for (const subject& s : subjects) {
    if (s.must_fail) continue;
    if (long_ones && s.preemptions != few && !search(s, s.preemptions, true).passed) return s.name;
  }
  return nullptr;
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
  std::printf("%s  %s:%u %s as %s: %s\n", verdict, base_name(o.file), o.line, name_of(o.order),
              name_of(weak), detail);
  std::fflush(stdout);
  return good;
}

}  // namespace detail

// The exit status of main. Only orders asked for in a file whose path ends in `weaken_in` are
// weakened; what else the models pass through (the spin lock, say) is taken as given.
inline int run(std::initializer_list<subject> subjects, const char* weaken_in,
               std::initializer_list<spared> allowed = {}) {
  for (const subject& s : subjects) {
    if (s.must_fail) continue;
    const outcome o = detail::search(s, s.preemptions, true);
    std::printf("%s  %s: %llu interleavings, ", o.passed ? "ok    " : "FAILED", s.name,
                o.interleavings);
    if (s.preemptions == 0) {
      std::printf("all there are, %.1f s\n", o.seconds);
    } else {
      std::printf("all with at most %u preemptions, %.1f s\n", s.preemptions, o.seconds);
    }
    std::fflush(stdout);
    if (!o.passed) {
      detail::search(s, s.preemptions, false);  // prints the interleaving
      return 1;
    }
  }

  bool good = true;
  int tried = 0;
  for (int i = 0; i < orderings.count; ++i) {
    if (!std::string_view(orderings.entries[i].file).ends_with(weaken_in)) continue;
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
