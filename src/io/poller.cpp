#include "io/poller.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cstring>

#include "base/errno.hpp"
#include "base/fatal.hpp"
#include "base/limits.hpp"
#include "base/sanitizer.hpp"
#include "base/syscount.hpp"
#include "sched/schedule.hpp"

namespace weft::detail {
namespace {
constexpr std::uint64_t kick_data = ~std::uint64_t{0};
// Events a call: enough that a thousand busy connections cost a few calls, few enough for a small
// stack.
constexpr int batch = 256;
constexpr std::uint32_t everything =
    static_cast<std::uint32_t>(EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI) | EPOLLET;

constinit atomic<std::uint64_t> next_id{1};

// ENOSYS: Linux before 5.11. EPERM: a sandbox that does not know the call.
constinit atomic<bool> has_pwait2{true};

// epoll_pwait2 takes nanoseconds; without it, milliseconds rounded up.
int wait_for_events(int epoll, epoll_event* events, nanos until) noexcept {
  count_syscall(sys::epoll_wait);
  if (until == 0) return ::epoll_wait(epoll, events, batch, 0);
  if (until == never) return ::epoll_wait(epoll, events, batch, -1);
  nanos left = until - now();
  if (left < 0) left = 0;
  if (has_pwait2.load(std::memory_order_relaxed)) {
    const timespec limit = to_timespec(left);
    const int n = ::epoll_pwait2(epoll, events, batch, &limit, nullptr);
    if (n >= 0 || (errno != ENOSYS && errno != EPERM)) return n;
    has_pwait2.store(false, std::memory_order_relaxed);
  }
  const nanos ms = (left + 999'999) / 1'000'000;
  return ::epoll_wait(epoll, events, batch, ms > 60'000 ? 60'000 : static_cast<int>(ms));
}
[[noreturn]] void throw_no_descriptor(const char* what, int error) {
  const limit_text why(error);
  throw_system(error, "weft: a runtime needs %s descriptor (%s)", what,
               *why.text ? why.text : "the kernel refused it");
}
}  // namespace

poller::poller(const runtime_core* core)
    : core_(core), id_(next_id.fetch_add(1, std::memory_order_relaxed)) {
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  if (epoll_ < 0) {
    throw_no_descriptor("an epoll", errno);
  }
  kick_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  epoll_event event{};
  // Level-triggered, and read by the poll that blocks: an edge could be taken by a processor that
  // only looks, and the thread that blocks, for whom it was meant, would be put back to sleep by
  // the kernel.
  event.events = EPOLLIN;
  event.data.u64 = kick_data;
  if (kick_ < 0 || ::epoll_ctl(epoll_, EPOLL_CTL_ADD, kick_, &event) != 0) {
    const int error = errno;
    if (kick_ >= 0) ::close(kick_);
    ::close(epoll_);
    throw_no_descriptor("an eventfd", error);
  }
}

poller::~poller() {
  ::close(kick_);
  ::close(epoll_);
}

int poller::control(int operation, fd_entry& entry, int fd, std::uint32_t events) noexcept {
  epoll_event event{};
  event.events = events;
  event.data.u64 = std::uint64_t{entry.generation.load(std::memory_order_relaxed)} << 32 |
                   static_cast<std::uint32_t>(fd);
  count_syscall(sys::epoll_ctl);
  const unwatched for_another_fiber;  // whose wait it is, and whose descriptor
  return ::epoll_ctl(epoll_, operation, fd, &event) == 0 ? 0 : errno;
}

int poller::arm_locked(fd_entry& entry, int fd) noexcept {
  const bool here = entry.registered == id_;
  const bool own = entry.has(fd_flag::own);
  if (own && here) return 0;
  std::uint32_t events = everything;
  if (!own) {
    // Somebody may close the descriptor behind us and open another under its number: every park
    // arms anew, which also brings the edge again if it is ready now.
    events = EPOLLET;
    if (!entry.in.waiters.empty()) events |= EPOLLIN | EPOLLRDHUP;
    if (!entry.out.waiters.empty()) events |= EPOLLOUT;
  }
  int error = control(here ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, entry, fd, events);
  // The kernel forgets a closed descriptor, and remembers one whose duplicate is open.
  if (error == ENOENT) error = control(EPOLL_CTL_ADD, entry, fd, events);
  if (error == EEXIST) error = control(EPOLL_CTL_MOD, entry, fd, events);
  if (error == 0) {
    entry.registered = id_;
    if (!used_.load(std::memory_order_relaxed)) used_.store(true, std::memory_order_relaxed);
  }
  return error;
}

void wake_waiters_locked(fd_direction& side, wake_reason reason, const runtime_core* core,
                         task_list<control_block>& ready) noexcept {
  while (fd_waiter* waiter = side.waiters.pop_front()) {
    const wait_token token = waiter->token;
    if (!token.block->word.claim(token.epoch, reason)) continue;
    const bool listed = !core || (!(token.block->flags & fiber_flag::pinned) &&
                                  token.block->rt.load(std::memory_order_relaxed) == core);
    if (listed) {
      ready.push_back(token.block);
    } else {
      make_ready(token.block);
    }
  }
}

void poller::deliver(std::uint64_t data, std::uint32_t events,
                     task_list<control_block>& ready) noexcept {
  fd_entry* entry = find_entry(static_cast<int>(data & 0xffffffff));
  if (!entry) return;
  const spin_guard guard(entry->lock);
  if (entry->generation.load(std::memory_order_relaxed) != data >> 32) return;  // closed since
  const bool broken = (events & (EPOLLERR | EPOLLHUP)) != 0;
  // End of stream, errors and urgent data are not announced by a short read: always ask the kernel.
  if (events & (EPOLLERR | EPOLLHUP | EPOLLRDHUP | EPOLLPRI)) {
    entry->no_skip.store(true, std::memory_order_relaxed);
  }
  const auto edge = [&](fd_direction& side) {
    bump(side.edges);
    wake_waiters_locked(side, wake_reason::wake, core_, ready);
  };
  if (broken || events & (EPOLLIN | EPOLLRDHUP | EPOLLPRI)) edge(entry->in);
  if (broken || events & EPOLLOUT) edge(entry->out);
}

void poller::poll(nanos until, task_list<control_block>& ready) noexcept {
  epoll_event events[batch];
  const int n = wait_for_events(epoll_, events, until);
  // Nobody would ever be woken again; and asked again at once, it would fail again at once.
  if (n < 0 && errno != EINTR) [[unlikely]] {
    fatal(
        "epoll_wait on descriptor %d, which the runtime had opened, failed (%s): did the program "
        "close a descriptor that is not its own?",
        epoll_, std::strerror(errno));
  }
  for (int i = 0; i < n; ++i) {
    if (events[i].data.u64 != kick_data) {
      deliver(events[i].data.u64, events[i].events, ready);
    } else if (until != 0) {
      std::uint64_t kicks;
      count_syscall(sys::read);
      [[maybe_unused]] const auto got = ::read(kick_, &kicks, sizeof kicks);
    }
  }
}

void poller::kick() noexcept {
  const std::uint64_t one = 1;
  count_syscall(sys::eventfd_write);
  [[maybe_unused]] const auto written = ::write(kick_, &one, sizeof one);
}
}  // namespace weft::detail
