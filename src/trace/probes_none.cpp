#include "trace/probes.hpp"

namespace weft::detail {
bool probes_attached() noexcept {
  return false;
}
void probe_spawn(std::uint64_t, std::uint64_t, const char*, std::uint32_t) noexcept {}
void probe_run(std::uint64_t, std::uint32_t) noexcept {}
void probe_stop(std::uint64_t, std::uint32_t, std::uint64_t) noexcept {}
void probe_wake(std::uint64_t, std::uint64_t, std::uint32_t) noexcept {}
void probe_steal(std::uint32_t, std::uint32_t, std::uint64_t) noexcept {}
void probe_sleep(std::uint32_t, std::uint32_t) noexcept {}
void probe_awake(std::uint32_t, std::uint32_t) noexcept {}
}  // namespace weft::detail
