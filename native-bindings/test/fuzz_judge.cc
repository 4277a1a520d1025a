#include "test/fuzz_judge.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace maxsim::fuzz {
namespace {

using Kind = Parameter::Kind;
using Rule = Parameter::Rule;

bool isArrayOf(const Value& value, const Parameter& parameter) {
  return value.isTypedArray &&
         std::find(parameter.types.begin(), parameter.types.end(), value.type) != parameter.types.end();
}

bool every(const Value& value, bool (*condition)(double)) {
  const Array array(&value);
  for (size_t i = 0; i < array.size(); i++) {
    if (!condition(array[i])) return false;
  }
  return true;
}

bool takeInteger(const Value& value, const Parameter& parameter, Shape& shape) {
  if (value.kind != napi_number || std::floor(value.number) != value.number) return false;
  if (!(value.number >= static_cast<double>(parameter.least) && value.number <= static_cast<double>(parameter.most))) {
    return false;
  }
  shape.*parameter.field = static_cast<uint64_t>(value.number);
  return parameter.fits == nullptr || parameter.fits(shape);
}

bool takeMeasured(const Value& value, const Parameter& parameter, Shape& shape) {
  if (parameter.optional && value.kind == napi_null) {
    if (parameter.absent != nullptr) parameter.absent(shape);
    return true;
  }
  return isArrayOf(value, parameter) && parameter.measure(shape, value.length);
}

bool fitsShape(const Value& value, const Parameter& parameter, const Shape& shape) {
  if (parameter.optional && value.kind == napi_null) return true;
  if (!isArrayOf(value, parameter)) return false;
  const uint64_t expected = parameter.length(shape);
  if (parameter.rule == Rule::kAtLeast ? value.length < expected : value.length != expected) return false;
  return parameter.accepted == nullptr || every(value, parameter.accepted);
}

// The bytes of an array that a call uses.
std::pair<uintptr_t, uintptr_t> used(const Value& value, const Parameter& parameter, const Shape& shape) {
  const auto begin = reinterpret_cast<uintptr_t>(value.data);
  return {begin, begin + parameter.length(shape) * elementSize(value.type)};
}

}  // namespace

Verdict judge(const Function& function, const std::vector<Value*>& values) {
  static Value undefined;
  Verdict verdict;
  const auto& parameters = function.parameters;
  std::vector<Value*> all(values);
  all.resize(std::max(all.size(), parameters.size()), &undefined);

  // Numbers first, then arrays that may have any length, because the other lengths follow from both.
  const auto pass = [&](auto applies, auto take) {
    for (size_t i = 0; i < parameters.size(); i++) {
      if (applies(parameters[i]) && !take(*all[i], parameters[i], verdict.shape)) verdict.refused.insert(parameters[i].name);
    }
  };
  // Where one of these is refused the lengths are open: any array may then be what the addon refuses.
  const auto isOpen = [&] {
    if (verdict.refused.empty()) return false;
    for (const Parameter& parameter : parameters) {
      if (parameter.kind == Kind::kArray) verdict.refused.insert(parameter.name);
    }
    return true;
  };
  pass([](const Parameter& p) { return p.kind == Kind::kInteger; }, takeInteger);
  pass([](const Parameter& p) { return p.kind == Kind::kNumber; },
       [](const Value& value, const Parameter&, const Shape&) { return value.kind == napi_number; });
  if (isOpen()) return verdict;
  pass([](const Parameter& p) { return p.kind == Kind::kArray && p.rule == Rule::kMeasured; }, takeMeasured);
  if (isOpen()) return verdict;
  pass([](const Parameter& p) { return p.kind == Kind::kArray && p.rule != Rule::kMeasured; }, fitsShape);
  if (!verdict.refused.empty()) return verdict;

  for (size_t i = 0; i < parameters.size(); i++) {
    const auto within = parameters[i].within;
    if (within != nullptr && all[i]->isTypedArray && !every(*all[i], within)) verdict.defined = false;
    for (size_t j = 0; j < i; j++) {
      if (!parameters[i].apart || !parameters[j].apart) continue;
      const auto a = used(*all[i], parameters[i], verdict.shape), b = used(*all[j], parameters[j], verdict.shape);
      if (a.first < b.second && b.first < a.second) verdict.overlaps = true;
    }
  }
  if (function.fault != nullptr) {
    const char* fault = function.fault(Found(verdict.shape, parameters, all));
    if (fault != nullptr) verdict.fault = fault;
  }
  return verdict;
}

}  // namespace maxsim::fuzz
