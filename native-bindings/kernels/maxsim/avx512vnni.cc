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

template <int V, typename Code>
Status approximateLanes(const Query& query, const Table& table, const Code* codes, size_t tokens,
                        const Passages& passages, float* out) {
  return forEachPassage(passages, codes, tokens, table.size, nullptr, 0, [&](size_t i, uint32_t begin, uint32_t end) {
    if (begin == end) {
      out[i] = kLowest;
      return;
    }
    __m512 best[V];
    for (int v = 0; v < V; v++) best[v] = _mm512_set1_ps(kLowest);
    for (uint32_t t = begin; t < end; t++) {
      const float* scores = table.values + size_t{codes[t]} * (16 * V);
      for (int v = 0; v < V; v++) best[v] = _mm512_max_ps(_mm512_loadu_ps(scores + 16 * v), best[v]);
    }
    out[i] = finish<V>(query, best);
  });
}

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

  return forEachPassage(passages, codes, tokens, table.size, &residuals, bytes,
                        [&](size_t i, uint32_t begin, uint32_t end) {
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

template <typename Code>
Status approximateCodes(const Query& query, const Table& table, const Code* codes, size_t tokens,
                        const Passages& passages, float* out) {
  switch (query.lanes / 16) {
    case 1: return approximateLanes<1>(query, table, codes, tokens, passages, out);
    case 2: return approximateLanes<2>(query, table, codes, tokens, passages, out);
    case 3: return approximateLanes<3>(query, table, codes, tokens, passages, out);
    default: return approximateLanes<4>(query, table, codes, tokens, passages, out);
  }
}

template <typename Code>
Status maxsimCodes(const Query& query, const Quantizer& quantizer, const Table& table, const Code* codes,
                   size_t tokens, const Residuals& residuals, const Passages& passages, float* out) {
  switch (query.lanes / 16) {
    case 1: return maxsimLanes<1>(query, quantizer, table, codes, tokens, residuals, passages, out);
    case 2: return maxsimLanes<2>(query, quantizer, table, codes, tokens, residuals, passages, out);
    case 3: return maxsimLanes<3>(query, quantizer, table, codes, tokens, residuals, passages, out);
    default: return maxsimLanes<4>(query, quantizer, table, codes, tokens, residuals, passages, out);
  }
}

Status approximate(const Query& query, const Table& table, const Codes& codes, const Passages& passages,
                   float* out) {
  return codes.narrow != nullptr ? approximateCodes(query, table, codes.narrow, codes.tokens, passages, out)
                                 : approximateCodes(query, table, codes.wide, codes.tokens, passages, out);
}

Status maxsim(const Query& query, const Quantizer& quantizer, const Table& table, const Codes& codes,
              const Residuals& residuals, const Passages& passages, float* out) {
  return codes.narrow != nullptr
             ? maxsimCodes(query, quantizer, table, codes.narrow, codes.tokens, residuals, passages, out)
             : maxsimCodes(query, quantizer, table, codes.wide, codes.tokens, residuals, passages, out);
}

}  // namespace

const MaxsimKernels kMaxsimAvx512Vnni = {approximate, maxsim};

}  // namespace maxsim
MAXSIM_TARGET_END
#endif
