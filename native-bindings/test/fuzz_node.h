// The part of Node-API that the addon uses, over plain values, so that its functions run without Node under
// sanitizers. A typed array is a heap block that ends exactly where the array ends.
#pragma once

#include <node_api.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace maxsim::fuzz {

// What a JavaScript value is, as far as an addon can tell.
struct Value {
  napi_valuetype kind = napi_undefined;
  double number = 0;
  bool truth = false;
  std::string text;
  // Of typed arrays and ArrayBuffers, whose kind is napi_object.
  bool isTypedArray = false;
  bool isArrayBuffer = false;
  napi_typedarray_type type = napi_uint8_array;
  size_t length = 0;  // elements
  void* data = nullptr;
  std::vector<napi_value> elements;
  std::map<std::string, napi_value> properties;
  napi_callback function = nullptr;
  // Of an ArrayBuffer over memory that the addon gave: who is told when the memory is no longer used.
  napi_finalize onFreed = nullptr;
  void* freedHint = nullptr;
  bool isDetached = false;
  // What the addon attached to an object.
  void* wrapped = nullptr;
  napi_finalize onCollected = nullptr;
  const napi_type_tag* tag = nullptr;

  napi_value handle() { return reinterpret_cast<napi_value>(this); }
  static Value* of(napi_value value) { return reinterpret_cast<Value*>(value); }
};

size_t elementSize(napi_typedarray_type type);
const char* typeName(napi_typedarray_type type);

// What became of a call.
struct Outcome {
  Value* result = nullptr;  // null: undefined
  bool threw = false;
  // "TypeError", "RangeError" or "Error", and the message.
  std::string errorClass;
  std::string message;
  std::string code;
};

// A new value that lives until the next call, unless `keep` takes it.
napi_value make(Value value);
std::unique_ptr<Value> keep(Value* value);

// What the garbage collector does to an object; the memory of a buffer may go first or last.
void collect(std::unique_ptr<Value> value, bool memoryFirst);
// Calls the finalizers of memory that was detached.
void runPendingFinalizers();
// Whether ArrayBuffers over memory of the addon may be made, as they may not in some builds of V8.
void allowExternalBuffers(bool allowed);

// Loads the addon and gives its exports; aborts when it does not register.
const std::map<std::string, napi_value>& exportsOfAddon();

// Calls an exported function. `result` lives until the next call. Aborts when the function throws twice or returns
// a value beside an exception.
Outcome invoke(napi_value function, const std::vector<Value*>& arguments);

// Prints to stderr what went wrong and aborts, so that libFuzzer keeps the input.
[[noreturn]] void finding(const char* format, ...) __attribute__((format(printf, 1, 2)));

}  // namespace maxsim::fuzz
