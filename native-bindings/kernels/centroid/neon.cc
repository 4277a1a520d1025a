#include "kernels/centroid/api.h"

#include "kernels/common/target.h"

#if defined(MAXSIM_AARCH64)
#include <arm_neon.h>
#include "kernels/common/dot_neon.h"
#include "kernels/centroid/neon_kernels.h"

namespace maxsim {

const CentroidKernels kCentroidNeon = {scores, top, assign};

}  // namespace maxsim
#endif
