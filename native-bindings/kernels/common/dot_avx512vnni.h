// Dot products of B biased document rows with 16 * V query tokens. One broadcast of four document bytes meets V
// registers of query bytes, so a register of results holds 16 query tokens of one row and nothing is summed
// across a register. B * V accumulators hide the latency of vpdpbusd. Internal linkage: see target.h.
#pragma once

#include "kernels/common/types.h"

namespace maxsim {
namespace {

template <int V>
struct Registers {
  constexpr int operator()() const { return V; }
};

// Calls run(Registers<V>) for the V registers that hold `lanes` query tokens.
template <typename Run>
MAXSIM_INLINE auto withRegisters(uint32_t lanes, Run run) {
  switch (lanes / 16) {
    case 1: return run(Registers<1>());
    case 2: return run(Registers<2>());
    case 3: return run(Registers<3>());
    default: return run(Registers<4>());
  }
}

template <int V>
struct Bias512 {
  __m512i start[V];  // -bias of each query token

  MAXSIM_INLINE explicit Bias512(const int32_t* bias) {
    for (int v = 0; v < V; v++) start[v] = _mm512_sub_epi32(_mm512_setzero_si512(), _mm512_loadu_si512(bias + 16 * v));
  }
};

MAXSIM_INLINE int32_t fourBytes(const uint8_t* bytes) {
  int32_t word;
  __builtin_memcpy(&word, bytes, sizeof word);
  return word;
}

// acc[b][v] = dot of row b with query tokens 16 * v .. 16 * v + 15; row b starts at rows + b * stride.
template <int V, int B>
MAXSIM_INLINE void dotBlock512(const uint8_t* rows, size_t stride, const int8_t* query, uint32_t groups,
                               const Bias512<V>& bias, __m512i (&acc)[B][V]) {
#pragma GCC unroll 16
  for (int b = 0; b < B; b++) {
#pragma GCC unroll 4
    for (int v = 0; v < V; v++) acc[b][v] = bias.start[v];
  }
  for (uint32_t g = 0; g < groups; g++) {
    __m512i q[V];
#pragma GCC unroll 4
    for (int v = 0; v < V; v++) q[v] = _mm512_loadu_si512(query + (size_t{g} * V + v) * 64);
#pragma GCC unroll 16
    for (int b = 0; b < B; b++) {
      const __m512i d = _mm512_set1_epi32(fourBytes(rows + b * stride + g * 4));
#pragma GCC unroll 4
      for (int v = 0; v < V; v++) acc[b][v] = _mm512_dpbusd_epi32(acc[b][v], d, q[v]);
    }
  }
}

}  // namespace
}  // namespace maxsim
