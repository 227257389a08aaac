#include "os/listing.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"

enum { BYTES_MAX = 1 << 30, NAMES_MAX = 1 << 26, READ_SIZE = 128 * 1024 };

/* As the kernel gives it: getdents64(2). */
struct kernel_dirent {
	uint64_t inode;
	int64_t offset;
	unsigned short length;
	unsigned char kind;
	char name[];
};

void listing_init(struct listing *l) {
	memset(l, 0, sizeof *l);
	buf_init(&l->bytes, BYTES_MAX);
}

void listing_done(struct listing *l) {
	mem_free(l->names);
	buf_free(&l->bytes);
	listing_init(l);
}

static int by_name(const void *a, const void *b) {
	const struct listing_name *x = a, *y = b;
	return strcmp(x->name, y->name);
}

static enum err add(struct listing *l, const struct kernel_dirent *d) {
	size_t n = strlen(d->name);
	if (n > 255) return E_LIMIT;
	if (n <= 2 && d->name[0] == '.' && (n == 1 || d->name[1] == '.')) return OK;
	if (l->count == NAMES_MAX) return E_LIMIT;
	if (l->count == l->room) {
		size_t room = l->room ? l->room * 2 : 64;
		struct listing_name *more = mem_resize(l->names, room, sizeof *more);
		if (!more) return E_NOMEM;
		l->names = more;
		l->room = room;
	}
	/* the bytes may still move: names are offsets until all are there */
	l->names[l->count++] = (struct listing_name){
		.name = (const char *)(uintptr_t)l->bytes.len,
		.length = (uint8_t)n,
		.kind = d->kind,
	};
	return buf_add(&l->bytes, span_of(d->name, n + 1));
}

enum err listing_read(struct listing *l, int fd, struct why *why) {
	uint64_t aligned[READ_SIZE / 8];
	uint8_t *chunk = (uint8_t *)aligned;
	l->count = 0;
	buf_clear(&l->bytes);
	if (lseek(fd, 0, SEEK_SET) < 0) return why_errno(why, "reading a folder");
	for (;;) {
		long n = syscall(SYS_getdents64, fd, chunk, sizeof aligned);
		if (n < 0 && errno == EINTR) continue;
		if (n < 0) return why_errno(why, "reading a folder");
		if (n == 0) break;
		for (long at = 0; at < n;) {
			const struct kernel_dirent *d =
				(const struct kernel_dirent *)(const void *)(chunk + at);
			enum err e = add(l, d);
			if (e) return why_err(why, e, "reading a folder");
			at += d->length;
		}
	}
	for (size_t i = 0; i < l->count; i++)
		l->names[i].name = (const char *)l->bytes.ptr + (uintptr_t)l->names[i].name;
	if (l->count) qsort(l->names, l->count, sizeof *l->names, by_name);
	return OK;
}
