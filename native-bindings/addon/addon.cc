// Exports of the addon: the kernels, and which instruction set runs them. Holds no state of a thread or an
// environment, so it may be loaded in any number of worker threads.
#include <node_api.h>

#include <cstring>

#include "addon/functions.h"
#include "dispatch/table.h"

namespace {

napi_value text(napi_env env, const char* value) {
  napi_value result = nullptr;
  napi_create_string_utf8(env, value, NAPI_AUTO_LENGTH, &result);
  return result;
}

napi_value isa(napi_env env, napi_callback_info) { return text(env, maxsim::activeKernels().isa); }

napi_value isas(napi_env env, napi_callback_info) {
  const maxsim::KernelList list = maxsim::availableKernels();
  napi_value result = nullptr;
  if (napi_create_array_with_length(env, list.count, &result) != napi_ok) return nullptr;
  for (size_t i = 0; i < list.count; i++) {
    napi_set_element(env, result, static_cast<uint32_t>(i), text(env, list.first[i].isa));
  }
  return result;
}

napi_value forceIsa(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument = nullptr;
  napi_valuetype kind;
  if (napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr) != napi_ok ||
      napi_typeof(env, argument, &kind) != napi_ok) {
    return nullptr;
  }
  if (kind == napi_null) {
    maxsim::forceKernels(nullptr);
    return nullptr;
  }
  char name[32];
  size_t length = 0;
  if (napi_get_value_string_utf8(env, argument, name, sizeof name, &length) != napi_ok) {
    napi_throw_type_error(env, nullptr, "name must be a string or null");
    return nullptr;
  }
  if (!maxsim::forceKernels(name)) {
    char message[240] = "";
    std::strcat(message, "instruction set ");
    std::strcat(message, name);
    std::strcat(message, " is not available, this processor and build have");
    const maxsim::KernelList list = maxsim::availableKernels();
    for (size_t i = 0; i < list.count; i++) {
      std::strcat(message, i == 0 ? " " : ", ");
      std::strcat(message, list.first[i].isa);
    }
    napi_throw_range_error(env, nullptr, message);
  }
  return nullptr;
}

}  // namespace

NAPI_MODULE_INIT() {
  const struct {
    const char* name;
    napi_callback function;
  } functions[] = {
      {"isa", isa},
      {"isas", isas},
      {"forceIsa", forceIsa},
      {"centroidScores", maxsim::centroidScores},
      {"topCentroids", maxsim::topCentroids},
      {"gather", maxsim::gather},
      {"selectTop", maxsim::selectTop},
      {"assign", maxsim::assign},
      {"approximate", maxsim::approximate},
      {"maxsim", maxsim::maxsim},
      {"compress", maxsim::compress},
      {"mapFile", maxsim::mapFile},
      {"attachMapping", maxsim::attachMapping},
      {"mappingLength", maxsim::mappingLength},
      {"unmapFile", maxsim::unmapFile},
  };
  for (const auto& entry : functions) {
    napi_value function = nullptr;
    if (napi_create_function(env, entry.name, NAPI_AUTO_LENGTH, entry.function, nullptr, &function) != napi_ok ||
        napi_set_named_property(env, exports, entry.name, function) != napi_ok) {
      return nullptr;
    }
  }
  return exports;
}
