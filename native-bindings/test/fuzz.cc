// libFuzzer drives the addon's own functions, argument checks included, over a stand-in for Node-API. What must
// hold beyond the sanitizers' silence: a call that the table calls bad throws an exception that names a bad argument,
// any other returns; what a call owes is written, nothing else is; and every instruction set of this processor gives
// the same bits. scripts/fuzz-native.mjs builds and runs it.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "test/fuzz_call.h"
#include "test/fuzz_judge.h"
#include "test/fuzz_mapping.h"

namespace maxsim::fuzz {
namespace {

using Role = Parameter::Role;

// Functions that the table does not describe, because sequences of calls matter: chooseInstructionSet and mapFiles.
const char* const kOthers[] = {"isa", "isas", "forceIsa", "mapFile", "attachMapping", "mappingLength", "unmapFile"};

Value text(const std::string& content) {
  Value value;
  value.kind = napi_string;
  value.text = content;
  return value;
}

napi_value exported(const char* name) {
  const auto& all = exportsOfAddon();
  const auto found = all.find(name);
  if (found == all.end()) finding("the addon does not export %s, which the table describes", name);
  return found->second;
}

// Best first; the last one is the scalar one.
std::vector<std::string> instructionSets() {
  const Outcome outcome = invoke(exported("isas"), {});
  std::vector<std::string> names;
  for (const napi_value element : outcome.result->elements) names.push_back(Value::of(element)->text);
  return names;
}

const std::vector<std::string>& isas() {
  static const std::vector<std::string> names = instructionSets();
  return names;
}

// What one run of a call left behind.
struct Run {
  Outcome outcome;
  double result = 0;
  std::vector<std::vector<uint8_t>> contents;
};

class Examination {
 public:
  Examination(DrawnCall& call, const Verdict& verdict) : call_(call), verdict_(verdict) {}

  void run() {
    // Each run fills the outputs with something else, so that bytes left as they were differ.
    const size_t count = std::max<size_t>(isas().size(), 2);
    Run expected;
    for (size_t i = 0; i < count; i++) {
      isa_ = isas()[isas().size() - 1 - i % isas().size()];
      Run run = runWith(static_cast<uint8_t>(i % 2 == 0 ? 0xa5 : 0x5a));
      if (i == 0) {
        expected = std::move(run);
      } else if (!call_.shared() && verdict_.defined) {
        compare(expected, run);
      }
    }
  }

 private:
  [[noreturn]] void fail(const std::string& what) {
    call_.print();
    finding("%s: %s: %s", isa_.c_str(), call_.function().name, what.c_str());
  }

  Run runWith(uint8_t pattern) {
    Value name = text(isa_);
    if (invoke(exported("forceIsa"), {&name}).threw) fail("cannot be chosen");
    call_.reset(pattern);
    Run run;
    run.outcome = invoke(exported(call_.function().name), call_.values());
    if (run.outcome.result != nullptr) {
      if (run.outcome.result->kind != napi_number) fail("the result is not a number");
      run.result = run.outcome.result->number;
    }
    for (const auto& argument : call_.arguments()) {
      if (argument->block && !argument->block->frontIsWhole()) fail("wrote before an array");
    }
    if (verdict_.overlaps && !run.outcome.threw) fail("took arrays that share memory");
    if (call_.shared()) return run;
    checkOutcome(run.outcome);
    checkContents(run, pattern);
    return run;
  }

  void checkOutcome(const Outcome& outcome) {
    if (!outcome.threw) {
      if (!verdict_.refused.empty()) fail("did not refuse " + *verdict_.refused.begin());
      if (!verdict_.fault.empty()) fail("did not refuse the data of " + verdict_.fault);
      return;
    }
    if (verdict_.valid()) {
      if (verdict_.defined) fail("refused a good call: " + outcome.message);
      return;
    }
    if (outcome.errorClass == "Error") fail("neither a TypeError nor a RangeError: " + outcome.message);
    const auto names = [&outcome](const std::string& name) { return outcome.message.rfind(name + " must ", 0) == 0; };
    if (!std::any_of(verdict_.refused.begin(), verdict_.refused.end(), names) && !names(verdict_.fault)) {
      fail("does not name a bad argument: " + outcome.message);
    }
  }

  uint64_t owed(const Parameter& parameter, double result) const {
    return parameter.owed != nullptr ? parameter.owed(verdict_.shape, result) : parameter.length(verdict_.shape);
  }

  void checkContents(Run& run, uint8_t pattern) {
    for (const auto& argument : call_.arguments()) {
      if (!argument->block) continue;
      const uint8_t* data = argument->block->data();
      const size_t bytes = argument->block->bytes();
      run.contents.emplace_back(data, data + bytes);
      const Role role = argument->parameter == nullptr ? Role::kInput : argument->parameter->role;
      const bool computed = verdict_.refused.empty();
      if (role == Role::kOutput) {
        // What a fault left half done stays within the room, too.
        const size_t room = computed ? argument->parameter->length(verdict_.shape) * elementSize(argument->value.type) : 0;
        for (size_t i = room; i < bytes; i++) {
          if (data[i] != pattern) fail("wrote beyond the room of " + argument->parameter->name);
        }
        if (!run.outcome.threw && owed(*argument->parameter, run.result) * elementSize(argument->value.type) > room) {
          fail("returned more than there is room for");
        }
      } else if (role == Role::kInput || !computed || (role == Role::kRestored && !run.outcome.threw && verdict_.defined)) {
        if (bytes > 0 && std::memcmp(data, argument->initial.data(), bytes) != 0) {
          fail("changed " + (argument->parameter == nullptr ? std::string("an input") : argument->parameter->name));
        }
      }
    }
  }

