#include "stack/chunk_table.hpp"

#include <sys/mman.h>

#include <cstdint>
#include <new>

#include "base/errno.hpp"

namespace weft::detail {
namespace {
constexpr std::uintptr_t address_bits = 47;

bool aligned(const void* at) noexcept {
  return reinterpret_cast<std::uintptr_t>(at) % smallest_chunk == 0;
}

std::size_t round_up(std::size_t bytes, std::size_t to) noexcept {
  return (bytes + to - 1) / to * to;
}

// The head is part of the chunk, so the slots are what fits beside it.
std::size_t slots_in(std::size_t bytes, std::size_t stride) noexcept {
  std::size_t slots = (bytes - sizeof(chunk)) / (stride + sizeof(slot_links));
  while (round_up(sizeof(chunk) + slots * sizeof(slot_links), page_size) + slots * stride > bytes)
    --slots;
  return slots;
}
}  // namespace

chunk* chunk_table::find(const void* address) const noexcept {
  const auto bits = reinterpret_cast<std::uintptr_t>(address);
  if (bits >> address_bits != 0) return nullptr;
  // acquire, both here and in at(): pair with the releases in make_leaves() and add().
  const leaf* const below = top_[bits >> (step_bits + leaf_bits)].load(std::memory_order_acquire);
  if (below == nullptr) return nullptr;
  const std::uint32_t index =
      below->index[bits >> step_bits & ((1 << leaf_bits) - 1)].load(std::memory_order_acquire);
  return index == 0 ? nullptr : by_index_[index].load(std::memory_order_acquire);
}

stack chunk_table::stack_in(const chunk& in, std::uint32_t i) noexcept {
  // Tops of equal alignment would all compete for the same few sets of the caches. 16 colours of
  // one line each stay within the top page, so that a parked fiber holds one page.
  constexpr std::size_t colours = 16;
  constexpr std::size_t line = 64;
  std::byte* const slot = in.slot(i);
  return {slot + guard_size, slot + in.stride - (i % colours) * line};
}

// Chunks side by side become one mapping for the kernel, so each is asked for below the last. The
// alignment makes the lookup table exact with one entry for each 64 MiB.
std::byte* chunk_table::map_aligned(std::size_t bytes, const platform& os) noexcept {
  void* const hint = last_ == nullptr ? nullptr : last_ - bytes;
  void* at = os.map(hint, bytes);
  if (at == MAP_FAILED) return nullptr;
  if (aligned(at)) return static_cast<std::byte*>(at);
  os.unmap(at, bytes);
  at = os.map(nullptr, bytes + smallest_chunk);
  if (at == MAP_FAILED) return nullptr;
  auto* const from = static_cast<std::byte*>(at);
  const std::size_t skip = smallest_chunk - reinterpret_cast<std::uintptr_t>(at) % smallest_chunk;
  // skip is not 0 for an aligned result, but smallest_chunk: the slack is then all in front.
  os.unmap(from, skip);
  if (skip < smallest_chunk) os.unmap(from + skip + bytes, smallest_chunk - skip);
  return from + skip;
}

bool chunk_table::make_leaves(std::byte* base, std::size_t bytes, const platform& os) noexcept {
  const auto from = reinterpret_cast<std::uintptr_t>(base);
  constexpr unsigned shift = step_bits + leaf_bits;
  for (std::uintptr_t i = from >> shift; i <= (from + bytes - 1) >> shift; ++i) {
    if (top_[i].load(std::memory_order_relaxed) != nullptr) continue;
    void* const memory = os.map(nullptr, sizeof(leaf));
    if (memory == MAP_FAILED) return false;
    // release: pairs with the acquire in find().
    top_[i].store(::new (memory) leaf, std::memory_order_release);
  }
  return true;
}

chunk* chunk_table::add(stack_class c, std::size_t bytes, const platform& os) noexcept {
  if (chunks_ + 1 >= most_chunks) {
    errno = 0;
    return nullptr;
  }
  std::byte* const base = map_aligned(bytes, os);
  if (base == nullptr) return nullptr;
  // With huge pages the first touch of a stack would take 2 MiB. EINVAL: a kernel without them.
  const bool small_pages = os.advise(base, bytes, MADV_NOHUGEPAGE) == 0 || errno == EINVAL;
  if (!small_pages || !make_leaves(base, bytes, os)) {
    const int error = errno;
    os.unmap(base, bytes);
    errno = error;
    return nullptr;
  }
  last_ = base;

  const std::size_t stride = slot_bytes(c);
  const std::size_t slots = slots_in(bytes, stride);
  auto* const made = ::new (base) chunk{};
  made->first = base + bytes - slots * stride;
  made->stride = stride;
  made->index = ++chunks_;
  made->slots = static_cast<std::uint32_t>(slots);
  made->cls = c;
  // release: pair with the acquires in at() and find(); the head is complete.
  by_index_[made->index].store(made, std::memory_order_release);
  for (std::byte* step = base; step != base + bytes; step += smallest_chunk) {
    const auto bits = reinterpret_cast<std::uintptr_t>(step);
    leaf* const below = top_[bits >> (step_bits + leaf_bits)].load(std::memory_order_relaxed);
    below->index[bits >> step_bits & ((1 << leaf_bits) - 1)].store(
        static_cast<std::uint16_t>(made->index), std::memory_order_release);
  }
  return made;
}
}  // namespace weft::detail
