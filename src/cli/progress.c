#include "cli/progress.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "cli/jsonl.h"
#include "cli/say.h"
#include "client/units.h"
#include "os/clock.h"
#include "os/terminal.h"

enum {
	CURRENT_MAX = 1024,
	TICK_MS = 100,
	LINE_FIRST_MS = 10000, /* the first plain line */
	LINE_EVERY_MS = 30000,
	JSON_EVERY_MS = 1000,
};

struct progress {
	struct say *say;
	const char *task;
	enum say_progress kind;
	pthread_t thread;
	bool running;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t wake;
	bool stop;
	char current[CURRENT_MAX];
	size_t current_len;
	uint64_t start_ms;
	atomic_uint_fast64_t files;
	atomic_uint_fast64_t bytes;
	atomic_uint_fast64_t files_total;
	atomic_uint_fast64_t bytes_total;
	atomic_uint_fast64_t failed;
	atomic_bool want_current; /* the thread has shown the last one */
};

/* One look at the counters. */
struct view {
	uint64_t files, bytes, files_total, bytes_total, failed;
	uint64_t ms;
	char current[CURRENT_MAX];
	size_t current_len;
};

static uint64_t now_ms(void) {
	return clock_mono_ns() / 1000000;
}

static struct view look(struct progress *p) {
	struct view v = {
		.files = atomic_load(&p->files),
		.bytes = atomic_load(&p->bytes),
		.files_total = atomic_load(&p->files_total),
		.bytes_total = atomic_load(&p->bytes_total),
		.failed = atomic_load(&p->failed),
		.ms = now_ms() - p->start_ms,
	};

	(void)pthread_mutex_lock(&p->lock);
	v.current_len = p->current_len;
	memcpy(v.current, p->current, p->current_len);
	(void)pthread_mutex_unlock(&p->lock);
	atomic_store(&p->want_current, true);
	return v;
}

/* Seconds that the rest takes at the speed so far; 0: not known. */
static uint64_t remaining(const struct view *v) {
	if (v->bytes == 0 || v->bytes >= v->bytes_total || v->ms < 2000) return 0;
	return (uint64_t)((double)v->ms / 1000 * (double)(v->bytes_total - v->bytes) /
			   (double)v->bytes) +
		1;
}

static size_t describe(const struct view *v, char *out, size_t room) {
	char elapsed[UNITS_TEXT], percent[UNITS_TEXT], done[UNITS_TEXT], all[UNITS_TEXT],
		rate[UNITS_TEXT];
	char left[UNITS_TEXT] = "", failed[UNITS_TEXT + 16] = "", files_all[UNITS_TEXT] = "",
		 bytes_all[UNITS_TEXT + 1] = "";
	uint64_t rest = remaining(v);
	int n;

	if (v->files_total > 0)
		snprintf(files_all, sizeof(files_all), "/%llu", (unsigned long long)v->files_total);
	if (v->bytes_total > 0)
		snprintf(bytes_all, sizeof(bytes_all), "/%s", units_size(all, v->bytes_total));
	if (rest > 0) units_elapsed(left, rest);
	if (v->failed > 0)
		snprintf(failed, sizeof(failed), ", %llu failed", (unsigned long long)v->failed);
	units_percent(percent, v->bytes, v->bytes_total);
	n = snprintf(out, room, "[%s] %s%s%llu%s files, %s%s, %s%s%s%s",
		units_elapsed(elapsed, v->ms / 1000), percent, percent[0] ? "  " : "",
		(unsigned long long)v->files, files_all, units_size(done, v->bytes), bytes_all,
		units_rate(rate, v->bytes, (double)v->ms / 1000), failed, left[0] ? ", left " : "", left);
	return n < 0 ? 0 : (size_t)n < room ? (size_t)n : room - 1;
}

/* The counters, and as much of the end of the current name as the terminal has room for. */
static void draw(struct progress *p, const struct view *v) {
	char head[512];
	size_t n = describe(v, head, sizeof(head));
	size_t columns = terminal_columns(STDERR_FILENO) - 1;
	struct buf name, line;
	struct span tail;
	size_t used;

	buf_init(&name, 8 * CURRENT_MAX);
	buf_init(&line, 16 * CURRENT_MAX);
	n = terminal_fit(span_of(head, n), columns);
	used = terminal_width(span_of(head, n)) + 2;
	if (terminal_escape(&name, span_of(v->current, v->current_len)) != OK ||
		buf_add(&line, span_of(head, n)) != OK)
		goto out;
	tail = buf_span(&name);
	if (tail.len > 4 * columns)
		tail = span_skip(tail, tail.len - 4 * columns); /* no more can fit */
	if (used + 8 < columns && tail.len > 0) {
		bool cut = terminal_width(tail) > columns - used;

		while (cut && tail.len > 0 &&
			(terminal_width(tail) + 3 > columns - used || (tail.ptr[0] & 0xc0) == 0x80))
			tail = span_skip(tail, 1);
		if (buf_add(&line, span_text(cut ? "  ..." : "  ")) != OK || buf_add(&line, tail) != OK)
			goto out;
	}
	say_draw(p->say, buf_span(&line));
out:
	buf_free(&name);
	buf_free(&line);
}

