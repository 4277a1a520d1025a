#include "addon/call.h"

#include <cmath>
#include <cstdarg>
#include <cstdio>

namespace maxsim {
namespace {

template <typename T>
struct ArrayType;
template <>
struct ArrayType<int8_t> {
  static constexpr napi_typedarray_type kType = napi_int8_array;
  static constexpr const char* kName = "an Int8Array";
};
template <>
struct ArrayType<uint8_t> {
  static constexpr napi_typedarray_type kType = napi_uint8_array;
  static constexpr const char* kName = "a Uint8Array";
};
template <>
struct ArrayType<uint16_t> {
  static constexpr napi_typedarray_type kType = napi_uint16_array;
  static constexpr const char* kName = "a Uint16Array";
};
template <>
struct ArrayType<int32_t> {
  static constexpr napi_typedarray_type kType = napi_int32_array;
  static constexpr const char* kName = "an Int32Array";
};
template <>
struct ArrayType<uint32_t> {
  static constexpr napi_typedarray_type kType = napi_uint32_array;
  static constexpr const char* kName = "a Uint32Array";
};
template <>
struct ArrayType<float> {
  static constexpr napi_typedarray_type kType = napi_float32_array;
  static constexpr const char* kName = "a Float32Array";
};

constexpr size_t kMessageSize = 240;

}  // namespace

Call::Call(napi_env env, napi_callback_info info) : env_(env) {
  size_t count = kMaxArguments;
  // Node-API fills what was not passed with undefined.
  if (napi_get_cb_info(env, info, &count, arguments_, nullptr, nullptr) != napi_ok) {
    ok_ = false;
    napi_throw_error(env, nullptr, "the arguments of the call cannot be read");
  }
}

napi_value Call::next() { return arguments_[position_++]; }

void Call::typeError(const char* name, const char* expected) {
  if (!ok_) return;
  ok_ = false;
  char message[kMessageSize];
  std::snprintf(message, sizeof message, "%s must be %s", name, expected);
  napi_throw_type_error(env_, nullptr, message);
}

void Call::rangeError(const char* format, ...) {
  if (!ok_) return;
  ok_ = false;
  char message[kMessageSize];
  va_list values;
  va_start(values, format);
  std::vsnprintf(message, sizeof message, format, values);
  va_end(values);
  napi_throw_range_error(env_, nullptr, message);
}

void Call::report(const Status& status) {
  const auto found = static_cast<unsigned long long>(status.found);
  const auto limit = static_cast<unsigned long long>(status.limit);
  switch (status.fault) {
    case Fault::kNone:
      return;
    case Fault::kPassage:
      return rangeError("passages must be below %llu, found %llu", limit, found);
    case Fault::kOffsets:
      return rangeError("offsets must ascend up to %llu, found %llu before it", limit, found);
    case Fault::kCode:
      return rangeError("codes must be below %llu, found %llu", limit, found);
    case Fault::kRange:
      return rangeError("ranges must be not empty and within the codebook, found %llu before the end %llu", found,
                        limit);
    case Fault::kProbe:
      return rangeError("probes.ids must be below %llu, found %llu", limit, found);
    case Fault::kPostings:
      return rangeError("postings must be well-formed, found a malformed list of centroid %llu", found);
  }
}

uint32_t Call::integer(const char* name, uint32_t min, uint32_t max) {
  const napi_value argument = next();
  if (!ok_) return 0;
  double value = 0;
  if (napi_get_value_double(env_, argument, &value) != napi_ok) {
    typeError(name, "a number");
    return 0;
  }
  // Also false for NaN.
  if (!(value >= min && value <= max && value == std::floor(value))) {
    rangeError("%s must be an integer from %u to %u, found %g", name, min, max, value);
    return 0;
  }
  return static_cast<uint32_t>(value);
}

float Call::number(const char* name) {
  const napi_value argument = next();
  if (!ok_) return 0;
  double value = 0;
  if (napi_get_value_double(env_, argument, &value) != napi_ok) typeError(name, "a number");
  // Beyond the range of float the conversion is undefined in C++; JavaScript's Math.fround gives an infinity.
  constexpr double kLargest = 3.4028235677973366e38;  // halfway to the next power of two: rounds up
  if (std::fabs(value) >= kLargest) return value > 0 ? -kLowest : kLowest;
  return static_cast<float>(value);
}

void* Call::typedArray(const char* name, napi_typedarray_type type, const char* typeName, size_t& length,
                       bool optional) {
  const napi_value argument = next();
  length = 0;
  if (!ok_) return nullptr;
  if (optional) {
    napi_valuetype kind;
    if (napi_typeof(env_, argument, &kind) == napi_ok && kind == napi_null) return nullptr;
  }
  bool isTypedArray = false;
  napi_typedarray_type found;
  void* data = nullptr;
  if (napi_is_typedarray(env_, argument, &isTypedArray) != napi_ok || !isTypedArray ||
      napi_get_typedarray_info(env_, argument, &found, &length, &data, nullptr, nullptr) != napi_ok ||
      found != type) {
    length = 0;
    typeError(name, typeName);
    return nullptr;
  }
  // An empty or detached array may have no memory at all; a null pointer would read as "not given".
  static uint64_t nothing;
  return length == 0 ? &nothing : data;
}

bool Call::checkLength(const char* name, size_t found, uint64_t expected, bool atLeast) {
  if (!ok_) return false;
  if (atLeast ? found >= expected : found == expected) return true;
  rangeError("%s must have length %llu%s, found %llu", name, static_cast<unsigned long long>(expected),
             atLeast ? " or more" : "", static_cast<unsigned long long>(found));
  return false;
}

template <typename T>
T* Call::any(const char* name, size_t& length, bool optional) {
  return static_cast<T*>(typedArray(name, ArrayType<T>::kType, ArrayType<T>::kName, length, optional));
}

template <typename T>
T* Call::exactly(const char* name, uint64_t length) {
  size_t found;
  T* data = any<T>(name, found);
  return checkLength(name, found, length, false) ? data : nullptr;
}

template <typename T>
T* Call::room(const char* name, uint64_t length, bool optional) {
  size_t found;
  T* data = any<T>(name, found, optional);
  if (optional && data == nullptr) return nullptr;
  return checkLength(name, found, length, true) ? data : nullptr;
}

Codes Call::codes(const char* name) {
  Codes codes{};
  if (!ok_) {
    next();
    return codes;
  }
  bool isTypedArray = false;
  napi_typedarray_type type = napi_int8_array;
  if (napi_is_typedarray(env_, arguments_[position_], &isTypedArray) == napi_ok && isTypedArray) {
    napi_get_typedarray_info(env_, arguments_[position_], &type, nullptr, nullptr, nullptr, nullptr);
  }
  if (type == napi_uint16_array) {
    codes.narrow = any<uint16_t>(name, codes.tokens);
  } else if (type == napi_uint32_array) {
    codes.wide = any<uint32_t>(name, codes.tokens);
  } else {
    next();
    typeError(name, "a Uint16Array or a Uint32Array");
  }
  return codes;
}

napi_value Call::count(size_t value) {
  napi_value result = nullptr;
  if (ok_) napi_create_double(env_, static_cast<double>(value), &result);
  return result;
}

Query Call::query() {
  Query query{};
  query.tokens = integer("query.tokens", 1, kMaxLanes);
  query.lanes = integer("query.lanes", kLaneMultiple, kMaxLanes);
  query.dim = integer("query.dim", 8, kMaxDim);
  if (ok_ && query.dim % 8 != 0) rangeError("query.dim must be a multiple of 8, found %u", query.dim);
  const uint32_t lanes = paddedLanes(query.tokens);
  if (ok_ && query.lanes != lanes) rangeError("query.lanes must be %u, found %u", lanes, query.lanes);
  query.values = exactly<int8_t>("query.values", uint64_t{query.dim} * query.lanes);
  query.scales = exactly<float>("query.scales", query.lanes);
  query.bias = exactly<int32_t>("query.bias", query.lanes);
  return query;
}

Codebook Call::codebook(uint32_t dim) {
  Codebook codebook{};
  codebook.size = integer("codebook.size", 1, kMaxCount);
  codebook.dim = integer("codebook.dim", 8, kMaxDim);
  if (ok_ && codebook.dim != dim) rangeError("codebook.dim must be %u, found %u", dim, codebook.dim);
  codebook.values = exactly<uint8_t>("codebook.values", uint64_t{codebook.size} * codebook.dim);
  codebook.scales = exactly<float>("codebook.scales", codebook.size);
  return codebook;
}

Vectors Call::vectors() {
  Vectors vectors{};
  vectors.count = integer("vectors.count", 0, kMaxCount);
  vectors.dim = integer("vectors.dim", 8, kMaxDim);
  if (ok_ && vectors.dim % 8 != 0) rangeError("vectors.dim must be a multiple of 8, found %u", vectors.dim);
  vectors.values = exactly<int8_t>("vectors.values", uint64_t{vectors.count} * vectors.dim);
  vectors.scales = exactly<float>("vectors.scales", vectors.count);
  return vectors;
}

Quantizer Call::quantizer(bool withCutoffs) {
  Quantizer quantizer{};
  quantizer.nbits = integer("quantizer.nbits", 1, 4);
  if (ok_ && quantizer.nbits == 3) rangeError("quantizer.nbits must be 1, 2 or 4, found 3");
  const uint32_t buckets = 1u << quantizer.nbits;
  if (withCutoffs) quantizer.cutoffs = exactly<float>("quantizer.cutoffs", buckets - 1);
  quantizer.weights = exactly<uint8_t>("quantizer.weights", buckets);
  for (uint32_t b = 0; ok_ && b < buckets; b++) {
    const unsigned weight = quantizer.weights[b];
    if (weight < 1 || weight > 127) rangeError("quantizer.weights must be from 1 to 127, found %u", weight);
  }
  quantizer.weightScale = number("quantizer.weightScale");
  return quantizer;
}

Table Call::table(uint32_t lanes) {
  size_t length;
  Table table{};
  table.values = any<float>("table", length);
  table.size = rows("table", length, lanes);
  return table;
}

ByteTable Call::byteTable() {
  ByteTable table{};
  table.lanes = integer("query.lanes", kLaneMultiple, kMaxLanes);
  if (ok_ && table.lanes % kLaneMultiple != 0) {
    rangeError("query.lanes must be a multiple of %u, found %u", kLaneMultiple, table.lanes);
  }
  size_t length;
  table.rows = any<uint8_t>("bytes", length);
  table.size = rows("bytes", length, table.lanes);
  return table;
}

size_t Call::rows(const char* name, size_t length, uint32_t lanes) {
  if (!ok_) return 0;
  if (length > 0 && length % lanes == 0) return length / lanes;
  rangeError("%s must have a multiple of %u numbers, found %zu", name, lanes, length);
  return 0;
}

Passages Call::passages() {
  Passages passages{};
  size_t length;
  passages.offsets = any<uint32_t>("offsets", length);
  if (ok_ && length == 0) rangeError("offsets must have length 1 or more, found 0");
  passages.total = length == 0 ? 0 : length - 1;
  size_t selected;
  passages.selected = any<uint32_t>("passages", selected, true);
  passages.count = passages.selected == nullptr ? passages.total : selected;
  return passages;
}

template int8_t* Call::exactly(const char*, uint64_t);
template uint8_t* Call::exactly(const char*, uint64_t);
template uint16_t* Call::exactly(const char*, uint64_t);
template uint32_t* Call::exactly(const char*, uint64_t);
template float* Call::exactly(const char*, uint64_t);
template uint8_t* Call::room(const char*, uint64_t, bool);
template uint16_t* Call::room(const char*, uint64_t, bool);
template uint32_t* Call::room(const char*, uint64_t, bool);
template float* Call::room(const char*, uint64_t, bool);
template uint8_t* Call::any(const char*, size_t&, bool);
template uint32_t* Call::any(const char*, size_t&, bool);
template float* Call::any(const char*, size_t&, bool);

}  // namespace maxsim
