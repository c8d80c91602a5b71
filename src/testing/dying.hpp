#pragma once

namespace weft::detail {

// While one lives: when a signal that ends the process comes on the thread of the exploration (an
// assert, a std::terminate, a fault), the seed and the schedule are printed before it takes its
// course.
class death_report {
 public:
  death_report() noexcept;
  ~death_report();
  death_report(const death_report&) = delete;
  death_report& operator=(const death_report&) = delete;
};
}  // namespace weft::detail