static void print_line(struct progress *p, const struct view *v) {
	char head[512];

	(void)describe(v, head, sizeof(head));
	say_note(p->say, "%s %s", p->task, head);
}

static void print_object(struct progress *p, const struct view *v) {
	struct jsonl *o = jsonl_new("status");
	uint64_t rest = remaining(v);

	jsonl_text(o, "task", span_text(p->task));
	jsonl_real(o, "seconds", (double)v->ms / 1000);
	jsonl_number(o, "files_done", v->files);
	jsonl_number(o, "bytes_done", v->bytes);
	if (v->files_total > 0) jsonl_number(o, "files_total", v->files_total);
	if (v->bytes_total > 0) jsonl_number(o, "bytes_total", v->bytes_total);
	if (rest > 0) jsonl_number(o, "seconds_left", rest);
	if (v->failed > 0) jsonl_number(o, "failed", v->failed);
	if (v->current_len > 0) jsonl_bytes(o, "current", span_of(v->current, v->current_len));
	say_status(p->say, o);
}

static void show(struct progress *p, uint64_t *next_ms) {
	struct view v = look(p);

	if (v.ms < *next_ms) return;
	switch (p->kind) {
	case SAY_PROGRESS_LIVE: draw(p, &v); break;
	case SAY_PROGRESS_LINES:
		print_line(p, &v);
		*next_ms = v.ms + LINE_EVERY_MS;
		break;
	case SAY_PROGRESS_JSON:
		print_object(p, &v);
		*next_ms = v.ms + JSON_EVERY_MS;
		break;
	case SAY_PROGRESS_NONE: break;
	}
}

/* Whether to go on, after a tick. */
static bool wait_tick(struct progress *p) {
	uint64_t ns = clock_mono_ns() + TICK_MS * UINT64_C(1000000);
	struct timespec until = { .tv_sec = (time_t)(ns / 1000000000),
		.tv_nsec = (long)(ns % 1000000000) };
	bool go;

	(void)pthread_mutex_lock(&p->lock);
	if (!p->stop)
		(void)pthread_cond_timedwait(&p->wake, &p->lock, &until); /* whatever it says, we look */
	go = !p->stop;
	(void)pthread_mutex_unlock(&p->lock);
	return go;
}

static void *run(void *context) {
	struct progress *p = context;
	uint64_t next_ms = p->kind == SAY_PROGRESS_LINES ? LINE_FIRST_MS : 0;

	while (wait_tick(p)) show(p, &next_ms);
	return NULL;
}

enum err progress_new(struct say *say, const char *task, struct progress **out) {
	struct progress *p = mem_zalloc(sizeof(*p));
	pthread_condattr_t monotonic;

	if (!p) return E_NOMEM;
	p->say = say;
	p->task = task;
	p->kind = say_progress(say);
	p->start_ms = now_ms();
	atomic_init(&p->want_current, true);
	if (pthread_condattr_init(&monotonic) != 0) {
		mem_free(p);
		return E_NOMEM;
	}
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC); /* always there */
	(void)pthread_mutex_init(&p->lock, NULL); /* these two allocate nothing here */
	(void)pthread_cond_init(&p->wake, &monotonic);
	(void)pthread_condattr_destroy(&monotonic);
	/* Without the thread there is no progress to see, which is no reason not to do the work. */
	if (p->kind != SAY_PROGRESS_NONE) p->running = pthread_create(&p->thread, NULL, run, p) == 0;
	*out = p;
	return OK;
}

void progress_free(struct progress *p) {
	if (!p) return;
	(void)pthread_mutex_lock(&p->lock);
	p->stop = true;
	(void)pthread_cond_signal(&p->wake);
	(void)pthread_mutex_unlock(&p->lock);
	if (p->running) (void)pthread_join(p->thread, NULL);
	say_draw(p->say, (struct span){ 0 });
	(void)pthread_cond_destroy(&p->wake);
	(void)pthread_mutex_destroy(&p->lock);
	mem_free(p);
}

void progress_total(struct progress *p, uint64_t files, uint64_t bytes) {
	if (!p) return;
	atomic_store_explicit(&p->files_total, files, memory_order_relaxed);
	atomic_store_explicit(&p->bytes_total, bytes, memory_order_relaxed);
}

void progress_add(struct progress *p, uint64_t files, uint64_t bytes) {
	if (!p) return;
	atomic_fetch_add_explicit(&p->files, files, memory_order_relaxed);
	atomic_fetch_add_explicit(&p->bytes, bytes, memory_order_relaxed);
}

void progress_failed(struct progress *p) {
	if (p) atomic_fetch_add_explicit(&p->failed, 1, memory_order_relaxed);
}

void progress_at(struct progress *p, struct span name) {
	if (!p || !p->running || !atomic_load_explicit(&p->want_current, memory_order_relaxed)) return;
	if (name.len > CURRENT_MAX) name = span_skip(name, name.len - CURRENT_MAX);
	(void)pthread_mutex_lock(&p->lock);
	memcpy(p->current, name.ptr, name.len);
	p->current_len = name.len;
	(void)pthread_mutex_unlock(&p->lock);
	atomic_store_explicit(&p->want_current, false, memory_order_relaxed);
}
