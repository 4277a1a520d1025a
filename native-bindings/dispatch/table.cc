#include "dispatch/table.h"

#include <atomic>
#include <cstring>

#include "dispatch/cpu.h"
#include "kernels/common/target.h"

namespace maxsim {
namespace {

#if defined(MAXSIM_X86_64)
constexpr Kernels kAll[] = {
    {"avx512vnni", &kMaxsimAvx512Vnni, &kCentroidAvx512Vnni, &kResidualAvx512Vnni, &kTopkAvx512Vnni, &kGatherScalar},
    {"avx2", &kMaxsimAvx2, &kCentroidAvx2, &kResidualAvx2, &kTopkAvx2, &kGatherScalar},
    {"scalar", &kMaxsimScalar, &kCentroidScalar, &kResidualScalar, &kTopkScalar, &kGatherScalar},
};
#elif defined(MAXSIM_AARCH64)
// Quantizing residuals is the scalar text: compilers vectorize it for the baseline, which has NEON.
constexpr Kernels kAll[] = {
#if defined(MAXSIM_NEON_DOT)
    {"neondot", &kMaxsimNeonDot, &kCentroidNeonDot, &kResidualScalar, &kTopkScalar, &kGatherScalar},
#endif
    {"neon", &kMaxsimNeon, &kCentroidNeon, &kResidualScalar, &kTopkScalar, &kGatherScalar},
    {"scalar", &kMaxsimScalar, &kCentroidScalar, &kResidualScalar, &kTopkScalar, &kGatherScalar},
};
#else
constexpr Kernels kAll[] = {
    {"scalar", &kMaxsimScalar, &kCentroidScalar, &kResidualScalar, &kTopkScalar, &kGatherScalar},
};
#endif
constexpr size_t kCount = sizeof kAll / sizeof kAll[0];

std::atomic<const Kernels*> forced{nullptr};

}  // namespace

KernelList availableKernels() {
  // Each set implies the ones below it, so what is available is a tail of the list.
  size_t skip = 0;
#if defined(MAXSIM_X86_64)
  if (!cpu().avx512vnni) skip = 1;
  if (!cpu().avx2) skip = 2;
#elif defined(MAXSIM_NEON_DOT)
  if (!cpu().neonDot) skip = 1;
#endif
  return {kAll + skip, kCount - skip};
}

const Kernels& activeKernels() {
  const Kernels* chosen = forced.load(std::memory_order_relaxed);
  return chosen != nullptr ? *chosen : *availableKernels().first;
}

bool forceKernels(const char* isa) {
  if (isa == nullptr) {
    forced.store(nullptr, std::memory_order_relaxed);
    return true;
  }
  const KernelList list = availableKernels();
  for (size_t i = 0; i < list.count; i++) {
    if (std::strcmp(list.first[i].isa, isa) == 0) {
      forced.store(list.first + i, std::memory_order_relaxed);
      return true;
    }
  }
  return false;
}

}  // namespace maxsim
