#include "kernels/centroid/api.h"

#include "kernels/common/target.h"

#if defined(MAXSIM_X86_64)
#include <immintrin.h>
MAXSIM_TARGET_BEGIN("avx2")
#include "kernels/centroid/heap.h"
#include "kernels/common/dot_avx2.h"

namespace maxsim {
namespace {

constexpr int kBlock = 4;

template <int B>
MAXSIM_INLINE void scoreBlock(const Query& query, const Codebook& codebook, size_t k, float* out) {
  for (uint32_t tile = 0; tile < query.lanes; tile += kTile) {
    __m256i acc[B][2];
    dotBlock256<B>(codebook.values + k * codebook.dim, codebook.dim, query.values + 4 * tile, 4 * query.lanes,
                   query.dim / 4, query.bias + tile, acc);
    for (int b = 0; b < B; b++) {
      const __m256 scale = _mm256_set1_ps(codebook.scales[k + b]);
      float* row = out + (k + b) * query.lanes + tile;
      _mm256_storeu_ps(row, _mm256_mul_ps(_mm256_cvtepi32_ps(acc[b][0]), scale));
      _mm256_storeu_ps(row + 8, _mm256_mul_ps(_mm256_cvtepi32_ps(acc[b][1]), scale));
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
  alignas(32) float limit[kMaxLanes];
  for (uint32_t q = 0; q < lanes; q++) limit[q] = -kLowest;
  for (uint32_t q = 0; q < tokens; q++) {
    Heap heap{ids + q * nprobe, best + q * nprobe};
    for (size_t k = 0; k < nprobe; k++) heap.push(table.values[k * lanes + q], static_cast<uint32_t>(k), k);
    limit[q] = heap.scores[0];
  }
  for (size_t k = nprobe; k < table.size; k++) {
    const float* row = table.values + k * lanes;
    for (uint32_t v = 0; v < lanes; v += 8) {
      const __m256 above = _mm256_cmp_ps(_mm256_loadu_ps(row + v), _mm256_load_ps(limit + v), _CMP_GT_OQ);
      uint32_t better = static_cast<uint32_t>(_mm256_movemask_ps(above));
      for (; better != 0; better &= better - 1) {
        const uint32_t q = v + static_cast<uint32_t>(__builtin_ctz(better));
        Heap heap{ids + q * nprobe, best + q * nprobe};
        heap.replaceRoot(row[q], static_cast<uint32_t>(k), nprobe);
        limit[q] = heap.scores[0];
      }
    }
  }
  for (uint32_t q = 0; q < tokens; q++) Heap{ids + q * nprobe, best + q * nprobe}.sort(nprobe);
}

struct Best {
  __m256 score[2];
  __m256i id[2];
};

template <int B>
MAXSIM_INLINE void assignBlock(const int8_t* lanes, const int32_t* bias, const Codebook& codebook, size_t k,
                               Best& best) {
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

// Every centroid is a candidate: 16 vectors at a time take the place of query tokens.
void assignToAll(const Vectors& vectors, const Codebook& codebook, uint32_t* codes) {
  const uint32_t groups = vectors.dim / 4;
  alignas(32) int32_t lanes[kMaxDim / 4 * kTile];
  alignas(32) int32_t bias[kTile];
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
    for (int h = 0; h < 2; h++) {
      best.score[h] = _mm256_set1_ps(kLowest);
      best.id[h] = _mm256_setzero_si256();
    }
    size_t k = 0;
    for (; k + kBlock <= codebook.size; k += kBlock) assignBlock<kBlock>(query, bias, codebook, k, best);
    for (; k < codebook.size; k++) assignBlock<1>(query, bias, codebook, k, best);
    alignas(32) uint32_t chosen[kTile];
    _mm256_store_si256(reinterpret_cast<__m256i*>(chosen), best.id[0]);
    _mm256_store_si256(reinterpret_cast<__m256i*>(chosen + 8), best.id[1]);
    __builtin_memcpy(codes + first, chosen, count * sizeof(uint32_t));
  }
}

MAXSIM_INLINE int32_t sumOfLanes(__m256i lanes) {
  __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(lanes), _mm256_extracti128_si256(lanes, 1));
  sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0x4e));
  sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0xb1));
  return _mm_cvtsi128_si32(sum);
}

// Dot product of one vector with one biased centroid, the bias still in it; dim is a multiple of 8.
MAXSIM_INLINE int32_t rowDot(const int8_t* vector, const uint8_t* centroid, uint32_t dim) {
  __m256i acc = _mm256_setzero_si256();
  uint32_t d = 0;
  for (; d + 32 <= dim; d += 32) acc = dotStep256(acc, loadBytes256(centroid + d), loadBytes256(vector + d));
  for (; d < dim; d += 8) {
    const __m128i c = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(centroid + d));
    const __m128i v = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(vector + d));
    acc = dotStep256(acc, _mm256_zextsi128_si256(c), _mm256_zextsi128_si256(v));
  }
  return sumOfLanes(acc);
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

const CentroidKernels kCentroidAvx2 = {scores, top, assign};

}  // namespace maxsim
MAXSIM_TARGET_END
#endif
