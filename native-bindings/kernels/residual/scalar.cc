#include "kernels/residual/api.h"
#include "kernels/residual/compress.h"

namespace maxsim {

const ResidualKernels kResidualScalar = {compressAll};

}  // namespace maxsim
