#include "kernels/maxsim/api.h"

#include "kernels/common/target.h"

#if defined(MAXSIM_NEON_DOT)
#include <arm_neon.h>
MAXSIM_TARGET_BEGIN(MAXSIM_DOTPROD)
#include "kernels/common/dot_neon_dot.h"
#include "kernels/maxsim/neon_kernels.h"

namespace maxsim {

const MaxsimKernels kMaxsimNeonDot = {approximate, maxsim};

}  // namespace maxsim
MAXSIM_TARGET_END
#endif
