#include "trace/json.hpp"

#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <iterator>
#include <new>
#include <string_view>

#include "base/clock.hpp"

namespace weft::detail {
bool trace_json::make(site_text_fn site_text) {
  site_text_ = site_text;
  pid_ = static_cast<std::uint32_t>(::getpid());
  cache_.reset(new (std::nothrow) cached[cached_sites]());
  return cache_ && json_text::make();
}

// Escaped already.
const trace_json::cached& trace_json::site(std::uint16_t index) noexcept {
  cached& entry = cache_[index % cached_sites];
  if (!entry.size || entry.site != index) {
    char text[label_size] = {};
    site_text_(index, text, sizeof text);
    const std::size_t before = size();
    quoted(text, sizeof text);
    entry.size = size() - before < sizeof entry.text ? size() - before : sizeof entry.text;
    std::memcpy(entry.text, data() + before, entry.size);
    entry.site = index;
    unwind(before);
  }
  return entry;
}

void trace_json::label(std::uint16_t at, std::uint64_t id) noexcept {
  if (name_[0]) {
    quoted(name_, sizeof name_);
  } else {
    const cached& entry = site(at);
    append(entry.text, entry.size);
  }
  append(" #");
  number(id);
}

// All that is the same in each event of a thread: most come in runs.
void trace_json::begin(char phase, std::uint32_t tid, std::uint64_t at) noexcept {
  if (phase != prefix_phase_ || tid != prefix_tid_) {
    prefix_phase_ = phase;
    prefix_tid_ = tid;
    prefix_size_ = static_cast<std::size_t>(
        std::snprintf(prefix_, sizeof prefix_,
                      ",\n{\"ph\":\"%c\",\"pid\":%u,\"tid\":%u,\"ts\":", phase, pid_, tid));
  }
  append_padded(prefix_, prefix_size_);
  base_ = clock.since_begin(at);
  micros(base_);
}

void trace_json::span(const trace_record& record) noexcept {
  append(",\"dur\":");
  const std::uint64_t end = clock.since_begin(record.at + record.span);
  micros(end > base_ ? end - base_ : 0);
}

void trace_json::reason(trace_why why, std::uint64_t arg) noexcept {
  const std::string_view name = name_of(why);
  append(name.data(), name.size());
  const auto bits = static_cast<unsigned>(why);
  const auto what = static_cast<trace_why>(bits & 0x3f);
  if (what == trace_why::readable || what == trace_why::writable) {
    append(" fd ");
    number(arg);
  } else if (what == trace_why::join && arg != 0) {
    append(" #");
    number(arg);
  }
  if (bits & static_cast<unsigned>(trace_why::timed_out)) append(", timed out");
  if (bits & static_cast<unsigned>(trace_why::canceled)) append(", canceled");
}

// Who spawned or woke it. Nobody: the carrier's loop did, which found it by a timer or in epoll.
void trace_json::by(const trace_record& record) noexcept {
  if (record.arg == 0 && record.tid == 0) return;
  if (record.kind == traced::wake) {
    append(",\"by\":\"");
  } else {
    append("\"by\":\"");
  }
  if (record.arg != 0) {
    append("#");
    number(record.arg);
  } else {
    append("a thread");
  }
  append("\"");
}

void trace_json::head(const char* program) noexcept {
  append("[\n{\"ph\":\"M\",\"pid\":");
  number(pid_);
  append(",\"name\":\"process_name\",\"args\":{\"name\":\"");
  quoted(program, label_size);
  append("\"}}");
}

void trace_json::add_thread_name(std::uint32_t tid, const char* name, unsigned rank) noexcept {
  append(",\n{\"ph\":\"M\",\"pid\":");
  number(pid_);
  append(",\"tid\":");
  number(tid);
  append(",\"name\":\"thread_name\",\"args\":{\"name\":\"");
  quoted(name, label_size);
  append("\"}},\n{\"ph\":\"M\",\"pid\":");
  number(pid_);
  append(",\"tid\":");
  number(tid);
  append(",\"name\":\"thread_sort_index\",\"args\":{\"sort_index\":");
  number(rank);
  append("}}");
}

void trace_json::add_thread(const trace_record& record, std::uint32_t tid) noexcept {
  char name[48];
  if (record.id <= 1) {
    std::snprintf(name, sizeof name, "weft-w%u", static_cast<unsigned>(record.arg));
  } else {
    std::snprintf(name, sizeof name, "weft-w%u of runtime %u", static_cast<unsigned>(record.arg),
                  static_cast<unsigned>(record.id));
  }
  add_thread_name(tid, name, static_cast<unsigned>(record.id * 10'000 + record.arg));
}

void trace_json::add_note(const char* text) noexcept {
  begin('i', pid_, ticks());
  append(",\"s\":\"g\",\"name\":\"");
  quoted(text, label_size * 2);
  append("\"}");
}

void trace_json::add_dropped(std::uint64_t count, const trace_ring& from) noexcept {
  begin('i', from.tid, ticks());
  append(",\"s\":\"t\",\"name\":\"events dropped\",\"args\":{\"count\":");
  number(count);
  append("}}");
}

void trace_json::add_open(const trace_ring& of) noexcept {
  const trace_ring::open_state& now = of.doing();
  const std::uint64_t since = now.since.load(std::memory_order_relaxed);
  const std::uint64_t id = now.id.load(std::memory_order_relaxed);
  const std::uint32_t what = now.what.load(std::memory_order_relaxed);
  if (since == 0 || now.since.load(std::memory_order_relaxed) != since) return;
  if (of.tid == 0) return;  // its thread has not been written yet, or the limit kept it out
  begin('B', of.tid, since);
  append(",\"name\":\"");
  static_assert(sizeof name_ == sizeof now.name);
  for (std::size_t i = 0; i < std::size(now.name); ++i) {
    const std::uint64_t word = now.name[i].load(std::memory_order_relaxed);
    std::memcpy(name_ + i * sizeof word, &word, sizeof word);
  }
  name_[sizeof name_ - 1] = 0;
  switch (static_cast<traced>(what & 0xff)) {
    case traced::sleep:
      append("sleep");
      break;
    case traced::watch:
      append("watch");
      break;
    case traced::blocking:
      append("blocking() of ");
      [[fallthrough]];
    default:
      label(static_cast<std::uint16_t>(what >> 16), id);
  }
  append("\",\"args\":{\"until\":\"the end of the trace\"}}");
  name_[0] = 0;
}

void trace_json::add(const trace_record& record, trace_ring& from) noexcept {
  const bool own = record.tid == 0 || record.kind == traced::run;
  const std::uint32_t tid = own ? from.tid : record.tid;
  switch (record.kind) {
    case traced::text:
      std::memcpy(name_, &record, sizeof name_);
      name_[sizeof name_ - 1] = 0;
      return;
    case traced::thread:
      from.tid = tid;
      return add_thread(record, tid);
    case traced::run:
    case traced::blocking:
      begin('X', tid, record.at);
      span(record);
      append(",\"name\":\"");
      if (record.kind == traced::blocking) append("blocking() of ");
      label(record.site, record.id);
      if (record.kind == traced::run) {
        append("\",\"args\":{");
        if (record.tid) {
          append("\"after\":\"");
          reason(static_cast<trace_why>(record.tid >> 24), record.tid & 0xff'ffff);
          append("\",");
        }
        append("\"until\":\"");
        reason(record.why, record.arg);
        append("\"}");
      } else {
        append("\"");
      }
      break;
    case traced::sleep:
    case traced::watch:
      begin('X', tid, record.at);
      span(record);
      if (record.kind == traced::sleep) {
        append(",\"name\":\"sleep\"");
      } else {
        append(",\"name\":\"watch\"");
      }
      append(",\"cname\":\"grey\"");  // stands back behind what runs
      break;
    case traced::spawn:
    case traced::wake:
      // A slice of no length: only slices can have arrows.
      begin('X', tid, record.at);
      if (record.kind == traced::spawn) {
        append(",\"dur\":0,\"name\":\"spawn ");
      } else {
        append(",\"dur\":0,\"name\":\"wake ");
      }
      label(record.site, record.id);
      append("\",\"args\":{");
      if (record.kind == traced::wake) {
        append("\"from\":\"");
        reason(record.why, record.span);
        append("\"");
      }
      by(record);
      append("}");
      break;
    case traced::batch:
      begin('X', tid, record.at);
      append(",\"dur\":0,\"name\":\"wake\",\"args\":{\"fibers\":");
      number(record.arg);
      append("}");
      break;
    case traced::steal:
      begin('i', tid, record.at);
      append(",\"s\":\"t\",\"name\":\"steal\",\"args\":{\"from worker\":");
      number(record.arg);
      append("}");
      break;
    case traced::ready:
      begin('C', tid, record.at);
      append(",\"name\":\"ready on worker ");
      number(record.id);
      if (record.span > 1) append(" of runtime ");
      if (record.span > 1) number(record.span);
      append("\",\"args\":{\"fibers\":");
      number(record.arg);
      append("}");
      break;
  }
  if (record.flow) {
    append(",\"bind_id\":\"");
    hex(record.flow);
    if (record.kind == traced::run) {
      append("\",\"flow_in\":true");
    } else {
      append("\",\"flow_out\":true");
    }
  }
  append("}");
  name_[0] = 0;
}
}  // namespace weft::detail
