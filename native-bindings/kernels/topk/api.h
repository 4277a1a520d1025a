// Selection of the highest scores.
#pragma once

#include "kernels/common/types.h"

namespace maxsim {

struct TopkKernels {
  // Positions of the `count` highest of `size` scores, ascending; of equal scores the earlier position is taken first,
  // -0 equals 0, and NaN counts as -Infinity. count <= size; `out` has room for `count`.
  void (*select)(const float* scores, size_t size, size_t count, uint32_t* out);
};

extern const TopkKernels kTopkScalar;
extern const TopkKernels kTopkAvx2;
extern const TopkKernels kTopkAvx512Vnni;

}  // namespace maxsim
