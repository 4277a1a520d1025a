#include "kernels/residual/api.h"

#include <cmath>
#include <cstring>

#include "kernels/common/target.h"

#if defined(MAXSIM_X86_64)
MAXSIM_TARGET_BEGIN("avx2")
#include "kernels/residual/compress.h"

namespace maxsim {

const ResidualKernels kResidualAvx2 = {compressAll};

}  // namespace maxsim
MAXSIM_TARGET_END
#endif
