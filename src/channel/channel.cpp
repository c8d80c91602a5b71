#include <weft/channel.hpp>

#include "channel/channel_core.hpp"
#include "channel/enter.hpp"
#include "sync/core_of.hpp"
#include "sync/points.hpp"

namespace weft::detail {
control_block& enter_channel_slow() {
  throw_if_ended(entry_check());
  return self_block();
}

channel_base::channel_base(std::size_t capacity, const value_type& type) {
  channel_core_of(*this).begin(capacity, type);
}
channel_base::~channel_base() {
  channel_core_of(*this).end();
}
void channel_base::close() noexcept {
  notify_point();
  channel_core_of(*this).close();
}
bool channel_base::closed() const noexcept {
  return channel_core_of(*this).closed();
}
std::size_t channel_base::capacity() const noexcept {
  return channel_core_of(*this).capacity();
}
std::size_t channel_base::size() const noexcept {
  return channel_core_of(*this).size();
}
channel_status channel_base::send(void* value, std::int64_t deadline) {
  thread_header* const header = current();
  if (deadline == never && enters_plainly(header)) [[likely]]
    return channel_core_of(*this).send(header, value);
  return channel_core_of(*this).send_until(enter_channel_slow(), value, deadline);
}
channel_status channel_base::receive(destination to, std::int64_t deadline) {
  thread_header* const header = current();
  if (deadline == never && enters_plainly(header)) [[likely]]
    return channel_core_of(*this).receive(header, to);
  return channel_core_of(*this).receive_until(enter_channel_slow(), to, deadline);
}
channel_status channel_base::try_send(void* value) noexcept {
  lock_point();
  return channel_core_of(*this).try_send(value);
}
channel_status channel_base::try_receive(destination to) noexcept {
  lock_point();
  return channel_core_of(*this).try_receive(to);
}
}  // namespace weft::detail
