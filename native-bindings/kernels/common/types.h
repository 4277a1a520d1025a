// The arguments of kernels: plain pointers with sizes. Shapes and number ranges are those of
// src/kernels/backend.ts. Whoever calls has checked lengths; what only the data can tell (codes, offsets,
// passages, ranges) is checked here while it is read, and reported as a Fault.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

namespace maxsim {

constexpr uint32_t kLaneMultiple = 16;
constexpr uint32_t kMaxLanes = 64;
constexpr uint32_t kMaxDim = 256;
constexpr int32_t kDocumentBias = 64;
// Below every score: where a maximum starts, and the score of a passage without tokens.
constexpr float kLowest = -std::numeric_limits<float>::infinity();

struct Query {
  uint32_t tokens;        // 1..64
  uint32_t lanes;         // tokens rounded up to a multiple of 16
  uint32_t dim;           // multiple of 8, at most 256
  const int8_t* values;   // [dim / 4][lanes][4]
  const float* scales;    // [lanes]
  const int32_t* bias;    // [lanes], 64 * sum(values)
};

struct Codebook {
  size_t size;
  uint32_t dim;
  const uint8_t* values;  // [size][dim]
  const float* scales;    // [size]
};

struct Quantizer {
  uint32_t nbits;          // 1, 2 or 4
  const float* cutoffs;    // [2^nbits - 1]; null where only decoding is done
  const uint8_t* weights;  // [2^nbits]
  float weightScale;
};

struct Vectors {
  size_t count;
  uint32_t dim;
  const int8_t* values;  // [count][dim]
  const float* scales;   // [count]
};

// Centroid scores of the query's tokens, in units of each token's scale.
struct Table {
  size_t size;          // centroids
  const float* values;  // [size][lanes]
};

// The same as cosines in steps of 1 / 255.
struct ByteTable {
  size_t size;          // centroids
  uint32_t lanes;       // bytes of a row: 16, 32, 48 or 64
  const uint8_t* rows;  // [size][lanes]
};

// The centroids probed for each query token, best first.
struct Probes {
  uint32_t tokens;      // of the query
  const float* scales;  // [tokens] of the query, or more
  size_t nprobe;
  const uint32_t* ids;  // [tokens][nprobe]
  const float* scores;  // [tokens][nprobe], in units of the query token's scale
};

// Passages of each centroid, ascending: the first one, then differences, as LEB128 varints of at most five bytes.
struct Postings {
  size_t centroids;
  const uint32_t* offsets;  // [centroids + 1], into bytes
  size_t length;            // of bytes
  const uint8_t* bytes;
};

// Codes of all tokens of a segment; exactly one of the pointers is set.
struct Codes {
  size_t tokens;
  const uint16_t* narrow;
  const uint32_t* wide;
};

struct Residuals {
  const uint8_t* planes;          // [tokens][dim * nbits / 8]
  const uint16_t* inverseNorms;   // binary16 [tokens]
};

struct Passages {
  size_t total;              // passages of the segment
  const uint32_t* offsets;   // [total + 1]
  size_t count;              // passages to score
  const uint32_t* selected;  // [count], or null for all in order
};

enum class Fault { kNone, kPassage, kOffsets, kCode, kRange, kProbe, kPostings };

// What was wrong with the data: `found` is the value, `limit` what it had to stay below or at. Of a malformed posting
// list `found` is the centroid.
struct Status {
  Fault fault = Fault::kNone;
  uint64_t found = 0;
  uint64_t limit = 0;
};

}  // namespace maxsim
