// Kernels by instruction set, and the choice among them.
#pragma once

#include <cstddef>

#include "kernels/centroid/api.h"
#include "kernels/gather/api.h"
#include "kernels/maxsim/api.h"
#include "kernels/residual/api.h"
#include "kernels/topk/api.h"

namespace maxsim {

struct Kernels {
  const char* isa;
  const MaxsimKernels* maxsim;
  const CentroidKernels* centroid;
  const ResidualKernels* residual;
  const TopkKernels* topk;
  const GatherKernels* gather;
};

struct KernelList {
  const Kernels* first;
  size_t count;
};

// What this build has and this processor runs, best first; the last one is "scalar".
KernelList availableKernels();

// The kernels in use.
const Kernels& activeKernels();

// Uses the named instruction set in every thread from now on; null goes back to the best.
// False, and no change, when it is not available.
bool forceKernels(const char* isa);

}  // namespace maxsim
