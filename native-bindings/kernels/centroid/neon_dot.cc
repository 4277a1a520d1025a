#include "kernels/centroid/api.h"

#include "kernels/common/target.h"

#if defined(MAXSIM_NEON_DOT)
#include <arm_neon.h>
MAXSIM_TARGET_BEGIN(MAXSIM_DOTPROD)
#include "kernels/common/dot_neon_dot.h"
#include "kernels/centroid/neon_kernels.h"

namespace maxsim {

const CentroidKernels kCentroidNeonDot = {scores, top, assign};

}  // namespace maxsim
MAXSIM_TARGET_END
#endif
