#include "stack/guards.hpp"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "base/errno.hpp"

namespace weft::detail {
namespace {
// Whether the kernel, asked to write there on our behalf, says EFAULT. Costs no descriptor and no
// signal handler. Through syscall(): the vDSO's version would write from user space. Not
// clock_getres: qemu does not tell of a result that it could not store.
bool faults(std::byte* at) noexcept {
  return ::syscall(SYS_gettimeofday, at, nullptr) == -1 && errno == EFAULT;
}

constexpr std::size_t most_ranges = 64;
}  // namespace

bool stack_guards::probe(stack_failure& why) noexcept {
  if (os_.page_bytes() > page_size) {  // AArch64 kernels may have 16 or 64 KiB
    why = {shortage::pages, 0};
    return false;
  }
  constexpr std::size_t pages = 6;
  void* const memory = os_.map(nullptr, pages * page_size);
  if (memory == MAP_FAILED) {
    why = {shortage::mapping, errno};
    return false;
  }
  auto* const at = static_cast<std::byte*>(memory);
  const auto page = [at](std::size_t i) { return at + i * page_size; };

  // Pages 1, 3 and 5; 0, 2 and 4 must stay usable.
  const bool single = os_.advise(page(1), page_size, advice_guard_install) == 0 && faults(page(1));
  const iovec two[2] = {{page(3), page_size}, {page(5), page_size}};
  const bool vectored = single &&
                        os_.advise_ranges(two, 2, advice_guard_install) == 2 * page_size &&
                        faults(page(3)) && faults(page(5));
  const bool usable = !faults(page(0)) && !faults(page(2)) && !faults(page(4));

  const long maps = std::max(os_.vm_setting("max_map_count", 65530), 0L);
  budget_.store(static_cast<std::size_t>(maps) * 45 / 100, std::memory_order_relaxed);
  why = {};
  if (single && usable) {
    vectored_.store(vectored, std::memory_order_relaxed);
    limit_.store(most_fibers, std::memory_order_relaxed);
    tier_.store(guard_tier::madvise, std::memory_order_relaxed);
  } else if (os_.protect_none(page(0), page_size) != 0) {
    why = {shortage::guarding, errno};
  } else if (faults(page(0))) {
    use_mprotect();
  } else {
    why = {shortage::no_tier, 0};
  }
  os_.unmap(memory, pages * page_size);
  return why.what == shortage::none;
}

void stack_guards::use_mprotect() noexcept {
  limit_.store(std::min(most_fibers, marked_.load(std::memory_order_relaxed) +
                                         budget_.load(std::memory_order_relaxed)),
               std::memory_order_relaxed);
  tier_.store(guard_tier::mprotect, std::memory_order_relaxed);
}

// One system call for all ranges where the kernel can; what that leaves, one by one.
std::size_t stack_guards::advise_each(const iovec* ranges, std::size_t n, int advice) noexcept {
  std::size_t done = 0;
  if (n > 1 && vectored_.load(std::memory_order_relaxed)) {
    ssize_t bytes = os_.advise_ranges(ranges, n, advice);
    if (bytes < 0 && (errno == ENOSYS || errno == EPERM || errno == EBADF)) {
      vectored_.store(false, std::memory_order_relaxed);
    }
    for (; done < n && bytes >= static_cast<ssize_t>(ranges[done].iov_len); ++done) {
      bytes -= static_cast<ssize_t>(ranges[done].iov_len);
    }
  }
  while (done < n && os_.advise(ranges[done].iov_base, ranges[done].iov_len, advice) == 0) ++done;
  return done;
}

std::size_t stack_guards::install(std::byte* const* at, std::size_t n,
                                  stack_failure& why) noexcept {
  std::size_t done = 0;
  while (done < n && tier() == guard_tier::madvise) {
    iovec ranges[most_ranges];
    const std::size_t batch = std::min(n - done, most_ranges);
    for (std::size_t i = 0; i < batch; ++i) ranges[i] = {at[done + i], guard_size};
    const std::size_t granted = advise_each(ranges, batch, advice_guard_install);
    const int error = errno;
    marked_.fetch_add(granted, std::memory_order_relaxed);
    done += granted;
    if (granted == batch) continue;
    if (error != EINVAL) {
      why = {shortage::guarding, error};
      return done;
    }
    use_mprotect();  // what mlockall(MCL_FUTURE) brings about: no markers in locked memory
  }
  if (done < n) done += install_by_mprotect(at + done, n - done, why);
  return done;
}

std::size_t stack_guards::install_by_mprotect(std::byte* const* at, std::size_t n,
                                              stack_failure& why) noexcept {
  const std::size_t budget = budget_.load(std::memory_order_relaxed);
  for (std::size_t i = 0; i < n; ++i) {
    if (protected_.fetch_add(1, std::memory_order_relaxed) >= budget) {
      protected_.fetch_sub(1, std::memory_order_relaxed);
      why = {shortage::map_count, 0};
      return i;
    }
    if (os_.protect_none(at[i], guard_size) != 0) {
      const int error = errno;
      protected_.fetch_sub(1, std::memory_order_relaxed);
      // ENOMEM is the kernel's word for too many mappings: others in this process hold the rest.
      why = {error == ENOMEM ? shortage::map_count : shortage::guarding, error};
      return i;
    }
  }
  return n;
}

void stack_guards::discard(const iovec* ranges, std::size_t n) noexcept {
  // Best effort: a range that cannot be discarded stays resident, and works.
  for (std::size_t at = 0; at < n; at += most_ranges) {
    static_cast<void>(advise_each(ranges + at, std::min(n - at, most_ranges), MADV_DONTNEED));
  }
}
}  // namespace weft::detail
