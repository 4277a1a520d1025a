// The best centroids of each query token. Included after the definition of
//   uint32_t above(const float* row, const float* limits)    bit i: row[i] > limits[i], of 16 lanes
// which is all that instruction sets differ in. Internal linkage: see target.h.
#pragma once

#include "kernels/centroid/heap.h"
#include "kernels/common/bits.h"

namespace maxsim {
namespace {

void top(const Table& table, uint32_t tokens, uint32_t lanes, size_t nprobe, uint32_t* ids, float* best) {
  // Score that the next entry of a lane has to beat; padding lanes never do.
  alignas(64) float limits[kMaxLanes];
  for (uint32_t q = 0; q < lanes; q++) limits[q] = -kLowest;
  for (uint32_t q = 0; q < tokens; q++) {
    Heap heap{ids + q * nprobe, best + q * nprobe};
    for (size_t k = 0; k < nprobe; k++) heap.push(table.values[k * lanes + q], static_cast<uint32_t>(k), k);
    limits[q] = heap.scores[0];
  }
  for (size_t k = nprobe; k < table.size; k++) {
    const float* row = table.values + k * lanes;
    for (uint32_t tile = 0; tile < lanes; tile += kLaneMultiple) {
      for (uint32_t better = above(row + tile, limits + tile); better != 0; better &= better - 1) {
        const uint32_t q = tile + lowestBit(better);
        Heap heap{ids + q * nprobe, best + q * nprobe};
        heap.replaceRoot(row[q], static_cast<uint32_t>(k), nprobe);
        limits[q] = heap.scores[0];
      }
    }
  }
  for (uint32_t q = 0; q < tokens; q++) Heap{ids + q * nprobe, best + q * nprobe}.sort(nprobe);
}

}  // namespace
}  // namespace maxsim
