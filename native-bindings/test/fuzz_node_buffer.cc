// The part of the stand-in for Node-API that deals with ArrayBuffers over memory of the addon.
#include "test/fuzz_node.h"

namespace maxsim::fuzz {
namespace {

struct Finalizer {
  napi_finalize call;
  void* data;
  void* hint;
};

std::vector<Finalizer> pending;
bool externalBuffersAllowed = true;

void freeMemory(Value& buffer) {
  if (buffer.onFreed != nullptr) buffer.onFreed(nullptr, buffer.data, buffer.freedHint);
  buffer.onFreed = nullptr;
}

}  // namespace

void collect(std::unique_ptr<Value> value, bool memoryFirst) {
  if (memoryFirst) freeMemory(*value);
  if (value->onCollected != nullptr) value->onCollected(nullptr, value->wrapped, nullptr);
  freeMemory(*value);
}

void runPendingFinalizers() {
  for (const Finalizer& finalizer : pending) finalizer.call(nullptr, finalizer.data, finalizer.hint);
  pending.clear();
}

void allowExternalBuffers(bool allowed) { externalBuffersAllowed = allowed; }

}  // namespace maxsim::fuzz

using maxsim::fuzz::Value;

extern "C" {

napi_status napi_get_null(napi_env, napi_value* result) {
  Value value;
  value.kind = napi_null;
  *result = maxsim::fuzz::make(std::move(value));
  return napi_ok;
}

napi_status napi_create_external_arraybuffer(napi_env, void* data, size_t length, napi_finalize onFreed, void* hint,
                                             napi_value* result) {
  if (!maxsim::fuzz::externalBuffersAllowed) return napi_no_external_buffers_allowed;
  Value value;
  value.kind = napi_object;
  value.isArrayBuffer = true;
  value.data = data;
  value.length = length;
  value.onFreed = onFreed;
  value.freedHint = hint;
  *result = maxsim::fuzz::make(std::move(value));
  return napi_ok;
}

napi_status napi_is_detached_arraybuffer(napi_env, napi_value value, bool* result) {
  if (value == nullptr) return napi_invalid_arg;
  *result = Value::of(value)->isDetached;
  return napi_ok;
}

// Like in Node, the memory is given back at some later time.
napi_status napi_detach_arraybuffer(napi_env, napi_value value) {
  if (value == nullptr || !Value::of(value)->isArrayBuffer) return napi_invalid_arg;
  Value& buffer = *Value::of(value);
  if (buffer.onFreed != nullptr) maxsim::fuzz::pending.push_back({buffer.onFreed, buffer.data, buffer.freedHint});
  buffer.onFreed = nullptr;
  buffer.isDetached = true;
  buffer.length = 0;
  return napi_ok;
}

napi_status napi_wrap(napi_env, napi_value value, void* native, napi_finalize onCollected, void*, napi_ref*) {
  if (value == nullptr || Value::of(value)->kind != napi_object) return napi_object_expected;
  if (Value::of(value)->wrapped != nullptr) return napi_invalid_arg;
  Value::of(value)->wrapped = native;
  Value::of(value)->onCollected = onCollected;
  return napi_ok;
}

napi_status napi_unwrap(napi_env, napi_value value, void** result) {
  if (value == nullptr || Value::of(value)->wrapped == nullptr) return napi_invalid_arg;
  *result = Value::of(value)->wrapped;
  return napi_ok;
}

napi_status napi_type_tag_object(napi_env, napi_value value, const napi_type_tag* tag) {
  if (value == nullptr || Value::of(value)->kind != napi_object) return napi_object_expected;
  if (Value::of(value)->tag != nullptr) return napi_invalid_arg;
  Value::of(value)->tag = tag;
  return napi_ok;
}

napi_status napi_check_object_type_tag(napi_env, napi_value value, const napi_type_tag* tag, bool* result) {
  if (value == nullptr || Value::of(value)->kind != napi_object) return napi_object_expected;
  const napi_type_tag* found = Value::of(value)->tag;
  *result = found != nullptr && found->lower == tag->lower && found->upper == tag->upper;
  return napi_ok;
}

}  // extern "C"
