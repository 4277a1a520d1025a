// Faults that only the data of a call shows: each gives the name of an argument that must be refused, or null.
#pragma once

#include "test/fuzz_table.h"

namespace maxsim::fuzz {

const char* passageFault(const Found& found);
const char* rangeFault(const Found& found);
const char* vectorCodeFault(const Found& found);
const char* listFault(const Found& found);

}  // namespace maxsim::fuzz
