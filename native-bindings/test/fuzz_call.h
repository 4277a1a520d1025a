// One drawn call: its arguments in memory, with what surrounds them.
#pragma once

#include <memory>
#include <vector>

#include "test/fuzz_table.h"

namespace maxsim::fuzz {

// Heap bytes that end where the array ends, so that a sanitizer sees the next one; at the front `shift` bytes that
// nothing may touch, because typed arrays are aligned to their elements and no more.
class Block {
 public:
  Block(size_t bytes, size_t shift);
  ~Block();
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  uint8_t* data() const { return allocation_ + shift_; }
  size_t bytes() const { return bytes_; }
  bool frontIsWhole() const;

 private:
  uint8_t* allocation_;
  size_t shift_;
  size_t bytes_;
};

struct Argument {
  // Null where more arguments are passed than the function has.
  const Parameter* parameter = nullptr;
  Value value;
  std::unique_ptr<Block> block;       // of typed arrays
  std::vector<uint8_t> initial;       // content of the block before the call
  bool isOutput() const { return parameter != nullptr && parameter->role == Parameter::Role::kOutput; }
};

// A call that the table allows, as a rule with one or a few changes to it.
class DrawnCall {
 public:
  DrawnCall(const Function& function, Source& source);

  const Function& function() const { return function_; }
  std::vector<std::unique_ptr<Argument>>& arguments() { return arguments_; }
  std::vector<Value*> values() const;
  // Whether two arrays share memory: then only safety counts.
  bool shared() const { return shared_; }
  // Content as before the first run; outputs are filled with `pattern`.
  void reset(uint8_t pattern);
  // The call in words, to stderr.
  void print() const;

 private:
  struct Draft;
  void materialize(const Draft& draft, const Shape& shape, Source& source);
  void changeElements(Source& source, const Shape& shape, size_t argument);
  void share(size_t a, size_t b, size_t at);

  const Function& function_;
  std::vector<std::unique_ptr<Argument>> arguments_;
  bool shared_ = false;
};

}  // namespace maxsim::fuzz
