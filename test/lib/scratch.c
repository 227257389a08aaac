#include "scratch.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void stop(const char *what) {
	perror(what);
	abort();
}

void scratch_make(char *out) {
	const char *base = getenv("TMPDIR");
	if (!base || strlen(base) > 100) base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	(void)snprintf(out, SCRATCH_MAX, "%s/broch-test-XXXXXX", base);
	if (!mkdtemp(out)) stop(out);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at) {
	(void)st;
	(void)type;
	(void)at;
	if (remove(path) != 0) perror(path);
	return 0;
}

void scratch_remove(const char *path) {
	if (nftw(path, remove_one, 32, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) != 0) perror(path);
}

static char lasting[SCRATCH_MAX];
static int lasting_fd = -1;

static void remove_lasting(void) {
	(void)close(lasting_fd);
	scratch_remove(lasting);
}

int scratch_lasting(char *out) {
	if (lasting_fd < 0) {
		scratch_make(lasting);
		lasting_fd = open(lasting, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (lasting_fd < 0 || atexit(remove_lasting) != 0) stop(lasting);
	}
	memcpy(out, lasting, SCRATCH_MAX);
	return lasting_fd;
}

char *scratch_join(char *out, const char *folder, const char *name) {
	int n = snprintf(out, SCRATCH_MAX, "%s/%s", folder, name);
	if (n < 0 || n >= SCRATCH_MAX) abort();
	return out;
}

void scratch_write(const char *path, const void *bytes, size_t len) {
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0) stop(path);
	if (write(fd, bytes, len) != (ssize_t)len) stop(path);
	if (close(fd) != 0) stop(path);
}

int scratch_count(const char *path) {
	DIR *dir = opendir(path);
	if (!dir) return -1;
	int n = 0;
	for (const struct dirent *e = readdir(dir); e; e = readdir(dir))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) n++;
	(void)closedir(dir);
	return n;
}
