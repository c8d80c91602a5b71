#include "trace/file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/environment.hpp"
#include "base/errno.hpp"
#include "base/fatal.hpp"

namespace weft::detail {
namespace {
constexpr std::uint64_t default_limit = 256 << 20;
constexpr std::uint64_t least_limit = 64 << 10;

// "%p" is the process.
bool expand(const char* wish, char* to, std::size_t size) noexcept {
  std::size_t n = 0;
  for (; *wish; ++wish) {
    char pid[16] = {*wish, 0};
    if (wish[0] == '%' && wish[1] == 'p') {
      std::snprintf(pid, sizeof pid, "%d", static_cast<int>(::getpid()));
      ++wish;
    }
    const std::size_t more = std::strlen(pid);
    if (n + more + 1 > size) return false;
    std::memcpy(to + n, pid, more + 1);
    n += more;
  }
  return true;
}

// A number of bytes, or of KiB, MiB or GiB with K, M or G behind it. 0: not a limit.
std::uint64_t limit_from(const char* text) noexcept {
  if (!text || !*text) return default_limit;
  char* end = nullptr;
  std::uint64_t value = std::strtoull(text, &end, 10);
  if (end == text || *text == '-') return 0;
  if (const char* unit = *end ? std::strchr("KMG", *end) : nullptr) {
    const int shift = *unit == 'K' ? 10 : *unit == 'M' ? 20 : 30;
    if (value > (std::uint64_t{1} << 62) >> shift) return 0;
    value <<= shift;
    ++end;
  }
  return *end == 0 && value >= least_limit && value <= std::uint64_t{1} << 62 ? value : 0;
}
}  // namespace

bool trace_file::open() noexcept {
  const char* wish = environment("WEFT_TRACE");
  if (!wish || !*wish) return false;
  const char* text = environment("WEFT_TRACE_LIMIT");
  limit_ = limit_from(text);
  if (limit_ == 0) {
    report(
        "trace: WEFT_TRACE_LIMIT is \"%s\": it must be a number of bytes, at least 64K, as in 256M "
        "or 2G; nothing is traced",
        text);
    return false;
  }
  if (!expand(wish, name_, sizeof name_)) {
    report("trace: the name in WEFT_TRACE is longer than %zu bytes; nothing is traced",
           sizeof name_ - 1);
    return false;
  }
  // Not emptied before it is ours: a child that this process starts has the same WEFT_TRACE.
  fd_ = ::open(name_, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  if (fd_ < 0) {
    report("trace: WEFT_TRACE: %s cannot be opened: %s; nothing is traced", name_,
           std::strerror(errno));
    return false;
  }
  if (::flock(fd_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    report(
        "trace: WEFT_TRACE: another process writes its trace to %s; nothing is traced (%%p in the "
        "name stands for the process id)",
        name_);
    ::close(fd_);
    return false;
  }
  // Fails on devices, which have no length.
  [[maybe_unused]] const int emptied = ::ftruncate(fd_, 0);
  return true;
}

bool trace_file::write_at(const char* bytes, std::size_t size, std::uint64_t at) noexcept {
  while (size > 0) {
    const ssize_t n = ::pwrite(fd_, bytes, size, static_cast<off_t>(at));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    bytes += n;
    at += static_cast<std::uint64_t>(n);
    size -= static_cast<std::size_t>(n);
  }
  return true;
}

bool trace_file::put(const char* bytes, std::size_t size, std::size_t stays) noexcept {
  // White space over what is left of the former end; the file is never shortened, so that it is
  // complete at every moment but that of the write itself.
  static constexpr char blank[] = "\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n";
  const std::uint64_t reach = end_ + size;
  bool good = write_at(bytes, size, end_);
  for (std::uint64_t at = reach; good && at < tail_; at += sizeof blank - 1) {
    const std::uint64_t left = tail_ - at;
    good = write_at(blank, left < sizeof blank - 1 ? left : sizeof blank - 1, at);
  }
  if (!good) {
    report("trace: %s cannot be written: %s; no more events are written", name_,
           std::strerror(errno));
    return false;
  }
  if (reach > tail_) tail_ = reach;
  end_ += stays;
  return true;
}
}  // namespace weft::detail
