/* os/passphrase: from files, and from a terminal, which is a pseudo terminal here. */
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
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/passphrase.h"

static char path[] = "/tmp/broch-passphrase-XXXXXX";

static void put(const char *bytes, size_t len) {
	int fd = open(path, O_WRONLY | O_TRUNC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	close(fd);
}

static enum err get(const char *bytes, size_t len, size_t room, char *out, size_t *out_len) {
	struct why why = { 0 };

	put(bytes, len);
	return passphrase_read(path, (uint8_t *)out, room, out_len, &why);
}

static void from_files(void **state) {
	char out[PASSPHRASE_MAX];
	char longest[PASSPHRASE_MAX + 1];
	struct why why = { 0 };
	size_t n = 99;

	(void)state;
	memset(longest, 'x', sizeof(longest));
	assert_int_equal(get("secret", 6, 64, out, &n), OK);
	assert_int_equal(n, 6);
	assert_memory_equal(out, "secret", 6);
	assert_int_equal(get("with space \n", 12, 64, out, &n), OK);
	assert_int_equal(n, 11);
	assert_int_equal(get("dos\r\n", 5, 64, out, &n), OK);
	assert_int_equal(n, 3);
	assert_int_equal(get("\xff\x01", 2, 64, out, &n), OK);
	assert_int_equal(n, 2);
	n = 99;
	assert_int_equal(get("", 0, 64, out, &n), E_USAGE);
	assert_int_equal(get("\n", 1, 64, out, &n), E_USAGE);
	assert_int_equal(get("a\nb\n", 4, 64, out, &n), E_USAGE);
	assert_int_equal(get("a\n\n", 3, 64, out, &n), E_USAGE);
	assert_int_equal(get("a\0b", 3, 64, out, &n), E_USAGE);
	assert_int_equal(n, 99);
	assert_int_equal(get(longest, PASSPHRASE_MAX, PASSPHRASE_MAX, out, &n), OK);
	assert_int_equal(n, PASSPHRASE_MAX);
	memset(out, 'y', sizeof(out));
	assert_int_equal(get(longest, PASSPHRASE_MAX + 1, PASSPHRASE_MAX, out, &n), E_LIMIT);
	assert_int_equal(out[0], 0);
	assert_int_equal(out[PASSPHRASE_MAX - 1], 0);
	assert_int_equal(get("12345", 5, 4, out, &n), E_LIMIT);
	assert_int_equal(get("1234\n", 5, 4, out, &n), OK);
	assert_int_equal(passphrase_read("/nonexistent/x", (uint8_t *)out, 4, &n, &why), E_NOTFOUND);
	assert_int_equal(passphrase_read("/", (uint8_t *)out, 4, &n, &why), E_IO);
}

/* In a child whose terminal is ${fd}: asks, and writes the code and the line to ${result}. */
static void child(int fd, int result, const char *again, bool seen) {
	uint8_t out[64] = { 0 };
	struct why why = { 0 };
	size_t n = 0;
	uint8_t e;

	if (setsid() < 0 || ioctl(fd, TIOCSCTTY, 0) != 0) _exit(1);
	e = (uint8_t)(seen ? passphrase_ask_seen("Code: ", out, sizeof(out), &n, &why)
					   : passphrase_ask("Passphrase: ", again, out, sizeof(out), &n, &why));
	if (write(result, &e, 1) != 1 || write(result, out, n) != (ssize_t)n) _exit(1);
	_exit(0);
}

/* Reads from the terminal's other side until ${text} has come; what came goes to ${shown}. */
static void wait_for(int fd, const char *text, char *shown, size_t room) {
	size_t len = strlen(shown);

	while (!strstr(shown, text)) {
		ssize_t n = read(fd, shown + len, room - len - 1);

		assert_true(n > 0);
		len += (size_t)n;
		shown[len] = '\0';
	}
}

struct talk {
	const char *typed[2]; /* the second behind the second prompt */
	const char *again;
	bool seen;
	enum err want;
	const char *line;
};

static void talk(const struct talk *t) {
	int pair[2];
	char shown[1024] = "";
	uint8_t answer[80] = { 0 };
	struct termios after;
	ssize_t n;
	int status = 0;
	int master = posix_openpt(O_RDWR | O_NOCTTY);
	int slave;
	pid_t pid;

	assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	assert_true(slave >= 0);
	assert_int_equal(pipe(pair), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) child(slave, pair[1], t->again, t->seen);
	close(pair[1]);
	wait_for(master, ": ", shown, sizeof(shown));
	assert_int_equal(write(master, t->typed[0], strlen(t->typed[0])), strlen(t->typed[0]));
	if (t->typed[1]) {
		wait_for(master, t->again, shown, sizeof(shown));
		assert_int_equal(write(master, t->typed[1], strlen(t->typed[1])), strlen(t->typed[1]));
	}
	n = read(pair[0], answer, sizeof(answer));
	if (n == 1) n += read(pair[0], answer + 1, sizeof(answer) - 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(answer[0], t->want);
	assert_int_equal(n - 1, strlen(t->line));
	assert_memory_equal(answer + 1, t->line, strlen(t->line));
	assert_int_equal(tcgetattr(slave, &after), 0);
	assert_int_equal(after.c_lflag & (ECHO | ISIG | ICANON), ECHO | ISIG | ICANON);
	if (t->line[0] && !t->seen) assert_null(strstr(shown, t->line));
	close(pair[0]);
	close(slave);
	close(master);
}

static void from_the_terminal(void **state) {
	static const struct talk talks[] = {
		{ { "secret\n", NULL }, NULL, false, OK, "secret" },
		{ { "secret\n", "secret\n" }, "Again: ", false, OK, "secret" },
		{ { "secret\n", "Secret\n" }, "Again: ", false, E_USAGE, "" },
		{ { "\n", NULL }, NULL, false, E_USAGE, "" },
		{ { "sec\x03", NULL }, NULL, false, E_CANCELLED, "" },
		{ { "\x04", NULL }, NULL, false, E_CANCELLED, "" },
		{ { "secx\x7fret\n", NULL }, NULL, false, OK, "secret" },
		{ { "0123456789012345678901234567890123456789012345678901234567890123\n", NULL }, NULL,
			false, OK, "0123456789012345678901234567890123456789012345678901234567890123" },
		{ { "01234567890123456789012345678901234567890123456789012345678901234\n", NULL }, NULL,
			false, E_LIMIT, "" },
		{ { "6KXG 501N\n", NULL }, NULL, true, OK, "6KXG 501N" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(talks) / sizeof(talks[0]); i++) talk(&talks[i]);
}

static void without_a_terminal(void **state) {
	pid_t pid = fork();
	int status = 0;

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		uint8_t out[8];
		struct why why = { 0 };
		size_t n = 0;

		_exit(setsid() < 0 ? 99 : (int)passphrase_ask("? ", NULL, out, sizeof(out), &n, &why));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), E_NOTFOUND);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(from_files),
		cmocka_unit_test(from_the_terminal),
		cmocka_unit_test(without_a_terminal),
	};
	int fd = mkstemp(path);
	int failed;

	if (fd < 0) return 1;
	close(fd);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	return failed;
}
