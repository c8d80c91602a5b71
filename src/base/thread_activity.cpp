#include "base/thread_activity.hpp"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace weft::detail {
namespace {
// False: not there.
bool read_task_file(std::int32_t tid, const char* name, char* to, std::size_t size) noexcept {
  char path[64];
  std::snprintf(path, sizeof path, "/proc/self/task/%d/%s", static_cast<int>(tid), name);
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const ssize_t n = ::read(fd, to, size - 1);
  ::close(fd);
  if (n <= 0) return false;
  to[n] = 0;
  return true;
}

// The name of the program, in parentheses, may hold anything; the state comes after the last one.
bool is_stopped(std::int32_t tid) noexcept {
  char text[512];
  if (!read_task_file(tid, "stat", text, sizeof text)) return false;
  const char* const end = std::strrchr(text, ')');
  if (!end || !end[1]) return false;
  const char state = end[2];
  return state == 'T' || state == 't';
}

struct named_call {
  long number;
  const char* name;
};
#define WEFT_CALL(name) \
  { SYS_##name, #name }
constexpr named_call calls[] = {
    WEFT_CALL(read),
    WEFT_CALL(write),
    WEFT_CALL(readv),
    WEFT_CALL(writev),
    WEFT_CALL(pread64),
    WEFT_CALL(pwrite64),
    WEFT_CALL(openat),
    WEFT_CALL(close),
    WEFT_CALL(fsync),
    WEFT_CALL(fdatasync),
    WEFT_CALL(flock),
    WEFT_CALL(fcntl),
    WEFT_CALL(ppoll),
    WEFT_CALL(pselect6),
    WEFT_CALL(epoll_pwait),
    WEFT_CALL(nanosleep),
    WEFT_CALL(clock_nanosleep),
    WEFT_CALL(futex),
    WEFT_CALL(connect),
    WEFT_CALL(accept),
    WEFT_CALL(accept4),
    WEFT_CALL(recvfrom),
    WEFT_CALL(recvmsg),
    WEFT_CALL(sendto),
    WEFT_CALL(sendmsg),
    WEFT_CALL(wait4),
    WEFT_CALL(waitid),
    WEFT_CALL(rt_sigtimedwait),
    WEFT_CALL(getdents64),
    WEFT_CALL(statx),
    WEFT_CALL(ioctl),
    WEFT_CALL(msync),
#ifdef SYS_poll  // calls that newer architectures do not have
    WEFT_CALL(open),
    WEFT_CALL(poll),
    WEFT_CALL(select),
    WEFT_CALL(epoll_wait),
    WEFT_CALL(pause),
    WEFT_CALL(stat),
#endif
};
#undef WEFT_CALL
}  // namespace

thread_activity activity_of(std::int32_t tid) noexcept {
  thread_activity found;
  char text[256];
  if (!read_task_file(tid, "syscall", text, sizeof text)) return found;
  if (std::strncmp(text, "running", 7) == 0) {
    found.what = thread_activity::runs;
    return found;
  }
  // "number six arguments, sp, pc", or "-1 sp pc" where it is in no call.
  char* at = text;
  found.call = std::strtol(at, &at, 10);
  std::uintptr_t numbers[8] = {};
  int count = 0;
  while (count < 8) {
    char* end = at;
    const std::uintptr_t value = std::strtoul(at, &end, 16);
    if (end == at) break;
    numbers[count++] = value;
    at = end;
  }
  if (count < 2) return found;
  found.sp = numbers[count - 2];
  found.pc = numbers[count - 1];
  found.what = is_stopped(tid) ? thread_activity::stopped : thread_activity::blocked;
  return found;
}

const char* name_of_call(long number) noexcept {
  for (const named_call& call : calls) {
    if (call.number == number) return call.name;
  }
  return nullptr;
}
}  // namespace weft::detail
