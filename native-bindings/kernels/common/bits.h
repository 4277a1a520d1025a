// Positions of bits. Templates of <bit> and <algorithm> have external linkage and are therefore no choice in a file that
// is compiled for an instruction set: see target.h.
#pragma once

#include <cstdint>

#include "kernels/common/target.h"

#if defined(_MSC_VER) && !defined(__clang__)
#include <intrin.h>
#endif

namespace maxsim {
namespace {

// Of a word that is not 0.
[[maybe_unused]] MAXSIM_INLINE uint32_t lowestBit(uint32_t word) {
#if defined(_MSC_VER) && !defined(__clang__)
  unsigned long position;
  _BitScanForward(&position, word);
  return position;
#else
  return static_cast<uint32_t>(__builtin_ctz(word));
#endif
}

// Bits that are set.
[[maybe_unused]] MAXSIM_INLINE uint32_t bitCount(uint32_t word) {
#if defined(_MSC_VER) && !defined(__clang__)
  return __popcnt(word);
#else
  return static_cast<uint32_t>(__builtin_popcount(word));
#endif
}

// Bits that are needed to write the word; 0 for 0.
[[maybe_unused]] inline uint32_t bitWidth(uint32_t word) {
  uint32_t width = 0;
  for (; word != 0; word >>= 1) width++;
  return width;
}

}  // namespace
}  // namespace maxsim
