// Scores as integers in the same order, and bounds between which scores are looked for. Internal linkage: see target.h.
#pragma once

#include <cstring>

#include "kernels/common/target.h"
#include "kernels/common/types.h"

namespace maxsim {
namespace {

// Scores compared at a time.
constexpr size_t kBlock = 16;

// Ascends with the score; the same for -0 and 0, and for -Infinity and NaN.
MAXSIM_INLINE int32_t keyOf(float score) {
  // Adding 0 turns -0 into 0 and nothing else.
  const float canonical = score > kLowest ? score + 0.0f : kLowest;
  int32_t bits;
  std::memcpy(&bits, &canonical, sizeof bits);
  return bits ^ ((bits >> 31) & 0x7fffffff);
}

constexpr int32_t kLowestKey = static_cast<int32_t>(0x807fffff);   // of -Infinity
constexpr int32_t kHighestKey = 0x7f800000;                        // of Infinity
constexpr int32_t kMinusZeroKey = -1;                              // would be that of -0

MAXSIM_INLINE uint32_t distance(int32_t low, int32_t key) {
  return static_cast<uint32_t>(key) - static_cast<uint32_t>(low);
}

MAXSIM_INLINE int32_t keyAt(int32_t low, uint32_t distance) {
  return static_cast<int32_t>(static_cast<uint32_t>(low) + distance);
}

// A score is within when (all or score >= low) and not score > high: with `all`, so is NaN.
struct Bounds {
  float low;
  float high;
  bool all;

  // No score has the key of -0; as a float it would compare like 0, which has another key.
  Bounds(int32_t lowKey, int32_t highKey)
      : low(scoreOf(lowKey == kMinusZeroKey ? 0 : lowKey)),
        high(scoreOf(highKey == kMinusZeroKey ? kMinusZeroKey - 1 : highKey)),
        all(lowKey == kLowestKey) {}

 private:
  static float scoreOf(int32_t key) {
    const int32_t bits = key ^ ((key >> 31) & 0x7fffffff);
    float score;
    std::memcpy(&score, &bits, sizeof score);
    return score;
  }
};

}  // namespace
}  // namespace maxsim
