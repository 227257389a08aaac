#include "client/taskpool.h"

#include "base/mem.h"
#include "os/clock.h"
#include "os/mutex.h"
#include "os/thread.h"

enum { THREADS_MAX = 256 };

struct task {
	taskpool_run *run;
	void *ctx;
};

struct worker {
	struct taskpool *pool;
	unsigned number;
	struct thread thread;
};

struct taskpool {
	struct mutex lock;
	struct mutex_cond work; /* a task is there, or the end */
	struct mutex_cond idle; /* nothing is left */
	struct task *tasks;
	size_t count, room;
	size_t running;
	bool ending;
	unsigned threads;
	struct worker workers[THREADS_MAX];
};

static void work(void *ctx) {
	struct worker *w = ctx;
	struct taskpool *p = w->pool;
	mutex_lock(&p->lock);
	for (;;) {
		while (p->count == 0 && !p->ending) mutex_wait(&p->work, &p->lock);
		if (p->count == 0) break;
		struct task t = p->tasks[--p->count];
		p->running++;
		mutex_unlock(&p->lock);
		t.run(t.ctx, w->number);
		mutex_lock(&p->lock);
		p->running--;
		if (p->running == 0 && p->count == 0) mutex_wake_all(&p->idle);
	}
	mutex_unlock(&p->lock);
}

enum err taskpool_new(struct taskpool **out, unsigned threads, struct why *why) {
	struct taskpool *p = mem_zalloc(sizeof *p);
	if (!p) return why_err(why, E_NOMEM, "starting threads");
	if (threads > THREADS_MAX) threads = THREADS_MAX;
	if (threads < 1) threads = 1;
	mutex_init(&p->lock);
	mutex_cond_init(&p->work);
	mutex_cond_init(&p->idle);
	for (unsigned i = 0; i < threads; i++) {
		p->workers[i] = (struct worker){ .pool = p, .number = i };
		enum err e = thread_start(&p->workers[i].thread, work, &p->workers[i], why);
		if (e && i == 0) {
			taskpool_free(p);
			return e;
		}
		if (e) break; /* fewer threads will do */
		p->threads++;
	}
	*out = p;
	return OK;
}

void taskpool_free(struct taskpool *p) {
	if (!p) return;
	mutex_lock(&p->lock);
	p->ending = true;
	mutex_wake_all(&p->work);
	mutex_unlock(&p->lock);
	for (unsigned i = 0; i < p->threads; i++) thread_join(&p->workers[i].thread);
	mutex_cond_done(&p->idle);
	mutex_cond_done(&p->work);
	mutex_done(&p->lock);
	mem_free(p->tasks);
	mem_free(p);
}

unsigned taskpool_threads(const struct taskpool *p) {
	return p->threads;
}

enum err taskpool_push(struct taskpool *p, taskpool_run *run, void *ctx) {
	enum err e = OK;
	mutex_lock(&p->lock);
	if (p->count == p->room) {
		size_t room = p->room ? p->room * 2 : 64;
		struct task *t = mem_resize(p->tasks, room, sizeof *t);
		if (t) {
			p->tasks = t;
			p->room = room;
		} else {
			e = E_NOMEM;
		}
	}
	if (!e) {
		p->tasks[p->count++] = (struct task){ .run = run, .ctx = ctx };
		mutex_wake_one(&p->work);
	}
	mutex_unlock(&p->lock);
	return e;
}

bool taskpool_wait(struct taskpool *p, unsigned timeout_ms) {
	uint64_t deadline = clock_mono_ns() + timeout_ms * UINT64_C(1000000);
	mutex_lock(&p->lock);
	bool done;
	for (;;) {
		done = p->count == 0 && p->running == 0;
		if (done || !mutex_wait_until(&p->idle, &p->lock, deadline)) break;
	}
	done = p->count == 0 && p->running == 0;
	mutex_unlock(&p->lock);
	return done;
}
