#include "kernels/maxsim/api.h"

#include "kernels/common/target.h"

#if defined(MAXSIM_X86_64)
#include <immintrin.h>
MAXSIM_TARGET_BEGIN("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,f16c")
#include "kernels/common/dot_avx512vnni.h"
#include "kernels/common/passages.h"

namespace maxsim {
namespace {

// Tokens decoded at a time; a multiple of every block size.
constexpr uint32_t kChunk = 32;
// Bytes between decoded rows: constant, so that the rows of a block are reached by displacement.
constexpr size_t kRow = kMaxDim;
constexpr size_t kSlack = 64;

template <int V>
constexpr int kBlock = V == 1 ? 16 : V == 2 ? 8 : 4;

// Unpacks planar residuals to biased weights. Each slot is stored as a whole register; what spills over belongs
// to the next slot, or the next row, and is overwritten in its turn.
class Decoder {
 public:
  explicit Decoder(const Quantizer& quantizer, uint32_t dim)
      : nbits_(quantizer.nbits), bytes_(dim * quantizer.nbits / 8) {
    uint8_t table[16];
    for (uint32_t b = 0; b < 16; b++) table[b] = quantizer.weights[b & ((1u << nbits_) - 1)];
    weights_ = _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(table)));
    mask_ = _mm512_set1_epi8(static_cast<char>((1u << nbits_) - 1));
    const uint32_t head = bytes_ < 64 ? bytes_ : 64;
    headMask_ = head == 64 ? ~__mmask64{0} : (__mmask64{1} << head) - 1;
    const uint32_t tail = bytes_ - head;
    tailMask_ = tail == 64 ? ~__mmask64{0} : (__mmask64{1} << tail) - 1;
  }

  MAXSIM_INLINE void row(const uint8_t* packed, uint8_t* out) const {
    const __m512i head = _mm512_maskz_loadu_epi8(headMask_, packed);
    if (tailMask_ == 0) {
      for (uint32_t shift = 0; shift < 8; shift += nbits_, out += bytes_) store(head, shift, out);
      return;
    }
    const __m512i tail = _mm512_maskz_loadu_epi8(tailMask_, packed + 64);
    for (uint32_t shift = 0; shift < 8; shift += nbits_, out += bytes_) {
      store(head, shift, out);
      store(tail, shift, out + 64);
    }
  }

 private:
  MAXSIM_INLINE void store(__m512i packed, uint32_t shift, uint8_t* out) const {
    const __m512i bucket = _mm512_and_si512(_mm512_srli_epi16(packed, shift), mask_);
    _mm512_storeu_si512(out, _mm512_shuffle_epi8(weights_, bucket));
  }

  uint32_t nbits_;
  uint32_t bytes_;
  __m512i weights_;
  __m512i mask_;
  __mmask64 headMask_;
  __mmask64 tailMask_;
};

template <int V>
MAXSIM_INLINE float finish(const Query& query, const __m512 (&best)[V]) {
  float lanes[16 * V];
  for (int v = 0; v < V; v++) _mm512_storeu_ps(lanes + 16 * v, best[v]);
  return sumOfBest(query, lanes);
}

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
    for (int h = 0; h < V / 2; h++) pairs_[h] = _mm256_max_epu8(pairs_[h], _mm256_loadu_si256(reinterpret_cast<const __m256i*>(row + 32 * h)));
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

template <int V, typename Code>
Status maxsimLanes(const Query& query, const Quantizer& quantizer, const Table& table, const Code* codes,
                   size_t tokens, const Residuals& residuals, const Passages& passages, float* out) {
  constexpr int B = kBlock<V>;
  const uint32_t groups = query.dim / 4;
  const size_t bytes = size_t{query.dim} * quantizer.nbits / 8;
  const Decoder decoder(quantizer, query.dim);
  const Bias512<V> bias(query.bias);
  const __m512 weightScale = _mm512_set1_ps(quantizer.weightScale);
  alignas(64) uint8_t rows[kChunk * kRow + kSlack];

  const TokensAhead<Code> ahead{2, codes, &residuals, bytes};
  return forEachPassage(passages, codes, tokens, table.size, ahead, [&](size_t i, uint32_t begin, uint32_t end) {
    if (begin == end) {
      out[i] = kLowest;
      return;
    }
    __m512 best[V];
    for (int v = 0; v < V; v++) best[v] = _mm512_set1_ps(kLowest);
    const float* scores[kChunk];
    alignas(64) uint16_t halves[kChunk] = {};
    alignas(64) float inverseNorms[kChunk];
    for (uint32_t first = begin; first < end; first += kChunk) {
      const uint32_t count = end - first < kChunk ? end - first : kChunk;
      // The last block is filled up with its last token: a maximum does not mind.
      const uint32_t padded = (count + B - 1) / B * B;
      for (uint32_t n = 0; n < padded; n++) {
        const size_t t = first + (n < count ? n : count - 1);
        scores[n] = table.values + size_t{codes[t]} * (16 * V);
        for (int v = 0; v < V; v++) _mm_prefetch(reinterpret_cast<const char*>(scores[n] + 16 * v), _MM_HINT_T0);
        halves[n] = residuals.inverseNorms[t];
        decoder.row(residuals.planes + t * bytes, rows + n * kRow);
      }
      for (uint32_t n = 0; n < padded; n += 16) {
        const __m256i h = _mm256_load_si256(reinterpret_cast<const __m256i*>(halves + n));
        _mm512_store_ps(inverseNorms + n, _mm512_cvtph_ps(h));
      }
      for (uint32_t n = 0; n < padded; n += B) {
        __m512i acc[B][V];
        dotBlock512<V, B>(rows + n * kRow, kRow, query.values, groups, bias, acc);
#pragma GCC unroll 16
        for (int b = 0; b < B; b++) {
          const __m512 inverseNorm = _mm512_set1_ps(inverseNorms[n + b]);
#pragma GCC unroll 4
          for (int v = 0; v < V; v++) {
            const __m512 residual = _mm512_mul_ps(_mm512_cvtepi32_ps(acc[b][v]), weightScale);
            const __m512 sum = _mm512_add_ps(residual, _mm512_loadu_ps(scores[n + b] + 16 * v));
            best[v] = _mm512_max_ps(_mm512_mul_ps(sum, inverseNorm), best[v]);
          }
        }
      }
    }
    out[i] = finish<V>(query, best);
  });
}

Status maxsim(const Query& query, const Quantizer& quantizer, const Table& table, const Codes& codes,
              const Residuals& residuals, const Passages& passages, float* out) {
  return withCodes(codes, [&](auto* first) {
    return withRegisters(query.lanes, [&](auto registers) {
      return maxsimLanes<registers()>(query, quantizer, table, first, codes.tokens, residuals, passages, out);
    });
  });
}

}  // namespace
}  // namespace maxsim

#include "kernels/maxsim/approximate.h"

namespace maxsim {

const MaxsimKernels kMaxsimAvx512Vnni = {approximate, maxsim};

}  // namespace maxsim
MAXSIM_TARGET_END
#endif
