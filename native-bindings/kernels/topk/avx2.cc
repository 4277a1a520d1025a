#include <cmath>
#include <cstring>

#include "kernels/common/target.h"

#if defined(MAXSIM_X86_64)
#include <immintrin.h>
#include "kernels/topk/api.h"
MAXSIM_TARGET_BEGIN("avx2")
#include "kernels/topk/bounds.h"

namespace maxsim {
namespace {

MAXSIM_INLINE uint32_t within(const float* scores, const Bounds& bounds) {
  const __m256 all = _mm256_castsi256_ps(_mm256_set1_epi32(bounds.all ? -1 : 0));
  uint32_t bits = 0;
  for (uint32_t half = 0; half < 2; half++) {
    const __m256 score = _mm256_loadu_ps(scores + 8 * half);
    const __m256 atLeast = _mm256_cmp_ps(score, _mm256_set1_ps(bounds.low), _CMP_GE_OQ);
    const __m256 inside = _mm256_and_ps(_mm256_or_ps(atLeast, all),
                                        _mm256_cmp_ps(score, _mm256_set1_ps(bounds.high), _CMP_NGT_UQ));
    bits |= static_cast<uint32_t>(_mm256_movemask_ps(inside)) << (8 * half);
  }
  return bits;
}

}  // namespace
}  // namespace maxsim

#include "kernels/topk/select.h"

namespace maxsim {

const TopkKernels kTopkAvx2 = {select};

}  // namespace maxsim
MAXSIM_TARGET_END
#endif
