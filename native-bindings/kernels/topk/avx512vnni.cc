#include <cmath>
#include <cstring>

#include "kernels/common/target.h"

#if defined(MAXSIM_X86_64)
#include <immintrin.h>
#include "kernels/topk/api.h"
MAXSIM_TARGET_BEGIN("avx512f,avx512bw,avx512vl,avx512dq,avx2,popcnt")
#include "kernels/common/bits.h"
#include "kernels/topk/bounds.h"

namespace maxsim {
namespace {

MAXSIM_INLINE size_t collect(const float* scores, const Bounds& bounds, uint32_t first, uint32_t* positions) {
  const __m512 score = _mm512_loadu_ps(scores);
  const uint32_t atLeast = _mm512_cmp_ps_mask(score, _mm512_set1_ps(bounds.low), _CMP_GE_OQ) | (bounds.all ? 0xffffu : 0u);
  const uint32_t inside = atLeast & _mm512_cmp_ps_mask(score, _mm512_set1_ps(bounds.high), _CMP_NGT_UQ);
  const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const __m512i all = _mm512_add_epi32(lanes, _mm512_set1_epi32(static_cast<int32_t>(first)));
  // In a register: storing what is compressed takes longer than storing all of it.
  _mm512_storeu_si512(positions, _mm512_maskz_compress_epi32(static_cast<__mmask16>(inside), all));
  return bitCount(inside);
}

}  // namespace
}  // namespace maxsim

#include "kernels/topk/select.h"

namespace maxsim {

const TopkKernels kTopkAvx512Vnni = {select};

}  // namespace maxsim
MAXSIM_TARGET_END
#endif
