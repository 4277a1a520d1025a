#include "addon/call.h"
#include "addon/functions.h"
#include "dispatch/table.h"

namespace maxsim {

napi_value compress(napi_env env, napi_callback_info info) {
  Call call(env, info);
  const Vectors vectors = call.vectors();
  const Codebook codebook = call.codebook(vectors.dim);
  const Quantizer quantizer = call.quantizer(true);
  const uint64_t bytes = uint64_t{vectors.dim} * quantizer.nbits / 8;
  const uint32_t* codes = call.room<uint32_t>("codes", vectors.count);
  uint8_t* planes = call.room<uint8_t>("residuals", vectors.count * bytes);
  uint16_t* inverseNorms = call.room<uint16_t>("inverseNorms", vectors.count);
  if (call.ok()) {
    call.report(activeKernels().residual->compress(vectors, codebook, quantizer, codes, planes, inverseNorms));
  }
  return nullptr;
}

}  // namespace maxsim
