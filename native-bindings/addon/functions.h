// The functions that the addon exports; src/kernels/native.ts states their arguments.
#pragma once

#include <node_api.h>

namespace maxsim {

napi_value centroidScores(napi_env env, napi_callback_info info);
napi_value topCentroids(napi_env env, napi_callback_info info);
napi_value gather(napi_env env, napi_callback_info info);
napi_value selectTop(napi_env env, napi_callback_info info);
napi_value assign(napi_env env, napi_callback_info info);
napi_value approximate(napi_env env, napi_callback_info info);
napi_value maxsim(napi_env env, napi_callback_info info);
napi_value compress(napi_env env, napi_callback_info info);
napi_value mapFile(napi_env env, napi_callback_info info);
napi_value attachMapping(napi_env env, napi_callback_info info);
napi_value mappingLength(napi_env env, napi_callback_info info);
napi_value unmapFile(napi_env env, napi_callback_info info);

}  // namespace maxsim
