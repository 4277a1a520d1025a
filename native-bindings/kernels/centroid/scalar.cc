#include "kernels/centroid/api.h"
#include "kernels/centroid/heap.h"
#include "kernels/common/dot_scalar.h"

namespace maxsim {
namespace {

void scores(const Query& query, const Codebook& codebook, float* out) {
  const WideQuery wide(query);
  for (size_t k = 0; k < codebook.size; k++, out += query.lanes) {
    int32_t dots[kMaxLanes];
    dotRow(query, wide, codebook.values + k * codebook.dim, dots);
    for (uint32_t q = 0; q < query.lanes; q++) out[q] = static_cast<float>(dots[q]) * codebook.scales[k];
  }
}

void top(const Table& table, uint32_t tokens, uint32_t lanes, size_t nprobe, uint32_t* ids, float* best) {
  for (size_t k = 0; k < table.size; k++) {
    const float* row = table.values + k * lanes;
    for (uint32_t q = 0; q < tokens; q++) {
      Heap heap{ids + q * nprobe, best + q * nprobe};
      if (k < nprobe) {
        heap.push(row[q], static_cast<uint32_t>(k), k);
      } else if (row[q] > heap.scores[0]) {
        heap.replaceRoot(row[q], static_cast<uint32_t>(k), nprobe);
      }
    }
  }
  for (uint32_t q = 0; q < tokens; q++) Heap{ids + q * nprobe, best + q * nprobe}.sort(nprobe);
}

Status assign(const Vectors& vectors, const Codebook& codebook, const uint32_t* ranges, uint32_t* codes) {
  const uint32_t dim = vectors.dim;
  for (size_t i = 0; i < vectors.count; i++) {
    const size_t first = ranges == nullptr ? 0 : ranges[2 * i];
    const size_t end = ranges == nullptr ? codebook.size : ranges[2 * i + 1];
    if (end > codebook.size) return {Fault::kRange, end, codebook.size};
    if (first >= end) return {Fault::kRange, first, end};
    const int8_t* vector = vectors.values + i * dim;
    float best = kLowest;
    size_t bestId = first;
    for (size_t k = first; k < end; k++) {
      const uint8_t* centroid = codebook.values + k * dim;
      int32_t dot = 0;
      for (uint32_t d = 0; d < dim; d++) dot += vector[d] * (centroid[d] - kDocumentBias);
      const float score = static_cast<float>(dot) * codebook.scales[k];
      if (score > best) {
        best = score;
        bestId = k;
      }
    }
    codes[i] = static_cast<uint32_t>(bestId);
  }
  return {};
}

}  // namespace

const CentroidKernels kCentroidScalar = {scores, top, assign};

}  // namespace maxsim
