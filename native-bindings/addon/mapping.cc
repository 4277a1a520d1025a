// Read-only file mappings as ArrayBuffers.
//
// A mapping belongs to the process. Each thread that uses it has an ArrayBuffer of its own over the same memory, and
// the memory goes when the last of them is closed, collected or torn down with its thread. The file's descriptor
// stays open until then, so that a file that was cut short can be refused before a read of it kills the process.
#include <node_api.h>

#include "addon/functions.h"

namespace {

napi_value null(napi_env env) {
  napi_value result = nullptr;
  napi_get_null(env, &result);
  return result;
}

}  // namespace

#if defined(_WIN32)

namespace maxsim {

napi_value mapFile(napi_env env, napi_callback_info) { return null(env); }
napi_value attachMapping(napi_env env, napi_callback_info) { return null(env); }
napi_value mappingLength(napi_env env, napi_callback_info) { return null(env); }
napi_value unmapFile(napi_env env, napi_callback_info) { return null(env); }

}  // namespace maxsim

#else

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <unordered_map>

namespace maxsim {
namespace {

constexpr size_t kMaxPath = 4096;
// What one typed array can span on every supported version of Node.
constexpr double kMaxLength = 4294967296;
constexpr double kMaxId = 9007199254740991;

struct Mapping {
  uint64_t id;
  void* data;
  size_t length;
  int descriptor;
  // ArrayBuffers over it, in all threads.
  size_t holders;
};

struct Registry {
  std::mutex mutex;
  uint64_t lastId = 0;
  std::unordered_map<uint64_t, Mapping*> byId;
};

// Never destroyed: threads may still let go of mappings while the process ends.
Registry& registry() {
  static auto* instance = new Registry;
  return *instance;
}

// What one ArrayBuffer has to do with a mapping. Used on the thread of the buffer only.
struct View {
  // Null once it was let go.
  Mapping* mapping;
  // The finalizers of the buffer object and of its memory, in any order: the second one deletes the view.
  int owners;
};

// Marks the ArrayBuffers made here: only they may be unwrapped.
constexpr napi_type_tag kViewTag = {0x8d4d415853494d01, 0x6d617070696e6773};

void release(Mapping* mapping) {
  {
    Registry& all = registry();
    const std::lock_guard<std::mutex> lock(all.mutex);
    if (--mapping->holders > 0) return;
    all.byId.erase(mapping->id);
  }
  munmap(mapping->data, mapping->length);
  close(mapping->descriptor);
  delete mapping;
}

void letGo(View* view) {
  if (view->mapping == nullptr) return;
  Mapping* mapping = view->mapping;
  view->mapping = nullptr;
  release(mapping);
}

void dropOwner(View* view) {
  if (--view->owners == 0) delete view;
}

// Runs on the thread of the buffer, also when that thread ends.
void onMemoryFreed(napi_env, void*, void* hint) {
  auto* view = static_cast<View*>(hint);
  letGo(view);
  dropOwner(view);
}

void onBufferCollected(napi_env, void* data, void*) { dropOwner(static_cast<View*>(data)); }

const char* nameOf(int error) {
  switch (error) {
    case EACCES:
      return "EACCES";
    case EIO:
      return "EIO";
    case EISDIR:
      return "EISDIR";
    case ELOOP:
      return "ELOOP";
    case EMFILE:
      return "EMFILE";
    case ENAMETOOLONG:
      return "ENAMETOOLONG";
    case ENFILE:
      return "ENFILE";
    case ENOENT:
      return "ENOENT";
    case ENOMEM:
      return "ENOMEM";
    case ENOTDIR:
      return "ENOTDIR";
    case ENXIO:
      return "ENXIO";
    case EPERM:
      return "EPERM";
    default:
      return "EUNKNOWN";
  }
}

// Throws an Error with a `code`, as those of Node's own file functions have.
napi_value fail(napi_env env, const char* code, const char* text) {
  napi_throw_error(env, code, text);
  return nullptr;
}

napi_value failWith(napi_env env, const char* call, int error) {
  char text[160];
  std::snprintf(text, sizeof text, "%s: %s failed: %s", nameOf(error), call, std::strerror(error));
  return fail(env, nameOf(error), text);
}

bool integer(napi_env env, napi_value argument, const char* name, double max, uint64_t& out) {
  double value = 0;
  if (napi_get_value_double(env, argument, &value) != napi_ok) {
    char text[80];
    std::snprintf(text, sizeof text, "%s must be a number", name);
    napi_throw_type_error(env, nullptr, text);
    return false;
  }
  // The first comparison is also false for NaN; converting beyond the range of uint64_t is undefined.
  if (!(value >= 1 && value <= max) || value != static_cast<double>(static_cast<uint64_t>(value))) {
    char text[120];
    std::snprintf(text, sizeof text, "%s must be an integer from 1 to %.0f, found %g", name, max, value);
    napi_throw_range_error(env, nullptr, text);
    return false;
  }
  out = static_cast<uint64_t>(value);
  return true;
}

template <size_t N>
bool arguments(napi_env env, napi_callback_info info, napi_value (&out)[N]) {
  size_t count = N;
  // Node-API fills what was not passed with undefined.
  if (napi_get_cb_info(env, info, &count, out, nullptr, nullptr) == napi_ok) return true;
  napi_throw_error(env, nullptr, "the arguments of the call cannot be read");
  return false;
}

// The view behind an ArrayBuffer of this module; throws for anything else.
View* viewOf(napi_env env, napi_value buffer) {
  bool tagged = false;
  void* found = nullptr;
  if (napi_check_object_type_tag(env, buffer, &kViewTag, &tagged) != napi_ok || !tagged ||
      napi_unwrap(env, buffer, &found) != napi_ok) {
    napi_throw_type_error(env, nullptr, "buffer must be an ArrayBuffer of mapFile or attachMapping");
    return nullptr;
  }
  return static_cast<View*>(found);
}

// [id, buffer] for a mapping of which the caller is a holder already.
napi_value present(napi_env env, Mapping* mapping) {
  auto* view = new View{mapping, 2};
  const auto id = static_cast<double>(mapping->id);
  napi_value buffer = nullptr;
  const napi_status made =
      napi_create_external_arraybuffer(env, mapping->data, mapping->length, onMemoryFreed, view, &buffer);
  if (made == napi_no_external_buffers_allowed) {
    delete view;
    release(mapping);
    return null(env);
  }
  // After any other failure the finalizer may still come, so that nothing can be freed here.
  if (made != napi_ok) return fail(env, "ENOMEM", "no ArrayBuffer can be made over the mapping");
  napi_value result = nullptr;
  napi_value number = nullptr;
  if (napi_wrap(env, buffer, view, onBufferCollected, nullptr, nullptr) != napi_ok) {
    view->owners = 1;
    return fail(env, nullptr, "the ArrayBuffer of the mapping cannot be wrapped");
  }
  if (napi_type_tag_object(env, buffer, &kViewTag) != napi_ok ||
      napi_create_array_with_length(env, 2, &result) != napi_ok ||
      napi_create_double(env, id, &number) != napi_ok || napi_set_element(env, result, 0, number) != napi_ok ||
      napi_set_element(env, result, 1, buffer) != napi_ok) {
    return fail(env, nullptr, "the mapping cannot be handed over");
  }
  return result;
}

}  // namespace

napi_value mapFile(napi_env env, napi_callback_info info) {
  napi_value given[2];
  char path[kMaxPath];
  size_t pathLength = 0;
  uint64_t expected = 0;
  if (!arguments(env, info, given)) return nullptr;
  if (napi_get_value_string_utf8(env, given[0], path, sizeof path, &pathLength) != napi_ok) {
    napi_throw_type_error(env, nullptr, "path must be a string");
    return nullptr;
  }
  if (pathLength == sizeof path - 1) return failWith(env, "open", ENAMETOOLONG);
  if (std::strlen(path) != pathLength) return fail(env, "EINVAL", "EINVAL: path must not contain NUL");
  if (!integer(env, given[1], "length", kMaxLength, expected)) return nullptr;

  int descriptor;
  do {
    // O_NONBLOCK: opening a FIFO would otherwise wait for somebody to write into it.
    descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  } while (descriptor < 0 && errno == EINTR);
  if (descriptor < 0) return failWith(env, "open", errno);
  struct stat status;
  if (fstat(descriptor, &status) != 0) {
    const int error = errno;
    close(descriptor);
    return failWith(env, "fstat", error);
  }
  if (!S_ISREG(status.st_mode)) {
    close(descriptor);
    return fail(env, "EINVAL", "EINVAL: it is not a regular file");
  }
  if (static_cast<uint64_t>(status.st_size) != expected) {
    close(descriptor);
    char text[120];
    std::snprintf(text, sizeof text, "EINVAL: it has %lld bytes, expected %llu",
                  static_cast<long long>(status.st_size), static_cast<unsigned long long>(expected));
    return fail(env, "EINVAL", text);
  }
  void* data = mmap(nullptr, expected, PROT_READ, MAP_SHARED, descriptor, 0);
  if (data == MAP_FAILED) {
    const int error = errno;
    close(descriptor);
    // A file system whose files cannot be mapped.
    if (error == ENODEV) return null(env);
    return failWith(env, "mmap", error);
  }
  auto* mapping = new Mapping{0, data, expected, descriptor, 1};
  {
    Registry& all = registry();
    const std::lock_guard<std::mutex> lock(all.mutex);
    mapping->id = ++all.lastId;
    all.byId.emplace(mapping->id, mapping);
  }
  return present(env, mapping);
}

napi_value attachMapping(napi_env env, napi_callback_info info) {
  napi_value given[1];
  uint64_t id = 0;
  if (!arguments(env, info, given) || !integer(env, given[0], "id", kMaxId, id)) return nullptr;
  Mapping* mapping = nullptr;
  {
    Registry& all = registry();
    const std::lock_guard<std::mutex> lock(all.mutex);
    const auto found = all.byId.find(id);
    if (found != all.byId.end()) {
      mapping = found->second;
      mapping->holders++;
    }
  }
  if (mapping == nullptr) return fail(env, "EBADF", "EBADF: the mapping is closed in every thread");
  return present(env, mapping);
}

napi_value mappingLength(napi_env env, napi_callback_info info) {
  napi_value given[1];
  if (!arguments(env, info, given)) return nullptr;
  const View* view = viewOf(env, given[0]);
  if (view == nullptr) return nullptr;
  if (view->mapping == nullptr) return fail(env, "EBADF", "EBADF: the mapping is closed");
  struct stat status;
  if (fstat(view->mapping->descriptor, &status) != 0) return failWith(env, "fstat", errno);
  napi_value result = nullptr;
  napi_create_double(env, static_cast<double>(status.st_size), &result);
  return result;
}

napi_value unmapFile(napi_env env, napi_callback_info info) {
  napi_value given[1];
  if (!arguments(env, info, given)) return nullptr;
  View* view = viewOf(env, given[0]);
  if (view == nullptr || view->mapping == nullptr) return nullptr;
  bool moved = true;
  // Somebody transferred the memory to another buffer: only that one's end may take it away.
  if (napi_is_detached_arraybuffer(env, given[0], &moved) != napi_ok || moved) return nullptr;
  // Detached first: from here on every view of the buffer has length 0 and nothing can read the memory.
  if (napi_detach_arraybuffer(env, given[0]) != napi_ok) {
    return fail(env, nullptr, "the ArrayBuffer of the mapping cannot be detached");
  }
  letGo(view);
  return nullptr;
}

}  // namespace maxsim

#endif
