// The best centroids of one query token, kept in the output arrays themselves: a binary heap whose root is the
// worst of them. "Worse" is a lower score, or the higher id at the same score. Internal linkage: see target.h.
#pragma once

#include "kernels/common/types.h"

namespace maxsim {
namespace {

struct Heap {
  uint32_t* ids;
  float* scores;

  static bool worse(float aScore, uint32_t aId, float bScore, uint32_t bId) {
    return aScore < bScore || (aScore == bScore && aId > bId);
  }

  // Adds an entry to a heap of `size` entries that has room for it.
  void push(float score, uint32_t id, size_t size) {
    size_t hole = size;
    while (hole > 0) {
      const size_t parent = (hole - 1) / 2;
      if (!worse(score, id, scores[parent], ids[parent])) break;
      scores[hole] = scores[parent];
      ids[hole] = ids[parent];
      hole = parent;
    }
    scores[hole] = score;
    ids[hole] = id;
  }

  // Puts an entry in the place of the root of a heap of `size` entries.
  void replaceRoot(float score, uint32_t id, size_t size) {
    size_t hole = 0;
    for (;;) {
      size_t child = 2 * hole + 1;
      if (child >= size) break;
      if (child + 1 < size && worse(scores[child + 1], ids[child + 1], scores[child], ids[child])) child++;
      if (!worse(scores[child], ids[child], score, id)) break;
      scores[hole] = scores[child];
      ids[hole] = ids[child];
      hole = child;
    }
    scores[hole] = score;
    ids[hole] = id;
  }

  // Turns the heap into a list, best first.
  void sort(size_t size) {
    for (size_t last = size; last-- > 1;) {
      const float score = scores[0];
      const uint32_t id = ids[0];
      replaceRoot(scores[last], ids[last], last);
      scores[last] = score;
      ids[last] = id;
    }
  }
};

}  // namespace
}  // namespace maxsim