  void compare(const Run& expected, const Run& run) {
    const std::string& best = isas().back();
    if (run.outcome.threw != expected.outcome.threw) fail("throws other than " + best);
    if (run.outcome.message != expected.outcome.message) {
      fail("\"" + run.outcome.message + "\", but " + best + " says \"" + expected.outcome.message + "\"");
    }
    if (run.outcome.threw) return;
    if (run.result != expected.result) fail("returns other than " + best);
    size_t block = 0;
    for (const auto& argument : call_.arguments()) {
      if (!argument->block) continue;
      const auto& a = expected.contents[block];
      const auto& b = run.contents[block++];
      if (!argument->isOutput()) continue;
      const size_t element = elementSize(argument->value.type);
      const size_t bytes = owed(*argument->parameter, run.result) * element;
      for (size_t i = 0; i < bytes; i += element) {
        if (std::memcmp(a.data() + i, b.data() + i, element) != 0 && !bothNaN(*argument, a.data() + i, b.data() + i)) {
          fail("differs from " + best + " in, or does not write, " + argument->parameter->name + "[" +
               std::to_string(i / element) + "]");
        }
      }
    }
  }

  // Which bits a NaN has is not defined.
  static bool bothNaN(const Argument& argument, const uint8_t* a, const uint8_t* b) {
    if (argument.value.type != napi_float32_array) return false;
    float first, second;
    std::memcpy(&first, a, sizeof first);
    std::memcpy(&second, b, sizeof second);
    return std::isnan(first) && std::isnan(second);
  }

  DrawnCall& call_;
  const Verdict& verdict_;
  std::string isa_;
};

void examine(const Function& function, Source& source) {
  DrawnCall call(function, source);
  if (std::getenv("FUZZ_PRINT") != nullptr) call.print();
  const Verdict verdict = judge(function, call.values());
  Examination(call, verdict).run();
}

// Names of instruction sets: the known ones and null are taken, everything else is refused and changes nothing.
void chooseInstructionSet(Source& source) {
  Value argument;
  bool good = false;
  switch (source.byte() % 4) {
    case 0:
      argument = text(isas()[source.below(static_cast<uint32_t>(isas().size()))]);
      if (source.oneIn(2)) argument.text.resize(source.byte(), 'x');
      good = std::find(isas().begin(), isas().end(), argument.text) != isas().end();
      break;
    case 1:
      argument.kind = napi_null;
      good = true;
      break;
    case 2:
      argument.kind = napi_number;
      argument.number = source.byte();
      break;
    default:
      argument = text("");
      while (!source.empty()) argument.text.push_back(static_cast<char>(source.byte()));
      good = std::find(isas().begin(), isas().end(), argument.text.c_str()) != isas().end();
  }
  const std::string before = invoke(exported("isa"), {}).result->text;
  const Outcome outcome = invoke(exported("forceIsa"), {&argument});
  const std::string after = invoke(exported("isa"), {}).result->text;
  if (outcome.threw == good) finding("forceIsa(\"%s\"): %s", argument.text.c_str(), good ? "refused" : "taken");
  const std::string expected = !good ? before : argument.kind == napi_null ? isas().front() : argument.text.c_str();
  if (after != expected) finding("forceIsa(\"%s\"): %s in use", argument.text.c_str(), after.c_str());
}

}  // namespace
}  // namespace maxsim::fuzz

namespace {

// The functions of the table; FUZZ_FUNCTIONS=name,name in the environment restricts them.
const std::vector<const maxsim::fuzz::Function*>& chosenFunctions() {
  static const std::vector<const maxsim::fuzz::Function*> chosen = [] {
    const char* wanted = std::getenv("FUZZ_FUNCTIONS");
    const std::string list = wanted == nullptr ? "" : "," + std::string(wanted) + ",";
    std::vector<const maxsim::fuzz::Function*> found;
    for (const auto& function : maxsim::fuzz::functions()) {
      const bool listed = list.find("," + std::string(function.name) + ",") != std::string::npos;
      if (list.empty() || listed) found.push_back(&function);
    }
    return found;
  }();
  return chosen;
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  using namespace maxsim::fuzz;
  for (const auto& entry : exportsOfAddon()) {
    const std::string& name = entry.first;
    const bool described =
        std::any_of(functions().begin(), functions().end(), [&](const Function& f) { return name == f.name; }) ||
        std::any_of(std::begin(kOthers), std::end(kOthers), [&](const char* other) { return name == other; });
    if (!described) finding("the table does not describe %s, which the addon exports", name.c_str());
  }
  std::string names;
  for (const std::string& name : isas()) names += (names.empty() ? "" : ", ") + name;
  std::fprintf(stderr, "INSTRUCTION SETS: %s\n", names.c_str());
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace maxsim::fuzz;
  Source source(data, size);
  const auto& chosen = chosenFunctions();
  const uint32_t choice = source.below(static_cast<uint32_t>(chosen.size()) + 2);
  if (choice == chosen.size()) {
    chooseInstructionSet(source);
  } else if (choice > chosen.size()) {
    mapFiles(source);
  } else {
    examine(*chosen[choice], source);
  }
  return 0;
}
