// Dot products of B biased document rows with 16 query tokens (two registers of 8). maddubs multiplies unsigned
// document bytes by signed query bytes and adds pairs in 16 bits: 127 * 127 * 2 = 32258 does not saturate.
// Internal linkage: see target.h.
#pragma once

#include "kernels/common/types.h"

namespace maxsim {
namespace {

constexpr uint32_t kTile = 16;

MAXSIM_INLINE __m256i loadBytes256(const void* bytes) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(bytes));
}

MAXSIM_INLINE __m256i dotStep256(__m256i acc, __m256i document, __m256i query) {
  const __m256i pairs = _mm256_maddubs_epi16(document, query);
  return _mm256_add_epi32(acc, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

MAXSIM_INLINE int32_t fourBytes(const uint8_t* bytes) {
  int32_t word;
  __builtin_memcpy(&word, bytes, sizeof word);
  return word;
}

// acc[b][h] = dot of row b with query tokens 8 * h .. 8 * h + 7 of a tile; row b starts at rows + b * stride.
// `query` and `bias` point at the tile, `queryStride` is the bytes from one group of dimensions to the next.
template <int B>
MAXSIM_INLINE void dotBlock256(const uint8_t* rows, size_t stride, const int8_t* query, size_t queryStride,
                               uint32_t groups, const int32_t* bias, __m256i (&acc)[B][2]) {
#pragma GCC unroll 8
  for (int b = 0; b < B; b++) {
    acc[b][0] = _mm256_sub_epi32(_mm256_setzero_si256(), loadBytes256(bias));
    acc[b][1] = _mm256_sub_epi32(_mm256_setzero_si256(), loadBytes256(bias + 8));
  }
  for (uint32_t g = 0; g < groups; g++) {
    const __m256i low = loadBytes256(query + g * queryStride);
    const __m256i high = loadBytes256(query + g * queryStride + 32);
#pragma GCC unroll 8
    for (int b = 0; b < B; b++) {
      const __m256i d = _mm256_set1_epi32(fourBytes(rows + b * stride + g * 4));
      acc[b][0] = dotStep256(acc[b][0], d, low);
      acc[b][1] = dotStep256(acc[b][1], d, high);
    }
  }
}

}  // namespace
}  // namespace maxsim
