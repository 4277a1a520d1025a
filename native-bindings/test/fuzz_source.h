// Where a fuzzed call comes from: the choices are bytes of libFuzzer, the bulk of the data is drawn from seeds among
// them, so that a short input describes a large call and a changed byte changes one thing.
#pragma once

#include <cstddef>
#include <cstdint>

namespace maxsim::fuzz {

// splitmix64 (public domain algorithm of Sebastiano Vigna).
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  // bound > 0.
  uint64_t below(uint64_t bound) { return next() % bound; }
  // -scale .. scale.
  float real(float scale) { return scale * (static_cast<float>(next() >> 40) / 8388608.0f - 1.0f); }

 private:
  uint64_t state_;
};

// The choices of one call. Beyond its end every byte is 0, which always stands for the plainest choice.
class Source {
 public:
  Source(const uint8_t* data, size_t size) : data_(data), size_(size) {}
  bool empty() const { return position_ >= size_; }
  uint8_t byte() { return empty() ? 0 : data_[position_++]; }
  uint32_t word() {
    uint32_t value = byte();
    value |= uint32_t{byte()} << 8;
    value |= uint32_t{byte()} << 16;
    return value | uint32_t{byte()} << 24;
  }
  // 0 .. bound - 1, bound at most 65536; one byte where it suffices.
  uint32_t below(uint32_t bound) {
    if (bound <= 1) return 0;
    if (bound <= 256) return byte() % bound;
    const uint32_t low = byte();
    return (low | uint32_t{byte()} << 8) % bound;
  }
  // True for one byte in n; false beyond the end.
  bool oneIn(uint32_t n) { return byte() % n == n - 1; }

 private:
  const uint8_t* data_;
  size_t size_;
  size_t position_ = 0;
};

}  // namespace maxsim::fuzz
