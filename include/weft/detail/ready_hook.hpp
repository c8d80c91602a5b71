#pragma once

namespace weft::detail {
// To be run when a state becomes ready, by whoever makes it so, with no lock held.
struct ready_hook {
  void (*run)(ready_hook*) noexcept;
  ready_hook* next = nullptr;
};
}  // namespace weft::detail
