#include "store/race.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RUNNERS = 2, ROUNDS = 12, WON = 10, LOST, UNABLE, FAILED };

static const char *const temps[RUNNERS] = { "race-a", "race-b" };
static const char target[] = "race";

/* In the child. Nothing here allocates: the parent may have other threads. */
static int run(int folder, enum file_way way, int number, int start) {
	struct file_place place = { .tmp = folder,
		.temp = temps[number],
		.at = folder,
		.path = target,
		.mode = FILE_PRIVATE,
		.way = way };
	char go;
	ssize_t got;
	do {
		got = read(start, &go, 1); /* ends for both at once, when the parent closes its end */
	} while (got < 0 && errno == EINTR);
	switch (file_place_new(&place, span_of(temps[number], strlen(temps[number])), NULL)) {
	case OK: return WON;
	case E_EXISTS: return LOST;
	case E_UNSUPPORTED:
	case E_DENIED: return UNABLE; /* what refused links say */
	default: return FAILED;
	}
}

static int result_of(pid_t child) {
	int status;
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR) return FAILED;
	return WIFEXITED(status) ? WEXITSTATUS(status) : FAILED;
}

static void remove_all(int folder) {
	for (int i = 0; i < RUNNERS; i++) (void)unlinkat(folder, temps[i], 0);
	(void)unlinkat(folder, target, 0);
}

/* Whether what is in place is the winner's. */
static bool is_of(int folder, int winner) {
	struct buf got;
	buf_init(&got, 64);
	bool is = file_read_whole(folder, target, 64, &got, NULL) == OK &&
		span_equal(buf_span(&got), span_text(temps[winner]));
	buf_free(&got);
	return is;
}

static enum err judge(int folder, const int results[RUNNERS], struct why *why) {
	int won = 0, lost = 0, winner = 0;
	for (int i = 0; i < RUNNERS; i++) {
		if (results[i] == UNABLE) return why_set(why, E_UNSUPPORTED, "the file system refuses it");
		if (results[i] == FAILED)
			return why_set(why, E_IO, "files could not be put in place in the folder");
		if (results[i] == WON) {
			won++;
			winner = i;
		}
		if (results[i] == LOST) lost++;
	}
	if (won == 1 && lost == RUNNERS - 1 && is_of(folder, winner)) return OK;
	return why_set(why, E_EXISTS, "of two processes that raced for a name, %d got it", won);
}

static enum err one_round(int folder, enum file_way way, struct why *why) {
	int start[2];
	pid_t children[RUNNERS];
	int results[RUNNERS];
	if (pipe2(start, O_CLOEXEC) != 0) return why_errno(why, "cannot make a pipe");
	int running = 0;
	for (; running < RUNNERS; running++) {
		children[running] = fork();
		if (children[running] < 0) break;
		if (children[running] > 0) continue;
		(void)close(start[1]);
		_exit(run(folder, way, running, start[0]));
	}
	int number = errno;
	file_close(&start[0]);
	file_close(&start[1]);
	for (int i = 0; i < running; i++) results[i] = result_of(children[i]);
	enum err e;
	if (running < RUNNERS) {
		errno = number;
		e = why_errno(why, "cannot start another process");
	} else {
		e = judge(folder, results, why);
	}
	remove_all(folder);
	return e;
}

enum err race_try(int folder, enum file_way way, struct why *why) {
	for (int i = 0; i < ROUNDS; i++) {
		enum err e = one_round(folder, way, why);
		if (e != OK) return e;
	}
	return OK;
}
