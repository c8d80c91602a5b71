#include "trace/json.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstring>
#include <string>

namespace weft::detail {
namespace {
void site_text(std::uint16_t site, char* to, std::size_t size) noexcept {
  std::snprintf(to, size, "file.cpp:%u", site);
}

class json : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(out.make(site_text)); }

  std::string add(const trace_record& record) {
    out.clear();
    out.add(record, *ring);
    return {out.data(), out.size()};
  }
  std::string quoted(const char* text) {
    out.clear();
    out.quoted(text, 1000);
    return {out.data(), out.size()};
  }
  static trace_record of(traced kind, trace_why why = trace_why::none, std::uint64_t arg = 0) {
    trace_record record;
    record.kind = kind;
    record.why = why;
    record.arg = arg;
    record.id = 7;
    record.site = 12;
    return record;
  }
  static bool has(const std::string& text, const char* part) {
    return text.find(part) != std::string::npos;
  }

  trace_json out;
  std::unique_ptr<trace_ring> ring = std::make_unique<trace_ring>();
};

TEST_F(json, a_name_cannot_break_the_text) {
  EXPECT_EQ(quoted("a\"b\\c\n\x01\x1f d"), "a\\\"b\\\\c??? d");
  EXPECT_EQ(quoted("\x7f"), "\x7f");
}

TEST_F(json, numbers_are_what_printf_would_write) {
  std::uint64_t value = 1;
  for (int i = 0; i < 2000; ++i) {
    value = value * 6364136223846793005u + 1442695040888963407u;
    const auto n =
        static_cast<unsigned long long>(i < 100 ? static_cast<unsigned>(i) * 11u : value >> i % 64);
    char expected[100];
    std::snprintf(expected, sizeof expected, "%llu 0x%llx %llu.%03llu", n, n, n / 1000, n % 1000);
    out.clear();
    out.number(n);
    out.append(" ");
    out.hex(n);
    out.append(" ");
    out.micros(n);
    EXPECT_EQ(std::string(out.data(), out.size()), expected);
  }
}

TEST_F(json, what_is_no_utf8_is_replaced) {
  EXPECT_EQ(quoted("\xc3\xbc \xe2\x82\xac \xf0\x9f\x8c\x8d"),
            "\xc3\xbc \xe2\x82\xac \xf0\x9f\x8c\x8d");
  EXPECT_EQ(quoted("cut \xe2\x82"), "cut ??");
  EXPECT_EQ(quoted("\x80 \xff \xc0\xaf \xed\xa0\x80 \xf5\x80\x80\x80 \xe0\x80\x80"),
            "? ? ?? ??? ???? ???");
}

TEST_F(json, a_slice_says_who_ran_and_why_it_stopped) {
  trace_record record = of(traced::run, trace_why::readable, 9);
  record.flow = 0xabc;
  const std::string line = add(record);
  EXPECT_TRUE(has(line, "\"name\":\"file.cpp:12 #7\",\"args\":{\"until\":\"readable fd 9\"}"))
      << line;
  EXPECT_TRUE(has(line, "\"bind_id\":\"0xabc\",\"flow_in\":true}")) << line;
  EXPECT_TRUE(has(add(of(traced::run, trace_why::join, 5)), "\"until\":\"join #5\""));
  EXPECT_TRUE(has(add(of(traced::run, trace_why::yield)), "\"until\":\"yield\""));
  EXPECT_TRUE(has(add(of(traced::run, trace_why::end)), "\"until\":\"end\"}}"));
}

TEST_F(json, a_name_counts_for_the_next_event_only) {
  trace_text name;
  std::strcpy(name.text, "reader");
  trace_record record;
  std::memcpy(static_cast<void*>(&record), &name, sizeof name);
  EXPECT_EQ(add(record), "");
  EXPECT_TRUE(has(add(of(traced::run)), "\"name\":\"reader #7\""));
  EXPECT_TRUE(has(add(of(traced::run)), "\"name\":\"file.cpp:12 #7\""));
}

TEST_F(json, a_wake_says_from_what_and_by_whom) {
  trace_record record = of(traced::wake, trace_why::writable, 3);
  record.span = 8;
  EXPECT_TRUE(has(add(record), "\"args\":{\"from\":\"writable fd 8\",\"by\":\"#3\"}"));
  record.arg = 0;
  record.why = static_cast<trace_why>(static_cast<unsigned>(trace_why::sleep) |
                                      static_cast<unsigned>(trace_why::timed_out));
  EXPECT_TRUE(has(add(record), "\"args\":{\"from\":\"sleep, timed out\"}"));
  record.tid = 99;
  EXPECT_TRUE(has(add(record), "\"tid\":99,"));
  EXPECT_TRUE(has(add(record), "\"by\":\"a thread\"}"));
}

TEST_F(json, drops_are_in_the_trace) {
  out.clear();
  out.add_dropped(17, *ring);
  EXPECT_TRUE(has({out.data(), out.size()}, "\"name\":\"events dropped\",\"args\":{\"count\":17}"));
}

TEST_F(json, a_thread_is_named_and_its_events_are_its_own) {
  trace_record record = of(traced::thread, trace_why::none, 3);
  record.id = 1;
  record.tid = 4711;
  EXPECT_TRUE(has(add(record), "\"name\":\"weft-w3\""));
  EXPECT_TRUE(has(add(of(traced::steal)), "\"tid\":4711,"));
}
}  // namespace
}  // namespace weft::detail
