#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

/// @file
/// TCP for fibers: sockets that own their descriptor and throw. Where a call would block, the fiber
/// parks; on a kernel thread it blocks.
///
/// **Addresses** are text: "127.0.0.1:80", "[::1]:80", "example.org:80", ":80". The port is a
/// decimal number. Numeric addresses are taken as they are; names are looked up by the system's
/// resolver, in weft::blocking, on a stack that has room for it. An empty host means every local
/// address when listening and this machine when connecting.
///
/// **Errors.** Every operation has two forms. One throws std::system_error, whose text says what
/// was attempted and, where a limit was hit, which and how to raise it. The other takes a
/// std::error_code& last and does not throw. Names that are not found have codes of
/// net::resolver_category(), everything else those of std::generic_category().
///
/// **Cancellation.** What may wait is a cancellation point: accept, connect, name look-ups, reads
/// and writes of at least one byte. In a fiber that was asked to stop it throws
/// weft::operation_canceled (code ECANCELED), past the deadline of a weft::deadline_scope
/// weft::deadline_exceeded (code ETIMEDOUT). An ETIMEDOUT that TCP itself reports, of a peer that
/// no longer answers, is a plain std::system_error. The socket is usable afterwards.
///
/// **Sharing.** One fiber may read a stream while another writes it, and several may accept from
/// one listener. close() ends what waits on the socket; but nothing may begin to use the object at
/// the same time as it is closed, released or moved from.

namespace weft::net {

/// How a connection is to be made.
struct stream_options {
  /// Send each write at once (TCP_NODELAY) instead of gathering small ones.
  bool nodelay = true;
  /// Probe a silent peer (SO_KEEPALIVE), by default after two hours.
  bool keep_alive = false;
};

/// How to listen.
struct listen_options {
  /// Connections that may wait to be accepted; the kernel caps it at net.core.somaxconn.
  int backlog = 4096;
  /// Listen at once where a former listener's connections linger (SO_REUSEADDR).
  bool reuse_address = true;
  /// Share the port with other listeners that say the same; the kernel spreads the connections over
  /// them (SO_REUSEPORT).
  bool reuse_port = false;
  /// TCP_NODELAY of the accepted connections. They inherit it, which costs no system call.
  bool nodelay = true;
};

/// One end of a TCP connection. Move-only; its destructor closes it.
/// @code
/// auto peer = weft::net::tcp_stream::connect("127.0.0.1:7");
/// peer.write_all(std::as_bytes(std::span("ping", 4)));
/// peer.shutdown_write();
/// std::array<std::byte, 512> buffer;
/// while (std::size_t n = peer.read_some(buffer)) use(std::span(buffer).first(n));
/// @endcode
class tcp_stream {
 public:
  /// How a connection is to be made.
  using options = stream_options;

