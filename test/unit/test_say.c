/* cli/say, cli/jsonl and cli/progress: what goes where, with standard output and error being files or pipes. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/jsonl.h"
#include "cli/progress.h"
#include "cli/say.h"

/* What a child that called ${body} left behind. */
struct seen {
	char out[8192];
	char err[8192];
	int code;
};

typedef int body_fn(struct say *say);

static void read_all(int fd, char *to, size_t room) {
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, to + len, room - 1 - len)) > 0) len += (size_t)n;
	to[len] = '\0';
	close(fd);
}

static struct seen run(body_fn *body, struct say_options options, const char *out_path) {
	struct seen seen = { .code = -1 };
	int out[2], err[2];
	int status = 0;
	pid_t pid;

	assert_int_equal(pipe(out), 0);
	assert_int_equal(pipe(err), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct say *say = NULL;
		int code;

		if (out_path) {
			close(out[1]);
			out[1] = open(out_path, O_WRONLY);
		}
		close(out[0]);
		close(err[0]);
		if (dup2(out[1], 1) < 0 || dup2(err[1], 2) < 0 || say_new(&options, &say) != OK) _exit(99);
		close(out[1]);
		close(err[1]);
		code = body(say);
		code |= say_finish(say) ? 0 : 64;
		say_free(say);
		_exit(code);
	}
	close(out[1]);
	close(err[1]);
	read_all(out[0], seen.out, sizeof(seen.out));
	read_all(err[0], seen.err, sizeof(seen.err));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	seen.code = WEXITSTATUS(status);
	return seen;
}

static int speak(struct say *s) {
	struct why why = { .code = E_FORGED, .msg = "pack \x1b[2J is forged" };

	say_out(s, "%d files in ", 3);
	say_line(s, span_text("a\nb\x1b"));
	say_note(s, "note %s", "\xe2\x80\xae");
	say_detail(s, "detail");
	say_warn(s, "warn");
	say_why(s, &why);
	return 0;
}

static void for_people(void **state) {
	struct seen seen = run(speak, (struct say_options){ .verbose = true }, NULL);

	(void)state;
	assert_int_equal(seen.code, 0);
	assert_string_equal(seen.out, "3 files in a\\x0ab\\x1b\n");
	assert_string_equal(
		seen.err, "note \\xe2\\x80\\xae\ndetail\nwarning: warn\nbroch: pack \\x1b[2J is forged\n");
	seen = run(speak, (struct say_options){ .quiet = true }, NULL);
	assert_string_equal(seen.err, "warning: warn\nbroch: pack \\x1b[2J is forged\n");
}

static int objects(struct say *s) {
	struct jsonl *o = jsonl_new("node");
	struct jsonl *item = jsonl_new("item");

	jsonl_bytes(o, "path", span_text("caf\xe9"));
	jsonl_bytes(o, "name", span_text("caf\xc3\xa9\x7f\xe2\x80\xae\x7f"));
	jsonl_number(o, "size", UINT64_MAX);
	jsonl_signed(o, "delta", -5);
	jsonl_flag(o, "ok", true);
	jsonl_hex(o, "id", span_of("\x01\xff", 2));
	jsonl_time(o, "time", 1);
	jsonl_list(o, "none");
	jsonl_add_text(o, "tags", span_text("a"));
	jsonl_add_text(o, "tags", span_text("b\""));
	jsonl_number(item, "n", 1);
	jsonl_add_object(o, "items", item);
	jsonl_add_text(o, "odd", span_text("a"));
	jsonl_add_text(o, "odd", span_text("\xff"));
	jsonl_add_text(o, "odd", span_text("c"));
	say_object(s, o);
	say_warn(s, "careful");
	return 0;
}

