#pragma once
#include <string_view>
#include <vector>

#include "net/address.hpp"
#include "net/failure.hpp"

namespace weft::detail {
enum class address_use { to_listen, to_connect };

// The addresses that "host:port" stands for, in the order in which to try them. Empty, with a
// failure that says why, if there is none. A cancellation point when the host is a name: ECANCELED,
// ETIMEDOUT. May throw std::bad_alloc.
std::vector<socket_address> resolve(std::string_view text, address_use, failure&);
}  // namespace weft::detail
