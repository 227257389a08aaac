/*
 * A library to preload into an unmodified program: its Nth call that changes something, counted over all threads, is its
 * last, or fails. Everything comes from the environment:
 *
 *   FAULT_CALLS  which calls count: change (default), sync (of these, those that make durable), write, read
 *   FAULT_AT     the number of the call; 0: none
 *   FAULT_DO     kill (before it has an effect), killafter, EIO, ENOSPC, EDQUOT, short (half of the bytes are written)
 *   FAULT_FROM   not 0: all calls from that one on fail, but for removing (a disk that stays full)
 *   FAULT_CLOCK  seconds that the clock is wrong by; CLOCK_REALTIME only
 *   FAULT_LOG    a file: the call that was hit, or at the end the number of calls
 *
 * Standard output and error don't count: what is written there is no state.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum kind { CHANGE = 1, SYNC = 2, WRITE = 4, READ = 8 };
enum act { NOTHING, KILL, KILL_AFTER, FAIL, SHORT };

static unsigned counted = CHANGE;
static unsigned long at;
static bool from_then_on;
static enum act act;
static int error;
static long clock_error;
static const char *log_path;
static atomic_ulong calls;

#define REAL(name) ((__typeof__(&name))real(#name))

static void *real(const char *name) {
	void *f = dlsym(RTLD_NEXT, name);
	if (!f) abort();
	return f;
}

static void log_line(const char *text) {
	if (!log_path) return;
	int fd = (int)syscall(
		SYS_openat, AT_FDCWD, log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0) return;
	(void)syscall(SYS_write, fd, text, strlen(text));
	(void)syscall(SYS_close, fd);
}

__attribute__((constructor)) static void begin(void) {
	const char *text = getenv("FAULT_CALLS");
	if (text && strcmp(text, "sync") == 0) counted = SYNC;
	if (text && strcmp(text, "write") == 0) counted = WRITE;
	if (text && strcmp(text, "read") == 0) counted = READ;
	text = getenv("FAULT_AT");
	at = text ? strtoul(text, NULL, 10) : 0;
	text = getenv("FAULT_FROM");
	from_then_on = text && strcmp(text, "0") != 0;
	text = getenv("FAULT_CLOCK");
	clock_error = text ? strtol(text, NULL, 10) : 0;
	log_path = getenv("FAULT_LOG");
	text = getenv("FAULT_DO");
	if (!text) return;
	act = FAIL;
	if (strcmp(text, "kill") == 0) act = KILL;
	else if (strcmp(text, "killafter") == 0) act = KILL_AFTER;
	else if (strcmp(text, "short") == 0) act = SHORT;
	else if (strcmp(text, "ENOSPC") == 0) error = ENOSPC;
	else if (strcmp(text, "EDQUOT") == 0) error = EDQUOT;
	else error = EIO;
}

__attribute__((destructor)) static void end(void) {
	char line[64];
	if (at) return;
	(void)snprintf(line, sizeof line, "calls %lu\n", atomic_load(&calls));
	log_line(line);
}

static void die(void) {
	(void)syscall(SYS_kill, getpid(), SIGKILL);
	for (;;) (void)pause();
}

static void log_hit(const char *name, int fd, const char *path) {
	char link[64], where[4096] = "", line[8300];
	(void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t n = fd >= 0 ? readlink(link, where, sizeof where - 1) : 0;
	if (n > 0) where[n] = '\0';
	(void)snprintf(line, sizeof line, "%s %s %s\n", name, where, path);
	log_line(line);
}

/* What is to happen to this call. */
static enum act turn(unsigned kind, const char *name, int fd, const char *path) {
	int kept = errno;
	if (!(kind & counted)) return NOTHING;
	unsigned long n = atomic_fetch_add(&calls, 1) + 1;
	if (!at || (from_then_on ? n < at : n != at)) return NOTHING;
	if (n == at) log_hit(name, fd, path);
	if (act == KILL) die();
	errno = kept;
	return act;
}

/* Ends a call that was made: killed behind it, or its own result. */
#define AFTER(todo, result)              \
	__extension__({                      \
		__auto_type r_ = (result);       \
		if ((todo) == KILL_AFTER) die(); \
		r_;                              \
	})

