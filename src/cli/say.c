#include "cli/say.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "cli/jsonl.h"
#include "os/terminal.h"

enum {
	OUT_ROOM = 64 << 10,
	LINE_MAX_BYTES = 16 << 20, /* of one escaped name or message: a path may be long */
	MESSAGE_MAX = 4096,
};

struct say {
	struct say_options options;
	pthread_mutex_t lock;
	struct buf out;  /* waits to be written to standard output */
	struct buf line; /* an escaped line while it is made */
	bool out_terminal;
	bool err_terminal;
	bool drawn; /* a progress line stands on the terminal */
	bool gone;
	int lost; /* errno of the first write that lost results, or 0 */
};

enum err say_new(const struct say_options *options, struct say **out) {
	struct say *s = mem_zalloc(sizeof(*s));

	if (!s) return E_NOMEM;
	if (pthread_mutex_init(&s->lock, NULL) != 0) {
		mem_free(s);
		return E_NOMEM;
	}
	s->options = *options;
	buf_init(&s->out, OUT_ROOM);
	buf_init(&s->line, LINE_MAX_BYTES);
	s->out_terminal = terminal_is(STDOUT_FILENO);
	s->err_terminal = terminal_is(STDERR_FILENO);
	(void)signal(SIGPIPE, SIG_IGN); /* can't fail for this signal */
	*out = s;
	return OK;
}

void say_free(struct say *s) {
	if (!s) return;
	buf_free(&s->out);
	buf_free(&s->line);
	(void)pthread_mutex_destroy(&s->lock); /* nobody holds it any more */
	mem_free(s);
}

/* 0, or errno. */
static int write_all(int fd, struct span bytes) {
	while (bytes.len > 0) {
		ssize_t n = write(fd, bytes.ptr, bytes.len);

		if (n < 0 && errno == EINTR) continue;
		if (n < 0) return errno;
		bytes = span_skip(bytes, (size_t)n);
	}
	return 0;
}

/* Nothing can be done about standard error that can't be written to. */
static void write_err(struct span bytes) {
	(void)write_all(STDERR_FILENO, bytes);
}

static void erase(struct say *s) {
	if (s->drawn) write_err(span_text("\r\x1b[K"));
	s->drawn = false;
}

static void put(struct say *s, struct span bytes) {
	int error;

	if (s->gone || s->lost || bytes.len == 0) return;
	if (s->out_terminal) erase(s);
	error = write_all(STDOUT_FILENO, bytes);
	if (error == EPIPE) s->gone = true;
	else s->lost = error;
}

static void flush(struct say *s) {
	put(s, buf_span(&s->out));
	buf_clear(&s->out);
}

/* To standard output by way of the buffer; on a terminal a line is seen when it ends. */
static void add(struct say *s, struct span bytes) {
	if (bytes.len > OUT_ROOM - s->out.len) flush(s);
	if (bytes.len > OUT_ROOM || buf_add(&s->out, bytes) != OK) {
		flush(s);
		put(s, bytes);
		return;
	}
	if (s->out_terminal && bytes.len > 0 && bytes.ptr[bytes.len - 1] == '\n') flush(s);
}

static void lock(struct say *s) {
	(void)pthread_mutex_lock(&s->lock); /* a plain mutex, held by this thread never twice */
}

static void unlock(struct say *s) {
	(void)pthread_mutex_unlock(&s->lock);
}

/* ${text} escaped in s->line; what can't be held is cut, visibly. */
static struct span escaped(struct say *s, struct span text) {
	buf_clear(&s->line);
	if (terminal_escape(&s->line, text) == OK) return buf_span(&s->line);
	buf_clear(&s->line);
	if (text.len > 1000) text.len = 1000;
	if (terminal_escape(&s->line, text) != OK || buf_add(&s->line, span_text("...")) != OK)
		return span_text("(a name that could not be printed)");
	return buf_span(&s->line);
}

