// Selection of the highest scores: finds the score at which the limit falls, then writes out what is above it.
// Included after the definition of
//   size_t collect(const float* scores, const Bounds& bounds, uint32_t first, uint32_t* positions)
// which is all that instruction sets differ in: of kBlock scores, first + i for each i whose score is within the bounds, in
// order; it may write kBlock entries and returns how many count. Internal linkage: see target.h.
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

// Scores that are collected before they are looked at, which leaves no branch on single scores.
constexpr size_t kChunk = 1024;

// Calls visit(positions, count) with the positions of the scores that have a key from `low` to `high`, ascending, some at a
// time, until it returns false.
template <typename Visit>
MAXSIM_INLINE void forEachWithin(const float* scores, size_t size, int32_t low, int32_t high, Visit visit) {
  const Bounds bounds(low, high);
  uint32_t positions[kChunk + kBlock];
  for (size_t start = 0; start < size; start += kChunk) {
    const size_t end = size - start < kChunk ? size : start + kChunk;
    size_t count = 0;
    size_t at = start;
    for (; at + kBlock <= end; at += kBlock) {
      count += collect(scores + at, bounds, static_cast<uint32_t>(at), positions + count);
    }
    if (at < end) {
      float rest[kBlock] = {};
      for (size_t i = at; i < end; i++) rest[i - at] = scores[i];
      count += collect(rest, bounds, static_cast<uint32_t>(at), positions + count);
      while (count > 0 && positions[count - 1] >= end) count--;
    }
    if (!visit(positions, count)) return;
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
    forEachWithin(scores, size, border.low, border.high, [&](const uint32_t* positions, size_t some) {
      for (size_t i = 0; i < some; i++) {
        // The last bin takes whatever is higher than expected.
        const uint32_t bin = distance(border.low, keyOf(scores[positions[i]])) >> shift;
        bins[bin < kBins ? bin : kBins - 1]++;
      }
      found += some;
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
  forEachWithin(scores, size, border.low, kHighestKey, [&](const uint32_t* positions, size_t some) {
    for (size_t i = 0; i < some; i++) {
      const bool atBorder = keyOf(scores[positions[i]]) <= border.high;
      const bool take = !atBorder || equal > 0;
      equal -= atBorder && take ? 1 : 0;
      out[taken] = positions[i];
      taken += take ? 1 : 0;
      if (taken == count) return false;
    }
    return true;
  });
}

}  // namespace
}  // namespace maxsim
