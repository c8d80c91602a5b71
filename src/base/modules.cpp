#include "base/modules.hpp"

#include <elf.h>
#include <fcntl.h>
#include <sys/auxv.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "frames.hpp"

namespace weft::detail {
namespace {
constexpr std::uintptr_t page = 4096;  // the program headers come with the head

std::uintptr_t hex(const char*& at) noexcept {
  std::uintptr_t value = 0;
  for (;; ++at) {
    const char c = *at;
    if (c >= '0' && c <= '9') {
      value = value * 16 + static_cast<unsigned>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      value = value * 16 + static_cast<unsigned>(c - 'a' + 10);
    } else {
      return value;
    }
  }
}

// A program that is not position-independent has its final addresses in the file. Only the
// program's own header is looked at: another module may go at any moment, and Valgrind, which is
// one too, takes a look at its own for an error.
bool is_fixed_program(std::uintptr_t head) noexcept {
  if (::getauxval(AT_PHDR) - head >= page) return false;
  const auto* elf = reinterpret_cast<const Elf64_Ehdr*>(head);
  return std::memcmp(elf->e_ident, ELFMAG, SELFMAG) == 0 && elf->e_type == ET_EXEC;
}
}  // namespace

// begin-end perms offset device inode      path
void module_map::add(const char* at) noexcept {
  const std::uintptr_t begin = hex(at);
  if (*at != '-') return;
  const std::uintptr_t end = hex(++at);
  if (std::strlen(at) < 6) return;
  const bool readable = at[1] == 'r';
  const bool code = readable && at[3] == 'x';
  at += 6;
  const std::uintptr_t offset = hex(at);
  const char* path = std::strpbrk(at, "/[");
  if (!path) path = "";
  // Of a long path the end tells more.
  if (const std::size_t n = std::strlen(path); n >= path_size) path += n - (path_size - 1);
  if (offset == 0 || std::strcmp(path, path_) != 0) {
    std::snprintf(path_, path_size, "%s", path);
    head_ = begin - offset;
    head_readable_ = readable && offset == 0 && *path == '/';
  }
  if (!code || count_ == most) return;
  range& r = ranges_[count_++];
  r.begin = begin;
  r.end = end;
  r.base = head_readable_ && is_fixed_program(head_) ? 0 : head_;
  std::memcpy(r.path, path_, path_size);
}

void module_map::read() noexcept {
  count_ = 0;
  path_[0] = 0;
  const int fd = ::open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  char line[512];
  std::size_t length = 0;
  char part[1024];
  for (ssize_t n = 0; (n = ::read(fd, part, sizeof part)) > 0;) {
    for (ssize_t i = 0; i < n; ++i) {
      if (part[i] != '\n') {
        if (length < sizeof line - 1) line[length++] = part[i];
        continue;
      }
      line[length] = 0;
      length = 0;
      add(line);
    }
  }
  ::close(fd);
}

const module_map::range* module_map::find(std::uintptr_t address) const noexcept {
  for (std::size_t i = 0; i < count_; ++i) {
    if (address - ranges_[i].begin < ranges_[i].end - ranges_[i].begin) return &ranges_[i];
  }
  return nullptr;
}

bool module_map::is_after_call(std::uintptr_t address) const noexcept {
  const range* const r = find(address);
  if (!r || address - r->begin < machine::longest_call) return false;
  return machine::is_call_before(reinterpret_cast<const unsigned char*>(address));
}

module_map::place module_map::locate(std::uintptr_t address) const noexcept {
  const range* const r = find(address);
  return r && r->path[0] ? place{r->path, address - r->base} : place{nullptr, address};
}

void module_map::describe(std::uintptr_t address, char* to, std::size_t size) const noexcept {
  const place at = locate(address);
  if (at.path) {
    std::snprintf(to, size, "%s+0x%zx", at.path, static_cast<std::size_t>(at.offset));
  } else {
    std::snprintf(to, size, "0x%zx", static_cast<std::size_t>(address));
  }
}
}  // namespace weft::detail
