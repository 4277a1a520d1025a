#include "test/fuzz_mapping.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>

#include "test/fuzz_node.h"

namespace maxsim::fuzz {
namespace {

namespace fs = std::filesystem;

size_t openDescriptors() {
  DIR* folder = opendir("/proc/self/fd");
  if (folder == nullptr) return 0;
  size_t count = 0;
  while (readdir(folder) != nullptr) count++;
  closedir(folder);
  return count;
}

// A folder with the files that are mapped, removed at the end of the process.
class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "maxsim-fuzz-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) finding("no temporary folder can be made");
    path_ = name;
    fs::create_directory(path_ / "folder");
    if (mkfifo((path_ / "fifo").c_str(), 0600) != 0) finding("no FIFO can be made");
  }
  ~Folder() {
    std::error_code ignored;  // the end of the process leaves nobody to tell
    fs::remove_all(path_, ignored);
  }
  std::string file(const char* name) const { return (path_ / name).string(); }

 private:
  fs::path path_;
};

const Folder& folder() {
  static const Folder instance;
  return instance;
}

// One ArrayBuffer over a mapping. `mapping` names the call of mapFile that it goes back to.
struct View {
  std::unique_ptr<Value> buffer;
  double id = 0;
  size_t mapping = 0;
  uint64_t length = 0;
  bool closed = false;
};

class Sequence {
 public:
  explicit Sequence(Source& source) : source_(source) {}

  void run() {
    const size_t descriptors = openDescriptors();
    write(0);
    write(1);
    for (uint32_t step = 0; step < 40 && !source_.empty(); step++) advance();
    while (!views_.empty()) drop(views_.size() - 1);
    runPendingFinalizers();
    for (const auto& [mapping, inode] : inodes_) close(inode.descriptor);
    if (openDescriptors() != descriptors) finding("mappings leave descriptors behind");
  }

 private:
  // The file behind a mapping, by a descriptor of our own.
  struct Inode {
    int descriptor;
    uint64_t size() const {
      struct stat status;
      return fstat(descriptor, &status) == 0 ? static_cast<uint64_t>(status.st_size) : 0;
    }
  };

  static std::string pathOf(uint32_t file) { return folder().file(file == 0 ? "first" : "second"); }

  // A new file in the place of the old one.
  void write(uint32_t file) {
    fs::remove(pathOf(file));
    std::ofstream(pathOf(file)) << std::string(source_.word() % 20000, 'x');
  }

  void advance() {
    switch (source_.byte() % 9) {
      case 0:
        return write(source_.below(2));
      case 1:
        return fs::resize_file(pathOf(source_.below(2)), source_.word() % 20000);
      case 2:
      case 3:
        return map();
      case 4:
        return attach();
      case 5:
        return look();
      case 6:
        return unmap();
      case 7:
        if (!views_.empty()) drop(source_.below(static_cast<uint32_t>(views_.size())));
        return;
      default:
        return runPendingFinalizers();
    }
  }

  void map() {
    const uint32_t kind = source_.byte() % 12;
    const std::string good = pathOf(source_.below(2));
    const std::string paths[] = {"", "missing", "folder", "fifo"};
    Value path;
    path.kind = kind == 4 ? napi_number : napi_string;
    path.text = kind < 4 ? folder().file(paths[kind].c_str()) : kind == 5 ? std::string(5000, 'a') : good;
    if (kind == 6) path.text += '\0';
    const uint64_t size = fs::file_size(good);
    Value length = lengthNear(size);
    const bool valid = kind > 6 && size > 0 && length.kind == napi_number && length.number == static_cast<double>(size);
    const bool buffers = !source_.oneIn(8);
    allowExternalBuffers(buffers);
    const Outcome outcome = invoke(function("mapFile"), {&path, &length});
    allowExternalBuffers(true);
    if (outcome.threw == valid) finding("mapFile: %s", valid ? outcome.message.c_str() : "a bad file was mapped");
    if (!valid || !buffers) return expectNothing(outcome, valid);
    inodes_[++mappings_] = {open(good.c_str(), O_RDONLY | O_CLOEXEC)};
    take(outcome, mappings_, size);
  }

  Value lengthNear(uint64_t size) {
    Value length;
    length.kind = napi_number;
    length.number = static_cast<double>(size);
    constexpr double kOthers[] = {0, -1, 0.5, 4294967296.0, 4294967297.0, 1e308, std::numeric_limits<double>::quiet_NaN()};
    const uint32_t kind = source_.byte() % 16;
    if (kind >= 9) length.number = kOthers[kind - 9];
    if (kind == 8) length.number += 1;
    if (kind == 7) length.number -= 1;
    if (kind == 6) length.kind = napi_string;
    return length;
  }