static void for_programs(void **state) {
	struct seen seen = run(objects, (struct say_options){ .json = true }, NULL);

	(void)state;
	assert_string_equal(seen.out,
		"{\"type\":\"node\",\"path\":\"caf\\\\xe9\",\"path_bytes\":\"636166e9\",\"name\":\"caf\\u00E9\\u007f\\u202E\\u007f\","
		"\"size\":9223372036854775807,\"delta\":-5,\"ok\":true,\"id\":\"01ff\","
		"\"time\":\"1970-01-01T00:00:00.000000001Z\",\"none\":[],\"tags\":[\"a\",\"b\\\"\"],\"items\":[{\"n\":1}],"
		"\"odd\":[\"a\",\"\\\\xff\",\"c\"],\"odd_bytes\":[\"61\",\"ff\",\"63\"]}\n");
	assert_string_equal(seen.err, "{\"type\":\"warning\",\"message\":\"careful\"}\n");
	seen = run(speak, (struct say_options){ .json = true, .quiet = true }, NULL);
	assert_non_null(strstr(seen.err,
		"{\"type\":\"error\",\"message\":\"pack \\u001B[2J is forged\",\"code\":\"forged\"}\n"));
}

static int without_memory(struct say *s) {
	say_object(s, NULL);
	jsonl_text(NULL, "a", span_text("b"));
	jsonl_add_object(NULL, "a", NULL);
	return 0;
}

static void says_when_memory_ran_out(void **state) {
	struct seen seen = run(without_memory, (struct say_options){ 0 }, NULL);

	(void)state;
	assert_string_equal(seen.out, "");
	assert_string_equal(seen.err, "broch: an object could not be printed: out of memory\n");
}

static int flood(struct say *s) {
	for (int i = 0; i < 100000; i++) {
		if (say_gone(s)) return 7;
		say_line(s, span_text("a line that is not short at all"));
	}
	return 0;
}

static int flood_closed(struct say *s) {
	int pair[2];

	if (pipe(pair) != 0 || dup2(pair[1], 1) < 0) return 98;
	close(pair[0]);
	close(pair[1]);
	return flood(s);
}

/* A reader that goes away ends a list quietly; a full disk is an error that is said. */
static void readers_and_disks(void **state) {
	struct seen seen = run(flood_closed, (struct say_options){ 0 }, NULL);

	(void)state;
	assert_int_equal(seen.code, 7);
	assert_string_equal(seen.err, "");
	seen = run(flood, (struct say_options){ 0 }, "/dev/full");
	assert_int_equal(seen.code, 7 | 64);
	assert_string_equal(
		seen.err, "broch: can't write to standard output: No space left on device\n");
}

static int work(struct say *s) {
	struct timespec pause = { .tv_nsec = 350000000 };
	struct progress *p = NULL;
	int said = 0;

	if (progress_new(s, "backup", &p) != OK) return 97;
	progress_total(p, 10, 1000);
	progress_add(p, 4, 250);
	progress_failed(p);
	progress_at(p, span_text("/home/\xff/x"));
	/* what is to be said comes after a tick; how late, where much else runs, is not known */
	for (int i = 0; i == 0 || (say_progress(s) == SAY_PROGRESS_JSON && !said && i < 500); i++) {
		(void)nanosleep(&pause, NULL);
		if (ioctl(STDERR_FILENO, FIONREAD, &said) != 0) return 96;
	}
	progress_free(p);
	progress_free(NULL);
	progress_add(NULL, 1, 1);
	say_out(s, "done\n");
	return 0;
}

static void progress(void **state) {
	struct seen seen = run(work, (struct say_options){ .json = true }, NULL);

	(void)state;
	assert_string_equal(seen.out, "done\n");
	assert_non_null(strstr(seen.err, "{\"type\":\"status\",\"task\":\"backup\",\"seconds\":"));
	assert_non_null(strstr(seen.err,
		"\"files_done\":4,\"bytes_done\":250,\"files_total\":10,\"bytes_total\":1000,\"failed\":1,"
		"\"current\":\"/home/\\\\xff/x\",\"current_bytes\":\"2f686f6d652fff2f78\"}\n"));
	seen = run(
		work, (struct say_options){ 0 }, NULL); /* no terminal: nothing in the first ten seconds */
	assert_string_equal(seen.err, "");
	seen = run(work, (struct say_options){ .json = true, .no_progress = true }, NULL);
	assert_string_equal(seen.err, "");
	seen = run(work, (struct say_options){ .json = true, .quiet = true }, NULL);
	assert_string_equal(seen.err, "");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(for_people),
		cmocka_unit_test(for_programs),
		cmocka_unit_test(says_when_memory_ran_out),
		cmocka_unit_test(readers_and_disks),
		cmocka_unit_test(progress),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
