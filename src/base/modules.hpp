#pragma once
#include <cstddef>
#include <cstdint>

namespace weft::detail {
// The machine code of the process: which file an address was loaded from, and where in it. Read
// from /proc/self/maps by open, read and close, so that a signal handler may do it in a process
// whose dynamic linker was interrupted or is corrupt; dladdr and dl_iterate_phdr take its lock and
// follow its lists. Signal-safe; large, so not for a fiber's stack.
class module_map {
 public:
  // Whatever it cannot read or has no room for is not found afterwards.
  void read() noexcept;
  bool empty() const noexcept { return count_ == 0; }
  bool is_code(std::uintptr_t address) const noexcept { return find(address) != nullptr; }
  // Whether the instruction before it is a call.
  bool is_after_call(std::uintptr_t address) const noexcept;
  // The file an address was loaded from, null if none, and the address as the file's tables count.
  struct place {
    const char* path;
    std::uintptr_t offset;
  };
  place locate(std::uintptr_t address) const noexcept;
  // "file+0x1234", as addr2line wants it, or the bare address.
  void describe(std::uintptr_t address, char* to, std::size_t size) const noexcept;

 private:
  static constexpr std::size_t path_size = 160;
  struct range {
    std::uintptr_t begin, end;  // readable and executable
    std::uintptr_t base;        // what the file's own addresses are relative to
    char path[path_size];
  };
  const range* find(std::uintptr_t address) const noexcept;
  void add(const char* line) noexcept;

  static constexpr std::size_t most = 128;
  range ranges_[most] = {};
  std::size_t count_ = 0;
  // While reading: the file that the last lines were of, and the mapping of its first byte.
  char path_[path_size] = {};
  std::uintptr_t head_ = 0;
  bool head_readable_ = false;
};
}  // namespace weft::detail
