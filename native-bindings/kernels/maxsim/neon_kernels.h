// The maxsim family for NEON. Included after one of kernels/common/dot_neon.h and dot_neon_dot.h, which is all that
// the two instruction sets differ in. Internal linkage: see target.h.
#pragma once

#include "kernels/common/passages.h"
#include "kernels/maxsim/api.h"

namespace maxsim {
namespace {

// Tokens decoded at a time; a multiple of the block size.
constexpr uint32_t kChunk = 32;
// Document rows of one block.
constexpr int kBlock = 4;
// Bytes between decoded rows: constant, so that the rows of a block are reached by displacement.
constexpr size_t kRow = kMaxDim;
constexpr size_t kSlack = 16;

// Unpacks planar residuals to biased weights. Each slot is stored in whole registers; what spills over belongs
// to the next slot, or the next row, and is overwritten in its turn.
class Decoder {
 public:
  // `end` is one past the last byte that may be read.
  Decoder(const Quantizer& quantizer, uint32_t dim, const uint8_t* end)
      : nbits_(quantizer.nbits), bytes_(dim * quantizer.nbits / 8), end_(end) {
    uint8_t table[16];
    for (uint32_t b = 0; b < 16; b++) table[b] = quantizer.weights[b & ((1u << nbits_) - 1)];
    weights_ = vld1q_u8(table);
    mask_ = vdupq_n_u8(static_cast<uint8_t>((1u << nbits_) - 1));
  }

  MAXSIM_INLINE void row(const uint8_t* packed, uint8_t* out) const {
    const size_t registers = (bytes_ + 15) / 16;
    uint8_t copy[kMaxDim / 2];
    if (static_cast<size_t>(end_ - packed) < registers * 16) {
      __builtin_memcpy(copy, packed, bytes_);
      packed = copy;
    }
    for (uint32_t shift = 0; shift < 8; shift += nbits_, out += bytes_) {
      const int8x16_t right = vdupq_n_s8(static_cast<int8_t>(-static_cast<int>(shift)));
      for (size_t r = 0; r < registers; r++) {
        const uint8x16_t buckets = vandq_u8(vshlq_u8(vld1q_u8(packed + 16 * r), right), mask_);
        vst1q_u8(out + 16 * r, vqtbl1q_u8(weights_, buckets));
      }
    }
  }

 private:
  uint32_t nbits_;
  uint32_t bytes_;
  const uint8_t* end_;
  uint8x16_t weights_;
  uint8x16_t mask_;
};

template <int V>
class ByteMaxima {
 public:
  MAXSIM_INLINE ByteMaxima() {
    for (int v = 0; v < V; v++) lanes_[v] = vdupq_n_u8(0);
  }

  MAXSIM_INLINE void take(const uint8_t* row) {
    for (int v = 0; v < V; v++) lanes_[v] = vmaxq_u8(lanes_[v], vld1q_u8(row + 16 * v));
  }

  MAXSIM_INLINE uint32_t sum() const {
    uint32_t sum = 0;
    for (int v = 0; v < V; v++) sum += vaddlvq_u8(lanes_[v]);
    return sum;
  }

 private:
  uint8x16_t lanes_[V];
};

template <typename Code>
Status maxsimCodes(const Query& query, const Quantizer& quantizer, const Table& table, const Code* codes,
                   size_t tokens, const Residuals& residuals, const Passages& passages, float* out) {
  const uint32_t groups = query.dim / 4;
  const size_t bytes = size_t{query.dim} * quantizer.nbits / 8;
  const Decoder decoder(quantizer, query.dim, residuals.planes + tokens * bytes);
  const float32x4_t weightScale = vdupq_n_f32(quantizer.weightScale);
  alignas(64) uint8_t rows[kChunk * kRow + kSlack];

  const TokensAhead<Code> ahead{2, codes, &residuals, bytes};
  return forEachPassage(passages, codes, tokens, table.size, ahead, [&](size_t i, uint32_t begin, uint32_t end) {
    if (begin == end) {
      out[i] = kLowest;
      return;
    }
    float best[kMaxLanes];
    for (uint32_t q = 0; q < query.lanes; q++) best[q] = kLowest;
    const float* scores[kChunk];
    uint16_t halves[kChunk] = {};
    float inverseNorms[kChunk];
    for (uint32_t first = begin; first < end; first += kChunk) {
      const uint32_t count = end - first < kChunk ? end - first : kChunk;
      // The last block is filled up with its last token: a maximum does not mind.
      const uint32_t padded = (count + kBlock - 1) / kBlock * kBlock;
      for (uint32_t n = 0; n < padded; n++) {
        const size_t t = first + (n < count ? n : count - 1);
        scores[n] = table.values + size_t{codes[t]} * query.lanes;
        halves[n] = residuals.inverseNorms[t];
        decoder.row(residuals.planes + t * bytes, rows + n * kRow);
      }
      for (uint32_t n = 0; n < padded; n += 4) {
        vst1q_f32(inverseNorms + n, vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(halves + n))));
      }
      for (uint32_t tile = 0; tile < query.lanes; tile += kTile) {
        float32x4_t top[4];
        for (int r = 0; r < 4; r++) top[r] = vld1q_f32(best + tile + 4 * r);
        for (uint32_t n = 0; n < padded; n += kBlock) {
          int32x4_t acc[kBlock][4];
          dotBlockNeon<kBlock>(rows + n * kRow, kRow, query.values + 4 * tile, 4 * query.lanes, groups,
                               query.bias + tile, acc);
#pragma GCC unroll 8
          for (int b = 0; b < kBlock; b++) {
            const float32x4_t inverseNorm = vdupq_n_f32(inverseNorms[n + b]);
            for (int r = 0; r < 4; r++) {
              const float32x4_t residual = vmulq_f32(vcvtq_f32_s32(acc[b][r]), weightScale);
              const float32x4_t sum = vaddq_f32(residual, vld1q_f32(scores[n + b] + tile + 4 * r));
              top[r] = greater(vmulq_f32(sum, inverseNorm), top[r]);
            }
          }
        }
        for (int r = 0; r < 4; r++) vst1q_f32(best + tile + 4 * r, top[r]);
      }
    }
    out[i] = sumOfBest(query, best);
  });
}

Status maxsim(const Query& query, const Quantizer& quantizer, const Table& table, const Codes& codes,
              const Residuals& residuals, const Passages& passages, float* out) {
  return withCodes(codes, [&](auto* first) {
    return maxsimCodes(query, quantizer, table, first, codes.tokens, residuals, passages, out);
  });
}

}  // namespace
}  // namespace maxsim

#include "kernels/maxsim/approximate.h"
