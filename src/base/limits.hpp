#pragma once

namespace weft::detail {
// Which limit an error of the kernel means, its value and how to raise it; empty: the error's own
// text is all there is to say.
struct limit_text {
  explicit limit_text(int error) noexcept;
  char text[320];
};
// The same for a kernel thread that could not be made.
struct thread_limit_text {
  explicit thread_limit_text(int error) noexcept;
  char text[320];
};
}  // namespace weft::detail
