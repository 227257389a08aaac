#include "os/thread.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

struct start {
	void (*run)(void *ctx);
	void *ctx;
};

static void *begin(void *arg) {
	struct start s = *(struct start *)arg;
	mem_free(arg);
	s.run(s.ctx);
	return NULL;
}

enum err thread_start(struct thread *t, void (*run)(void *ctx), void *ctx, struct why *why) {
	struct start *s = mem_alloc(sizeof *s);
	if (!s) return why_set(why, E_NOMEM, "no memory for another thread");
	*s = (struct start){ .run = run, .ctx = ctx };
	sigset_t all, old;
	sigfillset(&all);
	if (pthread_sigmask(SIG_SETMASK, &all, &old) != 0) abort();
	int r = pthread_create(&t->id, NULL, begin, s);
	if (pthread_sigmask(SIG_SETMASK, &old, NULL) != 0) abort();
	t->running = r == 0;
	if (r == 0) return OK;
	mem_free(s);
	errno = r;
	return why_errno(why, "cannot start another thread");
}

void thread_join(struct thread *t) {
	if (!t->running) return;
	if (pthread_join(t->id, NULL) != 0) abort();
	t->running = false;
}

unsigned thread_cpus(void) {
	cpu_set_t set;
	CPU_ZERO(&set);
	if (sched_getaffinity(0, sizeof set, &set) == 0) {
		int n = CPU_COUNT(&set);
		if (n > 0) return (unsigned)n;
	}
	/* More processors than the set has room for. */
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	return n > 0 && n < 65536 ? (unsigned)n : 1;
}
