// Differential stress of the kernels without Node: random shapes and data, every instruction set of this
// processor against the scalar one, bit for bit. Every buffer is allocated at its exact size, so that a sanitizer
// sees the first byte that is touched beyond it. Arguments: rounds, seed.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "dispatch/table.h"

namespace maxsim {
namespace {

// splitmix64 (public domain algorithm of Sebastiano Vigna).
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  uint32_t below(uint32_t bound) { return static_cast<uint32_t>(next() % bound); }
  float real(float scale) {
    return scale * (static_cast<float>(next() >> 40) / 8388608.0f - 1.0f);
  }

 private:
  uint64_t state_;
};

// An array on the heap of exactly its size, filled with a pattern that no result has.
template <typename T>
class Array {
 public:
  explicit Array(size_t size) : size_(size), data_(new T[size]) { std::memset(data_.get(), 0xa5, bytes()); }
  T* get() const { return data_.get(); }
  T& operator[](size_t i) const { return data_[i]; }
  size_t size() const { return size_; }
  size_t bytes() const { return size_ * sizeof(T); }
  bool same(const Array& other) const { return std::memcmp(get(), other.get(), bytes()) == 0; }

 private:
  size_t size_;
  std::unique_ptr<T[]> data_;
};

template <typename T, typename Draw>
Array<T> drawn(size_t size, Draw draw) {
  Array<T> array(size);
  for (size_t i = 0; i < size; i++) array[i] = static_cast<T>(draw());
  return array;
}

struct Results {
  Array<float> table;
  Array<uint8_t> bytes;
  Array<uint32_t> topIds;
  Array<float> topScores;
  Array<float> approximate;
  Array<float> exact;
  Array<uint32_t> assigned;
  Array<uint32_t> assignedInRanges;
  Array<uint8_t> planes;
  Array<uint16_t> norms;
  Array<uint32_t> selected;
  Array<uint8_t> marks;
  Array<uint32_t> reached;
  Array<float> sums;
  Fault fault = Fault::kNone;
  Fault gatherFault = Fault::kNone;
  size_t reachedCount = 0;
};

const char* difference(const Results& a, const Results& b) {
  if (a.fault != b.fault || a.gatherFault != b.gatherFault) return "fault";
  if (!a.table.same(b.table) || !a.bytes.same(b.bytes)) return "scores";
  if (!a.topIds.same(b.topIds) || !a.topScores.same(b.topScores)) return "top";
  if (!a.assigned.same(b.assigned)) return "assign";
  if (!a.assignedInRanges.same(b.assignedInRanges)) return "assign in ranges";
  if (!a.planes.same(b.planes) || !a.norms.same(b.norms)) return "compress";
  if (!a.selected.same(b.selected)) return "select";
  if (a.gatherFault == Fault::kNone) {
    const size_t count = a.reachedCount;
    if (count != b.reachedCount || std::memcmp(a.reached.get(), b.reached.get(), count * sizeof(uint32_t)) != 0 ||
        std::memcmp(a.sums.get(), b.sums.get(), count * sizeof(float)) != 0 || !a.marks.same(b.marks)) {
      return "gather";
    }
  }
  if (a.fault != Fault::kNone) return nullptr;  // what was scored before the fault is unspecified
  if (!a.approximate.same(b.approximate)) return "approximate";
  if (!a.exact.same(b.exact)) return "maxsim";
  return nullptr;
}

// One random case, run through all instruction sets; false after printing what differs.
bool round(uint64_t seed) {
  Random random(seed);
  const auto value = [&random] { return static_cast<int32_t>(random.below(255)) - 127; };
  const auto biased = [&random] { return 1 + random.below(127); };
  const uint32_t tokens = 1 + random.below(64);
  const uint32_t lanes = (tokens + kLaneMultiple - 1) / kLaneMultiple * kLaneMultiple;
  const uint32_t dim = 8 * (1 + random.below(kMaxDim / 8));
  const uint32_t nbits = 1u << random.below(3);
  const size_t size = 1 + random.below(70);
  const size_t passages = random.below(6);
  const size_t count = random.below(150);
  const float scale = random.below(8) == 0 ? 1e-41f : 0.01f;

  Array<uint32_t> offsets(passages + 1);
  offsets[0] = 0;
  for (size_t p = 0; p < passages; p++) offsets[p + 1] = offsets[p] + random.below(3) * random.below(45);
  const size_t total = offsets[passages];
  const bool wide = random.below(2) == 0;
  // One case in sixteen has a code out of range, which must be reported and never followed.
  const uint32_t codeBound = static_cast<uint32_t>(size) + (random.below(16) == 0 ? 1 : 0);
  const auto code = [&random, codeBound] { return random.below(codeBound); };
  const auto narrowCodes = drawn<uint16_t>(wide ? 0 : total, code);
  const auto wideCodes = drawn<uint32_t>(wide ? total : 0, code);
  const auto selected = drawn<uint32_t>(passages == 0 ? 0 : random.below(9),
                                        [&] { return random.below(static_cast<uint32_t>(passages)); });
  const bool all = random.below(2) == 0;

  const auto queryValues = drawn<int8_t>(size_t{dim} * lanes, value);
  const auto queryScales = drawn<float>(lanes, [&] { return random.real(scale); });
  Array<int32_t> bias(lanes);
  for (uint32_t lane = 0; lane < lanes; lane++) {
    int32_t sum = 0;
    for (uint32_t g = 0; g < dim / 4; g++) {
      for (uint32_t j = 0; j < 4; j++) sum += queryValues[(size_t{g} * lanes + lane) * 4 + j];
    }
    bias[lane] = kDocumentBias * sum;
  }
  const auto centroids = drawn<uint8_t>(size * dim, biased);
  const auto centroidScales = drawn<float>(size, [&] { return random.real(scale); });
  // One case in four has centroids that tie.
  if (random.below(4) == 0) {
    for (size_t k = 2; k < size; k++) {
      std::memcpy(centroids.get() + k * dim, centroids.get() + (k % 2) * dim, dim);
      centroidScales[k] = centroidScales[k % 2];
    }
  }
  const auto weights = drawn<uint8_t>(size_t{1} << nbits, biased);
  const auto cutoffs = drawn<float>((size_t{1} << nbits) - 1, [&] { return random.real(1.0f); });
  const auto planes = drawn<uint8_t>(total * dim * nbits / 8, [&] { return random.next(); });
  const auto inverseNorms = drawn<uint16_t>(total, [&] { return random.below(0x7c00); });
  const auto vectorValues = drawn<int8_t>(count * dim, value);
  const auto vectorScales = drawn<float>(count, [&] { return random.real(scale); });
  Array<uint32_t> ranges(2 * count);
  for (size_t i = 0; i < count; i++) {
    ranges[2 * i] = random.below(static_cast<uint32_t>(size));
    ranges[2 * i + 1] = ranges[2 * i] + 1 + random.below(static_cast<uint32_t>(size) - ranges[2 * i]);
  }
  const size_t nprobe = 1 + random.below(static_cast<uint32_t>(size));

  // Scores of which some are equal; more in one case of eight, because many are selected from in another way.
  const uint32_t kinds = random.below(2) == 0 ? 1u << 24 : 40;
  const auto scores = drawn<float>(random.below(random.below(8) == 0 ? 9000 : 200),
                                   [&] { return static_cast<float>(random.below(kinds)) - 16; });
  const size_t limit = random.below(static_cast<uint32_t>(scores.size()) + 1);

  // One case in sixteen has a passage too few for its lists.
  const uint32_t listed = random.below(1000);
  const size_t marked = listed - (listed > 0 && random.below(16) == 0 ? 1 : 0);
  Array<uint32_t> listOffsets(size + 1);
  std::vector<uint8_t> listBytes;
  listOffsets[0] = 0;
  for (size_t k = 0; k < size; k++) {
    const uint32_t step = random.below(2) == 0 ? 3 : 300;
    uint32_t delta = random.below(step);
    for (uint32_t passage = delta; passage < listed; passage += delta) {
      for (uint32_t rest = delta;; rest >>= 7) {
        listBytes.push_back(static_cast<uint8_t>(rest > 0x7f ? 0x80 | (rest & 0x7f) : rest));
        if (rest <= 0x7f) break;
      }
      delta = 1 + random.below(step);
    }
    listOffsets[k + 1] = static_cast<uint32_t>(listBytes.size());
  }
  Array<uint8_t> lists(listBytes.size());
  std::copy(listBytes.begin(), listBytes.end(), lists.get());
  const bool excludes = random.below(2) == 0;
  const auto excluded = drawn<uint8_t>(marked, [&] { return random.below(4) == 0 ? 1 : 0; });
  const Postings postings{size, listOffsets.get(), lists.size(), lists.get()};

  const Query query{tokens, lanes, dim, queryValues.get(), queryScales.get(), bias.get()};
  const Codebook codebook{size, dim, centroids.get(), centroidScales.get()};
  const Quantizer quantizer{nbits, cutoffs.get(), weights.get(), random.real(0.01f)};
  const Vectors vectors{count, dim, vectorValues.get(), vectorScales.get()};
  const Codes codes{total, wide ? nullptr : narrowCodes.get(), wide ? wideCodes.get() : nullptr};
  const Passages chosen{passages, offsets.get(), all ? passages : selected.size(), all ? nullptr : selected.get()};

  const auto run = [&](const Kernels& kernels) {
    Results r{Array<float>(size * lanes),
              Array<uint8_t>(size * lanes),
              Array<uint32_t>(tokens * nprobe),
              Array<float>(tokens * nprobe),
              Array<float>(chosen.count),
              Array<float>(chosen.count),
              Array<uint32_t>(count),
              Array<uint32_t>(count),
              Array<uint8_t>(count * dim * nbits / 8),
              Array<uint16_t>(count),
              Array<uint32_t>(limit),
              Array<uint8_t>(marked),
              Array<uint32_t>(marked),
              Array<float>(marked)};
    kernels.centroid->scores(query, codebook, r.table.get(), nullptr);
    kernels.centroid->scores(query, codebook, r.table.get(), r.bytes.get());
    const Table table{size, r.table.get()};
    kernels.centroid->top(table, tokens, lanes, nprobe, r.topIds.get(), r.topScores.get());
    kernels.centroid->assign(vectors, codebook, nullptr, r.assigned.get());
    kernels.centroid->assign(vectors, codebook, ranges.get(), r.assignedInRanges.get());
    kernels.residual->compress(vectors, codebook, quantizer, r.assigned.get(), r.planes.get(), r.norms.get());
    kernels.topk->select(scores.get(), scores.size(), limit, r.selected.get());

    const Probes probes{tokens, queryScales.get(), nprobe, r.topIds.get(), r.topScores.get()};
    const Array<float> dense(marked);
    std::memset(r.marks.get(), 0, marked);
    const GatherScratch scratch{marked, r.marks.get(), dense.get()};
    Reached reached{r.reached.get(), r.sums.get(), 0};
    r.gatherFault = kernels.gather->gather(probes, postings, excludes ? excluded.get() : nullptr, scratch, reached).fault;
    r.reachedCount = reached.count;

    const Residuals residuals{planes.get(), inverseNorms.get()};
    const ByteTable byteTable{size, lanes, r.bytes.get()};
    r.fault = kernels.maxsim->approximate(byteTable, codes, chosen, r.approximate.get()).fault;
    const Fault second = kernels.maxsim->maxsim(query, quantizer, table, codes, residuals, chosen, r.exact.get()).fault;
    if (second != r.fault) std::abort();
    return r;
  };

  const KernelList list = availableKernels();
  const Results expected = run(list.first[list.count - 1]);
  for (size_t i = 0; i + 1 < list.count; i++) {
    const char* what = difference(expected, run(list.first[i]));
    if (what != nullptr) {
      std::printf("seed %llu: %s differs in %s (query tokens %u, dim %u, nbits %u, centroids %zu, tokens %zu)\n",
                  static_cast<unsigned long long>(seed), list.first[i].isa, what, tokens, dim, nbits, size, total);
      return false;
    }
  }
  return true;
}

}  // namespace
}  // namespace maxsim

int main(int argc, char** argv) {
  const unsigned long rounds = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 1000;
  const unsigned long seed = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 1;
  for (unsigned long i = 0; i < rounds; i++) {
    if (!maxsim::round(seed + i)) return 1;
  }
  std::string isas;
  const maxsim::KernelList list = maxsim::availableKernels();
  for (size_t i = 0; i < list.count; i++) isas += std::string(i == 0 ? "" : ", ") + list.first[i].isa;
  std::printf("%lu rounds from seed %lu agree on %s\n", rounds, seed, isas.c_str());
  return 0;
}
