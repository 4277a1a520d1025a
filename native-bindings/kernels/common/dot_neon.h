// Dot products of B biased document rows with 16 query tokens (four registers of 4), with the NEON that every ARMv8
// processor has. Document bytes have 7 bits and are their own value as s8; two products are added in 16 bits
// (127 * 127 * 2 = 32258 fits) and pairs of those in 32 bits. Internal linkage: see target.h.
#pragma once

#include "kernels/common/neon_bytes.h"

namespace maxsim {
namespace {

// acc[b][r] = dot of row b with query tokens 4 * r .. 4 * r + 3 of a tile; row b starts at rows + b * stride.
// `query` and `bias` point at the tile, `queryStride` is the bytes from one group of dimensions to the next.
// `groups` is even.
template <int B>
MAXSIM_INLINE void dotBlockNeon(const uint8_t* rows, size_t stride, const int8_t* query, size_t queryStride,
                                uint32_t groups, const int32_t* bias, int32x4_t (&acc)[B][4]) {
  // Two registers of query tokens at a time, each with two registers of partial sums a row.
  for (int half = 0; half < 2; half++) {
    int32x4_t low[B][2], high[B][2];
#pragma GCC unroll 8
    for (int b = 0; b < B; b++) {
      for (int r = 0; r < 2; r++) low[b][r] = high[b][r] = vdupq_n_s32(0);
    }
    const int8_t* tile = query + 32 * half;
    for (uint32_t g = 0; g < groups; g += 2) {
      const int8_t* first = tile + g * queryStride;
      const int8_t* second = first + queryStride;
      const int8x16_t q0[2] = {vld1q_s8(first), vld1q_s8(first + 16)};
      const int8x16_t q1[2] = {vld1q_s8(second), vld1q_s8(second + 16)};
#pragma GCC unroll 8
      for (int b = 0; b < B; b++) {
        const int8x16_t d0 = fourBytes(rows + b * stride + g * 4);
        const int8x16_t d1 = fourBytes(rows + b * stride + g * 4 + 4);
        for (int r = 0; r < 2; r++) {
          int16x8_t pairs = vmull_s8(vget_low_s8(d0), vget_low_s8(q0[r]));
          pairs = vmlal_s8(pairs, vget_low_s8(d1), vget_low_s8(q1[r]));
          low[b][r] = vpadalq_s16(low[b][r], pairs);
          pairs = vmull_high_s8(d0, q0[r]);
          pairs = vmlal_high_s8(pairs, d1, q1[r]);
          high[b][r] = vpadalq_s16(high[b][r], pairs);
        }
      }
    }
#pragma GCC unroll 8
    for (int b = 0; b < B; b++) {
      for (int r = 0; r < 2; r++) {
        const int lanes = 2 * half + r;
        acc[b][lanes] = vsubq_s32(vpaddq_s32(low[b][r], high[b][r]), vld1q_s32(bias + 4 * lanes));
      }
    }
  }
}

// Dot product of one vector with one biased centroid, the bias still in it; dim is a multiple of 8.
MAXSIM_INLINE int32_t rowDot(const int8_t* vector, const uint8_t* centroid, uint32_t dim) {
  int32x4_t sum = vdupq_n_s32(0);
  for (uint32_t d = 0; d < dim; d += 8) {
    const int8x8_t c = vreinterpret_s8_u8(vld1_u8(centroid + d));
    sum = vpadalq_s16(sum, vmull_s8(c, vld1_s8(vector + d)));
  }
  return vaddvq_s32(sum);
}

}  // namespace
}  // namespace maxsim
