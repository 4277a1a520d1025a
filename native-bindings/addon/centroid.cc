#include "addon/call.h"
#include "addon/functions.h"
#include "dispatch/table.h"

namespace maxsim {

napi_value centroidScores(napi_env env, napi_callback_info info) {
  Call call(env, info);
  const Query query = call.query();
  const Codebook codebook = call.codebook(query.dim);
  float* out = call.room<float>("out", uint64_t{codebook.size} * query.lanes);
  uint8_t* bytes = call.room<uint8_t>("bytes", uint64_t{codebook.size} * query.lanes, true);
  if (call.ok()) activeKernels().centroid->scores(query, codebook, out, bytes);
  return nullptr;
}

napi_value topCentroids(napi_env env, napi_callback_info info) {
  Call call(env, info);
  size_t length;
  const float* values = call.any<float>("table", length);
  const uint32_t size = call.integer("size", 1, kMaxCount);
  const uint32_t tokens = call.integer("query.tokens", 1, kMaxLanes);
  const uint32_t lanes = call.integer("query.lanes", kLaneMultiple, kMaxLanes);
  const uint32_t padded = paddedLanes(tokens);
  if (lanes != padded) call.rangeError("query.lanes must be %u, found %u", padded, lanes);
  if (length != uint64_t{size} * lanes) {
    call.rangeError("table must have length %llu, found %llu",
                    static_cast<unsigned long long>(uint64_t{size} * lanes),
                    static_cast<unsigned long long>(length));
  }
  const uint32_t nprobe = call.integer("nprobe", 1, size);
  uint32_t* ids = call.room<uint32_t>("ids", uint64_t{tokens} * nprobe);
  float* scores = call.room<float>("scores", uint64_t{tokens} * nprobe);
  if (call.ok()) activeKernels().centroid->top({size, values}, tokens, lanes, nprobe, ids, scores);
  return nullptr;
}

napi_value assign(napi_env env, napi_callback_info info) {
  Call call(env, info);
  const Vectors vectors = call.vectors();
  const Codebook codebook = call.codebook(vectors.dim);
  size_t length;
  const uint32_t* ranges = call.any<uint32_t>("ranges", length, true);
  if (ranges != nullptr && length != 2 * uint64_t{vectors.count}) {
    call.rangeError("ranges must have length %llu, found %llu",
                    static_cast<unsigned long long>(2 * uint64_t{vectors.count}),
                    static_cast<unsigned long long>(length));
  }
  uint32_t* codes = call.room<uint32_t>("codes", vectors.count);
  if (call.ok()) call.report(activeKernels().centroid->assign(vectors, codebook, ranges, codes));
  return nullptr;
}

}  // namespace maxsim
