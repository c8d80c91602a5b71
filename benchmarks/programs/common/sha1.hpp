// SHA-1 of one block, for the tree search: a node's state is a hash, a child's the hash of it and
// the child's number.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace bench {

struct sha1_digest {
  std::array<std::uint32_t, 5> words{};
  std::uint32_t number() const { return words[4]; }
};

// One round of four kinds. W: a window of 16 words, which the rounds from 16 on renew.
struct sha1_state {
  std::uint32_t a, b, c, d, e;
  std::uint32_t w[16];

  template <int Round>
  [[gnu::always_inline]] void round() {
    std::uint32_t& word = w[Round % 16];
    if constexpr (Round >= 16) {
      word = std::rotl(w[(Round - 3) % 16] ^ w[(Round - 8) % 16] ^ w[(Round - 14) % 16] ^ word, 1);
    }
    std::uint32_t f;
    if constexpr (Round < 20) {
      f = (d ^ (b & (c ^ d))) + 0x5a827999;
    } else if constexpr (Round < 40) {
      f = (b ^ c ^ d) + 0x6ed9eba1;
    } else if constexpr (Round < 60) {
      f = ((b & c) | (d & (b | c))) + 0x8f1bbcdc;
    } else {
      f = (b ^ c ^ d) + 0xca62c1d6;
    }
    const std::uint32_t next = std::rotl(a, 5) + f + e + word;
    e = d;
    d = c;
    c = std::rotl(b, 30);
    b = a;
    a = next;
  }
  template <int... Round>
  [[gnu::always_inline]] void rounds(std::integer_sequence<int, Round...>) {
    (round<Round>(), ...);
  }
};

// `words`: of a message of `Size`, at most 13, big-endian already.
template <std::size_t Size>
sha1_digest sha1(const std::uint32_t (&words)[Size]) {
  sha1_state s{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0, {}};
  for (std::size_t i = 0; i < Size; ++i) s.w[i] = words[i];
  s.w[Size] = 0x80000000;
  s.w[15] = Size * 32;
  s.rounds(std::make_integer_sequence<int, 80>());
  return {
      {0x67452301 + s.a, 0xefcdab89 + s.b, 0x98badcfe + s.c, 0x10325476 + s.d, 0xc3d2e1f0 + s.e}};
}

inline sha1_digest sha1_of_root(std::uint32_t seed) {
  return sha1<5>({0, 0, 0, 0, seed});
}

inline sha1_digest sha1_of_child(const sha1_digest& parent, std::uint32_t child) {
  const auto& p = parent.words;
  return sha1<6>({p[0], p[1], p[2], p[3], p[4], child});
}
}  // namespace bench
