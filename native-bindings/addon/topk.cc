#include "addon/call.h"
#include "addon/functions.h"
#include "dispatch/table.h"

namespace maxsim {

napi_value selectTop(napi_env env, napi_callback_info info) {
  Call call(env, info);
  size_t size;
  const float* scores = call.any<float>("scores", size);
  const uint32_t limit = call.integer("limit", 0, kMaxCount);
  const size_t count = limit < size ? limit : size;
  uint32_t* out = call.room<uint32_t>("out", count);
  if (call.ok()) activeKernels().topk->select(scores, size, count, out);
  return call.count(count);
}

}  // namespace maxsim
