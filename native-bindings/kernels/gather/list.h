// Decoding of posting lists, a block of passages at a time.
#pragma once

#include "kernels/common/target.h"
#include "kernels/common/types.h"

namespace maxsim {
namespace {

// Passages decoded before any of them is used.
constexpr size_t kBlock = 64;

MAXSIM_INLINE uint64_t eightBytes(const uint8_t* bytes) {
  uint64_t word = 0;
  for (int i = 0; i < 8; i++) word |= uint64_t{bytes[i]} << (8 * i);
  return word;
}

class List {
 public:
  // Passages must be below `passages`.
  List(const uint8_t* begin, const uint8_t* end, size_t passages) : at_(begin), end_(end), passages_(passages) {}

  bool done() const { return at_ == end_; }

  // Decodes the next passages of a list that is not done, ascending; 0 when the list is malformed.
  MAXSIM_INLINE size_t decode(uint32_t (&out)[kBlock]) {
    size_t count = 0;
    repeated_ = false;
    if (first_) {
      // The first passage may be 0, a difference may not.
      first_ = false;
      if (!one(out, count)) return 0;
      repeated_ = false;
    }
    while (count + 4 <= kBlock && end_ - at_ >= 8) {
      if (four(out + count)) {
        count += 4;
      } else if (!one(out, count)) {
        return 0;
      }
    }
    while (count < kBlock && at_ != end_) {
      if (!one(out, count)) return 0;
    }
    // Passages ascend, so that the last one speaks for all.
    return repeated_ || passage_ >= passages_ ? 0 : count;
  }

 private:
  // Four differences out of the next eight bytes; false, and nothing done, when one of them takes more than two bytes.
  // Whether it takes one or two is as good as random: without a branch, all that one waits for is the position.
  MAXSIM_INLINE bool four(uint32_t* out) {
    const uint64_t word = eightBytes(at_);
    uint64_t longer = 0;
    uint64_t passage = passage_;
    uint32_t position = 0;
    bool zero = false;
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
      const uint64_t rest = word >> position;
      const uint64_t two = rest >> 7 & 1;
      const uint64_t delta = (rest & 0x7f) | (rest >> 1 & 0x3f80 & (0 - two));
      longer |= rest & rest >> 8 & 0x80;
      zero |= delta == 0;
      passage += delta;
      out[i] = static_cast<uint32_t>(passage);
      position += 8 + 8 * static_cast<uint32_t>(two);
    }
    if (longer != 0) return false;
    at_ += position / 8;
    repeated_ |= zero;
    passage_ = passage;
    return true;
  }

  // One difference of at most five bytes; false when it does not end.
  MAXSIM_INLINE bool one(uint32_t (&out)[kBlock], size_t& count) {
    uint64_t delta = 0;
    for (unsigned shift = 0;; shift += 7) {
      if (at_ == end_ || shift > 28) return false;
      const uint64_t byte = *at_++;
      delta |= (byte & 0x7f) << shift;
      if (byte <= 0x7f) break;
    }
    repeated_ |= delta == 0;
    passage_ += delta;
    out[count++] = static_cast<uint32_t>(passage_);
    return true;
  }

  const uint8_t* at_;
  const uint8_t* end_;
  uint64_t passages_;
  uint64_t passage_ = 0;
  bool first_ = true;
  bool repeated_ = false;
};

}  // namespace
}  // namespace maxsim
