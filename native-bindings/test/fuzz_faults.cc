#include "test/fuzz_faults.h"

namespace maxsim::fuzz {
namespace {

// Whether the bytes begin .. end - 1 are a list of passages below `marks`.
bool isPostingList(const Array& bytes, uint64_t begin, uint64_t end, uint64_t marks) {
  if (begin > end || end > bytes.size()) return false;
  uint64_t passage = 0;
  for (bool first = true; begin < end; first = false) {
    uint64_t delta = 0;
    for (unsigned shift = 0;; shift += 7) {
      if (begin == end || shift > 28) return false;
      const auto byte = static_cast<uint64_t>(bytes[begin++]);
      delta |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    if (!first && delta == 0) return false;
    passage += delta;
    if (passage >= marks) return false;
  }
  return true;
}

}  // namespace

const char* passageFault(const Found& found) {
  const Array offsets = found.array("offsets"), codes = found.array("codes");
  const bool all = found.isNull("passages");
  for (uint64_t i = 0; i < found.shape.chosen; i++) {
    const double passage = all ? static_cast<double>(i) : found.array("passages")[i];
    if (passage >= static_cast<double>(found.shape.passages)) return "passages";
    const auto p = static_cast<size_t>(passage);
    if (offsets[p + 1] > static_cast<double>(codes.size()) || offsets[p] > offsets[p + 1]) return "offsets";
    for (auto t = static_cast<size_t>(offsets[p]); t < static_cast<size_t>(offsets[p + 1]); t++) {
      if (codes[t] >= static_cast<double>(found.shape.size)) return "codes";
    }
  }
  return nullptr;
}

const char* rangeFault(const Found& found) {
  if (found.isNull("ranges")) return nullptr;
  const Array ranges = found.array("ranges");
  for (size_t i = 0; i < ranges.size(); i += 2) {
    if (ranges[i] >= ranges[i + 1] || ranges[i + 1] > static_cast<double>(found.shape.size)) return "ranges";
  }
  return nullptr;
}

const char* vectorCodeFault(const Found& found) {
  const Array codes = found.array("codes");
  for (size_t i = 0; i < found.shape.count; i++) {
    if (codes[i] >= static_cast<double>(found.shape.size)) return "codes";
  }
  return nullptr;
}

const char* listFault(const Found& found) {
  const Array ids = found.array("probes.ids"), offsets = found.array("postings.offsets");
  const Array bytes = found.array("postings.bytes");
  for (size_t i = 0; i < ids.size(); i++) {
    if (ids[i] >= static_cast<double>(found.shape.size)) return "probes.ids";
    const auto k = static_cast<size_t>(ids[i]);
    const auto begin = static_cast<uint64_t>(offsets[k]), end = static_cast<uint64_t>(offsets[k + 1]);
    if (!isPostingList(bytes, begin, end, found.shape.marks)) return "postings";
  }
  return nullptr;
}

}  // namespace maxsim::fuzz
