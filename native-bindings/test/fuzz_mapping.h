// Sequences of calls that map files, with the files changing in between.
#pragma once

#include "test/fuzz_source.h"

namespace maxsim::fuzz {

// Aborts on a finding; leaves no file and no mapping behind.
void mapFiles(Source& source);

}  // namespace maxsim::fuzz
