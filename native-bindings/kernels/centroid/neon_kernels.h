// The centroid family for NEON. Included after one of kernels/common/dot_neon.h and dot_neon_dot.h, which is all that
// the two instruction sets differ in. Internal linkage: see target.h.
#pragma once

#include "kernels/centroid/api.h"

namespace maxsim {
namespace {

constexpr int kBlock = 4;

// 16 scores as cosines in steps of 1 / 255.
MAXSIM_INLINE uint8x16_t cosineBytes(const float32x4_t (&scores)[4], const float* scales) {
  uint16x4_t words[4];
  for (int r = 0; r < 4; r++) {
    const float32x4_t cosines = vmulq_f32(scores[r], vld1q_f32(scales + 4 * r));
    const float32x4_t y = vaddq_f32(vmulq_f32(cosines, vdupq_n_f32(255.0f)), vdupq_n_f32(0.5f));
    // Negative numbers and NaN become 0, and what is too large the largest integer.
    words[r] = vqmovn_u32(vcvtq_u32_f32(y));
  }
  return vcombine_u8(vqmovn_u16(vcombine_u16(words[0], words[1])), vqmovn_u16(vcombine_u16(words[2], words[3])));
}

template <int B>
MAXSIM_INLINE void scoreBlock(const Query& query, const Codebook& codebook, size_t k, float* out, uint8_t* bytes) {
  for (uint32_t tile = 0; tile < query.lanes; tile += kTile) {
    int32x4_t acc[B][4];
    dotBlockNeon<B>(codebook.values + k * codebook.dim, codebook.dim, query.values + 4 * tile, 4 * query.lanes,
                    query.dim / 4, query.bias + tile, acc);
    for (int b = 0; b < B; b++) {
      const float32x4_t scale = vdupq_n_f32(codebook.scales[k + b]);
      const size_t cell = (k + b) * query.lanes + tile;
      float32x4_t scores[4];
      for (int r = 0; r < 4; r++) {
        scores[r] = vmulq_f32(vcvtq_f32_s32(acc[b][r]), scale);
        vst1q_f32(out + cell + 4 * r, scores[r]);
      }
      if (bytes != nullptr) vst1q_u8(bytes + cell, cosineBytes(scores, query.scales + tile));
    }
  }
}

void scores(const Query& query, const Codebook& codebook, float* out, uint8_t* bytes) {
  size_t k = 0;
  for (; k + kBlock <= codebook.size; k += kBlock) scoreBlock<kBlock>(query, codebook, k, out, bytes);
  for (; k < codebook.size; k++) scoreBlock<1>(query, codebook, k, out, bytes);
}

MAXSIM_INLINE uint32_t above(const float* row, const float* limits) {
  alignas(16) static constexpr uint32_t kBits[4] = {1, 2, 4, 8};
  uint32_t bits = 0;
  for (uint32_t r = 0; r < 4; r++) {
    const uint32x4_t better = vcgtq_f32(vld1q_f32(row + 4 * r), vld1q_f32(limits + 4 * r));
    bits |= vaddvq_u32(vandq_u32(better, vld1q_u32(kBits))) << (4 * r);
  }
  return bits;
}

constexpr uint32_t kAssignLanes = kTile;
constexpr uint32_t kAssignBlock = 4;
using AssignBias = const int32_t*;

struct Best {
  float32x4_t score[4];
  uint32x4_t id[4];

  MAXSIM_INLINE Best() {
    for (int r = 0; r < 4; r++) {
      score[r] = vdupq_n_f32(kLowest);
      id[r] = vdupq_n_u32(0);
    }
  }

  MAXSIM_INLINE void store(uint32_t* ids) const {
    for (int r = 0; r < 4; r++) vst1q_u32(ids + 4 * r, id[r]);
  }
};

template <int B>
MAXSIM_INLINE void assignBlock(const int8_t* lanes, AssignBias bias, const Codebook& codebook, size_t k, Best& best) {
  int32x4_t acc[B][4];
  dotBlockNeon<B>(codebook.values + k * codebook.dim, codebook.dim, lanes, 4 * kTile, codebook.dim / 4, bias, acc);
  for (int b = 0; b < B; b++) {
    const float32x4_t scale = vdupq_n_f32(codebook.scales[k + b]);
    const uint32x4_t id = vdupq_n_u32(static_cast<uint32_t>(k + b));
    for (int r = 0; r < 4; r++) {
      const float32x4_t score = vmulq_f32(vcvtq_f32_s32(acc[b][r]), scale);
      const uint32x4_t better = vcgtq_f32(score, best.score[r]);
      best.score[r] = vbslq_f32(better, score, best.score[r]);
      best.id[r] = vbslq_u32(better, id, best.id[r]);
    }
  }
}

// A vector to be multiplied with single centroids.
class RowDot {
 public:
  MAXSIM_INLINE RowDot(const int8_t* vector, uint32_t dim) : vector_(vector), dim_(dim) {}
  MAXSIM_INLINE int32_t with(const uint8_t* centroid) const { return rowDot(vector_, centroid, dim_); }

 private:
  const int8_t* vector_;
  uint32_t dim_;  // a multiple of 8
};

}  // namespace
}  // namespace maxsim

#include "kernels/centroid/assign.h"
#include "kernels/centroid/top.h"
