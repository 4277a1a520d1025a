#include <cmath>
#include <cstring>

#include "kernels/common/target.h"

#if defined(MAXSIM_X86_64)
#include <immintrin.h>
#include "kernels/topk/api.h"
MAXSIM_TARGET_BEGIN("avx2,popcnt")
#include "kernels/common/bits.h"
#include "kernels/topk/bounds.h"

namespace maxsim {
namespace {

// For each set of 8 lanes, their numbers, one a byte, those in the set first.
struct Compressions {
  uint64_t lanes[256];

  constexpr Compressions() : lanes() {
    for (uint32_t set = 0; set < 256; set++) {
      uint32_t count = 0;
      for (uint64_t lane = 0; lane < 8; lane++) {
        if ((set >> lane & 1) != 0) lanes[set] |= lane << (8 * count++);
      }
    }
  }
};
constexpr Compressions kCompressions;

MAXSIM_INLINE size_t collect(const float* scores, const Bounds& bounds, uint32_t first, uint32_t* positions) {
  const __m256 all = _mm256_castsi256_ps(_mm256_set1_epi32(bounds.all ? -1 : 0));
  size_t count = 0;
  for (uint32_t half = 0; half < 2; half++) {
    const __m256 score = _mm256_loadu_ps(scores + 8 * half);
    const __m256 atLeast = _mm256_or_ps(_mm256_cmp_ps(score, _mm256_set1_ps(bounds.low), _CMP_GE_OQ), all);
    const __m256 inside = _mm256_and_ps(atLeast, _mm256_cmp_ps(score, _mm256_set1_ps(bounds.high), _CMP_NGT_UQ));
    const auto set = static_cast<uint32_t>(_mm256_movemask_ps(inside));
    const __m256i lanes = _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(kCompressions.lanes + set)));
    const __m256i found = _mm256_add_epi32(lanes, _mm256_set1_epi32(static_cast<int32_t>(first + 8 * half)));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(positions + count), found);
    count += bitCount(set);
  }
  return count;
}

}  // namespace
}  // namespace maxsim

#include "kernels/topk/select.h"

namespace maxsim {

const TopkKernels kTopkAvx2 = {select};

}  // namespace maxsim
MAXSIM_TARGET_END
#endif
