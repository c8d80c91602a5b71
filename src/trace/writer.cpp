// The thread that turns events into text.
//
// The file is complete JSON after every write: what is still going on and the closing bracket come
// last, and the next write begins where they stand. So it does not matter how the process ends; at
// worst the last moments are missing.
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <mutex>
#include <new>

#include "base/environment.hpp"
#include "base/fatal.hpp"
#include "base/futex.hpp"
#include "base/spin_lock.hpp"
#include "trace/file.hpp"
#include "trace/json.hpp"

namespace weft::detail {
namespace {
constexpr nanos period = 50'000'000;

struct writer_state {
  std::mutex lock;  // guards the rest, and makes whoever holds it the rings' one consumer
  trace_file file;
  trace_json json;
  std::uint64_t going_on = 0;     // tells whether what is going on has changed
  std::uint32_t known[256] = {};  // threads without a ring that have been named
  std::uint32_t known_count = 0;
};

constinit atomic<bool> on{false};
constinit atomic<trace_ring*> rings{nullptr};
constinit atomic<std::uint32_t> asked{0};  // futex word of the writer
constinit spin_lock foreign_lock;
constinit trace_ring* foreign = nullptr;  // written before `on`; producers hold foreign_lock
// On the heap, for ever: destructors of statics may still spawn and wake.
constinit writer_state* state = nullptr;

void end_trace() noexcept {
  on.store(false, std::memory_order_relaxed);
}

void put_locked(writer_state& w, std::size_t stays) noexcept {
  if (!w.file.put(w.json.data(), w.json.size(), stays)) end_trace();
  w.json.clear();
}

// Before each event: there is room for it, in the buffer and in the file.
bool has_room_locked(writer_state& w) noexcept {
  if (!on.load(std::memory_order_relaxed)) return false;
  if (w.file.size() + w.json.size() >= w.file.limit()) {
    w.json.add_note("the trace ends here: WEFT_TRACE_LIMIT is reached");
    report(
        "trace: %s has reached WEFT_TRACE_LIMIT, %llu bytes; no more events are written (raise it, "
        "as in WEFT_TRACE_LIMIT=1G)",
        w.file.name(), static_cast<unsigned long long>(w.file.limit()));
    end_trace();
    return false;
  }
  if (w.json.full()) put_locked(w, w.json.size());
  return on.load(std::memory_order_relaxed);
}

// Names a thread that has no ring; a carrier names itself.
void introduce_locked(writer_state& w, std::uint32_t tid) noexcept {
  for (std::uint32_t i = 0; i < w.known_count; ++i) {
    if (w.known[i] == tid) return;
  }
  if (w.known_count == std::size(w.known)) return;
  w.known[w.known_count++] = tid;
  char path[64];
  std::snprintf(path, sizeof path, "/proc/self/task/%u/comm", tid);
  char name[32] = "thread";
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  if (fd >= 0) {
    const ssize_t n = ::read(fd, name, sizeof name - 1);
    if (n > 0) name[n - 1] = 0;
    ::close(fd);
  }
  w.json.add_thread_name(tid, name, 1'000'000 + w.known_count);
}

void drain_locked(writer_state& w, trace_ring& ring) noexcept {
  ring.pop([&](const trace_record& record) {
    if (!has_room_locked(w)) return;
    if (record.tid != 0 && record.kind != traced::text && record.kind != traced::thread &&
        record.kind != traced::run)
      introduce_locked(w, record.tid);
    w.json.add(record, ring);
  });
  const std::uint64_t dropped = ring.dropped();
  if (dropped != ring.told_dropped && has_room_locked(w)) {
    w.json.add_dropped(dropped - ring.told_dropped, ring);
    ring.told_dropped = dropped;
  }
}

trace_ring* first_ring() noexcept {
  // acquire: pairs with the release in make_trace_ring(): the ring is complete.
  return rings.load(std::memory_order_acquire);
}

void write_all_locked(writer_state& w) noexcept {
  if (!on.load(std::memory_order_relaxed)) return;
  for (trace_ring* r = first_ring(); r; r = r->next) drain_locked(w, *r);
  std::uint64_t going_on = 0;
  for (trace_ring* r = first_ring(); r; r = r->next) {
    going_on = going_on * 31 + r->doing().since.load(std::memory_order_relaxed);
  }
  if (w.json.size() == 0 && going_on == w.going_on) return;
  w.going_on = going_on;
  const std::size_t stays = w.json.size();
  for (trace_ring* r = first_ring(); r && !w.json.full(); r = r->next) w.json.add_open(*r);
  w.json.append("\n]\n");
  put_locked(w, stays);
}

void write_all() noexcept {
  if (!tracing()) return;
  const std::lock_guard guard(state->lock);
  write_all_locked(*state);
}

void* body(void*) {
  ::pthread_setname_np(::pthread_self(), "weft-trace");
  while (tracing()) {
    const std::uint32_t seen = asked.load(std::memory_order_relaxed);
    write_all();
    futex_wait(&asked, seen, now() + period);
  }
  return nullptr;
}

bool start_thread() noexcept {
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, &before);
  pthread_t thread;
  const int error = ::pthread_create(&thread, nullptr, body, nullptr);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (error) {
    report("trace: its thread could not be created: %s; nothing is traced", std::strerror(error));
    return false;
  }
  ::pthread_detach(thread);
  return true;
}

bool begin(site_text_fn site_text) noexcept {
  const char* wish = environment("WEFT_TRACE");
  if (!wish || !*wish) return false;
  state = new (std::nothrow) writer_state;
  // A forked child has neither the thread nor the right to write: the file is the parent's.
  if (!state || !state->json.make(site_text) ||
      ::pthread_atfork(nullptr, nullptr, end_trace) != 0) {
    report("trace: no memory; nothing is traced");
    return false;
  }
  writer_state& w = *state;
  if (!w.file.open()) return false;
  foreign = make_trace_ring();
  w.json.clock.begin();
  w.json.head(program_invocation_short_name);
  const std::size_t stays = w.json.size();
  w.json.append("\n]\n");
  on.store(true, std::memory_order_relaxed);
  put_locked(w, stays);
  // The first segment of the clock should not be too short.
  ::usleep(1000);
  if (!tracing() || !start_thread()) {
    end_trace();
    return false;
  }
  std::atexit(write_all);
  std::at_quick_exit(write_all);
  return true;
}
}  // namespace

bool start_trace(site_text_fn site_text) noexcept {
  static const bool begun = begin(site_text);
  return begun && tracing();
}

bool tracing() noexcept {
  return on.load(std::memory_order_relaxed);
}

trace_ring* make_trace_ring() noexcept {
  auto* ring = new (std::nothrow) trace_ring;
  if (!ring) return nullptr;
  ring->next = rings.load(std::memory_order_relaxed);
  // release: pairs with the acquire in first_ring().
  while (!rings.compare_exchange_weak(ring->next, ring, std::memory_order_release,
                                      std::memory_order_relaxed)) {
  }
  return ring;
}

void trace_foreign(trace_record* records, std::uint64_t count) noexcept {
  if (!tracing() || !foreign) return;
  const auto tid = static_cast<std::uint32_t>(::gettid());
  for (std::uint64_t i = 0; i < count; ++i) records[i].tid = tid;
  bool half;
  {
    const spin_guard guard(foreign_lock);
    half = foreign->push(records, count);
  }
  if (half) wake_trace_writer();
}

void wake_trace_writer() noexcept {
  asked.fetch_add(1, std::memory_order_relaxed);
  futex_wake(&asked, 1);
}
}  // namespace weft::detail
