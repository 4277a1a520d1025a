#include "addon/call.h"
#include "addon/functions.h"
#include "dispatch/table.h"

namespace maxsim {
namespace {

struct Written {
  const char* name;
  const void* data;
  size_t bytes;
};

// Marks bound how many passages are written, and what is written is followed again: one array must not change another.
void requireApart(Call& call, const Written (&arrays)[4]) {
  for (size_t i = 0; i < 4; i++) {
    for (size_t j = 0; j < i; j++) {
      const auto a = reinterpret_cast<uintptr_t>(arrays[i].data), b = reinterpret_cast<uintptr_t>(arrays[j].data);
      if (a < b + arrays[j].bytes && b < a + arrays[i].bytes) {
        call.rangeError("%s must not share memory with %s", arrays[i].name, arrays[j].name);
      }
    }
  }
}

}  // namespace

napi_value gather(napi_env env, napi_callback_info info) {
  Call call(env, info);
  Probes probes{};
  probes.tokens = call.integer("query.tokens", 1, kMaxLanes);
  probes.scales = call.exactly<float>("query.scales", paddedLanes(probes.tokens));
  probes.nprobe = call.integer("probes.nprobe", 1, kMaxCount);
  probes.ids = call.exactly<uint32_t>("probes.ids", uint64_t{probes.tokens} * probes.nprobe);
  probes.scores = call.exactly<float>("probes.scores", uint64_t{probes.tokens} * probes.nprobe);

  Postings postings{};
  size_t ends;
  postings.offsets = call.any<uint32_t>("postings.offsets", ends);
  if (call.ok() && ends < 2) call.rangeError("postings.offsets must have length 2 or more, found %zu", ends);
  postings.centroids = ends - 1;
  postings.bytes = call.any<uint8_t>("postings.bytes", postings.length);

  size_t excludedLength;
  const uint8_t* excluded = call.any<uint8_t>("excluded", excludedLength, true);
  GatherScratch scratch{};
  scratch.marks = call.any<uint8_t>("scratch.marks", scratch.passages);
  if (call.ok() && excluded != nullptr && excludedLength != scratch.passages) {
    call.rangeError("excluded must have length %zu, found %zu", scratch.passages, excludedLength);
  }
  scratch.sums = call.exactly<float>("scratch.sums", scratch.passages);
  Reached reached{};
  reached.passages = call.room<uint32_t>("passages", scratch.passages);
  reached.sums = call.room<float>("sums", scratch.passages);
  requireApart(call, {{"scratch.marks", scratch.marks, scratch.passages},
                      {"scratch.sums", scratch.sums, scratch.passages * sizeof(float)},
                      {"passages", reached.passages, scratch.passages * sizeof(uint32_t)},
                      {"sums", reached.sums, scratch.passages * sizeof(float)}});
  if (call.ok()) call.report(activeKernels().gather->gather(probes, postings, excluded, scratch, reached));
  return call.count(reached.count);
}

}  // namespace maxsim
