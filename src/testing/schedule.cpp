#include "testing/schedule.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>

#include "base/modules.hpp"
#include "trace/record.hpp"

namespace weft::detail {
namespace {
const char* text_of(point_kind kind) noexcept {
  switch (kind) {
    case point_kind::yield:
      return "yields";
    case point_kind::spawn:
      return "";  // the spawn is told
    case point_kind::user:
      return "is at a point";
    case point_kind::stop_request:
      return "is to request a stop";
    case point_kind::stopped:
      return "has requested a stop";
    case point_kind::cancellation:
      return "is at a cancellation point";
    case point_kind::blocking:
      return "is to enter blocking()";
    case point_kind::lock:
      return "is at a lock";
    case point_kind::notify:
      return "may wake others";
  }
  return "?";
}

const char* text_of(wake_reason reason) noexcept {
  switch (reason) {
    case wake_reason::timeout:
      return " (timeout)";
    case wake_reason::cancel:
      return " (stop)";
    case wake_reason::closed:
      return " (closed)";
    default:
      return "";
  }
}
}  // namespace

std::string time_text(nanos at) {
  char text[48];
  if (at % 1'000'000'000 == 0) {
    std::snprintf(text, sizeof text, "%lld s", static_cast<long long>(at / 1'000'000'000));
  } else {
    std::snprintf(text, sizeof text, "%lld.%09lld s", static_cast<long long>(at / 1'000'000'000),
                  static_cast<long long>(at % 1'000'000'000));
  }
  return text;
}

void schedule::clear() {
  events_.clear();
  fibers_.clear();
  objects_.clear();
  steps_ = 0;
}

fiber_record& schedule::fiber(std::uint32_t number) {
  if (fibers_.size() <= number) fibers_.resize(number + 1);
  return fibers_[number];
}

std::int64_t schedule::object(const void* where) {
  const auto found = std::find(objects_.begin(), objects_.end(), where);
  if (found == objects_.end()) {
    objects_.push_back(where);
    return static_cast<std::int64_t>(objects_.size());
  }
  return found - objects_.begin() + 1;
}

std::string schedule::name_of(std::uint32_t number) const {
  std::string text = std::to_string(number);
  if (number < fibers_.size() && *fibers_[number].name) {
    text += std::string(" \"") + fibers_[number].name + "\"";
  }
  return text;
}

std::string schedule::site_of(std::uint32_t number) const {
  if (number >= fibers_.size() || !fibers_[number].site.file) return "";
  const site_key& site = fibers_[number].site;
  // As module and offset: the address differs from process to process.
  std::unique_ptr<module_map> modules;
  if (site.is_address) {
    modules = std::make_unique<module_map>();
    modules->read();
  }
  char place[256];
  describe_place(site, modules.get(), place, sizeof place);
  return std::string(" at ") + place;
}

std::string schedule::wait_text(wait_kind kind, std::int64_t about) {
  const std::string which = std::to_string(about);
  switch (kind) {
    case wait_kind::join:
      return "join of fiber " + which;
    case wait_kind::sleep:
      return "sleep";
    case wait_kind::readable:
      return "descriptor " + which + " to be readable";
    case wait_kind::writable:
      return "descriptor " + which + " to be writable";
    case wait_kind::poll:
      return "io::poll";
    case wait_kind::fork_join:
      return "branches of fork_join()";
    case wait_kind::blocking:
      return "a place in blocking()";
    default:
      return detail::name_of(static_cast<trace_why>(kind)) + (" #" + which);
  }
}

std::int64_t schedule::about(const control_block& parked) {
  const void* const on = parked.waits_on;
  switch (parked.waits_for) {
    case wait_kind::join:
      return number_of(*static_cast<const control_block*>(on));
    case wait_kind::readable:
    case wait_kind::writable:
      return reinterpret_cast<std::intptr_t>(on);
    case wait_kind::sleep:
    case wait_kind::poll:  // an array, whose address is nobody's business
    case wait_kind::fork_join:
      return 0;
    default:
      return object(on);
  }
}

std::string schedule::step_line(std::uint64_t step, const event& e,
                                const std::string& before) const {
  std::string what;
  switch (e.kind) {
    case event_kind::gave_way:
      what = text_of(e.point);
      if (e.label) what += std::string(" \"") + e.label + "\"";
      break;
    case event_kind::parked:
      what = "parks: " + wait_text(e.wait, e.about);
      break;
    case event_kind::threw:
      what = "ends by an exception";
      break;
    default:
      what = "ends";
  }
  const std::string comma = before.empty() || what.empty() ? "" : ", ";
  char head[64];
  std::snprintf(head, sizeof head, "%7llu  %-16s ", static_cast<unsigned long long>(step),
                name_of(e.fiber).c_str());
  return head + before + comma + what + "\n";
}

std::string schedule::text(std::size_t most, const std::string& elsewhere) const {
  std::vector<std::string> lines;
  std::string before;  // what the fiber did on its way to the point where the step ends
  std::uint64_t step = 0;
  const auto then = [&](const std::string& what) {
    if (!before.empty()) before += ", ";
    before += what;
  };
  const auto outside = [&](const std::string& what) { lines.push_back("         " + what + "\n"); };
  bool by_world = false;  // what follows was done by the time or the kernel, not by a fiber
  for (const event& e : events_) {
    const auto other = static_cast<std::uint32_t>(e.about);
    switch (e.kind) {
      case event_kind::begin:
        by_world = false;
        break;
      case event_kind::spawned:
        then("spawns " + name_of(other) + site_of(other));
        break;
      case event_kind::woke:
        if (by_world) {
          outside("  wakes " + name_of(other) + text_of(e.reason));
        } else {
          then("wakes " + name_of(other) + text_of(e.reason));
        }
        break;
      case event_kind::time:
        by_world = true;
        outside("at " + time_text(e.about) + " of virtual time");
        break;
      case event_kind::descriptors:
        by_world = true;
        outside("descriptors are ready (not deterministic)");
        break;
      case event_kind::stopped_left:
        by_world = true;
        outside("f has returned: all fibers are asked to stop");
        break;
      case event_kind::foreign:
        by_world = true;
        outside("another kernel thread (not deterministic)");
        break;
      default:
        lines.push_back(step_line(++step, e, before));
        before.clear();
    }
  }
  std::string all;
  const std::size_t head = most / 3;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (most != 0 && lines.size() > most && i == head) {
      const std::size_t left_out = lines.size() - most;
      all += "         ... " + std::to_string(left_out) + " lines; " + elsewhere + "\n";
      i += left_out;
    }
    all += lines[i];
  }
  return all;
}
}  // namespace weft::detail
