#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <utility>
#include <vector>
#include <weft/actor.hpp>
#include <weft/mutex.hpp>
#include <weft/operation_canceled.hpp>

namespace weft {
/// How often actors may fail before their supervisor gives up.
/// @code
/// weft::supervisor patient({.restarts = 10, .within = 1min});
/// @endcode
struct restart_limit {
  /// Failures that are answered by a restart; 0: the first one is too many. The largest number:
  /// none ever is.
  unsigned restarts = 3;
  /// Those longer ago do not count.
  std::chrono::nanoseconds within = std::chrono::seconds(5);
};

/// Owns actors and begins anew those that fail. One whose handler throws gets a fresh handler and
/// goes on with its mailbox as it is; the message that it failed at is lost, and the promise of an
/// answer in it broken. When all of its actors together fail more often than the limit allows, the
/// supervisor stops them all, and join() rethrows the exception that was too many.
///
/// Must be destroyed by one who may wait. Any fiber may start actors while it lives.
/// @code
/// weft::supervisor keeper;
/// auto& parser = keeper.start<std::string>([] { return parser_state(); });
/// parser.send("...");
/// keeper.stop();
/// keeper.join();
/// @endcode
class supervisor {
 public:
  /// No actors yet.
  explicit supervisor(restart_limit limit = {});
  /// request_stop(), and waits for all. An exception that join() has not rethrown ends the process,
  /// as ~scope has it.
  ~supervisor();
  supervisor(const supervisor&) = delete;
  supervisor& operator=(const supervisor&) = delete;

  /// Starts an actor whose handler is what make() returns, at its start and after each failure; a
  /// make() that throws is a failure too. The actor lives as long as the supervisor.
  /// @throws std::bad_alloc; std::system_error when no further fiber may exist
  template <class Message, class Make>
  actor<Message>& start(Make make, const actor_options& options = {}) {
    auto owned = std::make_unique<child_of<Message>>(options.mailbox);
    actor<Message>& made = owned->it;
    made.start(options, [this, &made, make = std::move(make)]() mutable {
      while (!run_once(made, make)) {
      }
    });
    add(std::move(owned));  // if that throws, the actor is stopped and waited for
    if (stop_requested()) made.request_stop();
    return made;
  }

  /// No more messages to any of them: each ends when it has handled those in its mailbox.
  void stop() noexcept;
  /// Asks the fibers of all to stop. Sticky: those started later are asked at once.
  void request_stop() noexcept;
  /// Whether they were, perhaps because of too many failures.
  bool stop_requested() const noexcept;
  /// Waits until all actors have ended; then rethrows the exception that was too many, once. An
  /// inner join: a stop requested of the calling fiber is passed on.
  void join();
  /// How many restarts there were.
  std::uint64_t restarts() const noexcept;

 private:
  struct child {
    virtual ~child() = default;
    virtual void stop() noexcept = 0;
    virtual void request_stop() noexcept = 0;
    virtual void join() = 0;
  };
  template <class Message>
  struct child_of final : child {
    explicit child_of(std::size_t mailbox) : it(mailbox) {}
    void stop() noexcept override { it.stop(); }
    void request_stop() noexcept override { it.request_stop(); }
    void join() override { it.join(); }
    actor<Message> it;
  };

  // True: the actor has ended, or is given up.
  template <class Message, class Make>
  bool run_once(actor<Message>& made, Make& make) {
    try {
      auto handle = make();
      made.serve(handle);
      return true;
    } catch (const operation_canceled&) {
      if (is_asked_to_stop()) throw;
      return !may_restart(std::current_exception());  // another's, that came as a result
    } catch (...) {
      return !may_restart(std::current_exception());
    }
  }
  bool may_restart(std::exception_ptr error) noexcept;
  static bool is_asked_to_stop() noexcept;  // the running fiber

  void add(std::unique_ptr<child>);
  child* child_at(std::size_t index) const;  // null: no more

  const restart_limit limit_;
  const int unwinding_;
  mutable mutex lock_;  // guards all below
  std::vector<std::unique_ptr<child>> children_;
  std::vector<std::int64_t> failures_;  // when; those that count
  std::uint64_t restarts_ = 0;
  bool stopping_ = false;
  std::exception_ptr error_;
};
}  // namespace weft
