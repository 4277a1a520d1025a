#include "test/fuzz_node.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace maxsim::fuzz {
namespace {

// One environment: the values that the addon made while it loaded and in the present call, and the exception.
struct Environment {
  std::vector<std::unique_ptr<Value>> kept;
  std::vector<std::unique_ptr<Value>> made;
  bool loading = false;
  Outcome outcome;
};

Environment environment;
napi_env env() { return reinterpret_cast<napi_env>(&environment); }

napi_status fail(const char* errorClass, const char* code, const char* message) {
  if (message == nullptr) finding("an exception without a message");
  if (environment.outcome.threw) {
    finding("a second exception: \"%s\" after \"%s\"", message, environment.outcome.message.c_str());
  }
  environment.outcome.threw = true;
  environment.outcome.errorClass = errorClass;
  environment.outcome.message = message;
  environment.outcome.code = code == nullptr ? "" : code;
  return napi_ok;
}

}  // namespace

napi_value make(Value value) {
  auto& list = environment.loading ? environment.kept : environment.made;
  list.push_back(std::make_unique<Value>(std::move(value)));
  return list.back()->handle();
}

std::unique_ptr<Value> keep(Value* value) {
  for (auto& made : environment.made) {
    if (made.get() == value) return std::move(made);
  }
  finding("the addon returned a value of another call");
}

size_t elementSize(napi_typedarray_type type) {
  switch (type) {
    case napi_int8_array:
    case napi_uint8_array:
    case napi_uint8_clamped_array:
      return 1;
    case napi_int16_array:
    case napi_uint16_array:
      return 2;
    case napi_int32_array:
    case napi_uint32_array:
    case napi_float32_array:
      return 4;
    default:
      return 8;
  }
}

const char* typeName(napi_typedarray_type type) {
  static const char* const names[] = {"Int8Array",   "Uint8Array",  "Uint8ClampedArray", "Int16Array",
                                      "Uint16Array", "Int32Array",  "Uint32Array",       "Float32Array",
                                      "Float64Array", "BigInt64Array", "BigUint64Array"};
  return names[type];
}

void finding(const char* format, ...) {
  va_list values;
  va_start(values, format);
  std::fputs("FINDING: ", stderr);
  std::vfprintf(stderr, format, values);
  std::fputs("\n", stderr);
  va_end(values);
  std::abort();
}

}  // namespace maxsim::fuzz

using maxsim::fuzz::fail;
using maxsim::fuzz::make;
using maxsim::fuzz::Value;

