// Assignment of vectors to centroids in ranges of their own, one pair at a time. Included after the definition of
//   class RowDot    a vector: RowDot(const int8_t* vector, uint32_t dim), int32_t with(const uint8_t* centroid) const
// whose result has the bias of the centroid still in it. Internal linkage: see target.h.
#pragma once

#include "kernels/common/types.h"

namespace maxsim {
namespace {

// What the bias of centroids adds to a dot product with this vector.
[[maybe_unused]] inline int32_t biasOf(const int8_t* vector, uint32_t dim) {
  int32_t sum = 0;
  for (uint32_t d = 0; d < dim; d++) sum += vector[d];
  return kDocumentBias * sum;
}

// `ranges` null: every centroid is a candidate.
Status assignInRanges(const Vectors& vectors, const Codebook& codebook, const uint32_t* ranges, uint32_t* codes) {
  for (size_t i = 0; i < vectors.count; i++) {
    const size_t first = ranges == nullptr ? 0 : ranges[2 * i];
    const size_t end = ranges == nullptr ? codebook.size : ranges[2 * i + 1];
    if (end > codebook.size) return {Fault::kRange, end, codebook.size};
    if (first >= end) return {Fault::kRange, first, end};
    const int8_t* values = vectors.values + i * vectors.dim;
    const RowDot vector(values, vectors.dim);
    const int32_t bias = biasOf(values, vectors.dim);
    float best = kLowest;
    size_t bestId = first;
    for (size_t k = first; k < end; k++) {
      const int32_t dot = vector.with(codebook.values + k * codebook.dim) - bias;
      const float score = static_cast<float>(dot) * codebook.scales[k];
      bestId = score > best ? k : bestId;
      best = score > best ? score : best;
    }
    codes[i] = static_cast<uint32_t>(bestId);
  }
  return {};
}

}  // namespace
}  // namespace maxsim
