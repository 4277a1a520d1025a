# Not at the package root, because npm would then build it at every install; scripts/build-native.mjs runs it.
{
  "targets": [
    {
      "target_name": "maxsim",
      "sources": [
        "addon/addon.cc",
        "addon/call.cc",
        "addon/centroid.cc",
        "addon/gather.cc",
        "addon/mapping.cc",
        "addon/maxsim.cc",
        "addon/residual.cc",
        "addon/topk.cc",
        "dispatch/cpu.cc",
        "dispatch/table.cc",
        "kernels/centroid/avx2.cc",
        "kernels/centroid/avx512vnni.cc",
        "kernels/centroid/neon.cc",
        "kernels/centroid/neon_dot.cc",
        "kernels/centroid/scalar.cc",
        "kernels/gather/scalar.cc",
        "kernels/maxsim/avx2.cc",
        "kernels/maxsim/avx512vnni.cc",
        "kernels/maxsim/neon.cc",
        "kernels/maxsim/neon_dot.cc",
        "kernels/maxsim/scalar.cc",
        "kernels/residual/avx2.cc",
        "kernels/residual/avx512vnni.cc",
        "kernels/residual/scalar.cc",
        "kernels/topk/avx2.cc",
        "kernels/topk/avx512vnni.cc",
        "kernels/topk/scalar.cc"
      ],
      "include_dirs": ["."],
      "defines": ["NAPI_VERSION=8"],
      # The flags that Node's own configuration adds would contract a * b + c or lower the optimization level.
      "cflags!": ["-O2"],
      "cflags_cc!": ["-std=gnu++17", "-std=gnu++1y", "-O2"],
      "cflags_cc": [
        "-std=c++20",
        "-O3",
        "-ffp-contract=off",
        "-fvisibility=hidden",
        "-Wall",
        "-Wextra",
        "-Werror"
      ],
      "xcode_settings": {
        "CLANG_CXX_LANGUAGE_STANDARD": "c++20",
        "GCC_OPTIMIZATION_LEVEL": "3",
        "GCC_SYMBOLS_PRIVATE_EXTERN": "YES",
        "MACOSX_DEPLOYMENT_TARGET": "11.0",
        "OTHER_CPLUSPLUSFLAGS": ["-ffp-contract=off", "-Wall", "-Wextra", "-Werror"]
      },
      "msvs_settings": {
        "VCCLCompilerTool": {
          "AdditionalOptions": ["/std:c++20", "/fp:precise", "/O2"]
        }
      }
    }
  ]
}
