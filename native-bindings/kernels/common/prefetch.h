// Prefetching. Addresses need not be valid. GCC 12 drops a call that only prefetches unless it is always inlined, as the
// calls of lambdas are not. Internal linkage: see target.h.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/common/target.h"

#if defined(MAXSIM_X86_64)
#include <immintrin.h>
#endif

namespace maxsim {
namespace {

// The cache line at an address.
MAXSIM_INLINE void prefetchLine([[maybe_unused]] uintptr_t address) {
#if defined(MAXSIM_X86_64)
  _mm_prefetch(reinterpret_cast<const char*>(address), _MM_HINT_T0);
#elif defined(__GNUC__)
  __builtin_prefetch(reinterpret_cast<const char*>(address));
#endif
}

// Items begin .. end - 1 of an array, of `size` elements each, but of `limit` bytes at most.
template <typename T>
MAXSIM_INLINE void prefetchItems(const T* items, size_t size, size_t begin, size_t end, size_t limit) {
  const uintptr_t bytesPerItem = size * sizeof(T);
  const uintptr_t first = reinterpret_cast<uintptr_t>(items) + begin * bytesPerItem;
  const uintptr_t bytes = (end - begin) * bytesPerItem;
  const uintptr_t last = first + (bytes < limit ? bytes : limit);
  for (uintptr_t line = first & ~uintptr_t{63}; line < last; line += 64) prefetchLine(line);
}

template <typename T>
MAXSIM_INLINE void prefetchItem(const T* items, size_t item) {
  prefetchLine(reinterpret_cast<uintptr_t>(items) + item * sizeof(T));
}

}  // namespace
}  // namespace maxsim
