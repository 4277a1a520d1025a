// Centroid interaction on the byte table. Included after the definition of
//   template <int V> class ByteMaxima    lane by lane the greatest bytes so far, at first 0, of 16 * V lanes:
//                                        void take(const uint8_t* row), uint32_t sum() const
// which is all that instruction sets differ in. Internal linkage: see target.h.
#pragma once

#include "kernels/common/passages.h"
#include "kernels/maxsim/api.h"

namespace maxsim {
namespace {

template <int V, typename Code>
Status approximateLanes(const ByteTable& table, const Code* codes, size_t tokens, const Passages& passages,
                        float* out) {
  const TokensAhead<Code> ahead{6, codes, nullptr, 0};
  return forEachPassage(passages, codes, tokens, table.size, ahead, [&](size_t i, uint32_t begin, uint32_t end) {
    ByteMaxima<V> maxima;
    for (uint32_t t = begin; t < end; t++) maxima.take(table.rows + size_t{codes[t]} * (16 * V));
    out[i] = begin == end ? kLowest : static_cast<float>(maxima.sum());
  });
}

Status approximate(const ByteTable& table, const Codes& codes, const Passages& passages, float* out) {
  return withCodes(codes, [&](auto* first) {
    switch (table.lanes / kLaneMultiple) {
      case 1: return approximateLanes<1>(table, first, codes.tokens, passages, out);
      case 2: return approximateLanes<2>(table, first, codes.tokens, passages, out);
      case 3: return approximateLanes<3>(table, first, codes.tokens, passages, out);
      default: return approximateLanes<4>(table, first, codes.tokens, passages, out);
    }
  });
}

}  // namespace
}  // namespace maxsim