void say_out(struct say *s, const char *format, ...) {
	char text[MESSAGE_MAX];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	lock(s);
	add(s, span_of(text, n < 0 ? 0 : (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1));
	unlock(s);
}

void say_name(struct say *s, struct span name) {
	lock(s);
	add(s, escaped(s, name));
	unlock(s);
}

void say_line(struct say *s, struct span name) {
	lock(s);
	add(s, escaped(s, name));
	add(s, span_text("\n"));
	unlock(s);
}

void say_bytes(struct say *s, struct span data) {
	lock(s);
	flush(s);
	put(s, data);
	unlock(s);
}

void say_flush(struct say *s) {
	lock(s);
	flush(s);
	unlock(s);
}

bool say_gone(struct say *s) {
	bool gone;

	lock(s);
	gone = s->gone || s->lost;
	unlock(s);
	return gone;
}

bool say_json(const struct say *s) {
	return s->options.json;
}

bool say_verbose(const struct say *s) {
	return s->options.verbose;
}

bool say_finish(struct say *s) {
	int lost;

	lock(s);
	flush(s);
	erase(s);
	lost = s->lost;
	unlock(s);
	if (lost) say_error(s, "can't write to standard output: %s", strerror(lost));
	return lost == 0;
}

/* A whole line to standard error, escaped, behind ${head}. */
static void err_line(struct say *s, const char *head, struct span message) {
	lock(s);
	flush(s);
	erase(s);
	write_err(span_text(head));
	write_err(escaped(s, message));
	write_err(span_text("\n"));
	unlock(s);
}

static void err_object(struct say *s, const char *type, const char *code, struct span message) {
	struct jsonl *o = jsonl_new(type);
	struct buf text;

	buf_init(&text, JSONL_MAX);
	jsonl_text(o, "message", message);
	if (code) jsonl_text(o, "code", span_text(code));
	lock(s);
	flush(s);
	if (jsonl_write(o, &text) == OK) write_err(buf_span(&text));
	else write_err(span_text("{\"type\":\"error\",\"message\":\"out of memory\"}\n"));
	unlock(s);
	jsonl_free(o);
	buf_free(&text);
}

static void tell(struct say *s, const char *type, const char *head, const char *code,
	const char *format, va_list args) __attribute__((format(printf, 5, 0)));

static void tell(struct say *s, const char *type, const char *head, const char *code,
	const char *format, va_list args) {
	char room[MESSAGE_MAX], *text = room;
	va_list again;
	int n;

	va_copy(again, args);
	n = vsnprintf(room, sizeof(room), format, args);
	if (n >= (int)sizeof(room)) { /* a path may be longer; the reason stands behind it */
		text = mem_alloc((size_t)n + 1);
		if (text) n = vsnprintf(text, (size_t)n + 1, format, again);
		else text = room;
	}
	va_end(again);
	struct span message = span_of(text, n < 0 ? 0 : strlen(text));

	if (s->options.json) err_object(s, type, code, message);
	else err_line(s, head, message);
	if (text != room) mem_free(text);
}

void say_note(struct say *s, const char *format, ...) {
	va_list args;

	if (s->options.quiet) return;
	va_start(args, format);
	tell(s, "note", "", NULL, format, args);
	va_end(args);
}

void say_detail(struct say *s, const char *format, ...) {
	va_list args;

	if (!s->options.verbose) return;
	va_start(args, format);
	tell(s, "note", "", NULL, format, args);
	va_end(args);
}

void say_warn(struct say *s, const char *format, ...) {
	va_list args;

	va_start(args, format);
	tell(s, "warning", "warning: ", NULL, format, args);
	va_end(args);
}

void say_error(struct say *s, const char *format, ...) {
	va_list args;

	va_start(args, format);
	tell(s, "error", "broch: ", NULL, format, args);
	va_end(args);
}

/* What programs read (doc/json.md). */
static const char *code_name(enum err e) {
	static const char *const names[E_COUNT] = {
		[OK] = "ok",
		[E_NOMEM] = "no-memory",
		[E_IO] = "io",
		[E_BUSY] = "busy",
		[E_NOTFOUND] = "not-found",
		[E_EXISTS] = "exists",
		[E_FORMAT] = "damaged",
		[E_FORGED] = "forged",
		[E_ROLLBACK] = "rollback",
		[E_LIMIT] = "limit",
		[E_DENIED] = "denied",
		[E_USAGE] = "usage",
		[E_UNSUPPORTED] = "unsupported",
		[E_CANCELLED] = "cancelled",
	};

	return e < E_COUNT && names[e] ? names[e] : "error";
}

static void tell_error(struct say *s, const char *code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void tell_error(struct say *s, const char *code, const char *format, ...) {
	va_list args;

	va_start(args, format);
	tell(s, "error", "broch: ", code, format, args);
	va_end(args);
}

void say_why(struct say *s, const struct why *why) {
	tell_error(s, code_name(why->code), "%s", why->msg[0] ? why->msg : err_text(why->code));
}

void say_object(struct say *s, struct jsonl *object) {
	struct buf text;
	bool good;

	buf_init(&text, JSONL_MAX);
	good = jsonl_write(object, &text) == OK;
	if (good) {
		lock(s);
		add(s, buf_span(&text));
		unlock(s);
	} else {
		say_error(s, "an object could not be printed: out of memory");
	}
	jsonl_free(object);
	buf_free(&text);
}

void say_status(struct say *s, struct jsonl *object) {
	struct buf text;

	buf_init(&text, JSONL_MAX);
	if (jsonl_write(object, &text) == OK) {
		lock(s);
		write_err(buf_span(&text));
		unlock(s);
	}
	jsonl_free(object);
	buf_free(&text);
}

enum say_progress say_progress(const struct say *s) {
	if (s->options.quiet || s->options.no_progress) return SAY_PROGRESS_NONE;
	if (s->options.json) return SAY_PROGRESS_JSON;
	return s->err_terminal ? SAY_PROGRESS_LIVE : SAY_PROGRESS_LINES;
}

void say_draw(struct say *s, struct span line) {
	lock(s);
	if (line.len == 0) {
		erase(s);
	} else {
		struct buf all;

		buf_init(&all, LINE_MAX_BYTES);
		if (buf_add(&all, span_text("\r")) == OK && buf_add(&all, line) == OK &&
			buf_add(&all, span_text("\x1b[K")) == OK) {
			write_err(buf_span(&all));
			s->drawn = true;
		}
		buf_free(&all);
	}
	unlock(s);
}
