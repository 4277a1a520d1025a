// Compiles the rest of a file for an instruction set, whatever the compiler's baseline is. Put it after the
// system headers and before the headers of kernels/common; the file must then define functions with internal
// linkage only, because the linker would keep any one copy of an inline function, perhaps this one.
#pragma once

#if defined(__x86_64__) || defined(_M_X64)
#define MAXSIM_X86_64 1
#endif

// NEON is a part of the baseline; the dot product instructions of ARMv8.2 are not. Clang before 16 declares their
// intrinsics only where the baseline has them, as on Apple's processors.
#if defined(__aarch64__) && defined(__ARM_NEON) && defined(__GNUC__) && !defined(__AARCH64EB__)
#define MAXSIM_AARCH64 1
#if !defined(__clang__) || __clang_major__ >= 16 || defined(__ARM_FEATURE_DOTPROD)
#define MAXSIM_NEON_DOT 1
#endif
#endif

#define MAXSIM_PRAGMA(text) _Pragma(#text)
#if defined(__clang__)
#define MAXSIM_TARGET_BEGIN(features) \
  MAXSIM_PRAGMA(clang attribute push(__attribute__((target(features))), apply_to = function))
#define MAXSIM_TARGET_END MAXSIM_PRAGMA(clang attribute pop)
#elif defined(__GNUC__)
// Not popped: GCC instantiates templates at the end of the file, and with the options that hold there.
#define MAXSIM_TARGET_BEGIN(features) MAXSIM_PRAGMA(GCC target(features))
#define MAXSIM_TARGET_END
#else
// MSVC accepts every intrinsic in every file.
#define MAXSIM_TARGET_BEGIN(features)
#define MAXSIM_TARGET_END
#endif

#if defined(__GNUC__) && !defined(__clang__)
// GCC 12 takes the deliberately undefined operands inside its own intrinsics for uninitialized variables.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif

// The options for ARMv8.2's dot products; GCC wants to see the architecture that its header names.
#if defined(__clang__)
#define MAXSIM_DOTPROD "dotprod"
#else
#define MAXSIM_DOTPROD "arch=armv8.2-a+dotprod"
#endif

#if defined(__GNUC__)
#define MAXSIM_INLINE inline __attribute__((always_inline))
#define MAXSIM_NOINLINE __attribute__((noinline))
#else
#define MAXSIM_INLINE __forceinline
#define MAXSIM_NOINLINE __declspec(noinline)
#endif