  /// Closed.
  tcp_stream() noexcept = default;
  /// Leaves the other one closed.
  tcp_stream(tcp_stream&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  /// Closes what it held so far.
  tcp_stream& operator=(tcp_stream&& other) noexcept;
  ~tcp_stream() { close(); }

  /// Connects. A name's addresses are tried one after the other; the last one's error is reported.
  /// A deadline_scope limits all of it; a look-up that is given up ends in the background.
  static tcp_stream connect(std::string_view host_port, const options& = {});
  /// @copydoc connect
  static tcp_stream connect(std::string_view host_port, const options&, std::error_code&) noexcept;
  /// @copydoc connect
  static tcp_stream connect(std::string_view host_port, std::error_code&) noexcept;

  /// Takes over a connected stream socket, of any domain, and makes it non-blocking.
  static tcp_stream adopt(int fd);
  /// @copydoc adopt
  static tcp_stream adopt(int fd, std::error_code&) noexcept;

  /// Waits until there is something, then reads what is there, up to the buffer's size. 0: the peer
  /// has ended its side, or the buffer is empty, for which it neither waits nor looks at the
  /// stream.
  std::size_t read_some(std::span<std::byte> buffer);
  /// @copydoc read_some
  std::size_t read_some(std::span<std::byte> buffer, std::error_code&) noexcept;
  /// Reads until the buffer is full or the peer has ended its side. Returns how much it read: less
  /// than the buffer's size only at the end, or together with an error code.
  std::size_t read_all(std::span<std::byte> buffer);
  /// @copydoc read_all
  std::size_t read_all(std::span<std::byte> buffer, std::error_code&) noexcept;

  /// Hands over as much as the kernel takes now, at least one byte, waiting for room if there is
  /// none. Returns how much; 0 only for no data. A peer that is gone: EPIPE or ECONNRESET, never a
  /// signal.
  std::size_t write_some(std::span<const std::byte> data);
  /// @copydoc write_some
  std::size_t write_some(std::span<const std::byte> data, std::error_code&) noexcept;
  /// Hands over everything, waiting for room as often as it takes. No data: does nothing.
  void write_all(std::span<const std::byte> data);
  /// The same; returns how much was handed over: less than all only together with an error code.
  std::size_t write_all(std::span<const std::byte> data, std::error_code&) noexcept;

  /// Ends this side: the peer reads what is under way and then the end of the stream. Does not
  /// wait.
  void shutdown_write();
  /// @copydoc shutdown_write
  void shutdown_write(std::error_code&) noexcept;
  /// Reads return 0 from now on, those that wait included. Does not wait.
  void shutdown_read();
  /// @copydoc shutdown_read
  void shutdown_read(std::error_code&) noexcept;

  /// TCP_NODELAY from now on.
  void set_nodelay(bool on);
  /// @copydoc set_nodelay
  void set_nodelay(bool on, std::error_code&) noexcept;
  /// SO_KEEPALIVE from now on.
  void set_keep_alive(bool on);
  /// @copydoc set_keep_alive
  void set_keep_alive(bool on, std::error_code&) noexcept;

  /// This end's address, as in "127.0.0.1:80" and "[::1]:80".
  std::string local_address() const;
  /// @copydoc local_address
  std::string local_address(std::error_code&) const;
  /// The other end's address.
  std::string peer_address() const;
  /// @copydoc peer_address
  std::string peer_address(std::error_code&) const;

  /// Closes; what was written is still delivered. Fibers that wait on it return with EBADF. Never
  /// waits, never fails; closing a closed one does nothing.
  void close() noexcept;
  /// Whether there is a connection to be used: not closed, released or moved from.
  bool is_open() const noexcept { return fd_ >= 0; }
  /// The descriptor, still owned by the stream; -1 when closed.
  int native_handle() const noexcept { return fd_; }
  /// Gives the descriptor up: whoever takes it closes it with weft::io::close.
  [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }

 private:
  friend class tcp_listener;
  explicit tcp_stream(int fd) noexcept : fd_(fd) {}

  int fd_ = -1;
};

/// Waits for connections. Move-only; its destructor closes it.
/// @code
/// auto listener = weft::net::tcp_listener::bind("127.0.0.1:0");
/// std::printf("port %u\n", unsigned{listener.port()});
/// for (;;) weft::fiber(serve, listener.accept()).detach();
/// @endcode
class tcp_listener {
 public:
  /// How to listen.
  using options = listen_options;

  /// Closed.
  tcp_listener() noexcept = default;
  /// Leaves the other one closed.
  tcp_listener(tcp_listener&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  /// Closes what it held so far.
  tcp_listener& operator=(tcp_listener&& other) noexcept;
  ~tcp_listener() { close(); }

  /// Listens on an address; port 0: the system chooses one, see port(). ":80" and "[::]:80" take
  /// IPv4 connections too. A name's first address that can be had is taken.
  static tcp_listener bind(std::string_view host_port, const options& = {});
  /// @copydoc bind
  static tcp_listener bind(std::string_view host_port, const options&, std::error_code&) noexcept;
  /// @copydoc bind
  static tcp_listener bind(std::string_view host_port, std::error_code&) noexcept;

  /// Takes over a listening stream socket, one inherited from a supervisor for instance, and makes
  /// it non-blocking.
  static tcp_listener adopt(int fd);
  /// @copydoc adopt
  static tcp_listener adopt(int fd, std::error_code&) noexcept;

  /// Waits for a connection. Ones that died before they were accepted are passed over. Out of
  /// descriptors (EMFILE, ENFILE) it fails at once: the connection stays in the backlog, for an
  /// accept() after something was closed.
  tcp_stream accept();
  /// @copydoc accept
  tcp_stream accept(std::error_code&) noexcept;

  /// The port it listens on.
  std::uint16_t port() const;
  /// @copydoc port
  std::uint16_t port(std::error_code&) const noexcept;
  /// The address it listens on, as in "127.0.0.1:80" and "[::]:80".
  std::string local_address() const;
  /// @copydoc local_address
  std::string local_address(std::error_code&) const;

  /// Closes; connections in the backlog are reset. Fibers that wait in accept() return with EBADF.
  /// Never waits, never fails; closing a closed one does nothing.
  void close() noexcept;
  /// Whether it listens: not closed, released or moved from.
  bool is_open() const noexcept { return fd_ >= 0; }
  /// The descriptor, still owned by the listener; -1 when closed.
  int native_handle() const noexcept { return fd_; }
  /// Gives the descriptor up: whoever takes it closes it with weft::io::close.
  [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }

 private:
  explicit tcp_listener(int fd) noexcept : fd_(fd) {}

  int fd_ = -1;
};

/// The category of failed name look-ups; the values are getaddrinfo's EAI_ constants.
/// @code
/// std::error_code error;
/// auto peer = weft::net::tcp_stream::connect(host_port, error);
/// if (error.category() == weft::net::resolver_category()) ask_for_another_name();
/// @endcode
const std::error_category& resolver_category() noexcept;

}  // namespace weft::net
