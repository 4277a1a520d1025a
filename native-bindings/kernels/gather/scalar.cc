#include "kernels/gather/api.h"

#include "kernels/common/target.h"

namespace maxsim {
namespace {

// One posting list, decoded some passages at a time.
class List {
 public:
  List(const uint8_t* begin, const uint8_t* end, size_t passages) : at_(begin), end_(end), passages_(passages) {}

  bool done() const { return at_ == end_; }

  // Decodes up to `limit` passages, each below the number of passages and above the one before it; 0 when the list is
  // malformed. A list that is not done has at least one more.
  size_t decode(uint32_t* out, size_t limit) {
    size_t count = 0;
    while (at_ != end_ && count < limit) {
      uint64_t delta = *at_++;
      if (delta > 0x7f) {
        delta &= 0x7f;
        for (unsigned shift = 7;; shift += 7) {
          if (at_ == end_ || shift > 28) return 0;
          const uint64_t byte = *at_++;
          delta |= (byte & 0x7f) << shift;
          if (byte <= 0x7f) break;
        }
      }
      if (delta < least_) return 0;
      passage_ += delta;
      if (passage_ >= passages_) return 0;
      least_ = 1;
      out[count++] = static_cast<uint32_t>(passage_);
    }
    return count;
  }

 private:
  const uint8_t* at_;
  const uint8_t* end_;
  uint64_t passages_;
  uint64_t passage_ = 0;
  // A difference of 0 is a first passage, never a further one.
  uint64_t least_ = 0;
};

constexpr size_t kBlock = 64;

Status gather(const Probes& probes, const Postings& postings, const uint8_t* excluded, const GatherScratch& scratch,
              Reached& reached) {
  uint8_t* const marks = scratch.marks;
  float* const dense = scratch.sums;
  reached.count = 0;
  for (uint32_t q = 0; q < probes.tokens; q++) {
    const uint32_t* ids = probes.ids + q * probes.nprobe;
    const float* scores = probes.scores + q * probes.nprobe;
    const uint8_t mark = static_cast<uint8_t>(q + 1);
    for (size_t n = 0; n < probes.nprobe; n++) {
      const size_t centroid = ids[n];
      if (centroid >= postings.centroids) return {Fault::kProbe, centroid, postings.centroids};
      const size_t begin = postings.offsets[centroid];
      const size_t end = postings.offsets[centroid + 1];
      if (begin > end || end > postings.length) return {Fault::kPostings, centroid, 0};
      const float gain = (scores[n] - scores[probes.nprobe - 1]) * probes.scales[q];
      List list(postings.bytes + begin, postings.bytes + end, scratch.passages);
      while (!list.done()) {
        uint32_t passages[kBlock];
        const size_t count = list.decode(passages, kBlock);
        if (count == 0) return {Fault::kPostings, centroid, 0};
        for (size_t i = 0; i < count; i++) {
          const size_t passage = passages[i];
          if (marks[passage] == mark) continue;
          if (marks[passage] == 0) {
            if (excluded != nullptr && excluded[passage] != 0) continue;
            reached.passages[reached.count++] = passages[i];
            dense[passage] = 0;
          }
          marks[passage] = mark;
          dense[passage] += gain;
        }
      }
    }
  }
  for (size_t i = 0; i < reached.count; i++) {
    const size_t passage = reached.passages[i];
    reached.sums[i] = dense[passage];
    marks[passage] = 0;
  }
  return {};
}

}  // namespace

const GatherKernels kGatherScalar = {gather};

}  // namespace maxsim
