// The part of an HTTP/1.1 server that does no I/O: bytes in, bytes out. All three servers use it,
// so that what differs between them is only how they wait.
#pragma once

#include <http_parser.h>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace example {

// What a server reads at once. Small, because a server with a fiber or a thread for each connection
// keeps it on the stack, and a stack that stays on one page costs one page.
inline constexpr std::size_t read_size = 2048;

struct http_reply {
  std::string_view bytes;  // static storage: valid for ever; may be empty
  bool last;               // close the connection once the bytes are sent
};

class http_session {
 public:
  http_session() noexcept { http_parser_init(&parser_, HTTP_REQUEST); }

  // Takes at most read_size bytes as they arrived; returns the answers to all requests that they
  // complete, to be sent at once. A request may come in pieces, and several may come together.
  http_reply feed(std::span<const std::byte> arrived) noexcept {
    completed_ = 0;
    parser_.data = this;
    http_parser_execute(&parser_, &callbacks, reinterpret_cast<const char*>(arrived.data()),
                        arrived.size());
    switch (HTTP_PARSER_ERRNO(&parser_)) {
      case HPE_OK:
        return {answers(completed_), false};
      case HPE_CB_message_complete:
        return {answers(completed_), true};
      default:
        return {answers_and_refusal(completed_), true};
    }
  }

 private:
  static constexpr std::string_view answer =
      "HTTP/1.1 200 OK\r\n"
      "Content-Type: text/plain\r\n"
      "Content-Length: 14\r\n"
      "\r\n"
      "Hello, world!\n";
  static constexpr std::string_view refusal =
      "HTTP/1.1 400 Bad Request\r\n"
      "Content-Length: 0\r\n"
      "Connection: close\r\n"
      "\r\n";

  // The first may have come in pieces before; each of the others takes at least "GET /
  // HTTP/1.1\n\n".
  static constexpr std::size_t most_at_once = read_size / 16 + 1;

  // Every request gets the same answer, so the answers to n requests are the first n of a row that
  // exists once. After the row stands the refusal: n answers and the refusal are its tail.
  static std::string_view row() noexcept {
    static const std::string text = [] {
      std::string t;
      for (std::size_t i = 0; i < most_at_once; ++i) t += answer;
      return t += refusal;
    }();
    return text;
  }
  static std::string_view answers(std::size_t n) noexcept {
    return row().substr(0, n * answer.size());
  }
  static std::string_view answers_and_refusal(std::size_t n) noexcept {
    return row().substr((most_at_once - n) * answer.size());
  }

  // Returning non-zero makes the parser stop, with the error that names the callback.
  static int on_headers_complete(http_parser* parser) {
    parser->upgrade = 0;  // no protocol to change to: an offer may be ignored
    return parser->method == HTTP_GET || parser->method == HTTP_POST ? 0 : -1;
  }
  static int on_message_complete(http_parser* parser) {
    ++static_cast<http_session*>(parser->data)->completed_;
    return http_should_keep_alive(parser) != 0 ? 0 : 1;
  }
  static constexpr http_parser_settings callbacks = [] {
    http_parser_settings s{};
    s.on_headers_complete = on_headers_complete;
    s.on_message_complete = on_message_complete;
    return s;
  }();

  http_parser parser_;
  std::size_t completed_ = 0;
};

}  // namespace example
