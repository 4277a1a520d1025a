#include "test/fuzz_call.h"

#include <sanitizer/asan_interface.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>

namespace maxsim::fuzz {
namespace {

using Kind = Parameter::Kind;

constexpr uint8_t kFrontPattern = 0xc3;
constexpr uint8_t kContentPattern = 0x3c;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// A number where an integer is expected, most of them wrong.
double changedNumber(double number, Source& source) {
  switch (source.byte() % 19) {
    case 0: return number + 1;
    case 1: return number - 1;
    case 2: return number * 2;
    case 3: return number + 0.5;
    case 4: return 0;
    case 5: return -1;
    case 6: return -0.0;
    case 7: return 1;
    case 8: return kNaN;
    case 9: return kInfinity;
    case 10: return -kInfinity;
    case 11: return 2147483647;
    case 12: return 2147483648;
    case 13: return number + 4294967296;
    case 14: return number + 18446744073709551616.0;
    case 15: return 9007199254740992;
    case 16: return 1e308;
    case 17: return 5e-324;
    default: return source.byte();
  }
}

// An element of an array: the limits of the shape and of the types.
double changedElement(double element, const Shape& shape, Source& source) {
  switch (source.byte() % 20) {
    case 0: return element + 1;
    case 1: return element - 1;
    case 2: return 0;
    case 3: return static_cast<double>(shape.size);
    case 4: return static_cast<double>(shape.size) - 1;
    case 5: return static_cast<double>(shape.total);
    case 6: return static_cast<double>(shape.total) + 1;
    case 7: return static_cast<double>(shape.passages);
    case 8: return static_cast<double>(shape.marks);
    case 9: return static_cast<double>(shape.listBytes.size()) + 1;
    case 10: return kNaN;
    case 11: return kInfinity;
    case 12: return -kInfinity;
    case 13: return -0.0;
    case 14: return 3e38;
    case 15: return -3e38;
    case 16: return 1e-41;
    case 17: return 128;
    case 18: return 255;
    default: return source.word();
  }
}

uint64_t changedLength(uint64_t length, Source& source) {
  switch (source.byte() % 8) {
    case 0: return length + 1;
    case 1: return length - std::min<uint64_t>(length, 1);
    case 2: return length + 1 + source.byte();
    case 3: return length - std::min<uint64_t>(length, source.byte());
    case 4: return 0;
    case 5: return std::min<uint64_t>(length * 2, 1 << 16);
    case 6: return length / 2;
    default: return length + 16;
  }
}

}  // namespace

Block::Block(size_t bytes, size_t shift) : allocation_(new uint8_t[shift + bytes]), shift_(shift), bytes_(bytes) {
  std::memset(allocation_, kFrontPattern, shift);
  std::memset(data(), kContentPattern, bytes);
  ASAN_POISON_MEMORY_REGION(allocation_, shift & ~size_t{7});
}

Block::~Block() {
  ASAN_UNPOISON_MEMORY_REGION(allocation_, shift_);
  delete[] allocation_;
}

bool Block::frontIsWhole() const {
  // What is a whole granule of the sanitizer is poisoned, the rest is looked at.
  for (size_t i = shift_ & ~size_t{7}; i < shift_; i++) {
    if (allocation_[i] != kFrontPattern) return false;
  }
  return true;
}

// An argument before it is in memory.
struct DrawnCall::Draft {
  const Parameter* parameter = nullptr;
  napi_valuetype kind = napi_undefined;  // napi_object: a typed array where `type` is meant
  bool isTypedArray = false;
  double number = 0;
  napi_typedarray_type type = napi_uint8_array;
  uint64_t length = 0;
};

DrawnCall::DrawnCall(const Function& function, Source& source) : function_(function) {
  Shape shape = drawShape(source);
  std::vector<Draft> drafts;
  for (const Parameter& parameter : function.parameters) {
    Draft draft;
    draft.parameter = &parameter;
    if (parameter.kind != Kind::kArray) {
      draft.kind = napi_number;
      draft.number = parameter.field != nullptr ? static_cast<double>(shape.*parameter.field)
                                                : static_cast<double>(source.byte()) / 4096;
    } else if (parameter.optional && source.oneIn(2)) {
      draft.kind = napi_null;
      if (parameter.absent != nullptr) parameter.absent(shape);
    } else {
      draft.kind = napi_object;
      draft.isTypedArray = true;
      draft.type = parameter.types[source.below(static_cast<uint32_t>(parameter.types.size()))];
      draft.length = parameter.length(shape);
      if (parameter.rule == Parameter::Rule::kAtLeast && source.oneIn(3)) draft.length += source.byte();
    }
    drafts.push_back(draft);
  }

  static constexpr uint32_t kChanges[] = {0, 0, 1, 1, 1, 1, 2, 3};
  const uint32_t changes = kChanges[source.byte() % 8];
  std::vector<size_t> elements;
  std::vector<std::pair<size_t, size_t>> pairs;
  for (uint32_t change = 0; change < changes; change++) {
    const size_t target = source.below(static_cast<uint32_t>(drafts.size()));
    Draft& draft = drafts[target];
    const uint32_t how = source.byte() % 16;
    if (how == 14) {
      drafts.resize(target);
      if (drafts.empty()) break;
    } else if (how == 15) {
      std::swap(draft, drafts[source.below(static_cast<uint32_t>(drafts.size()))]);
    } else if (how >= 12) {
      static constexpr napi_valuetype kKinds[] = {napi_null,   napi_undefined, napi_string, napi_boolean, napi_object,
                                                  napi_number, napi_bigint,    napi_symbol, napi_function};
      draft.kind = kKinds[source.below(9)];
      draft.isTypedArray = false;
      draft.number = source.byte();
    } else if (draft.kind == napi_number) {
      draft.number = changedNumber(draft.number, source);
    } else if (!draft.isTypedArray) {
      draft.isTypedArray = true;
      draft.kind = napi_object;
      if (!draft.parameter->types.empty()) draft.type = draft.parameter->types[0];
      draft.length = source.byte();
    } else if (how < 5) {
      elements.push_back(target);
    } else if (how < 8) {
      draft.length = changedLength(draft.length, source);
    } else if (how < 10) {
      draft.type = static_cast<napi_typedarray_type>(source.below(11));
    } else {
      pairs.emplace_back(target, source.below(static_cast<uint32_t>(drafts.size())));
    }
  }
  if (source.oneIn(32)) drafts.emplace_back();  // one more than the function has

  for (const Draft& draft : drafts) materialize(draft, shape, source);
  for (const size_t target : elements) {
    if (target < arguments_.size()) changeElements(source, shape, target);
  }
  for (const auto& [a, b] : pairs) {
    if (a < arguments_.size() && b < arguments_.size() && a != b) share(a, b, source.byte());
  }
  for (auto& argument : arguments_) {
    if (argument->block) argument->initial.assign(argument->block->data(), argument->block->data() + argument->block->bytes());
  }
}

void DrawnCall::materialize(const Draft& draft, const Shape& shape, Source& source) {
  auto argument = std::make_unique<Argument>();
  const size_t ordinal = arguments_.size();
  argument->parameter = ordinal < function_.parameters.size() ? &function_.parameters[ordinal] : nullptr;
  Value& value = argument->value;
  value.kind = draft.kind;
  value.number = draft.number;
  value.text = "text";
  if (draft.isTypedArray) {
    const size_t element = elementSize(draft.type);
    value.isTypedArray = true;
    value.type = draft.type;
    value.length = draft.length;
    argument->block = std::make_unique<Block>(draft.length * element, source.byte() % 64 / element * element);
    // An array without elements may have no memory.
    value.data = draft.length == 0 && source.oneIn(2) ? nullptr : argument->block->data();
    const Parameter* parameter = draft.parameter;
    if (parameter != nullptr && parameter->fill != nullptr) {
      Random random(source.byte() | ordinal << 8);
      const Array array(&value);
      parameter->fill(random, shape, array);
      if (shape.period > 0 && parameter->row != nullptr) {
        const size_t period = shape.period * parameter->row(shape) * element;
        uint8_t* bytes = argument->block->data();
        for (size_t i = period; i < argument->block->bytes(); i++) bytes[i] = bytes[i - period];
      }
    }
  }
  arguments_.push_back(std::move(argument));
}

void DrawnCall::changeElements(Source& source, const Shape& shape, size_t target) {
  const Array array(&arguments_[target]->value);
  if (!arguments_[target]->value.isTypedArray || array.size() == 0) return;
  for (uint32_t n = 1 + source.byte() % 3; n > 0; n--) {
    const size_t i = source.byte() % 2 == 0 ? source.word() % array.size() : array.size() - 1;
    const double changed = changedElement(array[i], shape, source);
    // A run of equal elements in one case of four: what is read until an element ends it.
    const size_t run = source.oneIn(4) ? 2 + source.byte() % 8 : 1;
    for (size_t j = i; j < std::min(i + run, array.size()); j++) array.set(j, changed);
  }
}

// Lets one array lie in the memory of the other, at an element of it, and cuts it off where that memory ends.
void DrawnCall::share(size_t a, size_t b, size_t at) {
  const Value& outer = arguments_[a]->value;
  Value& inner = arguments_[b]->value;
  if (!outer.isTypedArray || !inner.isTypedArray || outer.length == 0 || inner.length == 0) return;
  const size_t element = elementSize(inner.type);
  const auto begin = reinterpret_cast<uintptr_t>(outer.data);
  const uintptr_t end = begin + outer.length * elementSize(outer.type);
  // Near the front, so that there is room for most of it.
  const uintptr_t from = (begin + at % 5 * element + element - 1) / element * element;
  if (from + element > end) return;
  inner.data = reinterpret_cast<void*>(from);
  inner.length = std::min<size_t>(inner.length, (end - from) / element);
  shared_ = true;
}

std::vector<Value*> DrawnCall::values() const {
  std::vector<Value*> values;
  for (const auto& argument : arguments_) values.push_back(&argument->value);
  return values;
}

void DrawnCall::reset(uint8_t pattern) {
  for (auto& argument : arguments_) {
    if (!argument->block) continue;
    uint8_t* data = argument->block->data();
    if (argument->isOutput()) {
      std::memset(data, pattern, argument->block->bytes());
    } else {
      std::copy(argument->initial.begin(), argument->initial.end(), data);
    }
  }
}

void DrawnCall::print() const {
  std::fprintf(stderr, "%s(\n", function_.name);
  for (const auto& argument : arguments_) {
    const Value& value = argument->value;
    std::fprintf(stderr, "  %s: ", argument->parameter != nullptr ? argument->parameter->name.c_str() : "(one more)");
    if (value.isTypedArray) {
      std::fprintf(stderr, "%s[%zu]", typeName(value.type), value.length);
      const Array array(&value);
      for (size_t i = 0; i < std::min<size_t>(array.size(), 8); i++) std::fprintf(stderr, " %g", array[i]);
      std::fputs(array.size() > 8 ? " ...\n" : "\n", stderr);
    } else if (value.kind == napi_number) {
      std::fprintf(stderr, "%.17g\n", value.number);
    } else {
      static const char* const kNames[] = {"undefined", "null",   "a boolean",  "a number",   "a string",
                                           "a symbol",  "object", "a function", "an external", "a bigint"};
      std::fprintf(stderr, "%s\n", kNames[value.kind]);
    }
  }
  std::fputs(shared_ ? ") with arrays that share memory\n" : ")\n", stderr);
}

}  // namespace maxsim::fuzz
