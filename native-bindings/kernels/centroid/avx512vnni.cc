#include "kernels/centroid/api.h"

#include "kernels/common/target.h"

#if defined(MAXSIM_X86_64)
#include <immintrin.h>
MAXSIM_TARGET_BEGIN("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2")
#include "kernels/centroid/heap.h"
#include "kernels/common/dot_avx512vnni.h"

namespace maxsim {
namespace {

template <int V>
constexpr size_t kBlock = V <= 2 ? 8 : 4;

template <int V, int B>
MAXSIM_INLINE void scoreBlock(const Query& query, const Codebook& codebook, const Bias512<V>& bias, size_t k,
                              float* out) {
  __m512i acc[B][V];
  dotBlock512<V, B>(codebook.values + k * codebook.dim, codebook.dim, query.values, query.dim / 4, bias, acc);
#pragma GCC unroll 16
  for (int b = 0; b < B; b++) {
    const __m512 scale = _mm512_set1_ps(codebook.scales[k + b]);
#pragma GCC unroll 4
    for (int v = 0; v < V; v++) {
      _mm512_storeu_ps(out + ((k + b) * V + v) * 16, _mm512_mul_ps(_mm512_cvtepi32_ps(acc[b][v]), scale));
    }
  }
}

template <int V>
void scoreLanes(const Query& query, const Codebook& codebook, float* out) {
  const Bias512<V> bias(query.bias);
  size_t k = 0;
  for (; k + kBlock<V> <= codebook.size; k += kBlock<V>) scoreBlock<V, kBlock<V>>(query, codebook, bias, k, out);
  for (; k < codebook.size; k++) scoreBlock<V, 1>(query, codebook, bias, k, out);
}

void scores(const Query& query, const Codebook& codebook, float* out) {
  switch (query.lanes / 16) {
    case 1: return scoreLanes<1>(query, codebook, out);
    case 2: return scoreLanes<2>(query, codebook, out);
    case 3: return scoreLanes<3>(query, codebook, out);
    default: return scoreLanes<4>(query, codebook, out);
  }
}

void top(const Table& table, uint32_t tokens, uint32_t lanes, size_t nprobe, uint32_t* ids, float* best) {
  // Score that the next entry of a lane has to beat; padding lanes never do.
  alignas(64) float limit[kMaxLanes];
  for (uint32_t q = 0; q < lanes; q++) limit[q] = -kLowest;
  for (uint32_t q = 0; q < tokens; q++) {
    Heap heap{ids + q * nprobe, best + q * nprobe};
    for (size_t k = 0; k < nprobe; k++) heap.push(table.values[k * lanes + q], static_cast<uint32_t>(k), k);
    limit[q] = heap.scores[0];
  }
  for (size_t k = nprobe; k < table.size; k++) {
    const float* row = table.values + k * lanes;
    for (uint32_t v = 0; v < lanes; v += 16) {
      uint32_t better = _mm512_cmp_ps_mask(_mm512_loadu_ps(row + v), _mm512_load_ps(limit + v), _CMP_GT_OQ);
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

// Vectors scored at a time when every centroid is a candidate: they take the place of query tokens.
constexpr int kAssignRegisters = 4;
constexpr uint32_t kAssignLanes = 16 * kAssignRegisters;

struct Best {
  __m512 score[kAssignRegisters];
  __m512i id[kAssignRegisters];
};

template <int B>
MAXSIM_INLINE void assignBlock(const int8_t* lanes, const Bias512<kAssignRegisters>& bias, const Codebook& codebook,
                               size_t k, Best& best) {
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

void assignToAll(const Vectors& vectors, const Codebook& codebook, uint32_t* codes) {
  const uint32_t groups = vectors.dim / 4;
  alignas(64) int32_t lanes[kMaxDim / 4 * kAssignLanes];
  alignas(64) int32_t biases[kAssignLanes];
  for (size_t first = 0; first < vectors.count; first += kAssignLanes) {
    const size_t left = vectors.count - first;
    const uint32_t count = left < kAssignLanes ? static_cast<uint32_t>(left) : kAssignLanes;
    for (uint32_t n = 0; n < kAssignLanes; n++) {
      // Lanes without a vector repeat the last one, and their codes are dropped.
      const int8_t* vector = vectors.values + (first + (n < count ? n : count - 1)) * vectors.dim;
      int32_t sum = 0;
      for (uint32_t d = 0; d < vectors.dim; d++) sum += vector[d];
      biases[n] = kDocumentBias * sum;
      for (uint32_t g = 0; g < groups; g++) __builtin_memcpy(lanes + g * kAssignLanes + n, vector + 4 * g, 4);
    }
    const int8_t* query = reinterpret_cast<const int8_t*>(lanes);
    const Bias512<kAssignRegisters> bias(biases);
    Best best;
    for (int v = 0; v < kAssignRegisters; v++) {
      best.score[v] = _mm512_set1_ps(kLowest);
      best.id[v] = _mm512_setzero_si512();
    }
    size_t k = 0;
    for (; k + 4 <= codebook.size; k += 4) assignBlock<4>(query, bias, codebook, k, best);
    for (; k < codebook.size; k++) assignBlock<1>(query, bias, codebook, k, best);
    alignas(64) uint32_t chosen[kAssignLanes];
    for (int v = 0; v < kAssignRegisters; v++) _mm512_store_si512(chosen + 16 * v, best.id[v]);
    __builtin_memcpy(codes + first, chosen, count * sizeof(uint32_t));
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
    int32_t sum = 0;
    for (uint32_t d = 0; d < dim; d++) sum += vector[d];
    bias_ = kDocumentBias * sum;
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
    return _mm512_reduce_add_epi32(sum) - bias_;
  }

 private:
  uint32_t full_;
  __mmask64 tail_;
  int32_t bias_;
  __m512i part_[4];
};

Status assignInRanges(const Vectors& vectors, const Codebook& codebook, const uint32_t* ranges, uint32_t* codes) {
  for (size_t i = 0; i < vectors.count; i++) {
    const size_t first = ranges[2 * i];
    const size_t end = ranges[2 * i + 1];
    if (end > codebook.size) return {Fault::kRange, end, codebook.size};
    if (first >= end) return {Fault::kRange, first, end};
    const RowDot vector(vectors.values + i * vectors.dim, vectors.dim);
    float best = kLowest;
    size_t bestId = first;
    for (size_t k = first; k < end; k++) {
      const float score = static_cast<float>(vector.with(codebook.values + k * codebook.dim)) * codebook.scales[k];
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

const CentroidKernels kCentroidAvx512Vnni = {scores, top, assign};

}  // namespace maxsim
MAXSIM_TARGET_END
#endif