#define WRAP(kind, name, fd, path, call)         \
	enum act todo = turn(kind, #name, fd, path); \
	if (todo == FAIL) {                          \
		errno = error;                           \
		return -1;                               \
	}                                            \
	return AFTER(todo, REAL(name) call)

int fsync(int fd);
int fsync(int fd) {
	WRAP(CHANGE | SYNC, fsync, fd, "", (fd));
}
int fdatasync(int fd);
int fdatasync(int fd) {
	WRAP(CHANGE | SYNC, fdatasync, fd, "", (fd));
}
int syncfs(int fd);
int syncfs(int fd) {
	WRAP(CHANGE | SYNC, syncfs, fd, "", (fd));
}
int linkat(int from, const char *a, int to, const char *b, int flags) {
	WRAP(CHANGE, linkat, to, b, (from, a, to, b, flags));
}
int renameat(int from, const char *a, int to, const char *b) {
	WRAP(CHANGE, renameat, to, b, (from, a, to, b));
}
int renameat2(int from, const char *a, int to, const char *b, unsigned flags) {
	WRAP(CHANGE, renameat2, to, b, (from, a, to, b, flags));
}
int unlink(const char *path) {
	if (from_then_on) return REAL(unlink)(path);
	WRAP(CHANGE, unlink, -1, path, (path));
}
int unlinkat(int fd, const char *path, int flags) {
	if (from_then_on) return REAL(unlinkat)(fd, path, flags);
	WRAP(CHANGE, unlinkat, fd, path, (fd, path, flags));
}
int mkdirat(int fd, const char *path, mode_t mode) {
	WRAP(CHANGE, mkdirat, fd, path, (fd, path, mode));
}
int symlinkat(const char *target, int fd, const char *path) {
	WRAP(CHANGE, symlinkat, fd, path, (target, fd, path));
}
int mknodat(int fd, const char *path, mode_t mode, dev_t dev) {
	WRAP(CHANGE, mknodat, fd, path, (fd, path, mode, dev));
}
int ftruncate64(int fd, off64_t length) {
	WRAP(CHANGE | WRITE, ftruncate64, fd, "", (fd, length));
}
int futimens(int fd, const struct timespec times[2]) {
	WRAP(CHANGE, futimens, fd, "", (fd, times));
}
int utimensat(int fd, const char *path, const struct timespec times[2], int flags) {
	WRAP(CHANGE, utimensat, fd, path, (fd, path, times, flags));
}
int fchmod(int fd, mode_t mode) {
	WRAP(CHANGE, fchmod, fd, "", (fd, mode));
}
int fchown(int fd, uid_t u, gid_t g) {
	WRAP(CHANGE, fchown, fd, "", (fd, u, g));
}
int fsetxattr(int fd, const char *name, const void *value, size_t size, int flags);
int fsetxattr(int fd, const char *name, const void *value, size_t size, int flags) {
	WRAP(CHANGE, fsetxattr, fd, "", (fd, name, value, size, flags));
}

ssize_t write(int fd, const void *bytes, size_t n) {
	if (fd <= 2) return REAL(write)(fd, bytes, n);
	enum act todo = turn(CHANGE | WRITE, "write", fd, "");
	if (todo == SHORT) return REAL(write)(fd, bytes, n > 1 ? n / 2 : n);
	if (todo == FAIL) {
		errno = error;
		return -1;
	}
	return AFTER(todo, REAL(write)(fd, bytes, n));
}
ssize_t pwrite64(int fd, const void *bytes, size_t n, off64_t where) {
	enum act todo = turn(CHANGE | WRITE, "pwrite64", fd, "");
	if (todo == SHORT) return REAL(pwrite64)(fd, bytes, n > 1 ? n / 2 : n, where);
	if (todo == FAIL) {
		errno = error;
		return -1;
	}
	return AFTER(todo, REAL(pwrite64)(fd, bytes, n, where));
}

ssize_t read(int fd, void *bytes, size_t n) {
	if (fd <= 2) return REAL(read)(fd, bytes, n);
	WRAP(READ, read, fd, "", (fd, bytes, n));
}
ssize_t pread64(int fd, void *bytes, size_t n, off64_t where) {
	WRAP(READ, pread64, fd, "", (fd, bytes, n, where));
}

/* Opening counts as a change where it makes a file. */
int openat64(int fd, const char *path, int flags, ...) {
	va_list more;
	va_start(more, flags);
	mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;
	va_end(more);
	WRAP(flags & O_CREAT ? CHANGE : READ, openat64, fd, path, (fd, path, flags, mode));
}

/* openat2, which has no function: six words are passed on. */
long syscall(long number, ...) {
	long a[6];
	va_list more;
	va_start(more, number);
	for (int i = 0; i < 6; i++) a[i] = va_arg(more, long);
	va_end(more);
	if (number != SYS_openat2) return REAL(syscall)(number, a[0], a[1], a[2], a[3], a[4], a[5]);
	const unsigned long *how = (const unsigned long *)a[2];
	enum act todo =
		turn(how[0] & O_CREAT ? CHANGE : READ, "openat2", (int)a[0], (const char *)a[1]);
	if (todo == FAIL) {
		errno = error;
		return -1;
	}
	return AFTER(todo, REAL(syscall)(number, a[0], a[1], a[2], a[3], a[4], a[5]));
}

int clock_gettime(clockid_t clock, struct timespec *out) {
	int result = REAL(clock_gettime)(clock, out);
	if (result == 0 && clock == CLOCK_REALTIME) out->tv_sec += clock_error;
	return result;
}
