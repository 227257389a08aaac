/*
 * maketree: makes a tree that holds every kind of entry a backup must keep, from a seed, so that
 * the same options on the same file system give the same tree.
 */
#include "makesets.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

static const char USAGE[] =
	"usage: maketree [options] DIR      (DIR must not exist, or be empty)\n"
	"  --big N         entries of the one large directory (500000; 0: none)\n"
	"  --links N       names of the file with the most hard links (1000; up to 60000)\n"
	"  --depth N       levels of the deepest directory (4096)\n"
	"  --no-deep       nothing whose path is longer than PATH_MAX\n"
	"  --no-1t         no sparse file of 1 TiB\n"
	"  --no-root       only what an ordinary user can make (and read)\n"
	"  --unreadable    with --no-root: also modes that stop the owner from reading\n"
	"  --sockets       also sockets, which a backup skips\n"
	"  --naughty FILE  one file for each line of FILE, as its name\n"
	"  --seed N        another tree of the same kinds (1)\n";

static const struct option OPTIONS[] = {
	{ "big", required_argument, NULL, 'b' },
	{ "links", required_argument, NULL, 'l' },
	{ "depth", required_argument, NULL, 'd' },
	{ "seed", required_argument, NULL, 's' },
	{ "naughty", required_argument, NULL, 'n' },
	{ "no-deep", no_argument, NULL, 'D' },
	{ "no-1t", no_argument, NULL, 'T' },
	{ "no-root", no_argument, NULL, 'R' },
	{ "unreadable", no_argument, NULL, 'U' },
	{ "sockets", no_argument, NULL, 'S' },
	{ 0 },
};

static const struct {
	const char *name;
	void (*make)(struct makeput *m);
} SETS[] = {
	{ "names", makenames_plain },
	{ "naughty", makenames_naughty },
	{ "deep", makenames_deep },
	{ "modes", makeattrs_modes },
	{ "owners", makeattrs_owners },
	{ "times", makeattrs_times },
	{ "xattrs", makeattrs_xattrs },
	{ "acls", makeattrs_acls },
	{ "symlinks", makekinds_symlinks },
	{ "hardlinks", makekinds_hardlinks },
	{ "special", makekinds_special },
	{ "empty", makekinds_empty },
	{ "sizes", makedata_sizes },
	{ "same", makedata_same },
	{ "holes", makedata_holes },
	{ "big", makekinds_big },
};

static void options_read(struct makeput_options *o, int argc, char **argv) {
	int c;

	*o = (struct makeput_options){ .root = true,
		.deep = true,
		.tebibyte = true,
		.big = 500000,
		.links = 1000,
		.depth = 4096,
		.seed = 1 };
	while ((c = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1) {
		switch (c) {
		case 'b': o->big = treelib_number(optarg, 0, 10000000, "--big"); break;
		case 'l': o->links = treelib_number(optarg, 2, 60000, "--links"); break;
		case 'd': o->depth = treelib_number(optarg, 1, 100000, "--depth"); break;
		case 's': o->seed = treelib_number(optarg, 0, UINT64_MAX, "--seed"); break;
		case 'n': o->naughty = optarg; break;
		case 'D': o->deep = false; break;
		case 'T': o->tebibyte = false; break;
		case 'R': o->root = false; break;
		case 'U': o->unreadable = true; break;
		case 'S': o->sockets = true; break;
		default: (void)fputs(USAGE, stderr); _exit(2);
		}
	}
	if (argc - optind != 1) {
		(void)fputs(USAGE, stderr);
		_exit(2);
	}
}

static int top_open(const char *path) {
	struct treelib_names names = { 0 };
	int fd;

	if (mkdir(path, 0755) != 0 && errno != EEXIST) treelib_die("%s", path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || treelib_names_read(&names, fd) != 0) treelib_die("%s", path);
	if (names.count > 0) {
		errno = ENOTEMPTY;
		treelib_die("%s", path);
	}
	treelib_names_free(&names);
	return fd;
}

int main(int argc, char **argv) {
	struct makeput_options options;
	struct makeput m = { .options = &options };

	(void)umask(0);
	options_read(&options, argc, argv);
	if (options.root && geteuid() != 0) {
		errno = 0;
		treelib_die("an ordinary user must say --no-root");
	}
	m.top = top_open(argv[optind]);
	for (size_t i = 0; i < sizeof(SETS) / sizeof(SETS[0]); i++) {
		uint64_t before = m.entries;

		/* Each set draws from a place of its own, so an option changes only its own set. */
		m.rng.state = options.seed * 1000 + i;
		SETS[i].make(&m);
		(void)printf("%s=%" PRIu64 " ", SETS[i].name, m.entries - before);
	}
	m.rng.state = options.seed;
	makeput_stamp(&m, AT_FDCWD, argv[optind]);
	(void)printf("entries=%" PRIu64 " left-out=%" PRIu64 "\n", m.entries, m.left_out);
	return 0;
}
