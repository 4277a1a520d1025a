// Reads the arguments of one call from JavaScript, in order, and checks each. The first bad one throws a
// TypeError or RangeError that names it; from then on every read gives zero or null, and `ok` is false.
#pragma once

#include <node_api.h>

#include <cstdint>

#include "kernels/common/types.h"

namespace maxsim {

// Element counts stay below 2^31, so that u32 ids and offsets always suffice.
constexpr uint32_t kMaxCount = 0x7fffffff;

inline uint32_t paddedLanes(uint32_t tokens) { return (tokens + kLaneMultiple - 1) / kLaneMultiple * kLaneMultiple; }

class Call {
 public:
  Call(napi_env env, napi_callback_info info);

  bool ok() const { return ok_; }

  // An integer from min to max.
  uint32_t integer(const char* name, uint32_t min, uint32_t max);
  // Any number, rounded to float32.
  float number(const char* name);

  // A typed array of exactly `length` elements, as inputs are.
  template <typename T>
  T* exactly(const char* name, uint64_t length);
  // A typed array of `length` elements or more, as outputs are; where `optional`, null gives a null pointer.
  template <typename T>
  T* room(const char* name, uint64_t length, bool optional = false);
  // A typed array of any length, or (where `optional`) null, which gives a null pointer.
  template <typename T>
  T* any(const char* name, size_t& length, bool optional = false);

  // u16 or u32.
  Codes codes(const char* name);
  // A whole number that the call returns; nothing once a check has failed.
  napi_value count(size_t value);

  void typeError(const char* name, const char* expected);
  void rangeError(const char* format, ...);
  // Turns a fault of a kernel into an exception.
  void report(const Status& status);

  // The arguments that several functions begin with.
  Query query();
  Codebook codebook(uint32_t dim);
  Vectors vectors();
  // nbits, cutoffs (where wanted), weights, weightScale.
  Quantizer quantizer(bool withCutoffs);
  // A score table for `lanes` lanes.
  Table table(uint32_t lanes);
  // A byte table, after its number of lanes.
  ByteTable byteTable();
  // offsets, passages or null; `out` with room for one number a passage.
  Passages passages();

 private:
  // The next argument; undefined where fewer were passed.
  napi_value next();
  void* typedArray(const char* name, napi_typedarray_type type, const char* typeName, size_t& length, bool optional);
  bool checkLength(const char* name, size_t found, uint64_t expected, bool atLeast);
  // Rows of `lanes` elements in an array of that length, at least one; throws where it is none.
  size_t rows(const char* name, size_t length, uint32_t lanes);

  static constexpr size_t kMaxArguments = 20;
  napi_env env_;
  napi_value arguments_[kMaxArguments];
  size_t position_ = 0;
  bool ok_ = true;
};

}  // namespace maxsim
