#include "kernels/maxsim/api.h"

#include "kernels/common/target.h"

#if defined(MAXSIM_AARCH64)
#include <arm_neon.h>
#include "kernels/common/dot_neon.h"
#include "kernels/maxsim/neon_kernels.h"

namespace maxsim {

const MaxsimKernels kMaxsimNeon = {approximate, maxsim};

}  // namespace maxsim
#endif
