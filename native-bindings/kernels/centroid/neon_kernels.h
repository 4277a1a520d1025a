// The centroid family for NEON. Included after one of kernels/common/dot_neon.h and dot_neon_dot.h, which is all that
// the two instruction sets differ in. Internal linkage: see target.h.
#pragma once

#include "kernels/centroid/api.h"
#include "kernels/centroid/heap.h"

namespace maxsim {
namespace {

constexpr int kBlock = 4;

template <int B>
MAXSIM_INLINE void scoreBlock(const Query& query, const Codebook& codebook, size_t k, float* out) {
  for (uint32_t tile = 0; tile < query.lanes; tile += kTile) {
    int32x4_t acc[B][4];
    dotBlockNeon<B>(codebook.values + k * codebook.dim, codebook.dim, query.values + 4 * tile, 4 * query.lanes,
                    query.dim / 4, query.bias + tile, acc);
    for (int b = 0; b < B; b++) {
      const float32x4_t scale = vdupq_n_f32(codebook.scales[k + b]);
      float* row = out + (k + b) * query.lanes + tile;
      for (int r = 0; r < 4; r++) vst1q_f32(row + 4 * r, vmulq_f32(vcvtq_f32_s32(acc[b][r]), scale));
    }
  }
}

void scores(const Query& query, const Codebook& codebook, float* out) {
  size_t k = 0;
  for (; k + kBlock <= codebook.size; k += kBlock) scoreBlock<kBlock>(query, codebook, k, out);
  for (; k < codebook.size; k++) scoreBlock<1>(query, codebook, k, out);
}

void top(const Table& table, uint32_t tokens, uint32_t lanes, size_t nprobe, uint32_t* ids, float* best) {
  // Score that the next entry of a lane has to beat; padding lanes never do.
  float limit[kMaxLanes];
  for (uint32_t q = 0; q < lanes; q++) limit[q] = -kLowest;
  for (uint32_t q = 0; q < tokens; q++) {
    Heap heap{ids + q * nprobe, best + q * nprobe};
    for (size_t k = 0; k < nprobe; k++) heap.push(table.values[k * lanes + q], static_cast<uint32_t>(k), k);
    limit[q] = heap.scores[0];
  }
  for (size_t k = nprobe; k < table.size; k++) {
    const float* row = table.values + k * lanes;
    for (uint32_t v = 0; v < lanes; v += 4) {
      const uint32x4_t above = vcgtq_f32(vld1q_f32(row + v), vld1q_f32(limit + v));
      if (vmaxvq_u32(above) == 0) continue;
      uint32_t better[4];
      vst1q_u32(better, above);
      for (uint32_t n = 0; n < 4; n++) {
        if (better[n] == 0) continue;
        const uint32_t q = v + n;
        Heap heap{ids + q * nprobe, best + q * nprobe};
        heap.replaceRoot(row[q], static_cast<uint32_t>(k), nprobe);
        limit[q] = heap.scores[0];
      }
    }
  }
  for (uint32_t q = 0; q < tokens; q++) Heap{ids + q * nprobe, best + q * nprobe}.sort(nprobe);
}

struct Best {
  float32x4_t score[4];
  uint32x4_t id[4];
};

template <int B>
MAXSIM_INLINE void assignBlock(const int8_t* lanes, const int32_t* bias, const Codebook& codebook, size_t k,
                               Best& best) {
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

// Every centroid is a candidate: 16 vectors at a time take the place of query tokens.
void assignToAll(const Vectors& vectors, const Codebook& codebook, uint32_t* codes) {
  const uint32_t groups = vectors.dim / 4;
  int32_t lanes[kMaxDim / 4 * kTile];
  int32_t bias[kTile];
  for (size_t first = 0; first < vectors.count; first += kTile) {
    const size_t left = vectors.count - first;
    const uint32_t count = left < kTile ? static_cast<uint32_t>(left) : kTile;
    for (uint32_t n = 0; n < kTile; n++) {
      // Lanes without a vector repeat the last one, and their codes are dropped.
      const int8_t* vector = vectors.values + (first + (n < count ? n : count - 1)) * vectors.dim;
      int32_t sum = 0;
      for (uint32_t d = 0; d < vectors.dim; d++) sum += vector[d];
      bias[n] = kDocumentBias * sum;
      for (uint32_t g = 0; g < groups; g++) __builtin_memcpy(lanes + g * kTile + n, vector + 4 * g, 4);
    }
    const int8_t* query = reinterpret_cast<const int8_t*>(lanes);
    Best best;
    for (int r = 0; r < 4; r++) {
      best.score[r] = vdupq_n_f32(kLowest);
      best.id[r] = vdupq_n_u32(0);
    }
    size_t k = 0;
    for (; k + kBlock <= codebook.size; k += kBlock) assignBlock<kBlock>(query, bias, codebook, k, best);
    for (; k < codebook.size; k++) assignBlock<1>(query, bias, codebook, k, best);
    uint32_t chosen[kTile];
    for (int r = 0; r < 4; r++) vst1q_u32(chosen + 4 * r, best.id[r]);
    __builtin_memcpy(codes + first, chosen, count * sizeof(uint32_t));
  }
}

Status assignInRanges(const Vectors& vectors, const Codebook& codebook, const uint32_t* ranges, uint32_t* codes) {
  const uint32_t dim = vectors.dim;
  for (size_t i = 0; i < vectors.count; i++) {
    const size_t first = ranges[2 * i];
    const size_t end = ranges[2 * i + 1];
    if (end > codebook.size) return {Fault::kRange, end, codebook.size};
    if (first >= end) return {Fault::kRange, first, end};
    const int8_t* vector = vectors.values + i * dim;
    int32_t sum = 0;
    for (uint32_t d = 0; d < dim; d++) sum += vector[d];
    const int32_t bias = kDocumentBias * sum;
    float best = kLowest;
    size_t bestId = first;
    for (size_t k = first; k < end; k++) {
      const int32_t dot = rowDot(vector, codebook.values + k * dim, dim) - bias;
      const float score = static_cast<float>(dot) * codebook.scales[k];
      bestId = score > best ? k : bestId;
      best = score > best ? score : best;
    }
    codes[i] = static_cast<uint32_t>(bestId);
  }
  return {};
}

Status assign(const Vectors& vectors, const Codebook& codebook, const uint32_t* ranges, uint32_t* codes) {
  if (ranges != nullptr) return assignInRanges(vectors, codebook, ranges, codes);
  assignToAll(vectors, codebook, codes);
  return {};
}

}  // namespace
}  // namespace maxsim
