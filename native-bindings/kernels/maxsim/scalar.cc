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

template <typename Code>
Status approximateCodes(const Query& query, const Table& table, const Code* codes, size_t tokens,
                        const Passages& passages, float* out) {
  return forEachPassage(passages, codes, tokens, table.size, nullptr, 0, [&](size_t i, uint32_t begin, uint32_t end) {
    float best[kMaxLanes];
    for (uint32_t q = 0; q < query.lanes; q++) best[q] = kLowest;
    for (uint32_t t = begin; t < end; t++) {
      const float* scores = table.values + size_t{codes[t]} * query.lanes;
      for (uint32_t q = 0; q < query.lanes; q++) best[q] = scores[q] > best[q] ? scores[q] : best[q];
    }
    out[i] = begin == end ? kLowest : sumOfBest(query, best);
  });
}

template <typename Code>
Status maxsimCodes(const Query& query, const Quantizer& quantizer, const Table& table, const Code* codes,
                   size_t tokens, const Residuals& residuals, const Passages& passages, float* out) {
  const size_t bytes = size_t{query.dim} * quantizer.nbits / 8;
  return forEachPassage(passages, codes, tokens, table.size, &residuals, bytes,
                        [&](size_t i, uint32_t begin, uint32_t end) {
    uint8_t row[kMaxDim];
    float best[kMaxLanes];
    for (uint32_t q = 0; q < query.lanes; q++) best[q] = kLowest;
    for (uint32_t t = begin; t < end; t++) {
      decodeRow(quantizer, residuals.planes + t * bytes, query.dim, row);
      // Unsigned, so that a bias that does not belong to the query wraps around instead of being undefined.
      uint32_t dots[kMaxLanes];
      for (uint32_t q = 0; q < query.lanes; q++) dots[q] = 0u - static_cast<uint32_t>(query.bias[q]);
      const int8_t* group = query.values;
      for (uint32_t d = 0; d < query.dim; d += 4, group += 4 * query.lanes) {
        const int32_t w0 = row[d], w1 = row[d + 1], w2 = row[d + 2], w3 = row[d + 3];
        for (uint32_t q = 0; q < query.lanes; q++) {
          const int8_t* v = group + 4 * q;
          dots[q] += static_cast<uint32_t>(w0 * v[0] + w1 * v[1] + w2 * v[2] + w3 * v[3]);
        }
      }
      const float inverseNorm = fromFloat16(residuals.inverseNorms[t]);
      const float* scores = table.values + size_t{codes[t]} * query.lanes;
      for (uint32_t q = 0; q < query.lanes; q++) {
        const float residual = static_cast<float>(static_cast<int32_t>(dots[q])) * quantizer.weightScale;
        const float v = (residual + scores[q]) * inverseNorm;
        best[q] = v > best[q] ? v : best[q];
      }
    }
    out[i] = begin == end ? kLowest : sumOfBest(query, best);
  });
}

Status approximate(const Query& query, const Table& table, const Codes& codes, const Passages& passages,
                   float* out) {
  return codes.narrow != nullptr ? approximateCodes(query, table, codes.narrow, codes.tokens, passages, out)
                                 : approximateCodes(query, table, codes.wide, codes.tokens, passages, out);
}

Status maxsim(const Query& query, const Quantizer& quantizer, const Table& table, const Codes& codes,
              const Residuals& residuals, const Passages& passages, float* out) {
  return codes.narrow != nullptr
             ? maxsimCodes(query, quantizer, table, codes.narrow, codes.tokens, residuals, passages, out)
             : maxsimCodes(query, quantizer, table, codes.wide, codes.tokens, residuals, passages, out);
}

}  // namespace

const MaxsimKernels kMaxsimScalar = {approximate, maxsim};

}  // namespace maxsim
