// One search of one model, and what is said about it. Part of model.hpp.
#pragma once

#include "base/atomic.hpp"

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <ostream>
#include <streambuf>
#include <string_view>
#include <vector>

namespace model {

using weft::detail::model::check;
using weft::detail::model::checked;
using weft::detail::model::operation;
using weft::detail::model::ordering;
using weft::detail::model::orderings;

// A model as the search sees it, whose templates take seconds to compile for each class that they
// are made for: engine/search.cpp has them once.
struct any_model {
  virtual ~any_model() = default;
  virtual void before() = 0;
  virtual void thread(unsigned index) = 0;
  virtual void after() = 0;
};

template <class Derived, int Threads>
struct test {
  static constexpr int threads = Threads;
  void before() {}
  void after() {}
};

// How to make one, where each interleaving makes it anew.
struct maker {
  std::size_t size;
  any_model* (*make)(void* at);
  int threads;
};

template <class Model>
struct as_any_model final : any_model {
  Model model;
  void before() override { model.before(); }
  void thread(unsigned index) override { model.thread(index); }
  void after() override { model.after(); }
  static any_model* make(void* at) { return ::new (at) as_any_model; }
};

template <class Model>
constexpr maker maker_of{sizeof(as_any_model<Model>), &as_any_model<Model>::make, Model::threads};

// Whether the model passes. In engine/search.cpp.
bool simulate(const maker&, rl::test_params&);

// One model and how far it is searched.
struct subject {
  const char* name;
  const maker* made_by;
  unsigned preemptions;  // 0: every interleaving
  bool must_fail = false;
  unsigned samples = 0;  // not 0: so many interleavings at random
};

template <class Model>
subject full(const char* name) {
  return {name, &maker_of<Model>, 0};
}

// Every interleaving with at most `preemptions` switches away from a thread that could go on.
template <class Model>
subject bounded(unsigned preemptions, const char* name) {
  return {name, &maker_of<Model>, preemptions};
}

// Too large for any bound: so many interleavings, chosen at random but the same ones each time.
template <class Model>
subject sampled(unsigned samples, const char* name) {
  return {name, &maker_of<Model>, 0, false, samples};
}

// A design that was given up, or a rule left out: the search must find the failure. It shows what
// the rule is for, and that the model would notice its loss.
template <class Model>
subject broken(unsigned preemptions, const char* name) {
  return {name, &maker_of<Model>, preemptions, true};
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

inline bool asked_for(const char* what) {
  const char* const mode = std::getenv("WEFT_MODEL");
  return mode == nullptr || std::strcmp(mode, what) == 0;
}
inline bool asked_for(const subject& s) {
  const char* const only = std::getenv("WEFT_MODEL_ONLY");
  return only == nullptr || std::strstr(s.name, only) != nullptr;
}
inline unsigned depth_of(const subject& s) {
  const char* const deeper = std::getenv("WEFT_MODEL_DEEPER");
  return s.preemptions == 0 || deeper == nullptr
             ? s.preemptions
             : s.preemptions + static_cast<unsigned>(std::atoi(deeper));
}

// Ten times as many for each preemption more.
inline unsigned samples_of(const subject& s) {
  const char* const deeper = std::getenv("WEFT_MODEL_DEEPER");
  unsigned samples = s.samples;
  for (int i = deeper == nullptr ? 0 : std::atoi(deeper); i > 0; --i) samples *= 10;
  return samples;
}

// Without destructors of globals, which an interleaving that failed has left in pieces.
[[noreturn]] inline void leave(int status) {
  std::fflush(nullptr);
  std::_Exit(status);
}

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
  params.search_type = s.samples != 0     ? rl::sched_random
                       : preemptions == 0 ? rl::sched_full
                                          : rl::sched_bound;
  if (s.samples != 0) params.iteration_count = samples_of(s);
  params.context_bound = preemptions;
  const auto start = std::chrono::steady_clock::now();
  const bool passed = simulate(*s.made_by, params);
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

}  // namespace model
