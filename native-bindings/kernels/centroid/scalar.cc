#include "kernels/centroid/api.h"
#include "kernels/common/dot_scalar.h"

namespace maxsim {
namespace {

uint8_t cosineByte(float score, float scale) {
  const float cosine = score * scale;
  const float y = cosine * 255.0f + 0.5f;
  return y > 0 ? static_cast<uint8_t>(y < 255.0f ? y : 255.0f) : 0;
}

void scores(const Query& query, const Codebook& codebook, float* out, uint8_t* bytes) {
  const WideQuery wide(query);
  for (size_t k = 0; k < codebook.size; k++, out += query.lanes) {
    int32_t dots[kMaxLanes];
    dotRow(query, wide, codebook.values + k * codebook.dim, dots);
    for (uint32_t q = 0; q < query.lanes; q++) out[q] = static_cast<float>(dots[q]) * codebook.scales[k];
    if (bytes == nullptr) continue;
    for (uint32_t q = 0; q < query.lanes; q++) *bytes++ = cosineByte(out[q], query.scales[q]);
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
