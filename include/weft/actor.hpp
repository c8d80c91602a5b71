#pragma once
#include <concepts>
#include <cstddef>
#include <functional>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <weft/cancel_shield.hpp>
#include <weft/channel.hpp>
#include <weft/future.hpp>
#include <weft/scope.hpp>

namespace weft {
/// How an actor is to be made.
/// @code
/// weft::actor<int> adder(add, {.mailbox = 1000, .name = "adder"});
/// @endcode
struct actor_options {
  /// Messages that may wait before send() parks; 0: each is handed over.
  std::size_t mailbox = 64;
  /// Shown by dumps; as fiber_options::name.
  std::string_view name = {};
  /// As fiber_options::stack_size.
  std::size_t stack_size = 0;
};

/// A fiber that handles messages one at a time, in the order of their coming: what it works on
/// needs no lock. A thin layer over channel and scope.
///
/// A handler that throws ends the actor: the mailbox is closed, what is in it is dropped (whoever
/// waits for an answer gets a broken promise), and join() rethrows. weft::supervisor begins anew
/// instead. Any fiber or kernel thread may send. Not movable; must be destroyed by one who may
/// wait. A deadline_scope of whoever makes it does not limit it.
/// @code
/// struct get { weft::promise<int> reply; };
/// using message = std::variant<int, get>;  // add, or ask for the sum
/// weft::actor<message> sum([n = 0](message m) mutable {
///   if (auto* ask = std::get_if<get>(&m)) ask->reply.set_value(n);
///   else n += std::get<int>(m);
/// });
/// sum.send(2);
/// int now = sum.ask<int>([](weft::promise<int> reply) { return get{std::move(reply)}; }).get();
/// @endcode
template <class Message>
class actor {
 public:
  /// Starts it: handler(Message&&) for each message. On the caller's runtime; from a kernel thread
  /// on the default one.
  /// @throws std::bad_alloc; std::system_error when no further fiber may exist
  template <class Handler>
  requires std::invocable < std::decay_t<Handler>
  &, Message&& > explicit actor(Handler&& handler, const actor_options& options = {})
      : mailbox_(options.mailbox) {
    start(options, [this, handle = std::decay_t<Handler>(
                              std::forward<Handler>(handler))]() mutable { serve(handle); });
  }
  /// Asks it to stop and waits: messages that it has not begun with are dropped. As ~scope for an
  /// exception that join() has not rethrown.
  ~actor() = default;
  actor(const actor&) = delete;
  actor& operator=(const actor&) = delete;

  /// Puts the message into the mailbox, waiting for a place. A cancellation point. False: the actor
  /// has ended, or is to.
  bool send(Message message) { return mailbox_.send(std::move(message)); }
  /// The same if that can be done at once: ok, full or closed.
  channel_status try_send(Message&& message) noexcept {
    return mailbox_.try_send(std::move(message));
  }
  /// Sends make(promise<R>), a message with the place for an answer, and returns the future of
  /// that. A cancellation point. The future's promise is broken if the actor ends before it
  /// answers.
  template <class R, class Make>
  requires std::is_convertible_v<std::invoke_result_t<Make, promise<R>>, Message>
  [[nodiscard]] future<R> ask(Make&& make) {
    promise<R> reply;
    future<R> answer = reply.get_future();
    static_cast<void>(send(std::invoke(std::forward<Make>(make), std::move(reply))));
    return answer;
  }
  /// No more messages: it ends when it has handled those in the mailbox. Never parks.
  void stop() noexcept { mailbox_.close(); }
  /// Asks its fiber to stop: it ends at the handler's next cancellation point, or with the message
  /// that it is at.
  void request_stop() noexcept { fiber_.request_stop(); }
  /// Waits until it has ended, and rethrows what its handler has thrown. An inner join, as
  /// scope::join.
  void join() { fiber_.join(); }

 private:
  friend class supervisor;
  // The last thing the fiber does: who waits for a place or an answer must not wait for ever.
  struct at_the_end {
    channel<Message>& mailbox;
    ~at_the_end() {
      mailbox.close();
      std::optional<Message> dropped;
      while (mailbox.try_receive(dropped) == channel_status::ok) dropped.reset();
    }
  };

  explicit actor(std::size_t mailbox) : mailbox_(mailbox) {}
  template <class Body>
  void start(const actor_options& options, Body&& body) {
    const cancel_shield hidden;  // the maker's deadline, which the actor would be spawned under
    fiber_.spawn(fiber_options{.name = options.name, .stack_size = options.stack_size},
                 [this, body = std::forward<Body>(body)]() mutable {
                   const at_the_end closing{mailbox_};
                   body();
                 });
  }
  template <class Handler>
  void serve(Handler& handle) {
    for (Message& message : mailbox_) std::invoke(handle, std::move(message));
  }

  channel<Message> mailbox_;
  scope fiber_;
};
}  // namespace weft
