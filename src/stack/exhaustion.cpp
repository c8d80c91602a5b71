#include "stack/exhaustion.hpp"

#include <sys/resource.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/fatal.hpp"
#include "stack/stack.hpp"

namespace weft::detail {
namespace {
void describe_address_limit(char* text, std::size_t size) {
  rlimit limit = {};
  ::getrlimit(RLIMIT_AS, &limit);
  if (limit.rlim_cur == RLIM_INFINITY) {
    std::snprintf(text, size, "unlimited");
  } else {
    std::snprintf(text, size, "%llu KiB", static_cast<unsigned long long>(limit.rlim_cur / 1024));
  }
}

[[noreturn]] void throw_mapping(int error, const platform& os) {
  char address_limit[32];
  describe_address_limit(address_limit, sizeof address_limit);
  throw_system(ENOMEM,
               "no memory for another fiber's stack: mmap failed (%s). Limits that can cause it: "
               "address space (ulimit -v) = %s; vm.max_map_count = %ld; vm.overcommit_memory = %ld "
               "(2 counts a stack's whole size as used: set 0 or 1). Raise the limit, or lower "
               "runtime_options::stack_size or fiber_options::stack_size",
               std::strerror(error), address_limit, os.vm_setting("max_map_count", -1),
               os.vm_setting("overcommit_memory", -1));
}
}  // namespace

void throw_stack_failure(stack_failure failure, std::size_t limit, const platform& os) {
  switch (failure.what) {
    case shortage::map_count: {
      const long maps = os.vm_setting("max_map_count", -1);
      throw_system(
          ENOMEM,
          "no guarded stack for another fiber: vm.max_map_count = %ld allows %zu here, because "
          "this kernel lacks MADV_GUARD_INSTALL (Linux 6.13) or memory is locked, so each "
          "guard takes two mappings; raise it (sysctl -w vm.max_map_count=%ld), or have fewer "
          "fibers at a time",
          maps, limit, maps > 0 ? maps * 4 : 262144L);
    }
    case shortage::mapping:
      throw_mapping(failure.error, os);
    case shortage::chunks:
      throw_system(
          ENOMEM,
          "no address space for another fiber's stack: weft's table of stack chunks is full; "
          "lower runtime_options::stack_size or fiber_options::stack_size");
    case shortage::guarding:
      throw_system(
          ENOMEM,
          "no guarded stack for another fiber: the kernel refused a guard of %zu KiB (%s); "
          "weft never runs a fiber without one. Free memory, or raise vm.max_map_count (= %ld) "
          "or the memory limit of the control group",
          guard_size / 1024, std::strerror(failure.error), os.vm_setting("max_map_count", -1));
    case shortage::pages:
      throw_system(ENOMEM,
                   "no guarded stack for a fiber: this kernel's pages have %zu KiB, and weft knows "
                   "only those of %zu KiB; boot a kernel with such",
                   os.page_bytes() / 1024, page_size / 1024);
    case shortage::no_tier:
      throw_system(
          ENOMEM,
          "no guarded stack for a fiber: neither MADV_GUARD_INSTALL nor mprotect(PROT_NONE) "
          "makes an access fault here (an emulator?); weft never runs a fiber without a "
          "guard");
    case shortage::none:
    case shortage::fibers:
      break;
  }
  throw_system(
      ENOMEM,
      "no more fibers: %zu exist, the most that one process may have; let some end first, or "
      "bound how many are spawned (a semaphore, a channel)",
      limit);
}
}  // namespace weft::detail
