/*
 * Stands between a program and libc, by LD_PRELOAD, and sees every call that changes a folder: it can kill the process in
 * front of the n-th one, or let calls of one kind fail with an errno. All threads share one count, which strace cannot
 * offer (it counts for each thread by itself).
 *
 *   FAULT_FOLDER  absolute path, without symbolic links: what lies below it, or is named like it with a suffix, is watched
 *   FAULT_LOG     a file that gets one line a call: number, phase, call, result, descriptor, path
 *   FAULT_KILL    number of the changing call before which the process is killed with SIGKILL
 *   FAULT_CALL    kind of call that fails: open, write, sync, link, unlink, truncate, mkdir
 *   FAULT_AT      which call of that kind fails, from 1
 *   FAULT_ERRNO   the errno, as a number
 *   FAULT_STAYS   1: all later calls of that kind fail as well
 *
 * Counting starts when the program unlinks FAULT_FOLDER with the suffix ".go"; unlinks of that name and of those with
 * the suffixes ".ack" and ".err" are marks in the log and nothing more.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static char folder[4096];
static size_t folder_length;
static int log_fd = -1;
static long kill_at, fail_at, fail_errno;
static int fail_stays;
static char fail_call[16];
static atomic_int armed;
static atomic_long calls, of_kind;

static long number(const char *name) {
  const char *text = getenv(name);
  return text == NULL ? 0 : atol(text);
}

__attribute__((constructor)) static void start(void) {
  const char *path = getenv("FAULT_FOLDER");
  if (path == NULL || strlen(path) >= sizeof folder) return;
  strcpy(folder, path);
  folder_length = strlen(folder);
  kill_at = number("FAULT_KILL");
  fail_at = number("FAULT_AT");
  fail_errno = number("FAULT_ERRNO");
  fail_stays = (int)number("FAULT_STAYS");
  const char *call = getenv("FAULT_CALL");
  if (call != NULL) snprintf(fail_call, sizeof fail_call, "%s", call);
  const char *log = getenv("FAULT_LOG");
  if (log != NULL) log_fd = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
}

/* The folder itself, what is below it, or a name beside it that begins with its name and a suffix (a partial copy). */
static int watched(const char *path) {
  if (folder_length == 0 || path == NULL || strncmp(path, folder, folder_length) != 0) return 0;
  char next = path[folder_length];
  return next == '\0' || next == '/' || next == '.' || next == '-';
}

static int watched_fd(int fd, char *path, size_t size) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, path, size - 1);
  if (length < 0) return 0;
  path[length] = '\0';
  return watched(path);
}

static void note(long n, const char *phase, const char *call, long result, int fd, const char *path) {
  if (log_fd < 0) return;
  char line[4400];
  int length = snprintf(line, sizeof line, "%ld %s %s %ld %d %s\n", n, phase, call, result, fd, path);
  if (length > 0) syscall(SYS_write, log_fd, line, (size_t)length);
}

/* Returns 1 when the call must fail; errno is set then. `changes` is 0 for calls that are only counted by their kind. */
static int before(const char *kind, int changes, int fd, const char *path, long *n) {
  *n = 0;
  if (!atomic_load(&armed)) return 0;
  if (changes) {
    *n = atomic_fetch_add(&calls, 1) + 1;
    note(*n, "begin", kind, 0, fd, path);
    if (*n == kill_at) {
      syscall(SYS_kill, getpid(), SIGKILL);
      for (;;) syscall(SYS_pause);
    }
  } else {
    note(0, "look", kind, 0, fd, path);
  }
  if (fail_at == 0 || strcmp(kind, fail_call) != 0) return 0;
  long k = atomic_fetch_add(&of_kind, 1) + 1;
  if (k != fail_at && !(fail_stays && k > fail_at)) return 0;
  note(*n, "fault", kind, -fail_errno, fd, path);
  errno = (int)fail_errno;
  return 1;
}

static void after(const char *kind, long n, long result, int fd, const char *path) {
  if (n == 0 || log_fd < 0) return;
  int kept = errno;
  note(n, "end", kind, result < 0 ? -kept : result, fd, path);
  errno = kept;
}

/* Of every open, so that it is known which file a descriptor stands for. */
static void opened(long n, int result, const char *path) {
  if (!atomic_load(&armed) || log_fd < 0) return;
  int kept = errno;
  note(n, "end", "open", result < 0 ? -kept : result, result, path);
  errno = kept;
}

#define REAL(name) \
  static __typeof__(&name) real; \
  if (real == NULL) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