// The functions below do what Node-API documents; like there, a null handle is napi_invalid_arg.
extern "C" {

napi_value napi_register_module_v1(napi_env env, napi_value exports);

napi_status napi_get_cb_info(napi_env, napi_callback_info info, size_t* argc, napi_value* argv, napi_value* thisArg,
                             void** data) {
  const auto& arguments = *reinterpret_cast<const std::vector<Value*>*>(info);
  static Value undefined;
  if (argv != nullptr) {
    for (size_t i = 0; i < *argc; i++) argv[i] = i < arguments.size() ? arguments[i]->handle() : undefined.handle();
  }
  if (argc != nullptr) *argc = arguments.size();
  if (thisArg != nullptr) *thisArg = undefined.handle();
  if (data != nullptr) *data = nullptr;
  return napi_ok;
}

napi_status napi_typeof(napi_env, napi_value value, napi_valuetype* result) {
  if (value == nullptr) return napi_invalid_arg;
  *result = Value::of(value)->kind;
  return napi_ok;
}

napi_status napi_get_value_double(napi_env, napi_value value, double* result) {
  if (value == nullptr) return napi_invalid_arg;
  if (Value::of(value)->kind != napi_number) return napi_number_expected;
  *result = Value::of(value)->number;
  return napi_ok;
}

napi_status napi_get_value_bool(napi_env, napi_value value, bool* result) {
  if (value == nullptr) return napi_invalid_arg;
  if (Value::of(value)->kind != napi_boolean) return napi_boolean_expected;
  *result = Value::of(value)->truth;
  return napi_ok;
}

napi_status napi_get_value_string_utf8(napi_env, napi_value value, char* buffer, size_t size, size_t* length) {
  if (value == nullptr) return napi_invalid_arg;
  const Value& found = *Value::of(value);
  if (found.kind != napi_string) return napi_string_expected;
  if (buffer == nullptr) {
    *length = found.text.size();
    return napi_ok;
  }
  const size_t copied = size == 0 ? 0 : std::min(size - 1, found.text.size());
  std::memcpy(buffer, found.text.data(), copied);
  if (size > 0) buffer[copied] = '\0';
  if (length != nullptr) *length = copied;
  return napi_ok;
}

napi_status napi_is_typedarray(napi_env, napi_value value, bool* result) {
  if (value == nullptr) return napi_invalid_arg;
  *result = Value::of(value)->isTypedArray;
  return napi_ok;
}

napi_status napi_get_typedarray_info(napi_env, napi_value value, napi_typedarray_type* type, size_t* length,
                                     void** data, napi_value* buffer, size_t* byteOffset) {
  if (value == nullptr || !Value::of(value)->isTypedArray) return napi_invalid_arg;
  const Value& found = *Value::of(value);
  if (type != nullptr) *type = found.type;
  if (length != nullptr) *length = found.length;
  if (data != nullptr) *data = found.data;
  if (buffer != nullptr) *buffer = nullptr;
  if (byteOffset != nullptr) *byteOffset = 0;
  return napi_ok;
}

napi_status napi_throw_error(napi_env, const char* code, const char* message) {
  return fail("Error", code, message);
}

napi_status napi_throw_type_error(napi_env, const char* code, const char* message) {
  return fail("TypeError", code, message);
}

napi_status napi_throw_range_error(napi_env, const char* code, const char* message) {
  return fail("RangeError", code, message);
}


napi_status napi_create_string_utf8(napi_env, const char* text, size_t length, napi_value* result) {
  Value value;
  value.kind = napi_string;
  value.text.assign(text, length == NAPI_AUTO_LENGTH ? std::strlen(text) : length);
  *result = make(std::move(value));
  return napi_ok;
}

napi_status napi_create_double(napi_env, double number, napi_value* result) {
  Value value;
  value.kind = napi_number;
  value.number = number;
  *result = make(std::move(value));
  return napi_ok;
}

napi_status napi_create_uint32(napi_env env, uint32_t number, napi_value* result) {
  return napi_create_double(env, number, result);
}

napi_status napi_create_int64(napi_env env, int64_t number, napi_value* result) {
  return napi_create_double(env, static_cast<double>(number), result);
}

napi_status napi_create_array_with_length(napi_env, size_t length, napi_value* result) {
  Value value;
  value.kind = napi_object;
  value.elements.resize(length);
  *result = make(std::move(value));
  return napi_ok;
}

napi_status napi_set_element(napi_env, napi_value object, uint32_t index, napi_value value) {
  if (object == nullptr || value == nullptr) return napi_invalid_arg;
  auto& elements = Value::of(object)->elements;
  if (elements.size() <= index) elements.resize(size_t{index} + 1);
  elements[index] = value;
  return napi_ok;
}

napi_status napi_create_function(napi_env, const char* name, size_t length, napi_callback callback, void*,
                                 napi_value* result) {
  Value value;
  value.kind = napi_function;
  value.text.assign(name, length == NAPI_AUTO_LENGTH ? std::strlen(name) : length);
  value.function = callback;
  *result = make(std::move(value));
  return napi_ok;
}

napi_status napi_set_named_property(napi_env, napi_value object, const char* name, napi_value value) {
  if (object == nullptr || value == nullptr) return napi_invalid_arg;
  Value::of(object)->properties[name] = value;
  return napi_ok;
}

}  // extern "C"

namespace maxsim::fuzz {

const std::map<std::string, napi_value>& exportsOfAddon() {
  static Value exports;
  if (exports.kind == napi_undefined) {
    exports.kind = napi_object;
    environment.loading = true;
    if (napi_register_module_v1(env(), exports.handle()) != exports.handle()) finding("the addon does not register");
    environment.loading = false;
  }
  return exports.properties;
}

Outcome invoke(napi_value function, const std::vector<Value*>& arguments) {
  environment.made.clear();
  environment.outcome = {};
  const auto info = reinterpret_cast<napi_callback_info>(const_cast<std::vector<Value*>*>(&arguments));
  const napi_value result = Value::of(function)->function(env(), info);
  if (environment.outcome.threw && result != nullptr) finding("a result beside an exception");
  environment.outcome.result = Value::of(result);
  return environment.outcome;
}

}  // namespace maxsim::fuzz
