#include "test/fuzz_table.h"

#include <cmath>
#include <limits>

namespace maxsim::fuzz {
namespace {

// Small as a rule: what matters is where arrays end, and a call must take microseconds.
uint64_t skewed(Source& source, uint32_t bound) {
  const uint32_t kind = source.byte() % 4;
  return source.below(kind == 3 ? bound : bound < 20 ? bound : 20);
}

void drawLists(Source& source, Shape& shape) {
  Random random(source.byte());
  shape.listOffsets.push_back(0);
  for (uint64_t k = 0; k < shape.size; k++) {
    const uint64_t step = 1 + random.below(random.below(4) == 0 ? 70 : 3);
    uint64_t previous = 0;
    bool first = true;
    for (uint64_t p = random.below(step); p < shape.marks; p += 1 + random.below(step), first = false) {
      uint64_t delta = first ? p : p - previous;
      previous = p;
      for (; delta > 0x7f; delta >>= 7) shape.listBytes.push_back(static_cast<uint8_t>(0x80 | (delta & 0x7f)));
      shape.listBytes.push_back(static_cast<uint8_t>(delta));
      if (random.below(8) == 0) break;
    }
    shape.listOffsets.push_back(static_cast<uint32_t>(shape.listBytes.size()));
  }
}

template <typename T>
void store(const Value* value, size_t i, double number) {
  constexpr double kLeast = static_cast<double>(std::numeric_limits<T>::lowest());
  constexpr double kMost = static_cast<double>(std::numeric_limits<T>::max());
  static_cast<T*>(value->data)[i] =
      static_cast<T>(std::isnan(number) ? 0.0 : number < kLeast ? kLeast : number > kMost ? kMost : number);
}

}  // namespace

Shape drawShape(Source& source) {
  Shape shape;
  shape.tokens = 1 + source.below(64);
  shape.lanes = (shape.tokens + 15) / 16 * 16;
  shape.dim = 8 * (1 + skewed(source, 32));
  shape.codebookDim = shape.dim;
  shape.size = 1 + skewed(source, 90);
  shape.nbits = uint64_t{1} << source.below(3);
  shape.count = skewed(source, 200);
  shape.total = skewed(source, 300);
  shape.passages = skewed(source, 20);
  shape.chosen = shape.passages == 0 ? 0 : skewed(source, 30);
  shape.nprobe = 1 + source.below(static_cast<uint32_t>(shape.size));
  shape.marks = skewed(source, 700);
  // Few scores and many are selected from in different ways.
  shape.scores = source.oneIn(8) ? 4000 + source.below(9000) : skewed(source, 2000);
  shape.limit = source.below(static_cast<uint32_t>(shape.scores) + 20);
  shape.period = source.below(4);
  drawLists(source, shape);
  return shape;
}

double Array::operator[](size_t i) const {
  const void* data = value_->data;
  switch (value_->type) {
    case napi_int8_array:
      return static_cast<const int8_t*>(data)[i];
    case napi_uint8_array:
      return static_cast<const uint8_t*>(data)[i];
    case napi_uint16_array:
      return static_cast<const uint16_t*>(data)[i];
    case napi_int32_array:
      return static_cast<const int32_t*>(data)[i];
    case napi_uint32_array:
      return static_cast<const uint32_t*>(data)[i];
    case napi_float32_array:
      return static_cast<const float*>(data)[i];
    default:
      return 0;
  }
}

void Array::set(size_t i, double number) const {
  switch (value_->type) {
    case napi_int8_array:
      return store<int8_t>(value_, i, number);
    case napi_uint8_array:
      return store<uint8_t>(value_, i, number);
    case napi_uint16_array:
      return store<uint16_t>(value_, i, number);
    case napi_int32_array:
      return store<int32_t>(value_, i, number);
    case napi_uint32_array:
      return store<uint32_t>(value_, i, number);
    case napi_float32_array:
      // Also infinities and NaN; a finite number beyond float32 does not occur.
      static_cast<float*>(value_->data)[i] = static_cast<float>(number);
      return;
    default:
      return;  // types that no function takes keep the pattern they were made with
  }
}

const Value* Found::value(const char* name) const {
  for (size_t i = 0; i < parameters_.size(); i++) {
    if (parameters_[i].name == name) return values_[i];
  }
  finding("the table has no parameter %s", name);
}

Array Found::array(const char* name) const { return Array(value(name)); }
bool Found::isNull(const char* name) const { return value(name)->kind == napi_null; }

}  // namespace maxsim::fuzz
