// poll and its two one-descriptor forms: level-triggered waits over edge-triggered registrations.
#include <weft/io.hpp>

#include <memory>
#include <new>

#include "io/events.hpp"
#include "io/retry.hpp"
#include "sched/explorer.hpp"

namespace weft::io {
using namespace weft::detail;

namespace {
int look(pollfd* fds, nfds_t count) noexcept {
  count_syscall(sys::poll);
  return ::poll(fds, count, 0);
}

// What cannot be waited for can still be looked at.
bool is_ready_without_entry(int fd, short events) noexcept {
  pollfd one{.fd = fd, .events = events, .revents = 0};
  const int n = look(&one, 1);
  if (n > 0 && (one.revents & POLLNVAL) == 0) return true;
  if (n >= 0) set_errno(n > 0 ? EBADF : no_entry_error(fd));
  return false;
}

bool wait_one(int fd, direction d, deadline until) noexcept {
  if (!may_enter()) return false;
  if (fd < 0) {  // which poll(2) would ignore, and wait for ever
    set_errno(EBADF);
    return false;
  }
  const short events = d == direction::in ? POLLIN | POLLRDHUP : POLLOUT;
  fd_entry* entry = find_entry(fd);
  if (!current()->fiber) return wait_fd_on_thread(fd, events, until.nanos());
  if (!entry) [[unlikely]]
    return is_ready_without_entry(fd, events);
  const std::uint32_t generation = entry->generation.load(std::memory_order_relaxed);
  for (;;) {
    const std::uint32_t edges = entry->side(d).edges.load(std::memory_order_relaxed);
    pollfd one{.fd = fd, .events = events, .revents = 0};
    const int n = look(&one, 1);
    if (n > 0 && (one.revents & POLLNVAL) != 0) {
      set_errno(EBADF);
      return false;
    }
    if (n > 0) return true;
    switch (wait_fd(*entry, fd, generation, d, edges, until.nanos())) {
      case fd_end::retry:
        continue;
      case fd_end::unpollable:
        return true;  // always ready
      case fd_end::failed:
        return false;
    }
  }
}

// A wait on many descriptors. The nodes lie in the waiter's frame and are linked by publish(),
// after the fiber is off its stack; the fiber may be woken by the first of them while publish() is
// still at work on the others, so it waits for `published` before it takes the frame down.
struct many {
  struct part {
    fd_waiter node;
    fd_entry* entry = nullptr;
    nfds_t at = 0;  // in the caller's array
    int fd = -1;
    bool out = false;
    std::uint32_t generation = 0;  // when the call began
    std::uint32_t edges = 0;       // before the look

    // The number is another descriptor's by now, or nobody's.
    bool closed() const noexcept {
      return entry->generation.load(std::memory_order_relaxed) != generation;
    }
    fd_direction& side() const noexcept {
      return entry->side(out ? direction::out : direction::in);
    }
  };
  part* parts = nullptr;
  std::size_t count = 0;
  poller* on = nullptr;
  atomic<bool> published{false};

  static void publish(control_block* parked, void* arg) noexcept {
    auto& self = *static_cast<many*>(arg);
    const wait_token token{parked, parked->word.epoch()};
    const int error = get_errno();  // the next fiber's, in place already
    bool ready = false;
    for (std::size_t i = 0; i < self.count && !ready; ++i) {
      part& p = self.parts[i];
      const spin_guard guard(p.entry->lock);
      fd_direction& side = p.side();
      if (side.edges.load(std::memory_order_relaxed) != p.edges || p.closed()) {
        ready = true;
        break;
      }
      p.node.token = token;
      side.waiters.push_back(p.node);
      // Refused: always ready, or broken, which the next look tells.
      if (self.on->arm_locked(*p.entry, p.fd) != 0) ready = true;
    }
    set_errno(error);
    // release: pairs with the acquire in take_down(); the frame may go from here on.
    self.published.store(true, std::memory_order_release);
    if (ready && token.block->word.claim(token.epoch, wake_reason::wake)) make_ready(token.block);
  }

