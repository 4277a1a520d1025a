// What both kinds of NEON kernels need. Internal linkage: see target.h.
#pragma once

#include "kernels/common/types.h"

namespace maxsim {
namespace {

constexpr uint32_t kTile = 16;

// Four bytes of a row in each lane.
[[maybe_unused]] MAXSIM_INLINE int8x16_t fourBytes(const uint8_t* bytes) {
  int32_t word;
  __builtin_memcpy(&word, bytes, sizeof word);
  return vreinterpretq_s8_s32(vdupq_n_s32(word));
}

// The greater one; `best` when that is not smaller or `value` is not a number.
[[maybe_unused]] MAXSIM_INLINE float32x4_t greater(float32x4_t value, float32x4_t best) {
  return vbslq_f32(vcgtq_f32(value, best), value, best);
}

}  // namespace
}  // namespace maxsim