#define ON_FD(kind, fd, call) \
  char path[4096]; \
  long n; \
  if (!watched_fd(fd, path, sizeof path)) return call; \
  if (before(kind, 1, fd, path, &n)) return -1; \
  __typeof__(call) result = call; \
  after(kind, n, (long)result, fd, path); \
  return result

#define ON_PATH(kind, name, call) \
  long n; \
  if (!watched(name)) return call; \
  if (before(kind, 1, -1, name, &n)) return -1; \
  int result = call; \
  after(kind, n, result, -1, name); \
  return result

#define OPEN(name, flags, call) \
  long n; \
  if (!watched(name)) return call; \
  if (before("open", (flags & (O_CREAT | O_TRUNC)) != 0, -1, name, &n)) return -1; \
  int result = call; \
  opened(n, result, name); \
  return result

#define MODE(flags) \
  mode_t mode = 0; \
  if (flags & (O_CREAT | __O_TMPFILE)) { \
    va_list rest; \
    va_start(rest, flags); \
    mode = va_arg(rest, mode_t); \
    va_end(rest); \
  }

int open(const char *name, int flags, ...) {
  REAL(open);
  MODE(flags)
  OPEN(name, flags, real(name, flags, mode));
}

int open64(const char *name, int flags, ...) {
  REAL(open64);
  MODE(flags)
  OPEN(name, flags, real(name, flags, mode));
}

int openat(int at, const char *name, int flags, ...) {
  REAL(openat);
  MODE(flags)
  OPEN(name, flags, real(at, name, flags, mode));
}

int openat64(int at, const char *name, int flags, ...) {
  REAL(openat64);
  MODE(flags)
  OPEN(name, flags, real(at, name, flags, mode));
}

ssize_t write(int fd, const void *bytes, size_t length) {
  REAL(write);
  ON_FD("write", fd, real(fd, bytes, length));
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) {
  REAL(pwrite);
  ON_FD("write", fd, real(fd, bytes, length, offset));
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset) {
  REAL(pwrite64);
  ON_FD("write", fd, real(fd, bytes, length, offset));
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
  REAL(writev);
  ON_FD("write", fd, real(fd, parts, count));
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) {
  REAL(pwritev);
  ON_FD("write", fd, real(fd, parts, count, offset));
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset) {
  REAL(pwritev64);
  ON_FD("write", fd, real(fd, parts, count, offset));
}

int fsync(int fd) {
  REAL(fsync);
  ON_FD("sync", fd, real(fd));
}

int fdatasync(int fd) {
  REAL(fdatasync);
  ON_FD("sync", fd, real(fd));
}

int ftruncate(int fd, off_t length) {
  REAL(ftruncate);
  ON_FD("truncate", fd, real(fd, length));
}

int ftruncate64(int fd, off64_t length) {
  REAL(ftruncate64);
  ON_FD("truncate", fd, real(fd, length));
}

int truncate(const char *name, off_t length) {
  REAL(truncate);
  ON_PATH("truncate", name, real(name, length));
}

int truncate64(const char *name, off64_t length) {
  REAL(truncate64);
  ON_PATH("truncate", name, real(name, length));
}

int rename(const char *from, const char *to) {
  REAL(rename);
  ON_PATH("link", to, real(from, to));
}

int link(const char *from, const char *to) {
  REAL(link);
  ON_PATH("link", to, real(from, to));
}

int unlink(const char *name) {
  REAL(unlink);
  const char *end = watched(name) ? name + folder_length : "";
  if (strcmp(end, ".go") == 0 || strcmp(end, ".ack") == 0 || strcmp(end, ".err") == 0) {
    atomic_store(&armed, 1);
    note(0, "mark", "unlink", 0, -1, name);
    return real(name);
  }
  ON_PATH("unlink", name, real(name));
}

int rmdir(const char *name) {
  REAL(rmdir);
  ON_PATH("unlink", name, real(name));
}

int mkdir(const char *name, mode_t mode) {
  REAL(mkdir);
  ON_PATH("mkdir", name, real(name, mode));
}

/* libuv copies files with this one, and not by its name in libc. */
long syscall(long which, ...) {
  REAL(syscall);
  va_list rest;
  va_start(rest, which);
  long a[6];
  for (int i = 0; i < 6; i++) a[i] = va_arg(rest, long);
  va_end(rest);
  if (real == NULL) return -1;
  if (which != SYS_copy_file_range) return real(which, a[0], a[1], a[2], a[3], a[4], a[5]);
  ON_FD("write", (int)a[2], real(which, a[0], a[1], a[2], a[3], a[4], a[5]));
}
