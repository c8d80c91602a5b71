#include "fiber/slab.hpp"

#include <sys/mman.h>

#include <cerrno>
#include <new>

#include "base/fatal.hpp"
#include "base/spin_lock.hpp"
#include "fiber/extras.hpp"

namespace weft::detail {
namespace {
constexpr std::size_t first_chunk = 256 * 1024;
// Later chunks are one huge page each: a thousand faults less when a million fibers are made, and
// one TLB entry for eleven thousand blocks. The first stays small for the sake of small programs.
constexpr std::size_t chunk_bytes = 2 * 1024 * 1024;
constexpr std::size_t max_chunks = 32768;  // 358 million blocks

struct slab {
  spin_lock lock;  // guards what follows, but for reading chunks and how much of each is made
  control_block* free = nullptr;
  control_block* fresh = nullptr;  // [fresh, fresh_end) of the newest chunk: never used yet
  control_block* fresh_end = nullptr;
  atomic<std::size_t> chunks{0};
  struct {
    control_block* begin = nullptr;
    atomic<std::size_t> count{0};  // constructed so far, from the beginning on
  } chunk[max_chunks] = {};
};
constinit slab all{};

void map_chunk_locked() {
  const std::size_t index = all.chunks.load(std::memory_order_relaxed);
  const std::size_t bytes = index == 0 ? first_chunk : chunk_bytes;
  void* at = MAP_FAILED;
  if (index < max_chunks) {
    // Over-mapped by its size so that a huge page fits; the rest is address space only.
    at = ::mmap(nullptr, 2 * bytes, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  }
  if (at == MAP_FAILED) return;
  const std::uintptr_t start = (reinterpret_cast<std::uintptr_t>(at) + bytes - 1) & ~(bytes - 1);
  const std::uintptr_t end = reinterpret_cast<std::uintptr_t>(at) + 2 * bytes;
  if (start > reinterpret_cast<std::uintptr_t>(at)) {
    ::munmap(at, start - reinterpret_cast<std::uintptr_t>(at));
  }
  if (end > start + bytes) {
    ::munmap(reinterpret_cast<void*>(start + bytes), end - (start + bytes));
  }
  if (index > 0) ::madvise(reinterpret_cast<void*>(start), bytes, MADV_HUGEPAGE);
  all.fresh = reinterpret_cast<control_block*>(start);
  all.fresh_end = all.fresh + bytes / sizeof(control_block);
  all.chunk[index].begin = all.fresh;
  // release: pairs with the acquire in slab_for_each, which then reads the entry.
  all.chunks.store(index + 1, std::memory_order_release);
}

// A visitor sees what is constructed, and touches no page of what is not. It misses no block whose
// fiber could miss what the visitor wrote before: a fiber has its block from slab_take, so this
// store happens before the fence between the fiber's own store and its look (park/cancel.cpp). A
// visitor that does not find the count has passed its fence first, and the fiber finds what was
// written before that.
void publish_fresh_locked() noexcept {
  const std::size_t chunks = all.chunks.load(std::memory_order_relaxed);
  if (chunks == 0 || !all.fresh) return;  // none; or the last one is the parent's
  auto& last = all.chunk[chunks - 1];
  // release: pairs with the acquire in slab_for_each.
  last.count.store(static_cast<std::size_t>(all.fresh - last.begin), std::memory_order_release);
}

atomic<std::uint64_t> next_serial{1};
}  // namespace

control_block* slab_take(std::size_t wanted, std::size_t& taken) {
  control_block* list = nullptr;
  taken = 0;
  {
    const spin_guard guard(all.lock);
    while (taken < wanted && all.free) {
      control_block* block = all.free;
      all.free = block->next;
      block->next = list;
      list = block;
      ++taken;
    }
    if (taken == 0 && all.fresh == all.fresh_end) map_chunk_locked();
    while (taken < wanted && all.fresh != all.fresh_end) {
      auto* block = ::new (all.fresh++) control_block;
      block->next = list;
      list = block;
      ++taken;
    }
    publish_fresh_locked();
  }
  if (taken == 0) {
    throw_system(ENOMEM,
                 "weft: no memory for another fiber's control block: mmap of %zu bytes failed (%zu "
                 "chunks are in use; raise RLIMIT_AS or vm.max_map_count, or run fewer fibers)",
                 chunk_bytes, all.chunks.load(std::memory_order_relaxed));
  }
  return list;
}

void slab_give(control_block* first, control_block* last) noexcept {
  const spin_guard guard(all.lock);
  last->next = all.free;
  all.free = first;
}

void slab_for_each(void (*visit)(control_block&, void*), void* arg) noexcept {
  // acquire: pairs with the release in map_chunk_locked: the entries below the count are written.
  const std::size_t chunks = all.chunks.load(std::memory_order_acquire);
  for (std::size_t i = 0; i < chunks; ++i) {
    // acquire: pairs with the release in publish_fresh_locked: those blocks are constructed.
    const std::size_t count = all.chunk[i].count.load(std::memory_order_acquire);
    for (std::size_t k = 0; k < count; ++k) visit(all.chunk[i].begin[k], arg);
  }
}

bool slab_has(const void* at) noexcept {
  // acquire: as in slab_for_each.
  const std::size_t chunks = all.chunks.load(std::memory_order_acquire);
  for (std::size_t i = 0; i < chunks; ++i) {
    const std::size_t offset =
        reinterpret_cast<std::uintptr_t>(at) - reinterpret_cast<std::uintptr_t>(all.chunk[i].begin);
    // acquire: as in slab_for_each.
    const std::size_t count = all.chunk[i].count.load(std::memory_order_acquire);
    if (offset < count * sizeof(control_block)) return offset % sizeof(control_block) == 0;
  }
  return false;
}

void slab_forked() noexcept {
  all.lock.unlock();
  all.free = all.fresh = all.fresh_end = nullptr;
}

std::uint64_t take_serials(std::uint64_t count) noexcept {
  return next_serial.fetch_add(count, std::memory_order_relaxed);
}

void slab_cache::refill_slow() {
  first_ = slab_take(batch, count_);
}

void slab_cache::spill_slow(std::size_t leave) noexcept {
  if (count_ <= leave) return;
  control_block* first = first_;
  control_block* last = first;
  for (std::size_t spilled = 1; spilled < count_ - leave; ++spilled) last = last->next;
  first_ = last->next;
  count_ = leave;
  slab_give(first, last);
}
}  // namespace weft::detail
