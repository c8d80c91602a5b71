#include "io/fd_table.hpp"

#include <cerrno>
#include <new>

#include "sched/spawn.hpp"

namespace weft::detail {
namespace {
constexpr std::size_t chunk_size = 1024;
constexpr std::size_t max_chunks = 4096;

struct fd_chunk {
  fd_entry entries[chunk_size];
};
constinit atomic<fd_chunk*> chunks[max_chunks] = {};

[[gnu::noinline]] fd_chunk* make_chunk_slow(std::size_t index) noexcept {
  auto* fresh = new (std::nothrow) fd_chunk;
  if (!fresh) return nullptr;
  fd_chunk* other = nullptr;
  // release: pairs with the acquire in find_entry.
  if (chunks[index].compare_exchange_strong(other, fresh, std::memory_order_acq_rel,
                                            std::memory_order_acquire)) {
    return fresh;
  }
  delete fresh;
  return other;
}
}  // namespace

fd_entry* find_entry(int fd) noexcept {
  const auto number = static_cast<std::size_t>(static_cast<unsigned>(fd));
  const std::size_t index = number / chunk_size;
  if (index >= max_chunks) return nullptr;  // negative numbers end here too
  // acquire: pairs with the release in make_chunk_slow.
  fd_chunk* at = chunks[index].load(std::memory_order_acquire);
  if (!at) [[unlikely]]
    at = make_chunk_slow(index);
  return at ? &at->entries[number % chunk_size] : nullptr;
}

int no_entry_error(int fd) noexcept {
  if (fd < 0) return EBADF;
  return static_cast<std::size_t>(fd) < chunk_size * max_chunks ? ENOMEM : EMFILE;
}

bool adopt_new(int fd, std::uint8_t flags) noexcept {
  // In a forked child the lock may have been held by a thread that exists in the parent only.
  if (has_forked()) return true;
  fd_entry* entry = find_entry(fd);
  if (!entry) return false;
  const spin_guard guard(entry->lock);
  entry->generation.fetch_add(1, std::memory_order_relaxed);
  entry->flags.store(flags, std::memory_order_relaxed);
  entry->no_skip.store(false, std::memory_order_relaxed);
  entry->registered = 0;
  entry->in.drained_at.store(0, std::memory_order_relaxed);
  return true;
}
}  // namespace weft::detail
