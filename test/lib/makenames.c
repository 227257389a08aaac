/* Names of every kind, and paths beyond PATH_MAX: see makesets.h. */
#include "makesets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAME_LEN 255
#define RANDOM_NAMES 200
#define LONG_LEVELS 40
#define DEPTH_LEVELS 1000

static const char *const NAMES[] = {
	"plain",
	"with space",
	" leading space",
	"trailing space ",
	"trailing dot.",
	"trailing dots...",
	"...",
	". .",
	"..a",
	".. ",
	".hidden",
	"-",
	"--",
	"-rf",
	"--help",
	"-n",
	"~",
	"~root",
	"#x#",
	"*",
	"?",
	"[a-z]",
	"{a,b}",
	"$HOME",
	"`id`",
	"$(id)",
	"a;b",
	"a|b",
	"a&b",
	"a>b",
	"!x",
	"'",
	"\"",
	"\\",
	"a\\b",
	"\\n",
	"\\x41",
	"..\\x",
	"C:",
	"C:\\x",
	"CON",
	"con",
	"Con.txt",
	"NUL",
	"nul.txt",
	"AUX",
	"PRN.",
	"COM1",
	"LPT9",
	"CONIN$",
	"a:b",
	"file::$DATA",
	"desktop.ini",
	"Thumbs.db",
	".DS_Store",
	"._x",
	".git",
	".nfs0001",
	"lost+found",
	"%00",
	"%2e%2e",
	"%s%n%d",
	"a=b",
	"a,b",
	/* the same to some eyes or file systems, and different as bytes */
	"Case",
	"case",
	"CASE",
	"caf\xc3\xa9",
	"cafe\xcc\x81",
	"CAF\xc3\x89",
	"\xef\xac\x81",
	"fi",
	"stra\xc3\x9f"
	"e",
	"strasse",
	"\xe2\x84\xaa",
	"K",
	"K ",
	"\xc3\x85",
	"A\xcc\x8a",
	"\xe2\x84\xab",
	/* not UTF-8: Latin-1, cut short, overlong, surrogates, beyond Unicode */
	"caf\xe9",
	"\xff",
	"\xfe\xff",
	"\xc3",
	"\xe2\x82",
	"\xc0\xaf",
	"\xc0\xae\xc0\xae",
	"\xed\xa0\x80",
	"\xed\xa0\xbd\xed\xb8\x80",
	"\xf4\x90\x80\x80",
	"\xf8\x88\x80\x80\x80",
	"a\x80z",
	"\x80",
	"\xa0",
	/* what moves or hides on a terminal */
	"\n",
	"a\nb",
	"a\n",
	"\na",
	"a\r",
	"\rb",
	"a\tb",
	"\x1b[31mred\x1b[0m",
	"\x1b]0;title\x07",
	"\x1b[2J\x1b[H",
	"\x9b"
	"31m",
	"\xc2\x9b"
	"31m",
	"\x1b]8;;http:x\x1b\\y",
	"a\bb",
	"\x7f",
	"\x01",
	"\xe2\x80\xae"
	"gpj.exe",
	"\xe2\x81\xa6x\xe2\x81\xa9",
	"\xe2\x80\x8b",
	"a\xe2\x80\x8d"
	"b",
	"\xef\xbb\xbf"
	"bom",
	"\xe2\x80\xa8",
	"\xe2\x80\xa9",
	"\xc2\xa0",
	"\xc2\x85",
	"\xf3\xa0\x81\x81",
	"z\xcc\x81\xcc\x82\xcc\x83\xcc\x84\xcc\x85\xcc\x86\xcc\x87\xcc\x88",
	"\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x94\xac",
	/* like the internals of backup tools */
	"data",
	"index",
	"snapshots",
	"config",
	".broch",
	".broch-tmp",
	"a.tmp",
	"a~",
	".a.swp",
};

/* A file whose content is its name. */
static void named_file(struct makeput *m, int dir, const char *name) {
	(void)makeput_file(m, dir, name, 0644, name, strlen(name));
}

static void single_bytes(struct makeput *m, int dir) {
	for (int c = 1; c < 256; c++) {
		char name[2] = { (char)c, '\0' };

		if (c != '/' && c != '.') named_file(m, dir, name);
	}
}

static void longest_names(struct makeput *m, int dir) {
	static const char *const REPEAT[] = { "n", "\xff", "\n", "\xe2\x82\xac", "\x1b[", " ", "-" };
	char name[NAME_LEN + 1];

	for (size_t i = 0; i < sizeof(REPEAT) / sizeof(REPEAT[0]); i++) {
		for (size_t k = 0; k < NAME_LEN; k++) name[k] = REPEAT[i][k % strlen(REPEAT[i])];
		name[NAME_LEN] = '\0';
		named_file(m, dir, name);
		name[NAME_LEN - 1] = '\0'; /* 254: the next longest */
		named_file(m, dir, name);
	}
}

