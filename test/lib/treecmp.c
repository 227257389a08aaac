/*
 * treecmp: compares two trees in everything a backup must keep. Both are walked through
 * descriptors, so neither depth nor length of a path is limited; no link is followed and no
 * special file opened.
 */
#include "cmpattrs.h"
#include "cmpdata.h"
#include "cmplinks.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* Levels whose descriptors stay open; those above are opened again on the way back. */
#define OPEN_LEVELS 128

static const char USAGE[] =
	"usage: treecmp [options] A B\n"
	"  --ignore CLASS,…  count these differences, and don't report them: missing extra type\n"
	"                    content size holes new-holes mode setuid owner mtime xattr acl capability\n"
	"                    security trusted target rdev hardlink device socket unreadable\n"
	"  --exact-holes     B must not be sparser than A either\n"
	"  --skip-top        don't compare the attributes of A and B themselves\n"
	"  --json            one object a line\n"
	"  --quiet           only the counts\n"
	"exit: 0 no difference, 1 differences, 2 something could not be compared\n";

static const struct option OPTIONS[] = {
	{ "ignore", required_argument, NULL, 'i' },
	{ "exact-holes", no_argument, NULL, 'h' },
	{ "skip-top", no_argument, NULL, 't' },
	{ "json", no_argument, NULL, 'j' },
	{ "quiet", no_argument, NULL, 'q' },
	{ 0 },
};

/* One side of a directory that is being walked. */
struct side {
	int fd; /* -1: closed, to be opened again through ".." */
	dev_t dev;
	ino_t ino;
	struct treelib_names names;
	size_t next;
};

struct level {
	struct side a, b;
	size_t path_len;
};

struct treecmp {
	struct cmpreport report;
	struct cmplinks *links;
	struct level *levels;
	size_t depth, room;
};

static int open_quietly(int dir, const char *name, int flags) {
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOATIME | flags);

	if (fd < 0 && errno == EPERM) fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | flags);
	return fd;
}

static void compare_content(
	struct cmpreport *r, const struct cmpattrs_side *a, const struct cmpattrs_side *b) {
	struct cmpdata found;

	if (a->st.st_size != b->st.st_size) {
		cmpreport_add(
			r, CMP_SIZE, "%lld, in B %lld", (long long)a->st.st_size, (long long)b->st.st_size);
		return;
	}
	if (a->st.st_size == 0) return;
	if (a->fd < 0 || b->fd < 0) {
		cmpreport_add(r, CMP_UNREADABLE, "content in %s", a->fd < 0 ? "A" : "B");
		return;
	}
	if (cmpdata_compare(a->fd, b->fd, a->st.st_size, &found) != 0) {
		cmpreport_add(r, CMP_UNREADABLE, "content: %s", strerror(errno));
		return;
	}
	r->data_bytes += found.data_bytes;
	if (found.differs)
		cmpreport_add(r, CMP_CONTENT, "first at byte %lld", (long long)found.byte_at);
	if (found.filled)
		cmpreport_add(r, CMP_HOLES, "a hole at %lld, in B data", (long long)found.filled_at);
	if (found.punched)
		cmpreport_add(r, CMP_NEW_HOLES, "data at %lld, in B a hole", (long long)found.punched_at);
}

/* The attributes of a file that can't be opened are compared all the same. */
static void compare_files(
	struct cmpreport *r, struct cmpattrs_side *a, struct cmpattrs_side *b, bool attributes) {
	a->fd = open_quietly(a->dir, a->name, O_NONBLOCK);
	b->fd = open_quietly(b->dir, b->name, O_NONBLOCK);
	if (attributes) cmpattrs_compare(r, a, b);
	compare_content(r, a, b);
	if (a->fd >= 0) (void)close(a->fd);
	if (b->fd >= 0) (void)close(b->fd);
}

/* Opens one side's directory and reads its names. */
static bool side_open(struct side *s, const struct cmpattrs_side *at) {
	*s = (struct side){ .dev = at->st.st_dev, .ino = at->st.st_ino };
	s->fd = open_quietly(at->dir, at->name, O_DIRECTORY);
	if (s->fd >= 0 && treelib_names_read(&s->names, s->fd) == 0) return true;
	if (s->fd >= 0) (void)close(s->fd);
	return false;
}

static void side_close(struct side *s) {
	treelib_names_free(&s->names);
	if (s->fd >= 0) (void)close(s->fd);
}

/* Opens the parent's side again from the child's, and makes sure it is the same directory. */
static void side_reopen(struct side *parent, const struct side *child) {
	struct stat st;

	if (parent->fd >= 0) return;
	parent->fd = open_quietly(child->fd, "..", O_DIRECTORY);
	if (parent->fd < 0 || fstat(parent->fd, &st) != 0) treelib_die("going up");
	errno = 0;
	if (st.st_dev != parent->dev || st.st_ino != parent->ino)
		treelib_die("a directory was moved while it was compared");
}

