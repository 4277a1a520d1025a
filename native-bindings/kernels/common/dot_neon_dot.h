// Dot products of B biased document rows with 16 query tokens (four registers of 4), with the instructions that add
// four products to each lane at once. Document bytes have 7 bits and are their own value as s8. A group of four
// dimensions is picked out of a register of document bytes by the instruction itself. Internal linkage: see target.h.
#pragma once

#include "kernels/common/neon_bytes.h"

namespace maxsim {
namespace {

// Adds group G of four dimensions of a register of each row.
template <int G, int B>
MAXSIM_INLINE void dotGroup(const int8x16_t (&documents)[B], const int8_t* query, int32x4_t (&acc)[B][4]) {
#pragma GCC unroll 4
  for (int r = 0; r < 4; r++) {
    const int8x16_t q = vld1q_s8(query + 16 * r);
#pragma GCC unroll 8
    for (int b = 0; b < B; b++) acc[b][r] = vdotq_laneq_s32(acc[b][r], q, documents[b], G);
  }
}

// acc[b][r] = dot of row b with query tokens 4 * r .. 4 * r + 3 of a tile; row b starts at rows + b * stride.
// `query` and `bias` point at the tile, `queryStride` is the bytes from one group of dimensions to the next.
// `groups` is even.
template <int B>
MAXSIM_INLINE void dotBlockNeon(const uint8_t* rows, size_t stride, const int8_t* query, size_t queryStride,
                                uint32_t groups, const int32_t* bias, int32x4_t (&acc)[B][4]) {
#pragma GCC unroll 8
  for (int b = 0; b < B; b++) {
    for (int r = 0; r < 4; r++) acc[b][r] = vnegq_s32(vld1q_s32(bias + 4 * r));
  }
  int8x16_t documents[B];
  uint32_t g = 0;
  for (; g + 4 <= groups; g += 4, query += 4 * queryStride) {
#pragma GCC unroll 8
    for (int b = 0; b < B; b++) documents[b] = vreinterpretq_s8_u8(vld1q_u8(rows + b * stride + g * 4));
    dotGroup<0>(documents, query, acc);
    dotGroup<1>(documents, query + queryStride, acc);
    dotGroup<2>(documents, query + 2 * queryStride, acc);
    dotGroup<3>(documents, query + 3 * queryStride, acc);
  }
  if (g < groups) {
#pragma GCC unroll 8
    for (int b = 0; b < B; b++) {
      const uint8x8_t rest = vld1_u8(rows + b * stride + g * 4);
      documents[b] = vreinterpretq_s8_u8(vcombine_u8(rest, vdup_n_u8(0)));
    }
    dotGroup<0>(documents, query, acc);
    dotGroup<1>(documents, query + queryStride, acc);
  }
}

// Dot product of one vector with one biased centroid, the bias still in it; dim is a multiple of 8.
MAXSIM_INLINE int32_t rowDot(const int8_t* vector, const uint8_t* centroid, uint32_t dim) {
  int32x4_t sum = vdupq_n_s32(0);
  uint32_t d = 0;
  for (; d + 16 <= dim; d += 16) {
    sum = vdotq_s32(sum, vreinterpretq_s8_u8(vld1q_u8(centroid + d)), vld1q_s8(vector + d));
  }
  int32x2_t rest = vdup_n_s32(0);
  if (d < dim) rest = vdot_s32(rest, vreinterpret_s8_u8(vld1_u8(centroid + d)), vld1_s8(vector + d));
  return vaddvq_s32(sum) + vaddv_s32(rest);
}

}  // namespace
}  // namespace maxsim
