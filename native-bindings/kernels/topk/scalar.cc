#include "kernels/topk/bounds.h"

namespace maxsim {
namespace {

MAXSIM_INLINE size_t collect(const float* scores, const Bounds& bounds, uint32_t first, uint32_t* positions) {
  size_t count = 0;
  for (uint32_t i = 0; i < kBlock; i++) {
    positions[count] = first + i;
    count += static_cast<size_t>((bounds.all | (scores[i] >= bounds.low)) & !(scores[i] > bounds.high));
  }
  return count;
}

}  // namespace
}  // namespace maxsim

#include "kernels/topk/select.h"

namespace maxsim {

const TopkKernels kTopkScalar = {select};

}  // namespace maxsim
