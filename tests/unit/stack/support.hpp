#pragma once
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "stack/arena.hpp"
#include "stack/platform.hpp"

namespace stack_test {
using namespace weft::detail;

inline const stack_class small = stack_class_for(16 * 1024);
inline const stack_class usual = stack_class_for(256 * 1024);

// A pipe through which the kernel is asked whether a byte can be read: EFAULT where it faults.
class prober {
 public:
  prober() { EXPECT_EQ(::pipe(ends_), 0); }
  ~prober() {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  prober(const prober&) = delete;
  prober& operator=(const prober&) = delete;

  bool faults(const std::byte* at) {
    if (::write(ends_[1], at, 1) == 1) {
      char drained;
      EXPECT_EQ(::read(ends_[0], &drained, 1), 1);
      return false;
    }
    EXPECT_EQ(errno, EFAULT);
    return true;
  }
  bool guarded(const stack& s) {
    for (std::size_t below = page_size; below <= guard_size; below += page_size) {
      if (!faults(s.lo - below) || !faults(s.lo - below + page_size - 1)) return false;
    }
    return !faults(s.lo) && !faults(s.hi - 1);
  }

 private:
  int ends_[2] = {-1, -1};
};

// An arena is 300 KiB: not for a test's stack. Its chunks stay mapped when it goes.
inline std::unique_ptr<stack_arena> make_arena(const platform& os) {
  return std::make_unique<stack_arena>(os);
}

inline std::vector<stack> take_all(stack_arena& arena, stack_class c, std::size_t n) {
  std::vector<stack> all(n);
  std::size_t got = 0;
  while (got < n) {
    const std::size_t more = arena.take(c, all.data() + got, n - got);
    if (more == 0) break;
    got += more;
  }
  all.resize(got);
  return all;
}

inline std::string exhausted_text(const stack_arena& arena) {
  try {
    arena.throw_exhausted();
  } catch (const std::system_error& e) {
    EXPECT_EQ(e.code().value(), ENOMEM);
    return e.what();
  }
}
}  // namespace stack_test
