#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>

#include "trace/json_text.hpp"
#include "trace/ring.hpp"
#include "trace/trace.hpp"
#include "trace/trace_clock.hpp"

// Events as text: the JSON that chrome://tracing and Perfetto open. One event a line, so that a
// file may also be read line by line.
namespace weft::detail {
class trace_json : public json_text {
 public:
  trace_json() = default;
  bool make(site_text_fn site_text);  // false: no memory
  trace_clock clock;

  void head(const char* program) noexcept;
  void add(const trace_record& record, trace_ring& from) noexcept;
  void add_dropped(std::uint64_t count, const trace_ring& from) noexcept;
  // The thread is in the middle of something: a slice without end.
  void add_open(const trace_ring& of) noexcept;
  void add_note(const char* text) noexcept;  // about the trace itself
  void add_thread_name(std::uint32_t tid, const char* name, unsigned rank) noexcept;

 private:
  static constexpr std::size_t label_size = 96;
  static constexpr std::size_t cached_sites = 256;

  struct cached {
    std::uint16_t site;
    std::size_t size;  // 0: empty
    char text[2 * label_size];
  };

  void label(std::uint16_t site, std::uint64_t id) noexcept;
  void begin(char phase, std::uint32_t tid, std::uint64_t at) noexcept;
  void span(const trace_record&) noexcept;
  void reason(trace_why why, std::uint64_t arg) noexcept;
  void by(const trace_record&) noexcept;
  const cached& site(std::uint16_t index) noexcept;
  void add_thread(const trace_record&, std::uint32_t tid) noexcept;

  char prefix_[64] = {};  // of events of this phase and thread
  std::size_t prefix_size_ = 0;
  std::uint32_t prefix_tid_ = 0;
  char prefix_phase_ = 0;
  std::uint32_t pid_ = 0;
  std::uint64_t base_ = 0;            // where the record in hand begins, in nanoseconds
  char name_[trace_text::size] = {};  // of the next record's fiber
  site_text_fn site_text_ = nullptr;
  std::unique_ptr<cached[]> cache_;
};
}  // namespace weft::detail
