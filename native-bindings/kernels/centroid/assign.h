// Assignment of vectors to centroids, where vectors take the place of query tokens when every centroid is a candidate.
// Included after the definition of
//   class RowDot                           see assign_ranges.h
//   uint32_t kAssignLanes, kAssignBlock    vectors and centroids at a time
//   type AssignBias                        made from int32_t[kAssignLanes], the bias of each vector
//   class Best                             score and id of the best centroid of each vector so far; store(ids)
//   void assignBlock<B>(lanes, bias, codebook, k, best)    B centroids from k on
// Internal linkage: see target.h.
#pragma once

#include "kernels/centroid/assign_ranges.h"

namespace maxsim {
namespace {

void assignToAll(const Vectors& vectors, const Codebook& codebook, uint32_t* codes) {
  const uint32_t groups = vectors.dim / 4;
  alignas(64) int32_t lanes[kMaxDim / 4 * kAssignLanes];
  alignas(64) int32_t biases[kAssignLanes];
  alignas(64) uint32_t chosen[kAssignLanes];
  for (size_t first = 0; first < vectors.count; first += kAssignLanes) {
    const size_t left = vectors.count - first;
    const uint32_t count = left < kAssignLanes ? static_cast<uint32_t>(left) : kAssignLanes;
    for (uint32_t n = 0; n < kAssignLanes; n++) {
      // Lanes without a vector repeat the last one, and their codes are dropped.
      const int8_t* vector = vectors.values + (first + (n < count ? n : count - 1)) * vectors.dim;
      biases[n] = biasOf(vector, vectors.dim);
      for (uint32_t g = 0; g < groups; g++) __builtin_memcpy(lanes + g * kAssignLanes + n, vector + 4 * g, 4);
    }
    const int8_t* query = reinterpret_cast<const int8_t*>(lanes);
    const AssignBias bias(biases);
    Best best;
    size_t k = 0;
    for (; k + kAssignBlock <= codebook.size; k += kAssignBlock) {
      assignBlock<kAssignBlock>(query, bias, codebook, k, best);
    }
    for (; k < codebook.size; k++) assignBlock<1>(query, bias, codebook, k, best);
    best.store(chosen);
    __builtin_memcpy(codes + first, chosen, count * sizeof(uint32_t));
  }
}

Status assign(const Vectors& vectors, const Codebook& codebook, const uint32_t* ranges, uint32_t* codes) {
  if (ranges != nullptr) return assignInRanges(vectors, codebook, ranges, codes);
  assignToAll(vectors, codebook, codes);
  return {};
}

}  // namespace
}  // namespace maxsim
