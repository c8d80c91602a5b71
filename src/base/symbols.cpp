#include "base/symbols.hpp"

#include <elf.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace weft::detail {
namespace {
constexpr std::size_t most_sections = 4096;
constexpr std::size_t block = 128;  // symbols a read

class elf_file {
 public:
  explicit elf_file(const char* path) noexcept : fd_(::open(path, O_RDONLY | O_CLOEXEC)) {}
  ~elf_file() {
    if (fd_ >= 0) ::close(fd_);
  }
  elf_file(const elf_file&) = delete;
  elf_file& operator=(const elf_file&) = delete;

  bool read(void* to, std::size_t size, std::uint64_t from) const noexcept {
    return fd_ >= 0 &&
           ::pread(fd_, to, size, static_cast<off_t>(from)) == static_cast<ssize_t>(size);
  }
  // A string that ends within `size`, or is cut there.
  bool read_string(char* to, std::size_t size, std::uint64_t from) const noexcept {
    const ssize_t n = ::pread(fd_, to, size - 1, static_cast<off_t>(from));
    if (n <= 0) return false;
    to[n] = 0;
    return to[0] != 0;
  }

 private:
  int fd_;
};

bool section_at(const elf_file& file, const Elf64_Ehdr& head, std::size_t i,
                Elf64_Shdr& to) noexcept {
  return i < head.e_shnum && file.read(&to, sizeof to, head.e_shoff + i * sizeof to);
}

// .symtab, else .dynsym.
bool find_table(const elf_file& file, const Elf64_Ehdr& head, Elf64_Shdr& table) noexcept {
  bool found = false;
  for (std::size_t i = 0; i < head.e_shnum && i < most_sections; ++i) {
    Elf64_Shdr section;
    if (!section_at(file, head, i, section)) return found;
    if (section.sh_type == SHT_DYNSYM && !found) table = section;
    if (section.sh_type == SHT_SYMTAB) table = section;
    found = found || section.sh_type == SHT_DYNSYM || section.sh_type == SHT_SYMTAB;
    if (section.sh_type == SHT_SYMTAB) return true;
  }
  return found;
}

bool covers(const Elf64_Sym& symbol, std::uintptr_t address) noexcept {
  return ELF64_ST_TYPE(symbol.st_info) == STT_FUNC && symbol.st_shndx != SHN_UNDEF &&
         address - symbol.st_value < symbol.st_size;
}
}  // namespace

bool find_symbol(const char* path, std::uintptr_t address, char* to, std::size_t size) noexcept {
  const elf_file file(path);
  Elf64_Ehdr head;
  if (!file.read(&head, sizeof head, 0) || std::memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 ||
      head.e_ident[EI_CLASS] != ELFCLASS64 || head.e_shentsize != sizeof(Elf64_Shdr)) {
    return false;
  }
  Elf64_Shdr table;
  Elf64_Shdr names;
  if (!find_table(file, head, table) || !section_at(file, head, table.sh_link, names)) return false;
  Elf64_Sym symbols[block];
  const std::uint64_t count = table.sh_size / sizeof(Elf64_Sym);
  for (std::uint64_t i = 0; i < count; i += block) {
    const std::size_t n = std::min<std::uint64_t>(block, count - i);
    if (!file.read(symbols, n * sizeof(Elf64_Sym), table.sh_offset + i * sizeof(Elf64_Sym))) {
      return false;
    }
    const Elf64_Sym* const found = std::find_if(
        symbols, symbols + n, [&](const Elf64_Sym& symbol) { return covers(symbol, address); });
    if (found != symbols + n) return file.read_string(to, size, names.sh_offset + found->st_name);
  }
  return false;
}
}  // namespace weft::detail
