// The whole of `compress`, written so that compilers vectorize its loops; every instruction set compiles this
// one text with its own options, and no operation is reordered or fused, so the results are the same bits.
// Internal linkage: see target.h.
#pragma once

#include <cmath>

#include "kernels/common/float16.h"
#include "kernels/common/types.h"

namespace maxsim {
namespace {

constexpr double kSmallestNorm = 1e-12;
constexpr double kLargestFloat16 = 65504;

// Scratch of one token.
struct Decoded {
  float centroid[kMaxDim];
  float residual[kMaxDim];
  int32_t buckets[kMaxDim];
};

// Bucket of each dimension: the number of cutoffs strictly below the residual.
inline void chooseBuckets(const int8_t* vector, float scale, const uint8_t* centroid, float centroidScale,
                          const Quantizer& quantizer, uint32_t dim, Decoded& token) {
  for (uint32_t d = 0; d < dim; d++) {
    const float x = static_cast<float>(vector[d]) * scale;
    const float c = static_cast<float>(centroid[d] - kDocumentBias) * centroidScale;
    token.centroid[d] = c;
    token.residual[d] = x - c;
    token.buckets[d] = 0;
  }
  const uint32_t cutoffs = (1u << quantizer.nbits) - 1;
  for (uint32_t j = 0; j < cutoffs; j++) {
    const float cutoff = quantizer.cutoffs[j];
    for (uint32_t d = 0; d < dim; d++) token.buckets[d] += cutoff < token.residual[d] ? 1 : 0;
  }
}

// 1 / |centroid + decoded residual| as binary16.
inline uint16_t inverseNorm(const Decoded& token, const float* decodedWeights, uint32_t dim) {
  double squares = 0;
  for (uint32_t d = 0; d < dim; d++) {
    const float y = token.centroid[d] + decodedWeights[token.buckets[d]];
    squares += static_cast<double>(y) * static_cast<double>(y);
  }
  const double norm = std::sqrt(squares);
  const double inverse = 1.0 / (norm < kSmallestNorm ? kSmallestNorm : norm);
  return toFloat16(static_cast<float>(inverse > kLargestFloat16 ? kLargestFloat16 : inverse));
}

// Slot s of byte i holds dimension i + s * bytes.
inline void packPlanes(const Decoded& token, uint32_t nbits, uint32_t bytes, uint8_t* planes) {
  for (uint32_t i = 0; i < bytes; i++) planes[i] = static_cast<uint8_t>(token.buckets[i]);
  for (uint32_t slot = 1; slot < 8 / nbits; slot++) {
    const int32_t* buckets = token.buckets + slot * bytes;
    const uint32_t shift = slot * nbits;
    for (uint32_t i = 0; i < bytes; i++) planes[i] |= static_cast<uint8_t>(buckets[i] << shift);
  }
}

inline Status compressAll(const Vectors& vectors, const Codebook& codebook, const Quantizer& quantizer,
                          const uint32_t* codes, uint8_t* planes, uint16_t* inverseNorms) {
  const uint32_t dim = vectors.dim;
  const uint32_t bytes = dim * quantizer.nbits / 8;
  float decodedWeights[16];
  for (uint32_t b = 0; b < (1u << quantizer.nbits); b++) {
    decodedWeights[b] = static_cast<float>(quantizer.weights[b] - kDocumentBias) * quantizer.weightScale;
  }
  Decoded token;
  for (size_t i = 0; i < vectors.count; i++) {
    const size_t code = codes[i];
    if (code >= codebook.size) return {Fault::kCode, code, codebook.size};
    chooseBuckets(vectors.values + i * dim, vectors.scales[i], codebook.values + code * dim, codebook.scales[code],
                  quantizer, dim, token);
    packPlanes(token, quantizer.nbits, bytes, planes + i * bytes);
    inverseNorms[i] = inverseNorm(token, decodedWeights, dim);
  }
  return {};
}

}  // namespace
}  // namespace maxsim
