// The loop over passages that all instruction sets share. Internal linkage: see target.h.
#pragma once

#include "kernels/common/prefetch.h"
#include "kernels/common/target.h"
#include "kernels/common/types.h"

namespace maxsim {
namespace {

// Of a long passage only so much is prefetched; the processor follows the rest by itself.
constexpr size_t kPrefetchLimit = 8192;

// Asks for what is read of the tokens begin .. end - 1 of a passage to come.
template <typename Code>
struct TokensAhead {
  size_t distance;             // passages
  const Code* codes;
  const Residuals* residuals;  // or null
  size_t bytesPerToken;        // of residuals

  MAXSIM_INLINE void operator()(uint32_t begin, uint32_t end) const {
    prefetchItems(codes, 1, begin, end, kPrefetchLimit);
    if (residuals == nullptr) return;
    prefetchItems(residuals->planes, bytesPerToken, begin, end, kPrefetchLimit);
    prefetchItems(residuals->inverseNorms, 1, begin, end, kPrefetchLimit);
  }
};

// Calls run with the pointer to the codes, whichever width they have.
template <typename Run>
MAXSIM_INLINE Status withCodes(const Codes& codes, Run run) {
  return codes.narrow != nullptr ? run(codes.narrow) : run(codes.wide);
}

// Calls score(i, begin, end) for each passage to be scored, i counting from 0, once its offsets and codes are
// known to be in range. Stops at the first fault. Tokens to come are prefetched by `ahead`.
template <typename Code, typename Score>
MAXSIM_INLINE Status forEachPassage(const Passages& passages, const Code* codes, size_t tokens, size_t tableSize,
                                    const TokensAhead<Code>& ahead, Score score) {
  const auto at = [&passages](size_t i) -> size_t {
    return passages.selected == nullptr ? i : passages.selected[i];
  };
  // Offsets are asked for first, because the rest hangs on them.
  const size_t offsetsAhead = 2 * ahead.distance + 2;
  for (size_t i = 0; i < passages.count; i++) {
    if (i + offsetsAhead < passages.count) {
      prefetchItem(passages.offsets, at(i + offsetsAhead));
    }
    if (i + ahead.distance < passages.count && at(i + ahead.distance) < passages.total) {
      const size_t next = at(i + ahead.distance);
      const uint32_t begin = passages.offsets[next];
      const uint32_t end = passages.offsets[next + 1];
      if (begin < end && end <= tokens) ahead(begin, end);
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
