#include "debug/text.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

namespace weft::detail {
namespace {
struct pipe_pair {
  int fds[2] = {-1, -1};
  explicit pipe_pair(int flags = 0) { EXPECT_EQ(::pipe2(fds, flags), 0); }
  ~pipe_pair() {
    ::close(fds[0]);
    ::close(fds[1]);
  }
  std::string take(std::size_t most) const {
    std::string got(most, '\0');
    const ssize_t n = ::read(fds[0], got.data(), most);
    got.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return got;
  }
};

TEST(text, writes_whole_lines_in_pieces_that_a_pipe_takes_at_once) {
  const pipe_pair p(O_DIRECT);  // a read gets what one write gave
  char buffer[text::room];
  {
    text out(p.fds[1], buffer, sizeof buffer);
    for (int i = 0; i < 500; ++i) {
      out.add("line %d ", i);
      out.add("%s", std::string(static_cast<std::size_t>(i % 40), 'x').c_str());
      out.end_line();
    }
  }
  std::string all;
  while (all.find("line 499 ") == std::string::npos) {
    const std::string piece = p.take(1 << 16);
    ASSERT_FALSE(piece.empty());
    EXPECT_LE(piece.size(), 4096u);
    EXPECT_EQ(piece.back(), '\n');
    all += piece;
  }
  for (int i = 0; i < 500; ++i) {
    EXPECT_NE(all.find("line " + std::to_string(i) + " "), std::string::npos) << i;
  }
}

TEST(text, cuts_a_line_that_is_too_long) {
  const pipe_pair p;
  char buffer[text::longest];
  text out(p.fds[1], buffer, sizeof buffer);
  const std::string long_one(3000, 'y');
  for (int i = 0; i < 3; ++i) out.add("%s", long_one.c_str());
  out.end_line();
  out.add("next");
  out.end_line();
  out.flush();
  EXPECT_EQ(p.take(1 << 16), std::string(text::longest - 1, 'y') + "\nnext\n");
}

TEST(text, gives_up_on_a_reader_that_does_not_read) {
  const pipe_pair p(O_NONBLOCK);
  char buffer[text::room];
  text out(p.fds[1], buffer, sizeof buffer);
  for (int i = 0; i < 100'000; ++i) {
    out.add("%d", i);
    out.end_line();
  }
}
}  // namespace
}  // namespace weft::detail
