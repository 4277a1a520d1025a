// What a call must come to, by the table alone.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "test/fuzz_table.h"

namespace maxsim::fuzz {

struct Verdict {
  // As the arguments give it; of use where nothing is refused.
  Shape shape;
  // Arguments that must be refused before anything is computed; an exception names one of them.
  std::set<std::string> refused;
  // The argument whose data must be refused, perhaps after a part of the work; empty: none.
  std::string fault;
  // Whether arrays share memory that must not.
  bool overlaps = false;
  // Whether the data is within the contract, so that results are defined.
  bool defined = true;

  bool valid() const { return refused.empty() && fault.empty() && !overlaps; }
};

Verdict judge(const Function& function, const std::vector<Value*>& values);

}  // namespace maxsim::fuzz
