#include "kernels/gather/api.h"

#include <cstring>

#include "kernels/common/prefetch.h"
#include "kernels/gather/list.h"

namespace maxsim {
namespace {

// Prefetch distances in lists.
constexpr size_t kOffsetsAhead = 8;
constexpr size_t kListsAhead = 2;
// Of a list only so much is prefetched; the processor follows the rest by itself.
constexpr size_t kListBytes = 512;

// Marks and sums of so many passages stay in a cache that is near.
constexpr size_t kNear = size_t{1} << 19;

MAXSIM_INLINE void prefetchBlock(const uint32_t (&block)[kBlock], size_t count, const GatherScratch& scratch) {
  for (size_t i = 0; i < count; i++) {
    prefetchItem(scratch.marks, block[i]);
    prefetchItem(scratch.sums, block[i]);
  }
}

// Adds `gain` to the passages of a block that the mark has not reached, and appends those that nothing had reached.
// Without a branch on what is found, because marks are as good as random.
template <bool kExcludes>
MAXSIM_INLINE void addBlock(const uint32_t (&block)[kBlock], size_t count, uint8_t mark, float gain,
                            const uint8_t* excluded, const GatherScratch& scratch, Reached& reached) {
  const float gains[2] = {0, gain};
  uint32_t fresh[kBlock];
  size_t freshCount = 0;
  for (size_t i = 0; i < count; i++) {
    const size_t passage = block[i];
    const uint8_t found = scratch.marks[passage];
    const bool left = kExcludes && excluded[passage] != 0;
    // A sum that is not the first of its passage; what stands there otherwise is of any content.
    uint32_t sumBits;
    std::memcpy(&sumBits, scratch.sums + passage, sizeof sumBits);
    sumBits &= 0u - static_cast<uint32_t>(found != 0);
    float sum;
    std::memcpy(&sum, &sumBits, sizeof sum);
    scratch.sums[passage] = sum + gains[(found != mark) & !left];
    // A mark never becomes 0 again, whatever is excluded: that bounds how many passages are reached.
    scratch.marks[passage] = left ? found : mark;
    fresh[freshCount] = block[i];
    freshCount += (found == 0) & !left;
  }
  std::memcpy(reached.passages + reached.count, fresh, freshCount * sizeof(uint32_t));
  reached.count += freshCount;
}

// Asks for what the lists after the n-th need: offsets first, because the bytes hang on them.
MAXSIM_INLINE void prefetchLists(const Probes& probes, const Postings& postings, size_t n) {
  const size_t total = probes.tokens * probes.nprobe;
  if (n + kOffsetsAhead < total) prefetchItem(postings.offsets, probes.ids[n + kOffsetsAhead]);
  if (n + kListsAhead >= total || probes.ids[n + kListsAhead] >= postings.centroids) return;
  const uint32_t* const list = postings.offsets + probes.ids[n + kListsAhead];
  if (list[0] < list[1]) prefetchItems(postings.bytes, 1, list[0], list[1], kListBytes);
}

template <bool kExcludes>
Status gatherLists(const Probes& probes, const Postings& postings, const uint8_t* excluded,
                   const GatherScratch& scratch, Reached& reached) {
  for (uint32_t q = 0; q < probes.tokens; q++) {
    const float missing = probes.scores[(q + 1) * probes.nprobe - 1];
    for (size_t n = q * probes.nprobe; n < (q + 1) * probes.nprobe; n++) {
      prefetchLists(probes, postings, n);
      const size_t centroid = probes.ids[n];
      if (centroid >= postings.centroids) return {Fault::kProbe, centroid, postings.centroids};
      const size_t begin = postings.offsets[centroid];
      const size_t end = postings.offsets[centroid + 1];
      if (begin > end || end > postings.length) return {Fault::kPostings, centroid, 0};
      const float gain = (probes.scores[n] - missing) * probes.scales[q];
      List list(postings.bytes + begin, postings.bytes + end, scratch.passages);
      while (!list.done()) {
        uint32_t block[kBlock];
        const size_t count = list.decode(block);
        if (count == 0) return {Fault::kPostings, centroid, 0};
        if (scratch.passages > kNear) prefetchBlock(block, count, scratch);
        addBlock<kExcludes>(block, count, static_cast<uint8_t>(q + 1), gain, excluded, scratch, reached);
      }
    }
  }
  return {};
}

Status gather(const Probes& probes, const Postings& postings, const uint8_t* excluded, const GatherScratch& scratch,
              Reached& reached) {
  reached.count = 0;
  const Status status = excluded == nullptr ? gatherLists<false>(probes, postings, excluded, scratch, reached)
                                            : gatherLists<true>(probes, postings, excluded, scratch, reached);
  if (status.fault != Fault::kNone) return status;
  for (size_t i = 0; i < reached.count; i++) {
    const size_t passage = reached.passages[i];
    reached.sums[i] = scratch.sums[passage];
    scratch.marks[passage] = 0;
  }
  return {};
}

}  // namespace

const GatherKernels kGatherScalar = {gather};

}  // namespace maxsim
