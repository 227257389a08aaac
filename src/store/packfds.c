#include "store/packfds.h"

#include <errno.h>

#include "base/mem.h"
#include "os/file.h"
#include "os/mutex.h"

enum { SLOTS = 64 };

struct slot {
	struct hash vault;
	struct hash name;
	uint64_t used; /* when, counted in takes; 0: free */
	unsigned users;
	int fd;
	bool dropped; /* close as soon as nobody uses it */
};

struct packfds {
	struct mutex lock;
	uint64_t takes;
	struct slot slots[SLOTS];
};

struct packfds *packfds_new(void) {
	struct packfds *p = mem_zalloc(sizeof *p);
	if (!p) return NULL;
	mutex_init(&p->lock);
	for (int i = 0; i < SLOTS; i++) p->slots[i].fd = -1;
	return p;
}

void packfds_free(struct packfds *p) {
	if (!p) return;
	for (int i = 0; i < SLOTS; i++) file_close(&p->slots[i].fd);
	mutex_done(&p->lock);
	mem_free(p);
}

static int find(struct packfds *p, const struct hash *vault, const struct hash *name) {
	for (int i = 0; i < SLOTS; i++) {
		const struct slot *s = &p->slots[i];
		if (s->used && !s->dropped && hash_equal(&s->name, name) && hash_equal(&s->vault, vault))
			return i;
	}
	return -1;
}

static void empty(struct slot *s) {
	file_close(&s->fd);
	s->used = 0;
	s->dropped = false;
}

/* The slot that nobody uses and was not used for longest; -1 if all are in use. */
static int oldest(const struct packfds *p) {
	int best = -1;
	for (int i = 0; i < SLOTS; i++) {
		if (p->slots[i].users) continue;
		if (best < 0 || p->slots[i].used < p->slots[best].used) best = i;
	}
	return best;
}

static bool take_open(
	struct packfds *p, const struct hash *vault, const struct hash *name, struct packfds_use *use) {
	mutex_lock(&p->lock);
	int i = find(p, vault, name);
	if (i >= 0) {
		p->slots[i].users++;
		p->slots[i].used = ++p->takes;
		*use = (struct packfds_use){ .fd = p->slots[i].fd, .slot = i };
	}
	mutex_unlock(&p->lock);
	return i >= 0;
}

static void close_unused(struct packfds *p) {
	mutex_lock(&p->lock);
	for (int i = 0; i < SLOTS; i++)
		if (!p->slots[i].users) empty(&p->slots[i]);
	mutex_unlock(&p->lock);
}

enum err packfds_take(struct packfds *p, const struct hash *vault, const struct hash *name, int at,
	const char *path, struct packfds_use *use, struct why *why) {
	if (take_open(p, vault, name, use)) return OK;
	int fd = -1;
	errno = 0;
	enum err e = file_open_read(at, path, &fd, why);
	if (e == E_IO && (errno == EMFILE || errno == ENFILE)) {
		close_unused(p);
		e = file_open_read(at, path, &fd, why);
	}
	if (e != OK) return e;
	*use = (struct packfds_use){ .fd = fd, .slot = -1 };
	mutex_lock(&p->lock);
	/* Another thread may have opened it meanwhile: then this descriptor serves this one use. */
	int i = find(p, vault, name) < 0 ? oldest(p) : -1;
	if (i >= 0) {
		empty(&p->slots[i]);
		p->slots[i] = (struct slot){
			.vault = *vault, .name = *name, .used = ++p->takes, .users = 1, .fd = fd
		};
		use->slot = i;
	}
	mutex_unlock(&p->lock);
	return OK;
}

void packfds_give(struct packfds *p, struct packfds_use *use) {
	if (use->slot < 0) {
		file_close(&use->fd);
		return;
	}
	mutex_lock(&p->lock);
	struct slot *s = &p->slots[use->slot];
	s->users--;
	if (!s->users && s->dropped) empty(s);
	mutex_unlock(&p->lock);
	use->fd = -1;
}

void packfds_drop(struct packfds *p, const struct hash *vault, const struct hash *name) {
	mutex_lock(&p->lock);
	int i = find(p, vault, name);
	if (i >= 0) {
		if (p->slots[i].users) p->slots[i].dropped = true;
		else empty(&p->slots[i]);
	}
	mutex_unlock(&p->lock);
}
