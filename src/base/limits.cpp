#include "base/limits.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

namespace weft::detail {
namespace {
struct number {
  char text[24];
};

number setting(const char* path) noexcept {
  number value{"unknown"};
  char text[32] = {};
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return value;
  if (::read(fd, text, sizeof text - 1) > 0) {
    std::snprintf(value.text, sizeof value.text, "%lld", std::strtoll(text, nullptr, 10));
  }
  ::close(fd);
  return value;
}

number as_text(rlim_t limit) noexcept {
  number value{"unlimited"};
  if (limit != RLIM_INFINITY) {
    std::snprintf(value.text, sizeof value.text, "%llu", static_cast<unsigned long long>(limit));
  }
  return value;
}

rlimit limits_of(__rlimit_resource_t resource) noexcept {
  rlimit limit{};
  ::getrlimit(resource, &limit);
  return limit;
}
}  // namespace

limit_text::limit_text(int error) noexcept : text{} {
  switch (error) {
    case EMFILE: {
      const rlimit limit = limits_of(RLIMIT_NOFILE);
      std::snprintf(text, sizeof text,
                    "all descriptors that RLIMIT_NOFILE allows are in use; it is %s, setrlimit and "
                    "ulimit -n raise it up to %s",
                    as_text(limit.rlim_cur).text, as_text(limit.rlim_max).text);
      return;
    }
    case ENFILE:
      std::snprintf(text, sizeof text,
                    "the system is out of open files: raise the sysctl fs.file-max, which is %s",
                    setting("/proc/sys/fs/file-max").text);
      return;
    case ENOSPC:
      std::snprintf(text, sizeof text,
                    "too many descriptors are watched: raise the sysctl fs.epoll.max_user_watches, "
                    "which is %s",
                    setting("/proc/sys/fs/epoll/max_user_watches").text);
      return;
    case ENOBUFS:
    case ENOMEM:
      std::snprintf(text, sizeof text,
                    "no memory for it: look at the limit of the cgroup (memory.max) and, for "
                    "sockets, at the sysctl net.ipv4.tcp_mem");
      return;
    default:
      return;
  }
}

thread_limit_text::thread_limit_text(int error) noexcept : text{} {
  if (error == EPERM || error == EINVAL) {
    std::snprintf(text, sizeof text, "a sandbox, or the process's scheduling policy, forbids it");
    return;
  }
  std::snprintf(
      text, sizeof text,
      "RLIMIT_NPROC is %s, the sysctl kernel.threads-max %s, kernel.pid_max %s, and the "
      "cgroup's pids.max may be lower; RLIMIT_AS is %s",
      as_text(limits_of(RLIMIT_NPROC).rlim_cur).text, setting("/proc/sys/kernel/threads-max").text,
      setting("/proc/sys/kernel/pid_max").text, as_text(limits_of(RLIMIT_AS).rlim_cur).text);
}
}  // namespace weft::detail
