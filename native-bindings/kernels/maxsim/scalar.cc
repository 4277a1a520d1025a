#include <cstring>

#include "kernels/common/dot_scalar.h"
#include "kernels/common/float16.h"
#include "kernels/common/passages.h"
#include "kernels/maxsim/api.h"

namespace maxsim {
namespace {

// Unpacks one token's planar residual to biased weights, u8 [dim].
void decodeRow(const Quantizer& quantizer, const uint8_t* packed, uint32_t dim, uint8_t* row) {
  const uint32_t bytes = dim * quantizer.nbits / 8;
  const uint32_t mask = (1u << quantizer.nbits) - 1;
  for (uint32_t shift = 0; shift < 8; shift += quantizer.nbits) {
    for (uint32_t i = 0; i < bytes; i++) *row++ = quantizer.weights[(packed[i] >> shift) & mask];
  }
}

template <int V>
class ByteMaxima {
 public:
  void take(const uint8_t* row) {
    // Copies cannot overlap, which lets compilers vectorize the loop.
    uint8_t lanes[16 * V];
    std::memcpy(lanes, row, sizeof lanes);
    if constexpr (V == 1) {
      // GCC 12 unrolls 16 of them before it thinks of vectors.
#pragma GCC unroll 1
      for (int q = 0; q < 16; q++) lanes_[q] = lanes[q] > lanes_[q] ? lanes[q] : lanes_[q];
    } else {
      for (int q = 0; q < 16 * V; q++) lanes_[q] = lanes[q] > lanes_[q] ? lanes[q] : lanes_[q];
    }
  }

  uint32_t sum() const {
    uint32_t sum = 0;
    for (int q = 0; q < 16 * V; q++) sum += lanes_[q];
    return sum;
  }

 private:
  uint8_t lanes_[16 * V] = {};
};

template <typename Code>
Status maxsimCodes(const Query& query, const Quantizer& quantizer, const Table& table, const Code* codes,
                   size_t tokens, const Residuals& residuals, const Passages& passages, float* out) {
  const size_t bytes = size_t{query.dim} * quantizer.nbits / 8;
  const WideQuery wide(query);
  const TokensAhead<Code> ahead{2, codes, &residuals, bytes};
  return forEachPassage(passages, codes, tokens, table.size, ahead, [&](size_t i, uint32_t begin, uint32_t end) {
    uint8_t row[kMaxDim];
    float best[kMaxLanes];
    for (uint32_t q = 0; q < query.lanes; q++) best[q] = kLowest;
    for (uint32_t t = begin; t < end; t++) {
      decodeRow(quantizer, residuals.planes + t * bytes, query.dim, row);
      int32_t dots[kMaxLanes];
      dotRow(query, wide, row, dots);
      const float inverseNorm = fromFloat16(residuals.inverseNorms[t]);
      const float* scores = table.values + size_t{codes[t]} * query.lanes;
      for (uint32_t q = 0; q < query.lanes; q++) {
        const float residual = static_cast<float>(dots[q]) * quantizer.weightScale;
        const float v = (residual + scores[q]) * inverseNorm;
        best[q] = v > best[q] ? v : best[q];
      }
    }
    out[i] = begin == end ? kLowest : sumOfBest(query, best);
  });
}

Status maxsim(const Query& query, const Quantizer& quantizer, const Table& table, const Codes& codes,
              const Residuals& residuals, const Passages& passages, float* out) {
  return withCodes(codes, [&](auto* first) {
    return maxsimCodes(query, quantizer, table, first, codes.tokens, residuals, passages, out);
  });
}

}  // namespace
}  // namespace maxsim

#include "kernels/maxsim/approximate.h"

namespace maxsim {

const MaxsimKernels kMaxsimScalar = {approximate, maxsim};

}  // namespace maxsim
