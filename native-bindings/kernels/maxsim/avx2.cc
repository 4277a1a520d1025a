#include "kernels/maxsim/api.h"

#include "kernels/common/target.h"

#if defined(MAXSIM_X86_64)
#include <immintrin.h>
MAXSIM_TARGET_BEGIN("avx2,f16c")
#include "kernels/common/dot_avx2.h"
#include "kernels/common/passages.h"

namespace maxsim {
namespace {

// Tokens decoded at a time; a multiple of the block size.
constexpr uint32_t kChunk = 32;
// Document rows of one block.
constexpr int kBlock = 4;
// Bytes between decoded rows: constant, so that the rows of a block are reached by displacement.
constexpr size_t kRow = kMaxDim;
constexpr size_t kSlack = 32;

// Unpacks planar residuals to biased weights. Each slot is stored in whole registers; what spills over belongs
// to the next slot, or the next row, and is overwritten in its turn.
class Decoder {
 public:
  // `end` is one past the last byte that may be read.
  Decoder(const Quantizer& quantizer, uint32_t dim, const uint8_t* end)
      : nbits_(quantizer.nbits), bytes_(dim * quantizer.nbits / 8), end_(end) {
    uint8_t table[16];
    for (uint32_t b = 0; b < 16; b++) table[b] = quantizer.weights[b & ((1u << nbits_) - 1)];
    weights_ = _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(table)));
    mask_ = _mm256_set1_epi8(static_cast<char>((1u << nbits_) - 1));
  }

  MAXSIM_INLINE void row(const uint8_t* packed, uint8_t* out) const {
    const size_t registers = (bytes_ + 31) / 32;
    uint8_t copy[kMaxDim / 2];
    if (static_cast<size_t>(end_ - packed) < registers * 32) {
      __builtin_memcpy(copy, packed, bytes_);
      packed = copy;
    }
    for (uint32_t shift = 0; shift < 8; shift += nbits_, out += bytes_) {
      for (size_t r = 0; r < registers; r++) {
        const __m256i shifted = _mm256_srli_epi16(loadBytes256(packed + 32 * r), static_cast<int>(shift));
        const __m256i weights = _mm256_shuffle_epi8(weights_, _mm256_and_si256(shifted, mask_));
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + 32 * r), weights);
      }
    }
  }

 private:
  uint32_t nbits_;
  uint32_t bytes_;
  const uint8_t* end_;
  __m256i weights_;
  __m256i mask_;
};

// Pairs of 16 lanes in whole registers, and half a one for the rest.
template <int V>
class ByteMaxima {
 public:
  // GCC 12 compiles initializers of members, and with them an implicit constructor, for the baseline.
  MAXSIM_INLINE ByteMaxima() {
    pairs_[0] = pairs_[1] = _mm256_setzero_si256();
    rest_ = _mm_setzero_si128();
  }

  MAXSIM_INLINE void take(const uint8_t* row) {
    for (int h = 0; h < V / 2; h++) pairs_[h] = _mm256_max_epu8(pairs_[h], loadBytes256(row + 32 * h));
    if constexpr (V % 2 != 0) {
      rest_ = _mm_max_epu8(rest_, _mm_loadu_si128(reinterpret_cast<const __m128i*>(row + 16 * (V - 1))));
    }
  }

  MAXSIM_INLINE uint32_t sum() const {
    __m128i sums = _mm_sad_epu8(rest_, _mm_setzero_si128());
    for (int h = 0; h < V / 2; h++) {
      const __m256i pair = _mm256_sad_epu8(pairs_[h], _mm256_setzero_si256());
      sums = _mm_add_epi64(sums, _mm_add_epi64(_mm256_castsi256_si128(pair), _mm256_extracti128_si256(pair, 1)));
    }
    return static_cast<uint32_t>(_mm_cvtsi128_si32(_mm_add_epi64(sums, _mm_unpackhi_epi64(sums, sums))));
  }

 private:
  __m256i pairs_[2];
  __m128i rest_;
};

template <typename Code>
Status maxsimCodes(const Query& query, const Quantizer& quantizer, const Table& table, const Code* codes,
                   size_t tokens, const Residuals& residuals, const Passages& passages, float* out) {
  const uint32_t groups = query.dim / 4;
  const size_t bytes = size_t{query.dim} * quantizer.nbits / 8;
  const Decoder decoder(quantizer, query.dim, residuals.planes + tokens * bytes);
  const __m256 weightScale = _mm256_set1_ps(quantizer.weightScale);
  alignas(64) uint8_t rows[kChunk * kRow + kSlack];

  const TokensAhead<Code> ahead{2, codes, &residuals, bytes};
  return forEachPassage(passages, codes, tokens, table.size, ahead, [&](size_t i, uint32_t begin, uint32_t end) {
    if (begin == end) {
      out[i] = kLowest;
      return;
    }
    alignas(32) float best[kMaxLanes];
    for (uint32_t q = 0; q < query.lanes; q++) best[q] = kLowest;
    const float* scores[kChunk];
    alignas(32) uint16_t halves[kChunk] = {};
    alignas(32) float inverseNorms[kChunk];
    for (uint32_t first = begin; first < end; first += kChunk) {
      const uint32_t count = end - first < kChunk ? end - first : kChunk;
      // The last block is filled up with its last token: a maximum does not mind.
      const uint32_t padded = (count + kBlock - 1) / kBlock * kBlock;
      for (uint32_t n = 0; n < padded; n++) {
        const size_t t = first + (n < count ? n : count - 1);
        scores[n] = table.values + size_t{codes[t]} * query.lanes;
        prefetchItems(scores[n], query.lanes, 0, 1, kPrefetchLimit);
        halves[n] = residuals.inverseNorms[t];
        decoder.row(residuals.planes + t * bytes, rows + n * kRow);
      }
      for (uint32_t n = 0; n < padded; n += 8) {
        const __m128i h = _mm_load_si128(reinterpret_cast<const __m128i*>(halves + n));
        _mm256_store_ps(inverseNorms + n, _mm256_cvtph_ps(h));
      }
      for (uint32_t tile = 0; tile < query.lanes; tile += kTile) {
        const int8_t* values = query.values + 4 * tile;
        __m256 top[2] = {_mm256_load_ps(best + tile), _mm256_load_ps(best + tile + 8)};
        for (uint32_t n = 0; n < padded; n += kBlock) {
          __m256i acc[kBlock][2];
          dotBlock256<kBlock>(rows + n * kRow, kRow, values, 4 * query.lanes, groups, query.bias + tile, acc);
#pragma GCC unroll 8
          for (int b = 0; b < kBlock; b++) {
            const __m256 inverseNorm = _mm256_set1_ps(inverseNorms[n + b]);
            for (int h = 0; h < 2; h++) {
              const __m256 residual = _mm256_mul_ps(_mm256_cvtepi32_ps(acc[b][h]), weightScale);
              const __m256 sum = _mm256_add_ps(residual, _mm256_loadu_ps(scores[n + b] + tile + 8 * h));
              top[h] = _mm256_max_ps(_mm256_mul_ps(sum, inverseNorm), top[h]);
            }
          }
        }
        _mm256_store_ps(best + tile, top[0]);
        _mm256_store_ps(best + tile + 8, top[1]);
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

namespace maxsim {

const MaxsimKernels kMaxsimAvx2 = {approximate, maxsim};

}  // namespace maxsim
MAXSIM_TARGET_END
#endif
