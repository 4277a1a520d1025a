// What the addon's functions take, as data: the fuzzer draws calls from it and judges by it whether a call must be
// refused. A further function is one more entry in fuzz_functions.cc.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "test/fuzz_node.h"
#include "test/fuzz_source.h"

namespace maxsim::fuzz {

// The numbers that the lengths and contents of a call's arguments follow from. Drawn for a call that is to be valid;
// read back from the arguments when a call is judged.
struct Shape {
  uint64_t tokens = 1;       // of the query
  uint64_t lanes = 16;
  uint64_t dim = 8;
  uint64_t size = 1;         // centroids
  uint64_t codebookDim = 8;
  uint64_t nbits = 1;
  uint64_t count = 0;        // vectors
  uint64_t total = 0;        // tokens of the segment
  uint64_t passages = 0;     // of the segment
  uint64_t chosen = 0;       // passages to be scored
  uint64_t nprobe = 1;
  uint64_t marks = 0;        // passages that may be gathered
  uint64_t scores = 0;       // to select from
  uint64_t limit = 0;
  // Rows of equal content follow each other with this period, so that there are ties; 0: none.
  uint64_t period = 0;
  // Posting lists that agree with `size` and `marks`.
  std::vector<uint32_t> listOffsets;
  std::vector<uint8_t> listBytes;
};

Shape drawShape(Source& source);

// The elements of a typed array of at most 32 bits an element, whatever its type is.
class Array {
 public:
  explicit Array(const Value* value) : value_(value) {}
  size_t size() const { return value_->length; }
  napi_typedarray_type type() const { return value_->type; }
  double operator[](size_t i) const;
  // Rounded towards zero and limited to what the type holds.
  void set(size_t i, double number) const;

 private:
  const Value* value_;
};

using Number = uint64_t (*)(const Shape&);
using Fill = void (*)(Random&, const Shape&, const Array&);

struct Parameter {
  enum class Kind { kInteger, kNumber, kArray };
  enum class Rule { kExactly, kAtLeast, kMeasured };
  // kScratch is of any content before and after; kRestored is after a call as it was before.
  enum class Role { kInput, kOutput, kScratch, kRestored };

  std::string name;  // as error messages name it
  Kind kind = Kind::kArray;

  // Integers: the field that holds it, and what it must be.
  uint64_t Shape::*field = nullptr;
  uint64_t least = 0;
  uint64_t most = 0;
  bool (*fits)(const Shape&) = nullptr;

  // Arrays.
  std::vector<napi_typedarray_type> types;
  Rule rule = Rule::kExactly;
  Number length = nullptr;
  // Of a measured array: takes the length over into the shape, or says that it is refused.
  bool (*measure)(Shape&, uint64_t length) = nullptr;
  // Null may be passed instead; `absent`, if given, takes that over into the shape.
  bool optional = false;
  void (*absent)(Shape&) = nullptr;
  Role role = Role::kInput;
  // Whether it must not share memory with another array of which this is so.
  bool apart = false;
  // Of an output: elements that a call owes, given what it returned. Without it, `length`.
  uint64_t (*owed)(const Shape&, double result) = nullptr;
  // Of an input: writes valid content.
  Fill fill = nullptr;
  // Elements of a row, where rows may repeat.
  Number row = nullptr;
  // Whether an element is within the contract; a call with others may do anything that is safe.
  bool (*within)(double element) = nullptr;
  // Whether an element is one that the addon accepts.
  bool (*accepted)(double element) = nullptr;
};

// The arguments of a call, each of the right kind and length, while their data is judged.
class Found {
 public:
  Found(const Shape& shape, const std::vector<Parameter>& parameters, const std::vector<Value*>& values)
      : shape(shape), parameters_(parameters), values_(values) {}
  const Shape& shape;
  Array array(const char* name) const;
  bool isNull(const char* name) const;

 private:
  const Value* value(const char* name) const;
  const std::vector<Parameter>& parameters_;
  const std::vector<Value*>& values_;
};

struct Function {
  const char* name;
  std::vector<Parameter> parameters;
  // The name of an argument whose data must be refused, or null.
  const char* (*fault)(const Found&) = nullptr;
};

const std::vector<Function>& functions();

}  // namespace maxsim::fuzz