static void descend(
	struct treecmp *c, const struct cmpattrs_side *a, const struct cmpattrs_side *b) {
	struct level new = { .path_len = c->report.path_len };

	if (!side_open(&new.a, a)) {
		cmpreport_add(&c->report, CMP_UNREADABLE, "directory in A: %s", strerror(errno));
		return;
	}
	if (!side_open(&new.b, b)) {
		cmpreport_add(&c->report, CMP_UNREADABLE, "directory in B: %s", strerror(errno));
		side_close(&new.a);
		return;
	}
	if (c->depth >= OPEN_LEVELS) {
		struct level *far = &c->levels[c->depth - OPEN_LEVELS];

		(void)close(far->a.fd);
		(void)close(far->b.fd);
		far->a.fd = far->b.fd = -1;
	}
	if (c->depth == c->room) {
		c->room = c->room * 2 + 64;
		c->levels = treelib_resize(c->levels, c->room * sizeof(*c->levels));
	}
	c->levels[c->depth++] = new;
}

static void ascend(struct treecmp *c) {
	struct level *gone = &c->levels[--c->depth];

	if (c->depth > 0) {
		struct level *up = &c->levels[c->depth - 1];

		side_reopen(&up->a, &gone->a);
		side_reopen(&up->b, &gone->b);
	}
	side_close(&gone->a);
	side_close(&gone->b);
}

/* Compares a pair of entries at the report's path, and enters a pair of directories. */
static void compare_pair(
	struct treecmp *c, struct cmpattrs_side *a, struct cmpattrs_side *b, bool attributes) {
	struct cmpreport *r = &c->report;

	r->entries++;
	if ((a->st.st_mode & S_IFMT) != (b->st.st_mode & S_IFMT)) {
		cmpreport_add(
			r, CMP_TYPE, "%s, in B %s", cmpattrs_type(a->st.st_mode), cmpattrs_type(b->st.st_mode));
		return;
	}
	if (!S_ISDIR(a->st.st_mode) && (a->st.st_nlink > 1 || b->st.st_nlink > 1) &&
		cmplinks_pair(c->links, r, &a->st, &b->st))
		return;
	if (S_ISREG(a->st.st_mode)) {
		compare_files(r, a, b, attributes);
		return;
	}
	if (attributes) cmpattrs_compare(r, a, b);
	if (S_ISDIR(a->st.st_mode)) descend(c, a, b);
}

static void only_in_a(struct cmpreport *r, const struct cmpattrs_side *a) {
	enum cmpreport_class class = CMP_MISSING;

	if (S_ISCHR(a->st.st_mode) || S_ISBLK(a->st.st_mode)) class = CMP_DEVICE;
	if (S_ISSOCK(a->st.st_mode)) class = CMP_SOCKET;
	cmpreport_add(r, class, "%s, in B missing", cmpattrs_type(a->st.st_mode));
}

static bool side_stat(struct treecmp *c, struct cmpattrs_side *s, const char *which) {
	if (fstatat(s->dir, s->name, &s->st, AT_SYMLINK_NOFOLLOW) == 0) return true;
	cmpreport_add(&c->report, CMP_UNREADABLE, "stat in %s: %s", which, strerror(errno));
	return false;
}

/* The next name of the innermost directory, on either side or both. */
static void step(struct treecmp *c) {
	struct level *l = &c->levels[c->depth - 1];
	bool more_a = l->a.next < l->a.names.count, more_b = l->b.next < l->b.names.count;
	struct cmpattrs_side a = { .dir = l->a.fd, .fd = -1 }, b = { .dir = l->b.fd, .fd = -1 };
	int order;

	cmpreport_path_cut(&c->report, l->path_len);
	if (!more_a && !more_b) {
		ascend(c);
		return;
	}
	if (more_a) a.name = l->a.names.name[l->a.next];
	if (more_b) b.name = l->b.names.name[l->b.next];
	order = !more_a ? 1 : !more_b ? -1 : strcmp(a.name, b.name);
	cmpreport_path_add(&c->report, order <= 0 ? a.name : b.name);
	if (order <= 0) l->a.next++;
	if (order >= 0) l->b.next++;
	if (order <= 0 && !side_stat(c, &a, "A")) return;
	if (order >= 0 && !side_stat(c, &b, "B")) return;
	if (order < 0) only_in_a(&c->report, &a);
	else if (order > 0)
		cmpreport_add(&c->report, CMP_EXTRA, "%s, in A missing", cmpattrs_type(b.st.st_mode));
	else compare_pair(c, &a, &b, true);
}

static void allow_descriptors(void) {
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit); /* 2 * OPEN_LEVELS fit into most limits anyway */
}

int main(int argc, char **argv) {
	struct treecmp c = { .report = { .ignored = { [CMP_NEW_HOLES] = true } } };
	bool top = true;
	int opt, code;

	while ((opt = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1) {
		switch (opt) {
		case 'i': cmpreport_ignore(&c.report, optarg); break;
		case 'h': c.report.ignored[CMP_NEW_HOLES] = false; break;
		case 't': top = false; break;
		case 'j': c.report.json = true; break;
		case 'q': c.report.quiet = true; break;
		default: (void)fputs(USAGE, stderr); return 2;
		}
	}
	if (argc - optind != 2) {
		(void)fputs(USAGE, stderr);
		return 2;
	}
	struct cmpattrs_side a = { .dir = AT_FDCWD, .fd = -1, .name = argv[optind] };
	struct cmpattrs_side b = { .dir = AT_FDCWD, .fd = -1, .name = argv[optind + 1] };
	allow_descriptors();
	c.links = cmplinks_new();
	if (side_stat(&c, &a, "A") && side_stat(&c, &b, "B")) compare_pair(&c, &a, &b, top);
	while (c.depth > 0) step(&c);
	code = cmpreport_finish(&c.report);
	cmplinks_free(c.links);
	free(c.levels);
	return code;
}
