/* Comparing an entry's attributes: see cmpattrs.h. */
#include "cmpattrs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#define LIST_MAX 65536 /* the kernel's XATTR_LIST_MAX and XATTR_SIZE_MAX */
#define NAMES_MAX 8192
#define TARGET_MAX 4200

const char *cmpattrs_type(mode_t mode) {
	switch (mode & S_IFMT) {
	case S_IFREG: return "file";
	case S_IFDIR: return "directory";
	case S_IFLNK: return "symbolic link";
	case S_IFIFO: return "fifo";
	case S_IFCHR: return "character device";
	case S_IFBLK: return "block device";
	case S_IFSOCK: return "socket";
	default: return "unknown";
	}
}

/* One side's attribute names, sorted; ${pool} holds them. */
struct xattrs {
	int fd;
	char path[TREELIB_PATH_MAX]; /* where there is no descriptor */
	char pool[LIST_MAX];
	char *name[NAMES_MAX];
	size_t count;
};

static int name_order(const void *a, const void *b) {
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int xattrs_list(struct xattrs *x, const struct cmpattrs_side *side) {
	ssize_t len;

	x->count = 0;
	x->fd = side->fd;
	if (x->fd < 0) treelib_proc_path(x->path, side->dir, side->name);
	len = x->fd >= 0 ? flistxattr(x->fd, x->pool, sizeof(x->pool))
					 : llistxattr(x->path, x->pool, sizeof(x->pool));
	if (len < 0 && errno == ENOTSUP) len = 0;
	if (len < 0) return -1;
	for (ssize_t at = 0; at < len; at += (ssize_t)strlen(x->pool + at) + 1) {
		if (x->count == NAMES_MAX) {
			errno = E2BIG;
			return -1;
		}
		x->name[x->count++] = x->pool + at;
	}
	qsort(x->name, x->count, sizeof(x->name[0]), name_order);
	return 0;
}

static enum cmpreport_class xattr_class(const char *name) {
	if (strncmp(name, "system.posix_acl_", 17) == 0) return CMP_ACL;
	if (strcmp(name, "security.capability") == 0) return CMP_CAPABILITY;
	if (strncmp(name, "security.", 9) == 0) return CMP_SECURITY;
	if (strncmp(name, "trusted.", 8) == 0) return CMP_TRUSTED;
	return CMP_XATTR;
}

static ssize_t xattr_get(const struct xattrs *x, const char *name, uint8_t value[LIST_MAX]) {
	return x->fd >= 0 ? fgetxattr(x->fd, name, value, LIST_MAX)
					  : lgetxattr(x->path, name, value, LIST_MAX);
}

static void xattr_value(
	struct cmpreport *r, const struct xattrs *a, const struct xattrs *b, const char *name) {
	static uint8_t va[LIST_MAX], vb[LIST_MAX];
	ssize_t la = xattr_get(a, name, va);
	ssize_t lb = la < 0 ? 0 : xattr_get(b, name, vb);
	size_t i = 0;

	if (la < 0 || lb < 0) {
		cmpreport_add(
			r, CMP_UNREADABLE, "attribute %s in %s: %s", name, la < 0 ? "A" : "B", strerror(errno));
		return;
	}
	if (la != lb) {
		cmpreport_add(r, xattr_class(name), "%s: %zd bytes, in B %zd", name, la, lb);
		return;
	}
	if (la == 0 || memcmp(va, vb, (size_t)la) == 0) return;
	while (va[i] == vb[i]) i++;
	cmpreport_add(r, xattr_class(name), "%s: byte %zu of the value is %02x, in B %02x", name, i,
		va[i], vb[i]);
}

static void compare_xattrs(
	struct cmpreport *r, const struct cmpattrs_side *a, const struct cmpattrs_side *b) {
	static struct xattrs xa, xb;
	size_t i = 0, k = 0;

	if (xattrs_list(&xa, a) != 0 || xattrs_list(&xb, b) != 0) {
		cmpreport_add(r, CMP_UNREADABLE, "list of extended attributes: %s", strerror(errno));
		return;
	}
	while (i < xa.count || k < xb.count) {
		int order = i == xa.count ? 1 : k == xb.count ? -1 : strcmp(xa.name[i], xb.name[k]);

		if (order == 0) {
			xattr_value(r, &xa, &xb, xa.name[i++]);
			k++;
		} else if (order < 0) {
			cmpreport_add(r, xattr_class(xa.name[i]), "%s: not in B", xa.name[i]);
			i++;
		} else {
			cmpreport_add(r, xattr_class(xb.name[k]), "%s: only in B", xb.name[k]);
			k++;
		}
	}
}

static void compare_target(
	struct cmpreport *r, const struct cmpattrs_side *a, const struct cmpattrs_side *b) {
	static char ta[TARGET_MAX], tb[TARGET_MAX];
	ssize_t la = readlinkat(a->dir, a->name, ta, sizeof(ta) - 1);
	ssize_t lb = readlinkat(b->dir, b->name, tb, sizeof(tb) - 1);

	if (la < 0 || lb < 0) {
		cmpreport_add(r, CMP_UNREADABLE, "target: %s", strerror(errno));
		return;
	}
	ta[la] = '\0';
	tb[lb] = '\0';
	if (la != lb || memcmp(ta, tb, (size_t)la) != 0)
		cmpreport_add(r, CMP_TARGET, "'%s', in B '%s'", ta, tb);
}

static void compare_stat(struct cmpreport *r, const struct stat *a, const struct stat *b) {
	mode_t changed = (a->st_mode ^ b->st_mode) & 07777;

	if ((changed & 01777) != 0)
		cmpreport_add(r, CMP_MODE, "%04o, in B %04o", a->st_mode & 01777, b->st_mode & 01777);
	if ((changed & 06000) != 0)
		cmpreport_add(r, CMP_SETUID, "%04o, in B %04o", a->st_mode & 06000, b->st_mode & 06000);
	if (a->st_uid != b->st_uid || a->st_gid != b->st_gid)
		cmpreport_add(r, CMP_OWNER, "uid %u gid %u, in B uid %u gid %u", a->st_uid, a->st_gid,
			b->st_uid, b->st_gid);
	if (a->st_mtim.tv_sec != b->st_mtim.tv_sec || a->st_mtim.tv_nsec != b->st_mtim.tv_nsec)
		cmpreport_add(r, CMP_MTIME, "%lld.%09ld, in B %lld.%09ld", (long long)a->st_mtim.tv_sec,
			a->st_mtim.tv_nsec, (long long)b->st_mtim.tv_sec, b->st_mtim.tv_nsec);
}

void cmpattrs_compare(
	struct cmpreport *r, const struct cmpattrs_side *a, const struct cmpattrs_side *b) {
	compare_stat(r, &a->st, &b->st);
	compare_xattrs(r, a, b);
	if (S_ISLNK(a->st.st_mode)) compare_target(r, a, b);
	if ((S_ISCHR(a->st.st_mode) || S_ISBLK(a->st.st_mode)) && a->st.st_rdev != b->st.st_rdev)
		cmpreport_add(r, CMP_RDEV, "%u:%u, in B %u:%u", major(a->st.st_rdev), minor(a->st.st_rdev),
			major(b->st.st_rdev), minor(b->st.st_rdev));
}
