// Valid contents of arrays, for arrays of any length.
#pragma once

#include "test/fuzz_table.h"

namespace maxsim::fuzz {

void signedBytes(Random& random, const Shape& shape, const Array& array);
void biasedBytes(Random& random, const Shape& shape, const Array& array);
void anyBytes(Random& random, const Shape& shape, const Array& array);
void smallIntegers(Random& random, const Shape& shape, const Array& array);
void reals(Random& random, const Shape& shape, const Array& array);
void rankedScores(Random& random, const Shape& shape, const Array& array);
void scales(Random& random, const Shape& shape, const Array& array);
void halves(Random& random, const Shape& shape, const Array& array);
void codesBelowSize(Random& random, const Shape& shape, const Array& array);
void passageIds(Random& random, const Shape& shape, const Array& array);
void ascendingOffsets(Random& random, const Shape& shape, const Array& array);
void centroidRanges(Random& random, const Shape& shape, const Array& array);
void listOffsets(Random& random, const Shape& shape, const Array& array);
void listBytes(Random& random, const Shape& shape, const Array& array);
void zeros(Random& random, const Shape& shape, const Array& array);
void fewSet(Random& random, const Shape& shape, const Array& array);

}  // namespace maxsim::fuzz
