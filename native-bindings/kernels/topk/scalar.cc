#include "kernels/topk/bounds.h"

namespace maxsim {
namespace {

MAXSIM_INLINE uint32_t within(const float* scores, const Bounds& bounds) {
  uint32_t bits = 0;
  for (uint32_t i = 0; i < kBlock; i++) {
    const bool inside = (bounds.all || scores[i] >= bounds.low) && !(scores[i] > bounds.high);
    bits |= static_cast<uint32_t>(inside) << i;
  }
  return bits;
}

}  // namespace
}  // namespace maxsim

#include "kernels/topk/select.h"

namespace maxsim {

const TopkKernels kTopkScalar = {select};

}  // namespace maxsim
