#include "os/signals.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>

static _Atomic int asked;

static void note(int number) {
	int none = 0;
	if (atomic_compare_exchange_strong(&asked, &none, number)) return;
	/* The second time: die of it, as soon as this handler returns. */
	(void)signal(number, SIG_DFL);
	(void)raise(number);
}

static void watch(int number) {
	struct sigaction old;
	/* What was ignored when the program began (nohup) stays so. */
	if (sigaction(number, NULL, &old) == 0 && old.sa_handler == SIG_IGN) return;
	/* No SA_RESTART: whoever waits for input wakes up and looks. */
	struct sigaction act = { .sa_handler = note };
	sigemptyset(&act.sa_mask);
	(void)sigaction(number, &act, NULL);
}

void signals_install(void) {
	watch(SIGINT);
	watch(SIGTERM);
	watch(SIGHUP);
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigemptyset(&ignore.sa_mask);
	(void)sigaction(SIGPIPE, &ignore, NULL);
}

bool signals_asked(void) {
	return atomic_load_explicit(&asked, memory_order_relaxed) != 0;
}

int signals_which(void) {
	return atomic_load(&asked);
}

void signals_forget(void) {
	atomic_store(&asked, 0);
}