  void take_down() noexcept {
    while (!published.load(std::memory_order_acquire)) cpu_relax();
    for (std::size_t i = 0; i < count; ++i) {
      part& p = parts[i];
      const spin_guard guard(p.entry->lock);
      if (p.node.linked) p.side().waiters.erase(p.node);
    }
  }
};

// The number of parts. `error`: there is no entry for one of them.
std::size_t fill(many::part* parts, const pollfd* fds, nfds_t count, int& error) noexcept {
  std::size_t used = 0;
  error = 0;
  for (nfds_t i = 0; i < count; ++i) {
    if (fds[i].fd < 0) continue;
    fd_entry* entry = find_entry(fds[i].fd);
    if (!entry) {
      error = no_entry_error(fds[i].fd);
      continue;
    }
    const auto add = [&](bool out) {
      parts[used++] = {.node = {},
                       .entry = entry,
                       .at = i,
                       .fd = fds[i].fd,
                       .out = out,
                       .generation = entry->generation.load(std::memory_order_relaxed)};
    };
    // Errors and hang-ups are reported whatever was asked for; they come as edges of both
    // directions.
    if (fds[i].events & POLLOUT) add(true);
    if ((fds[i].events & ~POLLOUT) != 0 || (fds[i].events & POLLOUT) == 0) add(false);
  }
  return used;
}

// One look at all of them, once it is noted which edges came before it. What was closed since the
// call began is not valid, whatever its number stands for now.
int look(many::part* parts, std::size_t used, pollfd* fds, nfds_t count) noexcept {
  for (std::size_t i = 0; i < used; ++i) {
    parts[i].edges = parts[i].side().edges.load(std::memory_order_relaxed);
  }
  int n = look(fds, count);
  for (std::size_t i = 0; i < used && n >= 0; ++i) {
    if (!parts[i].closed()) continue;
    pollfd& mine = fds[parts[i].at];
    if (mine.revents == 0) ++n;
    mine.revents = POLLNVAL;
  }
  return n;
}
}  // namespace

bool wait_readable(int fd, deadline until) noexcept {
  return wait_one(fd, direction::in, until);
}
bool wait_writable(int fd, deadline until) noexcept {
  return wait_one(fd, direction::out, until);
}

int poll(pollfd* fds, nfds_t count, int timeout) noexcept {
  if (!may_enter()) return -1;
  const nanos until =
      timeout < 0 ? weft::detail::never : saturating_add(now_here(), nanos{timeout} * 1'000'000);
  if (!current()->fiber) {
    const nanos scope = scope_deadline();
    if (scope >= until) return ::poll(fds, count, timeout);
    const timespec left = to_timespec(scope - now_here());
    const int n = ::ppoll(fds, count, &left, nullptr);
    if (n == 0) set_errno(ETIMEDOUT);
    return n == 0 ? -1 : n;
  }
  const std::unique_ptr<many::part[]> parts(new (std::nothrow) many::part[2 * count + 1]);
  if (!parts) {
    set_errno(ENOMEM);
    return -1;
  }
  int error;
  const std::size_t used = fill(parts.get(), fds, count, error);
  for (;;) {
    const int n = look(parts.get(), used, fds, count);
    if (n != 0 || timeout == 0) return n;
    if (error != 0) {
      set_errno(error);
      return -1;
    }
    many all;
    all.parts = parts.get();
    all.count = used;
    all.on = &poller_here();
    wait_end end;
    try {
      end = wait(wait_kind::poll, fds, until, many::publish, &all);
    } catch (const std::bad_alloc&) {
      set_errno(ENOMEM);
      return -1;
    }
    all.take_down();
    if (end == wait_end::timed_out) return look(parts.get(), used, fds, count);
    if (end == wait_end::scope_expired) {
      set_errno(ETIMEDOUT);
      return -1;
    }
    if (end == wait_end::cancelled) {
      set_errno(ECANCELED);
      return -1;
    }
  }
}
}  // namespace weft::io
