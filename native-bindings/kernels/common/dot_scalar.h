// Dot products without intrinsics, in a form that compilers vectorize for any baseline: 16 query tokens side by
// side, two products added in 16 bits (127 * 127 * 2 = 32258 fits) and widened. Internal linkage: see target.h.
#pragma once

#include "kernels/common/target.h"
#include "kernels/common/types.h"

namespace maxsim {
namespace {

// The query as i16 [lanes / 16][dim][16].
struct WideQuery {
  int16_t values[kMaxLanes * kMaxDim];

  explicit WideQuery(const Query& query) {
    int16_t* out = values;
    for (uint32_t tile = 0; tile < query.lanes; tile += kLaneMultiple) {
      for (uint32_t d = 0; d < query.dim; d++) {
        const int8_t* group = query.values + (size_t{d / 4} * query.lanes + tile) * 4 + d % 4;
        for (uint32_t q = 0; q < kLaneMultiple; q++) *out++ = group[4 * q];
      }
    }
  }
};

// dots[q] = sum_d query[q][d] * row[d] - bias[q]. Not inlined: GCC 12 vectorizes it worse inside some callers.
MAXSIM_NOINLINE void dotRow(const Query& query, const WideQuery& wide, const uint8_t* row, int32_t* dots) {
  const int16_t* values = wide.values;
  for (uint32_t tile = 0; tile < query.lanes; tile += kLaneMultiple) {
    // Unsigned, so that a bias that does not belong to the query wraps around instead of being undefined.
    uint32_t sums[kLaneMultiple];
    for (uint32_t q = 0; q < kLaneMultiple; q++) sums[q] = 0u - static_cast<uint32_t>(query.bias[tile + q]);
    for (uint32_t d = 0; d < query.dim; d += 2, values += 2 * kLaneMultiple) {
      const int16_t a = row[d];
      const int16_t b = row[d + 1];
      int16_t pairs[kLaneMultiple];
      for (uint32_t q = 0; q < kLaneMultiple; q++) {
        pairs[q] = static_cast<int16_t>(a * values[q] + b * values[kLaneMultiple + q]);
      }
      for (uint32_t q = 0; q < kLaneMultiple; q++) sums[q] += static_cast<uint32_t>(int32_t{pairs[q]});
    }
    for (uint32_t q = 0; q < kLaneMultiple; q++) dots[tile + q] = static_cast<int32_t>(sums[q]);
  }
}

}  // namespace
}  // namespace maxsim
