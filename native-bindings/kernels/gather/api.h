// Posting lists of the probed centroids, added up over the query tokens.
#pragma once

#include "kernels/common/types.h"

namespace maxsim {

// Working memory, one entry a passage.
struct GatherScratch {
  size_t passages;
  uint8_t* marks;  // all 0 before and after a call, unless it reports a fault
  float* sums;     // of any content
};

// Passages in the order in which they were reached; both arrays with room for all passages.
struct Reached {
  uint32_t* passages;
  float* sums;
  size_t count;
};

struct GatherKernels {
  // For each query token q, each passage of its lists ids[q][n] that q has not reached yet gets
  // (scores[q][n] - scores[q][nprobe - 1]) * scales[q] added to its sum. Passages p with excluded[p] != 0 are left out;
  // `excluded` null excludes none.
  Status (*gather)(const Probes& probes, const Postings& postings, const uint8_t* excluded,
                   const GatherScratch& scratch, Reached& reached);
};

extern const GatherKernels kGatherScalar;

}  // namespace maxsim
