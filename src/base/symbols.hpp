#pragma once
#include <cstddef>
#include <cstdint>

namespace weft::detail {
// The name of the function that has `address` (as the file's own tables count) in an ELF file: from
// its .symtab or, stripped, its .dynsym, as it stands there: mangled. False: none. By open and
// pread alone, because dladdr takes the dynamic linker's lock and knows no static functions.
// Signal-safe; a table of 10,000 takes some 100 us.
bool find_symbol(const char* path, std::uintptr_t address, char* to, std::size_t size) noexcept;
}  // namespace weft::detail
