#include "os/passphrase.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "os/userfile.h"

enum { CTRL_C = 3 };

enum err passphrase_read(
	const char *path, uint8_t *out, size_t room, size_t *len_out, struct why *why) {
	struct buf whole;
	size_t len;
	enum err e;

	assert(room <= PASSPHRASE_MAX);
	buf_init(&whole, PASSPHRASE_MAX + 3);
	/* Two more for the end of the line. */
	e = userfile_read(path, "the passphrase file", room + 2, &whole, why);
	if (e != OK) goto out;
	len = whole.len;
	if (len > 0 && whole.ptr[len - 1] == '\n') {
		len--;
		if (len > 0 && whole.ptr[len - 1] == '\r') len--;
	}
	if (len > room)
		e = why_set(why, E_LIMIT, "the passphrase in %s is longer than %zu bytes", path, room);
	else if (len == 0) e = why_set(why, E_USAGE, "the passphrase file %s is empty", path);
	else if (memchr(whole.ptr, '\n', len) || memchr(whole.ptr, '\0', len))
		e = why_set(why, E_USAGE, "the passphrase file %s has more than one line", path);
	if (e != OK) goto out;
	memcpy(out, whole.ptr, len);
	*len_out = len;
out:
	buf_wipe_free(&whole);
	if (e != OK) mem_wipe(out, room);
	return e;
}

static bool write_full(int fd, const char *text) {
	size_t len = strlen(text);

	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR) continue;
		if (n <= 0) return false;
		text += n;
		len -= (size_t)n;
	}
	return true;
}

/*
 * A line from the terminal. Ctrl-C ends the line as Enter does, because signals are off while it is typed: so
 * nothing can end this process while the terminal shows no input.
 */
static enum err read_line(int tty, uint8_t *out, size_t room, size_t *len_out, struct why *why) {
	size_t len = 0;
	bool over = false;

	for (;;) {
		uint8_t c = 0;
		ssize_t n = read(tty, &c, 1);

		if (n < 0 && errno == EINTR) continue;
		if (n < 0) return why_errno(why, "can't read from the terminal");
		if (n == 0 || c == CTRL_C) return why_set(why, E_CANCELLED, "cancelled at the terminal");
		if (c == '\n' || c == '\r') break;
		if (len < room) out[len++] = c;
		else over = true;
	}
	if (over) return why_set(why, E_LIMIT, "that is longer than %zu bytes", room);
	*len_out = len;
	return OK;
}

static enum err ask_once(int tty, const char *prompt, bool seen, uint8_t *out, size_t room,
	size_t *len_out, struct why *why) {
	struct termios before;
	struct termios quiet;
	enum err e;

	if (tcgetattr(tty, &before) != 0) return why_errno(why, "can't set up the terminal");
	quiet = before;
	quiet.c_lflag &= ~(tcflag_t)ISIG;
	quiet.c_lflag |= ICANON;
	if (!seen) quiet.c_lflag &= ~(tcflag_t)ECHO;
	quiet.c_cc[VEOL] = CTRL_C;
	if (tcsetattr(tty, TCSAFLUSH, &quiet) != 0) return why_errno(why, "can't set up the terminal");
	if (write_full(tty, prompt)) e = read_line(tty, out, room, len_out, why);
	else e = why_errno(why, "can't write to the terminal");
	if (tcsetattr(tty, TCSAFLUSH, &before) != 0 && e == OK)
		e = why_errno(why, "can't set the terminal back");
	if (!seen || e == E_CANCELLED) (void)write_full(tty, "\n"); /* only looks */
	return e;
}

static enum err ask(const char *prompt, const char *again, bool seen, uint8_t *out, size_t room,
	size_t *len_out, struct why *why) {
	uint8_t second[PASSPHRASE_MAX];
	size_t len = 0;
	size_t second_len = 0;
	enum err e;
	int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

	assert(room <= PASSPHRASE_MAX);
	if (tty < 0) return why_set(why, E_NOTFOUND, "no terminal to ask at (%s)", strerror(errno));
	e = ask_once(tty, prompt, seen, out, room, &len, why);
	if (e == OK && len == 0) e = why_set(why, E_USAGE, "nothing was typed");
	if (e == OK && again) e = ask_once(tty, again, seen, second, room, &second_len, why);
	if (e == OK && again && (second_len != len || memcmp(out, second, len) != 0))
		e = why_set(why, E_USAGE, "the two passphrases differ");
	if (e == OK) *len_out = len;
	else mem_wipe(out, room);
	mem_wipe(second, sizeof(second));
	(void)close(tty); /* a terminal: nothing can be lost */
	return e;
}

enum err passphrase_ask(const char *prompt, const char *again, uint8_t *out, size_t room,
	size_t *len_out, struct why *why) {
	return ask(prompt, again, false, out, room, len_out, why);
}

enum err passphrase_ask_seen(
	const char *prompt, uint8_t *out, size_t room, size_t *len_out, struct why *why) {
	return ask(prompt, NULL, true, out, room, len_out, why);
}
