/* What a program does first: standard descriptors, dumps, signals; and where its folders are. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/clock.h"
#include "os/paths.h"
#include "os/process.h"
#include "os/signals.h"

/* Runs ${part} in a child; its exit code, or 128 and its signal. */
static int in_child(int (*part)(void)) {
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) _exit(part());
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static bool is_null(int fd) {
	struct stat st, null;
	return fstat(fd, &st) == 0 && stat("/dev/null", &null) == 0 && st.st_rdev == null.st_rdev &&
		S_ISCHR(st.st_mode);
}

static int close_and_prepare(void) {
	close(0);
	close(2);
	process_prepare();
	if (!is_null(0) || !is_null(2)) return 1;
	if ((fcntl(0, F_GETFL) & O_ACCMODE) != O_RDONLY) return 2;
	if ((fcntl(2, F_GETFL) & O_ACCMODE) != O_WRONLY) return 3;
	close(0);
	close(1);
	close(2);
	process_prepare();
	return is_null(0) && is_null(1) && is_null(2) ? 0 : 4;
}

static void closed_descriptors_are_opened(void **state) {
	(void)state;
	assert_int_equal(in_child(close_and_prepare), 0);
}

static int dump(void) {
	struct rlimit core, files;
	process_prepare();
	if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0) return 1;
	if (getrlimit(RLIMIT_CORE, &core) != 0 || core.rlim_cur != 0 || core.rlim_max != 0) return 2;
	if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur != files.rlim_max) return 3;
	return process_files_max() == files.rlim_cur ? 0 : 4;
}

static void there_are_no_dumps(void **state) {
	(void)state;
	assert_int_equal(in_child(dump), 0);
}

/* Of what this process makes the owner may do all, and others what the user's umask lets them. */
static int make_with_masks(void) {
	static const mode_t masks[][2] = { { 0777, 077 }, { 0700, 0 }, { 0422, 022 }, { 027, 027 },
		{ 0, 0 } };
	for (int i = 0; i < 5; i++) {
		(void)umask(masks[i][0]);
		process_prepare();
		if (umask(0) != masks[i][1]) return i + 1;
	}
	return 0;
}

static void the_umask_takes_nothing_from_the_owner(void **state) {
	(void)state;
	assert_int_equal(in_child(make_with_masks), 0);
}

static int be_asked(void) {
	signals_install();
	if (signals_asked() || signals_which() != 0) return 1;
	raise(SIGPIPE);
	if (signals_asked()) return 2;
	raise(SIGINT);
	if (!signals_asked() || !interrupt_asked() || signals_which() != SIGINT) return 3;
	signals_forget();
	if (signals_asked()) return 4;
	raise(SIGTERM);
	return signals_which() == SIGTERM ? 0 : 5;
}

static int be_asked_twice(void) {
	signals_install();
	raise(SIGINT);
	raise(SIGTERM);
	return 1;
}

static int be_without_terminal(void) {
	signal(SIGHUP, SIG_IGN);
	signals_install();
	raise(SIGHUP);
	return signals_asked() ? 1 : 0;
}

/* A sleep does not go on once the program is asked to stop. */
static int sleep_on(void) {
	signals_install();
	alarm(300);
	pid_t me = getpid();
	pid_t child = fork();
	if (child == 0) {
		clock_sleep_ns(50000000);
		kill(me, SIGTERM);
		_exit(0);
	}
	uint64_t start = clock_mono_ns();
	while (!signals_asked()) clock_sleep_ns(200000000000);
	return clock_mono_ns() - start < 100000000000 ? 0 : 1;
}

static void the_first_signal_asks_the_second_ends(void **state) {
	(void)state;
	assert_int_equal(in_child(be_asked), 0);
	assert_int_equal(in_child(be_asked_twice), 128 + SIGTERM);
	assert_int_equal(in_child(be_without_terminal), 0);
	assert_int_equal(in_child(sleep_on), 0);
}

struct setting {
	const char *broch_home;
	const char *xdg;
	const char *home;
	const char *state; /* NULL: what the user database says */
	const char *cache;
};

static void set(const char *name, const char *value) {
	if (value) setenv(name, value, 1);
	else unsetenv(name);
}

static void folders_are_found(void **state) {
	(void)state;
	static const struct setting settings[] = {
		{ "/b", "/x", "/h", "/b", "/b/cache" },
		{ "rel", "/x", "/h", "rel", "rel/cache" },
		{ NULL, "/x", "/h", "/x/broch", "/x/broch" },
		{ "", "/x", "/h", "/x/broch", "/x/broch" },
		{ NULL, "x", "/h", "/h/.local/state/broch", "/h/.cache/broch" },
		{ NULL, "", "/h", "/h/.local/state/broch", "/h/.cache/broch" },
		{ NULL, NULL, "/h", "/h/.local/state/broch", "/h/.cache/broch" },
		{ NULL, NULL, "h", NULL, NULL },
		{ NULL, NULL, "", NULL, NULL },
		{ NULL, NULL, NULL, NULL, NULL },
	};
	char got[PATHS_MAX];
	for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
		const struct setting *s = &settings[i];
		set("BROCH_HOME", s->broch_home);
		set("XDG_STATE_HOME", s->xdg);
		set("XDG_CACHE_HOME", s->xdg);
		set("HOME", s->home);
		enum err e = paths_state(got, NULL);
		if (s->state) {
			assert_int_equal(e, OK);
			assert_string_equal(got, s->state);
			assert_int_equal(paths_cache(got, NULL), OK);
			assert_string_equal(got, s->cache);
			continue;
		}
		assert_true(e == OK || e == E_NOTFOUND);
		if (e == OK) assert_non_null(strstr(got, "/.local/state/broch"));
	}
}

static void long_homes_are_refused(void **state) {
	(void)state;
	static char home[PATHS_MAX + 10], got[PATHS_MAX];
	memset(home, 'a', sizeof home - 1);
	home[0] = '/';
	set("HOME", home);
	set("BROCH_HOME", NULL);
	struct why why;
	assert_int_equal(paths_state(got, &why), E_LIMIT);
	assert_int_equal(paths_home(got, &why), E_LIMIT);
	home[PATHS_MAX - 1] = 0;
	set("HOME", home);
	assert_int_equal(paths_home(got, &why), OK);
	assert_int_equal(paths_state(got, &why), E_LIMIT);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(closed_descriptors_are_opened),
		cmocka_unit_test(there_are_no_dumps),
		cmocka_unit_test(the_umask_takes_nothing_from_the_owner),
		cmocka_unit_test(the_first_signal_asks_the_second_ends),
		cmocka_unit_test(folders_are_found),
		cmocka_unit_test(long_homes_are_refused),
	};
	return cmocka_run_group_tests_name("process", tests, NULL, NULL);
}
