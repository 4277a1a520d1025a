#include "kernels/centroid/api.h"

#include "kernels/common/target.h"

#if defined(MAXSIM_X86_64)
#include <immintrin.h>
MAXSIM_TARGET_BEGIN("avx2")
#include "kernels/common/dot_avx2.h"

namespace maxsim {
namespace {

constexpr int kBlock = 4;

// 8 scores as cosines in steps of 1 / 255, in 32 bits.
MAXSIM_INLINE __m256i cosineSteps(__m256 scores, const float* queryScales) {
  const __m256 cosines = _mm256_mul_ps(scores, _mm256_loadu_ps(queryScales));
  const __m256 y = _mm256_add_ps(_mm256_mul_ps(cosines, _mm256_set1_ps(255.0f)), _mm256_set1_ps(0.5f));
  // Of a NaN the maximum is its second operand.
  return _mm256_cvttps_epi32(_mm256_min_ps(_mm256_max_ps(y, _mm256_setzero_ps()), _mm256_set1_ps(255.0f)));
}

MAXSIM_INLINE __m128i cosineBytes(__m256 low, __m256 high, const float* queryScales) {
  const __m256i words = _mm256_packus_epi32(cosineSteps(low, queryScales), cosineSteps(high, queryScales + 8));
  const __m256i inOrder = _mm256_permute4x64_epi64(words, 0xd8);
  return _mm_packus_epi16(_mm256_castsi256_si128(inOrder), _mm256_extracti128_si256(inOrder, 1));
}

template <int B>
MAXSIM_INLINE void scoreBlock(const Query& query, const Codebook& codebook, size_t k, float* out, uint8_t* bytes) {
  for (uint32_t tile = 0; tile < query.lanes; tile += kTile) {
    __m256i acc[B][2];
    dotBlock256<B>(codebook.values + k * codebook.dim, codebook.dim, query.values + 4 * tile, 4 * query.lanes,
                   query.dim / 4, query.bias + tile, acc);
    for (int b = 0; b < B; b++) {
      const __m256 scale = _mm256_set1_ps(codebook.scales[k + b]);
      const size_t cell = (k + b) * query.lanes + tile;
      const __m256 low = _mm256_mul_ps(_mm256_cvtepi32_ps(acc[b][0]), scale);
      const __m256 high = _mm256_mul_ps(_mm256_cvtepi32_ps(acc[b][1]), scale);
      _mm256_storeu_ps(out + cell, low);
      _mm256_storeu_ps(out + cell + 8, high);
      if (bytes == nullptr) continue;
      _mm_storeu_si128(reinterpret_cast<__m128i*>(bytes + cell), cosineBytes(low, high, query.scales + tile));
    }
  }
}

void scores(const Query& query, const Codebook& codebook, float* out, uint8_t* bytes) {
  size_t k = 0;
  for (; k + kBlock <= codebook.size; k += kBlock) scoreBlock<kBlock>(query, codebook, k, out, bytes);
  for (; k < codebook.size; k++) scoreBlock<1>(query, codebook, k, out, bytes);
}

MAXSIM_INLINE uint32_t above(const float* row, const float* limits) {
  uint32_t bits = 0;
  for (uint32_t half = 0; half < 2; half++) {
    const __m256 limit = _mm256_loadu_ps(limits + 8 * half);
    const __m256 better = _mm256_cmp_ps(_mm256_loadu_ps(row + 8 * half), limit, _CMP_GT_OQ);
    bits |= static_cast<uint32_t>(_mm256_movemask_ps(better)) << (8 * half);
  }
  return bits;
}

constexpr uint32_t kAssignLanes = kTile;
constexpr uint32_t kAssignBlock = 4;
using AssignBias = const int32_t*;

struct Best {
  __m256 score[2];
  __m256i id[2];

  // GCC 12 compiles initializers of members, and with them an implicit constructor, for the baseline.
  MAXSIM_INLINE Best() {
    score[0] = score[1] = _mm256_set1_ps(kLowest);
    id[0] = id[1] = _mm256_setzero_si256();
  }

  MAXSIM_INLINE void store(uint32_t* ids) const {
    _mm256_store_si256(reinterpret_cast<__m256i*>(ids), id[0]);
    _mm256_store_si256(reinterpret_cast<__m256i*>(ids + 8), id[1]);
  }
};

template <int B>
MAXSIM_INLINE void assignBlock(const int8_t* lanes, AssignBias bias, const Codebook& codebook, size_t k, Best& best) {
  __m256i acc[B][2];
  dotBlock256<B>(codebook.values + k * codebook.dim, codebook.dim, lanes, 4 * kTile, codebook.dim / 4, bias, acc);
  for (int b = 0; b < B; b++) {
    const __m256 scale = _mm256_set1_ps(codebook.scales[k + b]);
    const __m256i id = _mm256_set1_epi32(static_cast<int32_t>(k + b));
    for (int h = 0; h < 2; h++) {
      const __m256 score = _mm256_mul_ps(_mm256_cvtepi32_ps(acc[b][h]), scale);
      const __m256 better = _mm256_cmp_ps(score, best.score[h], _CMP_GT_OQ);
      best.score[h] = _mm256_blendv_ps(best.score[h], score, better);
      best.id[h] = _mm256_blendv_epi8(best.id[h], id, _mm256_castps_si256(better));
    }
  }
}

MAXSIM_INLINE int32_t sumOfLanes(__m256i lanes) {
  __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(lanes), _mm256_extracti128_si256(lanes, 1));
  sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0x4e));
  sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0xb1));
  return _mm_cvtsi128_si32(sum);
}

// A vector to be multiplied with single centroids.
class RowDot {
 public:
  MAXSIM_INLINE RowDot(const int8_t* vector, uint32_t dim) : vector_(vector), dim_(dim) {}

  MAXSIM_INLINE int32_t with(const uint8_t* centroid) const {
    __m256i acc = _mm256_setzero_si256();
    uint32_t d = 0;
    for (; d + 32 <= dim_; d += 32) acc = dotStep256(acc, loadBytes256(centroid + d), loadBytes256(vector_ + d));
    for (; d < dim_; d += 8) {
      const __m128i c = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(centroid + d));
      const __m128i v = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(vector_ + d));
      acc = dotStep256(acc, _mm256_zextsi128_si256(c), _mm256_zextsi128_si256(v));
    }
    return sumOfLanes(acc);
  }

 private:
  const int8_t* vector_;
  uint32_t dim_;  // a multiple of 8
};

}  // namespace
}  // namespace maxsim

#include "kernels/centroid/assign.h"
#include "kernels/centroid/top.h"

namespace maxsim {

const CentroidKernels kCentroidAvx2 = {scores, top, assign};

}  // namespace maxsim
MAXSIM_TARGET_END
#endif
