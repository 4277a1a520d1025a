#include "kernels/centroid/api.h"
#include "kernels/common/dot_scalar.h"

namespace maxsim {
namespace {

// `row` as cosines in steps of 1 / 255.
void cosineBytes(const float* row, const Query& query, uint8_t* bytes) {
  for (uint32_t tile = 0; tile < query.lanes; tile += kLaneMultiple) {
    // Through integers of the same size, because compilers vectorize that.
    int32_t steps[kLaneMultiple];
    for (uint32_t q = 0; q < kLaneMultiple; q++) {
      const float cosine = row[tile + q] * query.scales[tile + q];
      const float y = cosine * 255.0f + 0.5f;
      const float positive = y > 0.0f ? y : 0.0f;
      steps[q] = static_cast<int32_t>(positive < 255.0f ? positive : 255.0f);
    }
    for (uint32_t q = 0; q < kLaneMultiple; q++) bytes[tile + q] = static_cast<uint8_t>(steps[q]);
  }
}

void scores(const Query& query, const Codebook& codebook, float* out, uint8_t* bytes) {
  const WideQuery wide(query);
  for (size_t k = 0; k < codebook.size; k++, out += query.lanes) {
    int32_t dots[kMaxLanes];
    dotRow(query, wide, codebook.values + k * codebook.dim, dots);
    for (uint32_t q = 0; q < query.lanes; q++) out[q] = static_cast<float>(dots[q]) * codebook.scales[k];
    if (bytes == nullptr) continue;
    cosineBytes(out, query, bytes);
    bytes += query.lanes;
  }
}

uint32_t above(const float* row, const float* limits) {
  uint32_t bits = 0;
  for (uint32_t q = 0; q < kLaneMultiple; q++) bits |= static_cast<uint32_t>(row[q] > limits[q]) << q;
  return bits;
}

class RowDot {
 public:
  RowDot(const int8_t* vector, uint32_t dim) : vector_(vector), dim_(dim) {}

  int32_t with(const uint8_t* centroid) const {
    int32_t dot = 0;
    for (uint32_t d = 0; d < dim_; d++) dot += vector_[d] * centroid[d];
    return dot;
  }

 private:
  const int8_t* vector_;
  uint32_t dim_;
};

}  // namespace
}  // namespace maxsim

#include "kernels/centroid/assign_ranges.h"
#include "kernels/centroid/top.h"

namespace maxsim {

const CentroidKernels kCentroidScalar = {scores, top, assignInRanges};

}  // namespace maxsim
