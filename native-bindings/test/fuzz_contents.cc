#include "test/fuzz_contents.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

namespace maxsim::fuzz {
namespace {

template <typename Draw>
void each(const Array& array, Draw draw) {
  for (size_t i = 0; i < array.size(); i++) array.set(i, draw(i));
}

}  // namespace

void signedBytes(Random& random, const Shape&, const Array& array) {
  each(array, [&](size_t) { return static_cast<double>(random.below(255)) - 127; });
}
void biasedBytes(Random& random, const Shape&, const Array& array) {
  each(array, [&](size_t) { return static_cast<double>(1 + random.below(127)); });
}
void anyBytes(Random& random, const Shape&, const Array& array) {
  each(array, [&](size_t) { return static_cast<double>(random.below(256)); });
}
void smallIntegers(Random& random, const Shape&, const Array& array) {
  each(array, [&](size_t) { return static_cast<double>(random.below(1 << 20)) - (1 << 19); });
}
void reals(Random& random, const Shape&, const Array& array) {
  const float scale = random.below(8) == 0 ? 1e-41f : random.below(4) == 0 ? 1e20f : 1.0f;
  each(array, [&](size_t) { return random.real(scale); });
}
// Scores to be ranked: spread, whole numbers, neighbours, special values, any bits.
void rankedScores(Random& random, const Shape&, const Array& array) {
  const uint64_t kind = random.below(5);
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  constexpr float kSpecial[] = {0.0f, -0.0f, 1e-45f, -1e-45f, kInfinity, -kInfinity, 1.0f, -1.0f,
                                std::numeric_limits<float>::quiet_NaN()};
  const float base = random.real(100);
  each(array, [&](size_t) -> float {
    const auto word = static_cast<uint32_t>(random.next());
    float any;
    std::memcpy(&any, &word, sizeof any);
    switch (kind) {
      case 0:
        return random.real(30);
      case 1:
        return static_cast<float>(random.below(300));
      case 2:
        return base * (1 + static_cast<float>(random.below(40)) * 6e-8f);
      case 3:
        return kSpecial[random.below(9)];
      default:
        return any;
    }
  });
}
void scales(Random& random, const Shape&, const Array& array) {
  const float scale = random.below(8) == 0 ? 1e-41f : 0.01f;
  each(array, [&](size_t) { return std::fabs(random.real(scale)); });
}
// binary16, finite and not negative.
void halves(Random& random, const Shape&, const Array& array) {
  each(array, [&](size_t) { return static_cast<double>(random.below(0x7c00)); });
}
void codesBelowSize(Random& random, const Shape& shape, const Array& array) {
  each(array, [&](size_t) { return static_cast<double>(random.below(shape.size)); });
}
void passageIds(Random& random, const Shape& shape, const Array& array) {
  each(array, [&](size_t) { return static_cast<double>(random.below(std::max<uint64_t>(shape.passages, 1))); });
}
void ascendingOffsets(Random& random, const Shape& shape, const Array& array) {
  std::vector<double> cuts(array.size());
  for (double& cut : cuts) cut = static_cast<double>(random.below(shape.total + 1));
  std::sort(cuts.begin(), cuts.end());
  if (!cuts.empty()) {
    cuts.front() = 0;
    if (cuts.size() > 1) cuts.back() = static_cast<double>(shape.total);
  }
  each(array, [&](size_t i) { return cuts[i]; });
}
void centroidRanges(Random& random, const Shape& shape, const Array& array) {
  uint64_t first = 0;
  each(array, [&](size_t i) {
    if (i % 2 == 0) return static_cast<double>(first = random.below(shape.size));
    return static_cast<double>(first + 1 + random.below(shape.size - first));
  });
}
void listOffsets(Random&, const Shape& shape, const Array& array) {
  each(array, [&](size_t i) { return static_cast<double>(shape.listOffsets[std::min<size_t>(i, shape.size)]); });
}
void listBytes(Random&, const Shape& shape, const Array& array) {
  each(array, [&](size_t i) { return i < shape.listBytes.size() ? static_cast<double>(shape.listBytes[i]) : 0; });
}
void zeros(Random&, const Shape&, const Array& array) {
  each(array, [](size_t) { return 0.0; });
}
void fewSet(Random& random, const Shape&, const Array& array) {
  each(array, [&](size_t) { return random.below(4) == 0 ? 1.0 + static_cast<double>(random.below(255)) : 0.0; });
}

}  // namespace maxsim::fuzz
