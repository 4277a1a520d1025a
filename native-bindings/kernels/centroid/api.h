// Nearest centroids: score table, the best of it, assignment of document tokens.
#pragma once

#include "kernels/common/types.h"

namespace maxsim {

struct CentroidKernels {
  // out[k][lane] = f32(dot(query token, centroid k)) * scales[k]; unless `bytes` is null, bytes[k][lane] is that times
  // the query token's scale, in steps of 1 / 255: 0 unless y > 0, else trunc(min(y, 255)), y = x * 255 + 0.5.
  void (*scores)(const Query& query, const Codebook& codebook, float* out, uint8_t* bytes);
  // The `nprobe` best centroids of the first `tokens` lanes, best first, ties to the lower id;
  // ids and scores [tokens][nprobe], 1 <= nprobe <= table.size.
  void (*top)(const Table& table, uint32_t tokens, uint32_t lanes, size_t nprobe, uint32_t* ids, float* scores);
  // codes[i] = argmax_k f32(dot(vector i, centroid k)) * scales[k] over ranges[2 * i] .. ranges[2 * i + 1] - 1,
  // or over all centroids when `ranges` is null; ties to the lower id.
  Status (*assign)(const Vectors& vectors, const Codebook& codebook, const uint32_t* ranges, uint32_t* codes);
};

extern const CentroidKernels kCentroidScalar;
extern const CentroidKernels kCentroidAvx2;
extern const CentroidKernels kCentroidAvx512Vnni;
extern const CentroidKernels kCentroidNeon;
extern const CentroidKernels kCentroidNeonDot;

}  // namespace maxsim