static void random_name(struct makeput *m, char name[NAME_LEN + 1]) {
	size_t len = 2 + treelib_below(&m->rng, NAME_LEN - 1);

	for (size_t k = 0; k < len; k++) {
		do {
			name[k] = (char)(1 + treelib_below(&m->rng, 255));
		} while (name[k] == '/');
	}
	name[len] = '\0';
}

static void random_names(struct makeput *m, int dir) {
	char name[NAME_LEN + 1];

	for (int i = 0; i < RANDOM_NAMES; i++) {
		random_name(m, name);
		named_file(m, dir, name);
	}
}

static void list_as_files(struct makeput *m, int dir) {
	for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++) named_file(m, dir, NAMES[i]);
}

static void list_as_dirs(struct makeput *m, int dir) {
	for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++) {
		int fd = makeput_dir(m, dir, NAMES[i]);

		if (fd < 0) continue;
		named_file(m, fd, NAMES[i]);
		makeput_dir_close(m, dir, NAMES[i], fd);
	}
}

static void list_as_links(struct makeput *m, int dir) {
	for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++)
		(void)makeput_symlink(m, dir, NAMES[i], NAMES[i]);
}

static void sub_set(
	struct makeput *m, int dir, const char *name, void (*make)(struct makeput *, int)) {
	int fd = makeput_dir(m, dir, name);

	if (fd < 0) treelib_die("making a folder");
	make(m, fd);
	makeput_dir_close(m, dir, name, fd);
}

static void plain_sets(struct makeput *m, int dir) {
	sub_set(m, dir, "bytes", single_bytes);
	sub_set(m, dir, "longest", longest_names);
	sub_set(m, dir, "random", random_names);
	sub_set(m, dir, "files", list_as_files);
	sub_set(m, dir, "dirs", list_as_dirs);
	sub_set(m, dir, "links", list_as_links);
}

void makenames_plain(struct makeput *m) {
	sub_set(m, m->top, "names", plain_sets);
}

/* A line may be no name at all: a slash becomes an underscore, and what is too long is cut. */
static void naughty_file(struct makeput *m, int dir, char *line) {
	if (strlen(line) > NAME_LEN) line[NAME_LEN] = '\0';
	for (char *p = line; *p != '\0'; p++)
		if (*p == '/') *p = '_';
	if (line[0] == '\0' || strcmp(line, ".") == 0 || strcmp(line, "..") == 0) return;
	if (faccessat(dir, line, F_OK, AT_SYMLINK_NOFOLLOW) == 0) return; /* a line seen before */
	named_file(m, dir, line);
}

static void naughty_files(struct makeput *m, int dir) {
	FILE *list = fopen(m->options->naughty, "re");
	char *line = NULL;
	size_t room = 0;
	ssize_t len;

	if (list == NULL) treelib_die("%s", m->options->naughty);
	while ((len = getline(&line, &room, list)) > 0) {
		if (line[len - 1] == '\n') line[len - 1] = '\0';
		if (line[0] != '#') naughty_file(m, dir, line);
	}
	if (ferror(list)) treelib_die("%s", m->options->naughty);
	free(line);
	(void)fclose(list);
}

void makenames_naughty(struct makeput *m) {
	if (m->options->naughty != NULL) sub_set(m, m->top, "naughty", naughty_files);
}

static void level_name(char name[NAME_LEN + 1], uint64_t level, size_t len) {
	if (len > 1) {
		memset(name, 'l', len);
		name[len] = '\0';
		name[level % len] = 'L';
	} else {
		(void)snprintf(name, NAME_LEN + 1, "%c", (char)('a' + (char)(level % 26)));
	}
}

/* ${levels} directories, one in the other, down and up again with one descriptor at a time. */
static void chain(struct makeput *m, const char *top, uint64_t levels, size_t name_len) {
	char name[NAME_LEN + 1];
	int fd = makeput_dir(m, m->top, top), next;

	if (fd < 0) treelib_die("making a folder");
	for (uint64_t i = 1; i < levels; i++) {
		level_name(name, i, name_len);
		next = makeput_dir(m, fd, name);
		if (next < 0) treelib_die("no deeper than %llu levels", (unsigned long long)i);
		(void)close(fd);
		fd = next;
		if (i % 97 == 0 || i + 1 == levels) {
			named_file(m, fd, "file");
			(void)makeput_symlink(m, fd, "link", "../file");
		}
	}
	for (uint64_t i = levels - 1; i > 0; i--) {
		level_name(name, i, name_len);
		next = openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (next < 0) treelib_die("going up");
		makeput_dir_close(m, next, name, fd);
		fd = next;
	}
	makeput_dir_close(m, m->top, top, fd);
}

void makenames_deep(struct makeput *m) {
	chain(m, "depth", DEPTH_LEVELS, 1);
	if (!m->options->deep) return;
	chain(m, "deep", m->options->depth, 1);
	chain(m, "long", LONG_LEVELS, NAME_LEN);
}