  void attach() {
    Value id;
    id.kind = napi_number;
    const View* view = views_.empty() ? nullptr : &views_[source_.below(static_cast<uint32_t>(views_.size()))];
    const uint32_t kind = source_.byte() % 8;
    constexpr double kOthers[] = {0, -1, 1.5, 1e300, std::numeric_limits<double>::infinity()};
    id.number = kind >= 3 || view == nullptr ? view == nullptr ? 1e15 : view->id : kOthers[source_.below(5)];
    const bool valid = view != nullptr && kind >= 3 && isHeld(view->mapping);
    const Outcome outcome = invoke(function("attachMapping"), {&id});
    if (outcome.threw == valid) finding("attachMapping: %s", valid ? outcome.message.c_str() : "a bad id was attached");
    if (valid) take(outcome, view->mapping, view->length);
  }

  // How long the file is now; then the memory, where it is there.
  void look() {
    Value other;
    other.kind = source_.oneIn(2) ? napi_object : napi_null;
    View* view = views_.empty() || source_.oneIn(4) ? nullptr : &views_[source_.below(static_cast<uint32_t>(views_.size()))];
    const Outcome outcome = invoke(function("mappingLength"), {view == nullptr ? &other : view->buffer.get()});
    const bool valid = view != nullptr && !view->closed;
    if (outcome.threw == valid) finding("mappingLength: %s", valid ? outcome.message.c_str() : "of no mapping");
    if (!valid) return;
    const uint64_t size = inodes_.at(view->mapping).size();
    if (outcome.result->number != static_cast<double>(size)) finding("mappingLength: not the file's length");
    if (size < view->length) return;
    const auto* data = static_cast<const volatile char*>(view->buffer->data);
    for (uint64_t i = 0; i < view->length; i++) {
      if (data[i] != 'x' && data[i] != '\0') finding("the mapping shows another file");
    }
  }

  void unmap() {
    Value other;
    other.kind = source_.oneIn(2) ? napi_object : napi_null;
    View* view = views_.empty() || source_.oneIn(4) ? nullptr : &views_[source_.below(static_cast<uint32_t>(views_.size()))];
    // Somebody else may have taken the memory away already.
    if (view != nullptr && source_.oneIn(8)) napi_detach_arraybuffer(nullptr, view->buffer->handle());
    const bool transferred = view != nullptr && view->buffer->isDetached && !view->closed;
    const Outcome outcome = invoke(function("unmapFile"), {view == nullptr ? &other : view->buffer.get()});
    if (outcome.threw != (view == nullptr)) finding("unmapFile: %s", outcome.message.c_str());
    if (view == nullptr) return;
    if (!view->buffer->isDetached || view->buffer->length != 0) finding("unmapFile: not detached");
    if (transferred) runPendingFinalizers();  // else the mapping is held until they run
    view->closed = true;
  }

  void drop(size_t index) {
    collect(std::move(views_[index].buffer), source_.oneIn(2));
    views_.erase(views_.begin() + static_cast<std::ptrdiff_t>(index));
  }

  bool isHeld(size_t mapping) const {
    for (const View& view : views_) {
      if (view.mapping == mapping && !view.closed) return true;
    }
    return false;
  }

  void take(const Outcome& outcome, size_t mapping, uint64_t length) {
    const auto& pair = outcome.result->elements;
    if (pair.size() != 2) finding("not an id and a buffer");
    View view;
    view.id = Value::of(pair[0])->number;
    view.buffer = keep(Value::of(pair[1]));
    view.mapping = mapping;
    view.length = length;
    if (!view.buffer->isArrayBuffer || view.buffer->length != length) finding("the buffer is not as long as the file");
    views_.push_back(std::move(view));
  }

  static void expectNothing(const Outcome& outcome, bool valid) {
    if (valid && outcome.result->kind != napi_null) finding("mapFile: no buffer is allowed, and it is not null");
  }

  static napi_value function(const char* name) { return exportsOfAddon().at(name); }

  Source& source_;
  std::vector<View> views_;
  std::map<size_t, Inode> inodes_;
  size_t mappings_ = 0;
};

}  // namespace

void mapFiles(Source& source) { Sequence(source).run(); }

}  // namespace maxsim::fuzz
