#include "client/restoretemp.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/hash.h"
#include "crypto/random.h"
#include "os/clock.h"
#include "os/file.h"

enum { START = 7, RANDOM = 4, CHECK = 4, TRIES = 100, STALE_SECONDS = 3600 };

static const char start[] = ".broch-";
static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";

/* The last four letters follow from the four before: nobody's own file is called so. */
static void add_check(char name[RESTORETEMP_NAME]) {
	struct hash sum;
	hash_label(&sum, "broch restore name", span_of(name + START, RANDOM));
	for (size_t i = 0; i < CHECK; i++) name[START + RANDOM + i] = digits[sum.b[i] & 31];
	name[START + RANDOM + CHECK] = '\0';
}

enum err restoretemp_name(char out[RESTORETEMP_NAME]) {
	uint8_t noise[RANDOM];
	enum err e = random_bytes(noise, sizeof noise);
	if (e) return e;
	memcpy(out, start, START);
	for (size_t i = 0; i < RANDOM; i++) out[START + i] = digits[noise[i] & 31];
	add_check(out);
	return OK;
}

int restoretemp_open(int at, char name[RESTORETEMP_NAME]) {
	for (int i = 0; i < TRIES; i++) {
		if (restoretemp_name(name)) {
			errno = EIO;
			return -1;
		}
		int fd = openat(at, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd < 0 && errno == EEXIST) continue;
		/* where locks are not to be had, a restore into the same folder at the same time could sweep it away: an error then */
		if (fd >= 0) (void)flock(fd, LOCK_EX | LOCK_NB);
		return fd;
	}
	return -1;
}

static bool is_ours(const char *name) {
	char wanted[RESTORETEMP_NAME];
	if (strlen(name) != RESTORETEMP_NAME - 1 || strncmp(name, start, START) != 0) return false;
	memcpy(wanted, name, RESTORETEMP_NAME);
	add_check(wanted);
	return strcmp(name, wanted) == 0;
}

/* Whether nobody writes to it any more. */
static bool is_left(int at, const char *name) {
	struct stat st;
	if (fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) || S_ISDIR(st.st_mode)) return false;
	if (!S_ISREG(st.st_mode))
		return st.st_ctim.tv_sec < clock_real_ns() / 1000000000 - STALE_SECONDS;
	int fd = openat(at, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0) return false;
	bool left = flock(fd, LOCK_EX | LOCK_NB) == 0;
	file_close(&fd);
	return left;
}

static enum err sweep_one(void *ctx, const struct dirent *entry, struct why *why) {
	const int *at = ctx;
	(void)why;
	if (is_ours(entry->d_name) && is_left(*at, entry->d_name))
		(void)unlinkat(*at, entry->d_name, 0);
	return OK;
}

void restoretemp_sweep(int fd) {
	err_ignore(file_list(fd, ".", sweep_one, &fd, NULL)); /* what stays is in nobody's way */
}
