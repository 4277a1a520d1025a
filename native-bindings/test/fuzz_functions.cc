// The table of the addon's functions; src/kernels/backend.ts states the shapes, src/kernels/native.ts the order.
#include <algorithm>
#include <cmath>

#include "test/fuzz_contents.h"
#include "test/fuzz_faults.h"
#include "test/fuzz_table.h"

namespace maxsim::fuzz {
namespace {

using Kind = Parameter::Kind;
using Role = Parameter::Role;
using Rule = Parameter::Rule;
using Types = std::vector<napi_typedarray_type>;
using Parameters = std::vector<Parameter>;

const Types kInt8{napi_int8_array};
const Types kUint8{napi_uint8_array};
const Types kUint16{napi_uint16_array};
const Types kInt32{napi_int32_array};
const Types kUint32{napi_uint32_array};
const Types kFloat32{napi_float32_array};
const Types kCodes{napi_uint16_array, napi_uint32_array};
constexpr uint64_t kMaxCount = 0x7fffffff;

uint64_t paddedLanes(uint64_t tokens) { return (tokens + 15) / 16 * 16; }

bool isBiased(double element) { return element >= 1 && element <= 127; }
bool isSymmetric(double element) { return element >= -127; }
bool isScale(double element) { return element >= 0 && std::isfinite(element); }
bool isNumber(double element) { return !std::isnan(element); }
bool isZero(double element) { return element == 0; }

// Parameters.

Parameter integer(const char* name, uint64_t Shape::*field, uint64_t least, uint64_t most,
                  bool (*fits)(const Shape&) = nullptr) {
  Parameter p;
  p.name = name;
  p.kind = Kind::kInteger;
  p.field = field;
  p.least = least;
  p.most = most;
  p.fits = fits;
  return p;
}

Parameter array(const char* name, const Types& types, Number length, Fill fill) {
  Parameter p;
  p.name = name;
  p.types = types;
  p.length = length;
  p.fill = fill;
  return p;
}

// A Float32Array whose rows may repeat.
Parameter floats(const char* name, Number length, Fill fill) {
  Parameter p = array(name, kFloat32, length, fill);
  p.row = [](const Shape&) -> uint64_t { return 1; };
  return p;
}

Parameter output(const char* name, const Types& types, Number length) {
  Parameter p = array(name, types, length, nullptr);
  p.rule = Rule::kAtLeast;
  p.role = Role::kOutput;
  return p;
}

Parameter measured(Parameter p, bool (*measure)(Shape&, uint64_t)) {
  p.rule = Rule::kMeasured;
  p.measure = measure;
  return p;
}

Parameter orNull(Parameter p, void (*absent)(Shape&) = nullptr) {
  p.optional = true;
  p.absent = absent;
  return p;
}

Parameter within(Parameter p, bool (*condition)(double)) {
  p.within = condition;
  return p;
}

Parameter tokensParameter() { return integer("query.tokens", &Shape::tokens, 1, 64); }
Parameter lanesParameter() {
  return integer("query.lanes", &Shape::lanes, 16, 64, [](const Shape& s) { return s.lanes == paddedLanes(s.tokens); });
}

uint64_t lanesOf(const Shape& s) { return s.lanes; }
uint64_t paddedTokens(const Shape& s) { return paddedLanes(s.tokens); }
uint64_t tableLength(const Shape& s) { return s.size * s.lanes; }
uint64_t vectorCount(const Shape& s) { return s.count; }
uint64_t totalTokens(const Shape& s) { return s.total; }
uint64_t probeLength(const Shape& s) { return s.tokens * s.nprobe; }
uint64_t markLength(const Shape& s) { return s.marks; }

Parameters query() {
  return {
      tokensParameter(),
      lanesParameter(),
      integer("query.dim", &Shape::dim, 8, 256, [](const Shape& s) { return s.dim % 8 == 0; }),
      within(array("query.values", kInt8, [](const Shape& s) { return s.dim * s.lanes; }, signedBytes), isSymmetric),
      floats("query.scales", lanesOf, scales),
      array("query.bias", kInt32, lanesOf, smallIntegers),
  };
}

Parameters codebook() {
  Parameter values = array("codebook.values", kUint8, [](const Shape& s) { return s.size * s.codebookDim; }, biasedBytes);
  values.row = [](const Shape& s) { return s.codebookDim; };
  return {
      integer("codebook.size", &Shape::size, 1, kMaxCount),
      integer("codebook.dim", &Shape::codebookDim, 8, 256, [](const Shape& s) { return s.codebookDim == s.dim; }),
      within(values, isBiased),
      within(floats("codebook.scales", [](const Shape& s) { return s.size; }, scales), isScale),
  };
}

Parameters vectors() {
  return {
      integer("vectors.count", &Shape::count, 0, kMaxCount),
      integer("vectors.dim", &Shape::dim, 8, 256, [](const Shape& s) { return s.dim % 8 == 0; }),
      within(array("vectors.values", kInt8, [](const Shape& s) { return s.count * s.dim; }, signedBytes), isSymmetric),
      floats("vectors.scales", vectorCount, scales),
  };
}

Parameters quantizer(bool withCutoffs) {
  Parameter weights = array("quantizer.weights", kUint8, [](const Shape& s) { return uint64_t{1} << s.nbits; }, biasedBytes);
  weights.accepted = isBiased;
  Parameter scale;
  scale.name = "quantizer.weightScale";
  scale.kind = Kind::kNumber;
  Parameters list{integer("quantizer.nbits", &Shape::nbits, 1, 4, [](const Shape& s) { return s.nbits != 3; })};
  if (withCutoffs) {
    list.push_back(array("quantizer.cutoffs", kFloat32, [](const Shape& s) { return (uint64_t{1} << s.nbits) - 1; }, reals));
  }
  list.push_back(weights);
  list.push_back(scale);
  return list;
}

bool measureSize(Shape& s, uint64_t length) {
  s.size = s.lanes == 0 ? 0 : length / s.lanes;
  return s.size > 0 && length % s.lanes == 0;
}

Parameter segmentCodes() {
  return measured(array("codes", kCodes, totalTokens, codesBelowSize), [](Shape& s, uint64_t length) {
    s.total = length;
    return true;
  });
}

// offsets, passages or null, out.
Parameters passages() {
  return {
      measured(array("offsets", kUint32, [](const Shape& s) { return s.passages + 1; }, ascendingOffsets),
               [](Shape& s, uint64_t length) {
                 s.passages = length == 0 ? 0 : length - 1;
                 return length > 0;
               }),
      orNull(measured(array("passages", kUint32, [](const Shape& s) { return s.chosen; }, passageIds),
                      [](Shape& s, uint64_t length) {
                        s.chosen = length;
                        return true;
                      }),
             [](Shape& s) { s.chosen = s.passages; }),
      output("out", kFloat32, [](const Shape& s) { return s.chosen; }),
  };
}

Parameters joined(std::initializer_list<Parameters> lists) {
  Parameters all;
  for (const auto& list : lists) all.insert(all.end(), list.begin(), list.end());
  return all;
}

std::vector<Function> makeTable() {
  std::vector<Function> table;

  table.push_back({"centroidScores", joined({query(), codebook(), {output("out", kFloat32, tableLength),
                                             orNull(output("bytes", kUint8, tableLength))}})});

  Parameter scoreTable = within(array("table", kFloat32, tableLength, reals), isNumber);
  scoreTable.row = lanesOf;
  table.push_back({"topCentroids", {scoreTable,
                                    integer("size", &Shape::size, 1, kMaxCount),
                                    tokensParameter(),
                                    lanesParameter(),
                                    integer("nprobe", &Shape::nprobe, 1, kMaxCount,
                                            [](const Shape& s) { return s.nprobe <= s.size; }),
                                    output("ids", kUint32, probeLength),
                                    output("scores", kFloat32, probeLength)}});

  Parameter ranges = orNull(array("ranges", kUint32, [](const Shape& s) { return 2 * s.count; }, centroidRanges));
  table.push_back({"assign", joined({vectors(), codebook(), {ranges, output("codes", kUint32, vectorCount)}}), rangeFault});

  Parameter byteTable = measured(array("bytes", kUint8, tableLength, anyBytes), measureSize);
  byteTable.row = lanesOf;
  Parameter anyLanes = integer("query.lanes", &Shape::lanes, 16, 64, [](const Shape& s) { return s.lanes % 16 == 0; });
  table.push_back({"approximate", joined({{anyLanes, byteTable, segmentCodes()}, passages()}), passageFault});

  Parameter planes = array("tokens.residuals", kUint8, [](const Shape& s) { return s.total * (s.dim * s.nbits / 8); }, anyBytes);
  Parameter norms = array("tokens.inverseNorms", kUint16, totalTokens, halves);
  scoreTable = measured(floats("table", tableLength, reals), measureSize);
  scoreTable.row = lanesOf;
  table.push_back({"maxsim", joined({query(), quantizer(false), {scoreTable, segmentCodes(), planes, norms}, passages()}),
                   passageFault});

  Parameter codes = array("codes", kUint32, vectorCount, codesBelowSize);
  codes.rule = Rule::kAtLeast;
  table.push_back({"compress", joined({vectors(), codebook(), quantizer(true),
                                       {codes,
                                        output("residuals", kUint8, [](const Shape& s) { return s.count * (s.dim * s.nbits / 8); }),
                                        output("inverseNorms", kUint16, vectorCount)}}),
                   vectorCodeFault});

  Parameter marks = within(measured(array("scratch.marks", kUint8, markLength, zeros),
                                    [](Shape& s, uint64_t length) {
                                      s.marks = length;
                                      return true;
                                    }),
                           isZero);
  marks.role = Role::kRestored;
  Parameter dense = array("scratch.sums", kFloat32, markLength, reals);
  dense.role = Role::kScratch;
  Parameter reached = output("passages", kUint32, markLength), sums = output("sums", kFloat32, markLength);
  marks.apart = dense.apart = reached.apart = sums.apart = true;
  reached.owed = sums.owed = [](const Shape&, double result) { return static_cast<uint64_t>(result); };
  table.push_back({"gather",
                   {tokensParameter(),
                    floats("query.scales", paddedTokens, scales),
                    integer("probes.nprobe", &Shape::nprobe, 1, kMaxCount),
                    array("probes.ids", kUint32, probeLength, codesBelowSize),
                    floats("probes.scores", probeLength, reals),
                    measured(array("postings.offsets", kUint32, [](const Shape& s) { return s.size + 1; }, listOffsets),
                             [](Shape& s, uint64_t length) {
                               s.size = length == 0 ? 0 : length - 1;
                               return length >= 2;
                             }),
                    measured(array("postings.bytes", kUint8, [](const Shape& s) { return uint64_t{s.listBytes.size()}; }, listBytes),
                             [](Shape&, uint64_t) { return true; }),
                    orNull(array("excluded", kUint8, markLength, fewSet)),
                    marks, dense, reached, sums},
                   listFault});

  table.push_back({"selectTop",
                   {measured(floats("scores", [](const Shape& s) { return s.scores; }, rankedScores),
                             [](Shape& s, uint64_t length) {
                               s.scores = length;
                               return true;
                             }),
                    integer("limit", &Shape::limit, 0, kMaxCount),
                    output("out", kUint32, [](const Shape& s) { return std::min(s.limit, s.scores); })}});
  return table;
}

}  // namespace

const std::vector<Function>& functions() {
  static const std::vector<Function> table = makeTable();
  return table;
}

}  // namespace maxsim::fuzz
