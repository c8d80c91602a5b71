// A context that is a name only: whoever switches runs the model's fiber as a plain call.
#pragma once
#include <cstddef>
#include <cstdint>

namespace weft::detail {
struct context {
  void* sp = nullptr;
};
using after_fn = void (*)(void* arg, context* from) noexcept;
using entry_fn = void (*)(void* arg) noexcept;
struct fp_env {};

inline context prepare(std::byte*, entry_fn) noexcept {
  return {};
}
// The model's: runs the fiber that the header names until it parks or ends.
void* switch_to(context* from, context to, after_fn after, void* arg) noexcept;
inline void fp_env_save(fp_env*) noexcept {}
inline void fp_env_load(const fp_env*) noexcept {}
}  // namespace weft::detail
