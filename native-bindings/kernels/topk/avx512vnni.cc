#include <cmath>
#include <cstring>

#include "kernels/common/target.h"

#if defined(MAXSIM_X86_64)
#include <immintrin.h>
#include "kernels/topk/api.h"
MAXSIM_TARGET_BEGIN("avx512f,avx512bw,avx512vl,avx512dq,avx2")
#include "kernels/topk/bounds.h"

namespace maxsim {
namespace {

MAXSIM_INLINE uint32_t within(const float* scores, const Bounds& bounds) {
  const __m512 score = _mm512_loadu_ps(scores);
  const uint32_t atLeast = _mm512_cmp_ps_mask(score, _mm512_set1_ps(bounds.low), _CMP_GE_OQ);
  return (atLeast | (bounds.all ? 0xffffu : 0u)) & _mm512_cmp_ps_mask(score, _mm512_set1_ps(bounds.high), _CMP_NGT_UQ);
}

}  // namespace
}  // namespace maxsim

#include "kernels/topk/select.h"

namespace maxsim {

const TopkKernels kTopkAvx512Vnni = {select};

}  // namespace maxsim
MAXSIM_TARGET_END
#endif
