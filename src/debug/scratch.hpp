#pragma once
#include <sys/mman.h>

namespace weft::detail {
// Room for one report, all zero at first: pages asked of the kernel, so that a report needs neither
// the heap nor a lock, and any number of them may be made at a time. Null when the kernel refuses.
template <class T>
class scratch {
 public:
  scratch() noexcept
      : at_(::mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)) {}
  ~scratch() {
    if (at_ != MAP_FAILED) ::munmap(at_, sizeof(T));
  }
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;
  T* get() const noexcept { return at_ == MAP_FAILED ? nullptr : static_cast<T*>(at_); }

 private:
  void* at_;
};
}  // namespace weft::detail
