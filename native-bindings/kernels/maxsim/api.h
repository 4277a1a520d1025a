// MaxSim over compressed tokens, and its approximation by centroid scores alone.
#pragma once

#include "kernels/common/types.h"

namespace maxsim {

struct MaxsimKernels {
  // out[i] = sum_q max_t table[codes[t]][q], an exact integer; -Infinity for a passage without tokens.
  Status (*approximate)(const ByteTable& table, const Codes& codes, const Passages& passages, float* out);
  // out[i] = sum_q scales[q] * max_t (dot(q, w_t) * weightScale + table[codes[t]][q]) * inverseNorm_t.
  Status (*maxsim)(const Query& query, const Quantizer& quantizer, const Table& table, const Codes& codes,
                   const Residuals& residuals, const Passages& passages, float* out);
};

extern const MaxsimKernels kMaxsimScalar;
extern const MaxsimKernels kMaxsimAvx2;
extern const MaxsimKernels kMaxsimAvx512Vnni;
extern const MaxsimKernels kMaxsimNeon;
extern const MaxsimKernels kMaxsimNeonDot;

}  // namespace maxsim
