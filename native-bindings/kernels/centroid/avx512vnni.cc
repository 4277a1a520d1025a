#include "kernels/centroid/api.h"

#include "kernels/common/target.h"

#if defined(MAXSIM_X86_64)
#include <immintrin.h>
MAXSIM_TARGET_BEGIN("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2")
#include "kernels/common/dot_avx512vnni.h"

namespace maxsim {
namespace {

// 16 scores as cosines in steps of 1 / 255.
MAXSIM_INLINE __m128i cosineBytes(__m512 scores, __m512 queryScales) {
  const __m512 cosines = _mm512_mul_ps(scores, queryScales);
  const __m512 y = _mm512_add_ps(_mm512_mul_ps(cosines, _mm512_set1_ps(255.0f)), _mm512_set1_ps(0.5f));
  // Of a NaN the maximum is its second operand; what is too large for an integer becomes the largest one.
  return _mm512_cvtusepi32_epi8(_mm512_cvttps_epu32(_mm512_max_ps(y, _mm512_setzero_ps())));
}

template <int V, int B>
MAXSIM_INLINE void scoreBlock(const Query& query, const Codebook& codebook, const Bias512<V>& bias, size_t k,
                              float* out, uint8_t* bytes) {
  __m512i acc[B][V];
  dotBlock512<V, B>(codebook.values + k * codebook.dim, codebook.dim, query.values, query.dim / 4, bias, acc);
#pragma GCC unroll 16
  for (int b = 0; b < B; b++) {
    const __m512 scale = _mm512_set1_ps(codebook.scales[k + b]);
#pragma GCC unroll 4
    for (int v = 0; v < V; v++) {
      const size_t cell = ((k + b) * V + v) * 16;
      const __m512 scores = _mm512_mul_ps(_mm512_cvtepi32_ps(acc[b][v]), scale);
      _mm512_storeu_ps(out + cell, scores);
      if (bytes == nullptr) continue;
      const __m128i row = cosineBytes(scores, _mm512_loadu_ps(query.scales + 16 * v));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(bytes + cell), row);
    }
  }
}

template <int V>
void scoreLanes(const Query& query, const Codebook& codebook, float* out, uint8_t* bytes) {
  constexpr int B = V <= 2 ? 8 : 4;
  const Bias512<V> bias(query.bias);
  size_t k = 0;
  for (; k + B <= codebook.size; k += B) scoreBlock<V, B>(query, codebook, bias, k, out, bytes);
  for (; k < codebook.size; k++) scoreBlock<V, 1>(query, codebook, bias, k, out, bytes);
}

void scores(const Query& query, const Codebook& codebook, float* out, uint8_t* bytes) {
  withRegisters(query.lanes, [&](auto registers) { scoreLanes<registers()>(query, codebook, out, bytes); });
}

MAXSIM_INLINE uint32_t above(const float* row, const float* limits) {
  return _mm512_cmp_ps_mask(_mm512_loadu_ps(row), _mm512_loadu_ps(limits), _CMP_GT_OQ);
}

// Vectors scored at a time when every centroid is a candidate: they take the place of query tokens.
constexpr int kAssignRegisters = 4;
constexpr uint32_t kAssignLanes = 16 * kAssignRegisters;
constexpr uint32_t kAssignBlock = 4;
using AssignBias = Bias512<kAssignRegisters>;

struct Best {
  __m512 score[kAssignRegisters];
  __m512i id[kAssignRegisters];

  MAXSIM_INLINE Best() {
    for (int v = 0; v < kAssignRegisters; v++) {
      score[v] = _mm512_set1_ps(kLowest);
      id[v] = _mm512_setzero_si512();
    }
  }

  MAXSIM_INLINE void store(uint32_t* ids) const {
    for (int v = 0; v < kAssignRegisters; v++) _mm512_store_si512(ids + 16 * v, id[v]);
  }
};

template <int B>
MAXSIM_INLINE void assignBlock(const int8_t* lanes, const AssignBias& bias, const Codebook& codebook, size_t k,
                               Best& best) {
  __m512i acc[B][kAssignRegisters];
  dotBlock512<kAssignRegisters, B>(codebook.values + k * codebook.dim, codebook.dim, lanes, codebook.dim / 4, bias,
                                   acc);
#pragma GCC unroll 4
  for (int b = 0; b < B; b++) {
    const __m512 scale = _mm512_set1_ps(codebook.scales[k + b]);
    const __m512i id = _mm512_set1_epi32(static_cast<int32_t>(k + b));
#pragma GCC unroll 4
    for (int v = 0; v < kAssignRegisters; v++) {
      const __m512 score = _mm512_mul_ps(_mm512_cvtepi32_ps(acc[b][v]), scale);
      const __mmask16 better = _mm512_cmp_ps_mask(score, best.score[v], _CMP_GT_OQ);
      best.score[v] = _mm512_mask_mov_ps(best.score[v], better, score);
      best.id[v] = _mm512_mask_mov_epi32(best.id[v], better, id);
    }
  }
}

// One vector in up to four registers, zero beyond its dimension, to be multiplied with single centroids.
class RowDot {
 public:
  MAXSIM_INLINE RowDot(const int8_t* vector, uint32_t dim) : full_(dim / 64), tail_((__mmask64{1} << (dim % 64)) - 1) {
    for (uint32_t r = 0; r < 4; r++) {
      part_[r] = r < full_   ? _mm512_loadu_si512(vector + 64 * r)
                 : r == full_ ? _mm512_maskz_loadu_epi8(tail_, vector + 64 * r)
                              : _mm512_setzero_si512();
    }
  }

  MAXSIM_INLINE int32_t with(const uint8_t* centroid) const {
    __m512i sum = _mm512_setzero_si512();
#pragma GCC unroll 4
    for (uint32_t r = 0; r < 4; r++) {
      if (r >= full_) break;
      sum = _mm512_dpbusd_epi32(sum, _mm512_loadu_si512(centroid + 64 * r), part_[r]);
    }
    if (tail_ != 0) {
      // Masked-out bytes are not read.
      sum = _mm512_dpbusd_epi32(sum, _mm512_maskz_loadu_epi8(tail_, centroid + 64 * full_), part_[full_]);
    }
    return _mm512_reduce_add_epi32(sum);
  }

 private:
  uint32_t full_;
  __mmask64 tail_;
  __m512i part_[4];
};

}  // namespace
}  // namespace maxsim

#include "kernels/centroid/assign.h"
#include "kernels/centroid/top.h"

namespace maxsim {

const CentroidKernels kCentroidAvx512Vnni = {scores, top, assign};

}  // namespace maxsim
MAXSIM_TARGET_END
#endif
