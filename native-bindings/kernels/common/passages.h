// The loop over passages that all instruction sets share. Internal linkage: see target.h.
#pragma once

#include "kernels/common/target.h"
#include "kernels/common/types.h"

#if defined(MAXSIM_X86_64)
#include <immintrin.h>
#endif

namespace maxsim {
namespace {

// Prefetch distances in passages: offsets are asked for first, because codes and residuals hang on them.
constexpr size_t kOffsetsAhead = 6;
constexpr size_t kTokensAhead = 2;
// Of a long passage only so much is prefetched; the processor follows the rest by itself.
constexpr uintptr_t kPrefetchLimit = 8192;

MAXSIM_INLINE void prefetchBytes([[maybe_unused]] uintptr_t begin, [[maybe_unused]] uintptr_t bytes) {
#if defined(MAXSIM_X86_64)
  const uintptr_t end = begin + (bytes < kPrefetchLimit ? bytes : kPrefetchLimit);
  for (uintptr_t line = begin & ~uintptr_t{63}; line < end; line += 64) {
    _mm_prefetch(reinterpret_cast<const char*>(line), _MM_HINT_T0);
  }
#endif
}

// Calls run with the pointer to the codes, whichever width they have.
template <typename Run>
MAXSIM_INLINE Status withCodes(const Codes& codes, Run run) {
  return codes.narrow != nullptr ? run(codes.narrow) : run(codes.wide);
}

// Calls score(i, begin, end) for each passage to be scored, i counting from 0, once its offsets and codes are
// known to be in range; `residuals`, of `bytesPerToken` each, are prefetched (null: none). Stops at the first fault.
template <typename Code, typename Score>
MAXSIM_INLINE Status forEachPassage(const Passages& passages, const Code* codes, size_t tokens, size_t tableSize,
                                    const Residuals* residuals, size_t bytesPerToken, Score score) {
  const auto at = [&passages](size_t i) -> size_t {
    return passages.selected == nullptr ? i : passages.selected[i];
  };
  for (size_t i = 0; i < passages.count; i++) {
    if (i + kOffsetsAhead < passages.count) {
      const uintptr_t base = reinterpret_cast<uintptr_t>(passages.offsets);
      prefetchBytes(base + at(i + kOffsetsAhead) * sizeof(uint32_t), sizeof(uint32_t));
    }
    if (i + kTokensAhead < passages.count && at(i + kTokensAhead) < passages.total) {
      const size_t next = at(i + kTokensAhead);
      const uint32_t begin = passages.offsets[next];
      const uint32_t end = passages.offsets[next + 1];
      if (begin < end && end <= tokens) {
        prefetchBytes(reinterpret_cast<uintptr_t>(codes + begin), (end - begin) * sizeof(Code));
        if (residuals != nullptr) {
          const uintptr_t planes = reinterpret_cast<uintptr_t>(residuals->planes);
          prefetchBytes(planes + begin * bytesPerToken, (end - begin) * bytesPerToken);
          prefetchBytes(reinterpret_cast<uintptr_t>(residuals->inverseNorms + begin), (end - begin) * 2);
        }
      }
    }

    const size_t passage = at(i);
    if (passage >= passages.total) return {Fault::kPassage, passage, passages.total};
    const uint32_t begin = passages.offsets[passage];
    const uint32_t end = passages.offsets[passage + 1];
    if (end > tokens) return {Fault::kOffsets, end, tokens};
    if (begin > end) return {Fault::kOffsets, begin, end};
    Code highest = 0;
    for (uint32_t t = begin; t < end; t++) highest = codes[t] > highest ? codes[t] : highest;
    if (highest >= tableSize && begin < end) return {Fault::kCode, highest, tableSize};
    score(i, begin, end);
  }
  return {};
}

// sum_q f32(scales[q] * best[q]) in float64, in order, rounded at the end.
[[maybe_unused]] inline float sumOfBest(const Query& query, const float* best) {
  double sum = 0;
  for (uint32_t q = 0; q < query.tokens; q++) {
    const float scaled = query.scales[q] * best[q];
    sum += static_cast<double>(scaled);
  }
  return static_cast<float>(sum);
}

}  // namespace
}  // namespace maxsim
