#include "addon/call.h"
#include "addon/functions.h"
#include "dispatch/table.h"

namespace maxsim {

napi_value approximate(napi_env env, napi_callback_info info) {
  Call call(env, info);
  const ByteTable table = call.byteTable();
  const Codes codes = call.codes("codes");
  const Passages passages = call.passages();
  float* out = call.room<float>("out", passages.count);
  if (call.ok()) call.report(activeKernels().maxsim->approximate(table, codes, passages, out));
  return nullptr;
}

napi_value maxsim(napi_env env, napi_callback_info info) {
  Call call(env, info);
  const Query query = call.query();
  const Quantizer quantizer = call.quantizer(false);
  const Table table = call.table(query.lanes);
  const Codes codes = call.codes("codes");
  const uint64_t bytes = uint64_t{query.dim} * quantizer.nbits / 8;
  Residuals residuals{};
  residuals.planes = call.exactly<uint8_t>("tokens.residuals", codes.tokens * bytes);
  residuals.inverseNorms = call.exactly<uint16_t>("tokens.inverseNorms", codes.tokens);
  const Passages passages = call.passages();
  float* out = call.room<float>("out", passages.count);
  if (call.ok()) {
    call.report(activeKernels().maxsim->maxsim(query, quantizer, table, codes, residuals, passages, out));
  }
  return nullptr;
}

}  // namespace maxsim
