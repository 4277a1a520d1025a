// Compiles the rest of a file for an instruction set, whatever the compiler's baseline is. Put it after the
// system headers and before the headers of kernels/common; the file must then define functions with internal
// linkage only, because the linker would keep any one copy of an inline function, perhaps this one.
#pragma once

#if defined(__x86_64__) || defined(_M_X64)
#define MAXSIM_X86_64 1
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

#if defined(__GNUC__)
#define MAXSIM_INLINE inline __attribute__((always_inline))
#define MAXSIM_NOINLINE __attribute__((noinline))
#else
#define MAXSIM_INLINE __forceinline
#define MAXSIM_NOINLINE __declspec(noinline)
#endif
