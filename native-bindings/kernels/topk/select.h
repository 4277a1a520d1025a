// Selection of the highest scores: finds the score at which the limit falls, then writes out what is above it.
// Included after the definition of
//   uint32_t within(const float* scores, const Bounds& bounds)    bit i: scores[i] is within the bounds, of 16 scores
// which is all that instruction sets differ in. Internal linkage: see target.h.
#pragma once

#include <cmath>

#include "kernels/common/bits.h"
#include "kernels/topk/api.h"
#include "kernels/topk/bounds.h"

namespace maxsim {
namespace {

constexpr uint32_t kBinBits = 11;
constexpr uint32_t kBins = 1u << kBinBits;
// Scores that a first guess is made from.
constexpr uint32_t kSample = 1024;
// Fewer scores than this are not worth a guess.
constexpr size_t kGuessed = 4096;

// Keys from `low` to `high`, of which the limit takes some; `above` scores have higher keys. Nothing is expected above
// `top`, which may be lower than `high`.
struct Border {
  int32_t low;
  int32_t top;
  int32_t high;
  size_t above;
};

// Calls visit(position, key) for each score with a key from `low` to `high`, in order, until it returns false.
template <typename Visit>
MAXSIM_INLINE void forEachWithin(const float* scores, size_t size, int32_t low, int32_t high, Visit visit) {
  const Bounds bounds(low, high);
  float rest[kBlock];
  for (size_t first = 0; first < size; first += kBlock) {
    const float* block = scores + first;
    uint32_t valid = 0xffff;
    if (size - first < kBlock) {
      for (size_t i = 0; i < kBlock; i++) rest[i] = first + i < size ? block[i] : 0;
      block = rest;
      valid = (1u << (size - first)) - 1;
    }
    for (uint32_t bits = within(block, bounds) & valid; bits != 0; bits &= bits - 1) {
      const uint32_t i = lowestBit(bits);
      if (!visit(static_cast<uint32_t>(first) + i, keyOf(block[i]))) return;
    }
  }
}

// Narrows a border until the limit takes all of it, or all of it is equal.
Border narrow(const float* scores, size_t size, size_t count, Border border) {
  uint32_t bins[kBins];
  for (;;) {
    const uint32_t bits = bitWidth(distance(border.low, border.top));
    const uint32_t shift = bits > kBinBits ? bits - kBinBits : 0;
    for (uint32_t& bin : bins) bin = 0;
    size_t found = 0;
    forEachWithin(scores, size, border.low, border.high, [&](uint32_t, int32_t key) {
      // The last bin takes whatever is higher than expected.
      const uint32_t bin = distance(border.low, key) >> shift;
      bins[bin < kBins ? bin : kBins - 1]++;
      found++;
      return true;
    });
    if (border.above + found < count) {
      // A guess that was too high.
      const int32_t high = border.low - 1;
      border = {kLowestKey, high, high, border.above + found};
      continue;
    }
    uint32_t bin = kBins - 1;
    while (border.above + bins[bin] < count) border.above += bins[bin--];
    const int32_t low = keyAt(border.low, bin << shift);
    const int32_t last = keyAt(low, (1u << shift) - 1);
    if (bin < kBins - 1 && last < border.high) border.high = last;
    border.low = low;
    border.top = border.high;
    if (border.low == border.high || border.above + bins[bin] == count) return border;
  }
}

Border findBorder(const float* scores, size_t size, size_t count) {
  const Border all{kLowestKey, kHighestKey, kHighestKey, 0};
  if (size < kGuessed) return narrow(scores, size, count, all);
  // The guess comes from a few scores: three standard deviations below the rank that is expected, so that it is rarely
  // too high.
  float sample[kSample];
  const size_t step = size / kSample;
  int32_t top = kLowestKey;
  for (size_t i = 0; i < kSample; i++) {
    sample[i] = scores[i * step];
    const int32_t key = keyOf(sample[i]);
    top = key > top ? key : top;
  }
  const double rank = static_cast<double>(count) * kSample / static_cast<double>(size);
  const auto safe = static_cast<size_t>(rank + 3 * std::sqrt(rank)) + 2;
  if (safe >= kSample) return narrow(scores, size, count, all);
  return narrow(scores, size, count, {narrow(sample, kSample, safe, all).low, top, kHighestKey, 0});
}

void select(const float* scores, size_t size, size_t count, uint32_t* out) {
  if (count == 0) return;
  if (count == size) {
    for (size_t i = 0; i < size; i++) out[i] = static_cast<uint32_t>(i);
    return;
  }
  const Border border = findBorder(scores, size, count);
  size_t equal = count - border.above;
  size_t taken = 0;
  forEachWithin(scores, size, border.low, kHighestKey, [&](uint32_t position, int32_t key) {
    const bool atBorder = key <= border.high;
    const bool take = !atBorder || equal > 0;
    equal -= atBorder && take ? 1 : 0;
    out[taken] = position;
    taken += take ? 1 : 0;
    return taken < count;
  });
}

}  // namespace
}  // namespace maxsim
