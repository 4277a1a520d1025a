#include "dispatch/cpu.h"

#include <cstdint>

#include "kernels/common/target.h"

#if defined(MAXSIM_X86_64)
#if defined(_MSC_VER)
#include <immintrin.h>
#include <intrin.h>
#else
#include <cpuid.h>
#endif
#elif defined(MAXSIM_NEON_DOT)
#if defined(__APPLE__)
#include <sys/sysctl.h>
#elif defined(__linux__)
#include <sys/auxv.h>
#endif
#endif

namespace maxsim {
namespace {

#if defined(MAXSIM_X86_64)

struct Registers {
  uint32_t eax, ebx, ecx, edx;
};

Registers cpuid(uint32_t leaf, uint32_t subleaf) {
  Registers r{};
#if defined(_MSC_VER)
  int out[4];
  __cpuidex(out, static_cast<int>(leaf), static_cast<int>(subleaf));
  r = {static_cast<uint32_t>(out[0]), static_cast<uint32_t>(out[1]), static_cast<uint32_t>(out[2]),
       static_cast<uint32_t>(out[3])};
#else
  __get_cpuid_count(leaf, subleaf, &r.eax, &r.ebx, &r.ecx, &r.edx);
#endif
  return r;
}

// Register sets that the operating system saves (XCR0); only legal where cpuid reports OSXSAVE.
uint64_t savedState() {
#if defined(_MSC_VER)
  return _xgetbv(0);
#else
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (static_cast<uint64_t>(high) << 32) | low;
#endif
}

bool bit(uint32_t word, unsigned position) { return ((word >> position) & 1u) != 0; }

Cpu probe() {
  Cpu found;
  const Registers basic = cpuid(1, 0);
  const Registers extended = cpuid(7, 0);
  const bool osxsave = bit(basic.ecx, 27);
  const uint64_t saved = osxsave ? savedState() : 0;
  const bool ymmSaved = (saved & 0x6) == 0x6;     // SSE, AVX
  const bool zmmSaved = (saved & 0xe6) == 0xe6;   // and opmask, upper halves, upper registers
  const bool avx = bit(basic.ecx, 28);
  const bool f16c = bit(basic.ecx, 29);
  const bool popcnt = bit(basic.ecx, 23);
  found.avx2 = ymmSaved && avx && f16c && popcnt && bit(extended.ebx, 5);
  const bool f = bit(extended.ebx, 16), dq = bit(extended.ebx, 17), bw = bit(extended.ebx, 30);
  const bool vl = bit(extended.ebx, 31), vnni = bit(extended.ecx, 11);
  found.avx512vnni = found.avx2 && zmmSaved && f && dq && bw && vl && vnni;
  return found;
}

#elif defined(MAXSIM_NEON_DOT)

Cpu probe() {
  Cpu found;
#if defined(__ARM_FEATURE_DOTPROD)
  found.neonDot = true;  // the baseline of this build
#elif defined(__APPLE__)
  int present = 0;
  size_t size = sizeof present;
  found.neonDot = sysctlbyname("hw.optional.arm.FEAT_DotProd", &present, &size, nullptr, 0) == 0 && present != 0;
#elif defined(__linux__)
  constexpr unsigned long kAsimdDp = 1ul << 20;  // HWCAP_ASIMDDP of <asm/hwcap.h>
  found.neonDot = (getauxval(AT_HWCAP) & kAsimdDp) != 0;
#endif
  return found;
}

#else

Cpu probe() { return {}; }

#endif

}  // namespace

const Cpu& cpu() {
  static const Cpu found = probe();
  return found;
}

}  // namespace maxsim
