// What the processor and the operating system offer, asked once.
#pragma once

namespace maxsim {

struct Cpu {
  // AVX2, F16C and POPCNT, with the 256-bit registers saved by the operating system.
  bool avx2 = false;
  // AVX-512 F, BW, VL, DQ and VNNI, with the 512-bit and mask registers saved; implies avx2.
  bool avx512vnni = false;
  // The dot product instructions that ARMv8.2 added to NEON.
  bool neonDot = false;
};

const Cpu& cpu();

}  // namespace maxsim
