// Quantization of residuals. Decoding is a part of the maxsim family, where it is fused with the dot product.
#pragma once

#include "kernels/common/types.h"

namespace maxsim {

struct ResidualKernels {
  // Packs the residual of each vector against centroid codes[i]: planes [count][dim * nbits / 8] and binary16
  // inverse norms [count] of what the token decodes to.
  Status (*compress)(const Vectors& vectors, const Codebook& codebook, const Quantizer& quantizer,
                     const uint32_t* codes, uint8_t* planes, uint16_t* inverseNorms);
};

extern const ResidualKernels kResidualScalar;
extern const ResidualKernels kResidualAvx2;
extern const ResidualKernels kResidualAvx512Vnni;

}  // namespace maxsim
