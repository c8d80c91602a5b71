#include <weft/fiber.hpp>

#include <cerrno>
#include <cstring>

#include "base/cpu_count.hpp"
#include "base/fatal.hpp"
#include "fiber/extras.hpp"
#include "park/park.hpp"
#include "runtime_life.hpp"
#include "sched/spawn.hpp"
#include "sched/spawn_local.hpp"
#include "time/join.hpp"

namespace weft {
// Reaches into a runtime object for its core.
struct detail_access {
  static detail::runtime_core& core(const runtime& r) noexcept { return *r.core_; }
};

namespace detail {
namespace {
static_assert(inline_closure == control_block::closure_size);

runtime_core& core_for(const fiber_options* options) {
  if (options && options->on) return detail_access::core(*options->on);
  const thread_header* header = current();
  return header->fiber ? *header->fiber->rt.load(std::memory_order_relaxed) : default_core();
}

inline void set_site(control_block& block, source_site site, const void* caller) noexcept {
  block.site_file = site.file ? site.file : address_as_site(caller);
  block.site_line = site.line;
}

void apply(control_block& block, const fiber_options& options) {
  if (options.stack_size) block.size_class = stack_class_for(options.stack_size);
  if (options.fp_env) {
    extras_of(block);
    block.flags |= fiber_flag::fp_env;
  }
  if (!options.name.empty()) {
    fiber_extras& extras = extras_of(block);
    const std::size_t size = options.name.size() < fiber_extras::name_size
                                 ? options.name.size()
                                 : fiber_extras::name_size - 1;
    std::memcpy(extras.name, options.name.data(), size);
  }
  if (options.pinned) {
    extras_of(block);
    block.flags |= fiber_flag::pin_at_start;
  }
}
}  // namespace

spawn_place begin_spawn(const fiber_options* options, source_site site) {
  const void* caller = __builtin_return_address(0);
  control_block* block = make_block(core_for(options));
  if (options) {
    site = options->site;
    try {
      apply(*block, *options);
    } catch (...) {
      unmake_block(*block);
      throw;
    }
  }
  set_site(*block, site, caller);
  return {block, closure_memory(block->closure)};
}

spawn_place begin_spawn(runtime_core& core, source_site site) {
  const void* caller = __builtin_return_address(0);
  control_block* block = make_block(core);
  set_site(*block, site, caller);
  return {block, closure_memory(block->closure)};
}

control_block* spawn_copied(std::byte* closure, std::size_t words, void (*invoke)(void*),
                            source_site site) {
  const void* caller = __builtin_return_address(0);
  thread_header* header = current();
  const auto fill = [&](control_block& block) {
    set_site(block, site, caller);
    auto* const to = static_cast<std::byte*>(closure_memory(block.closure));
    for (std::size_t i = 0; i < words; ++i) std::memcpy(to + i * 8, closure + i * 8, 8);
    block.invoke = invoke;
  };
  if (header->fiber) [[likely]] {
    const section inside(header);
    processor& p = *header->held;
    if (control_block* block = make_from_stock(p)) [[likely]] {
      fill(*block);
      start_local(p, *block);
      return block;
    }
  }
  control_block* block = make_block(core_for(nullptr));
  fill(*block);
  start_block(*block);
  return block;
}

void make_stop_state(control_block& block) {
  static_cast<void>(stop_source_of(block));
}

namespace {
// For callers that std declares noexcept, because there the state is made with the thread.
std::stop_source stop_state_or_end(control_block& block) noexcept try {
  return stop_state(block);
} catch (const std::bad_alloc&) {
  fatal("no memory for the stop state of fiber %llu, and get_stop_token cannot fail: %s",
        static_cast<unsigned long long>(block.serial.load(std::memory_order_relaxed)),
        "a callable that takes a std::stop_token has it made when it is spawned, which can");
}
}  // namespace

void abandon_spawn(control_block* block) noexcept {
  drop_closure(block->closure);
  unmake_block(*block);
}

void commit_spawn(control_block* block, void (*invoke)(void*)) noexcept {
  block->invoke = invoke;
  start_block(*block);
}
}  // namespace detail

unsigned fiber::hardware_concurrency() noexcept {
  return detail::usable_cpus();
}

fiber::id fiber::get_id() const noexcept {
  return block_ ? id(block_->serial.load(std::memory_order_relaxed)) : id();
}

void fiber::join() {
  if (!block_) [[unlikely]] {
    detail::throw_system(EINVAL,
                         "weft::fiber::join: no fiber to join (moved from, joined or detached)");
  }
  detail::join_and_recycle(block_);
}

void fiber::detach() {
  if (!block_) {
    detail::throw_system(
        EINVAL, "weft::fiber::detach: no fiber to detach (moved from, joined or detached)");
  }
  detail::detach_block(*std::exchange(block_, nullptr));
}

void fiber::stop_and_join() noexcept {
  if (detail::has_forked()) {  // the fiber stayed in the parent
    block_ = nullptr;
    return;
  }
  if (block_ == detail::current()->fiber) {
    detail::fatal(
        "fiber %llu destroys the handle of itself, and would wait for its own end: detach it "
        "first",
        static_cast<unsigned long long>(get_id().value()));
  }
  if (!detail::has_ended(*block_)) {
    detail::request_stop(*block_);
    // A static handle's destructor after the default runtime was frozen at exit: it runs no more.
    if (block_->rt.load(std::memory_order_relaxed)->frozen.load(std::memory_order_acquire) != 0) {
      detail::detach_block(*std::exchange(block_, nullptr));
      return;
    }
  }
  detail::join_quietly(*std::exchange(block_, nullptr));
}

std::stop_source fiber::get_stop_source() noexcept {
  return block_ ? detail::stop_state_or_end(*block_) : std::stop_source(std::nostopstate);
}

std::stop_token fiber::get_stop_token() const noexcept {
  return block_ ? detail::stop_state_or_end(*block_).get_token() : std::stop_token();
}

bool fiber::request_stop() noexcept {
  return block_ && !detail::has_forked() && detail::request_stop(*block_);
}

namespace this_fiber {
fiber::id get_id() noexcept {
  const weft::detail::control_block* me = weft::detail::current()->fiber;
  return me ? fiber::id(me->serial.load(std::memory_order_relaxed)) : fiber::id();
}

void yield() noexcept {
  weft::detail::yield_here();
}

std::stop_token get_stop_token() noexcept {
  weft::detail::control_block* me = weft::detail::current()->fiber;
  return me ? weft::detail::stop_state_or_end(*me).get_token() : std::stop_token();
}

pin::pin() {
  weft::detail::control_block* me = weft::detail::current()->fiber;
  if (!me) return;
  weft::detail::extras_of(*me);
  weft::detail::pin_running_fiber();
  active_ = true;
}

pin::~pin() {
  if (active_) weft::detail::unpin_running_fiber();
}
}  // namespace this_fiber
}  // namespace weft
