/*
 * Threads and the queue between them: nothing is lost, nothing comes twice, and both ends of it
 * end.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "os/clock.h"
#include "os/mutex.h"
#include "os/queue.h"
#include "os/thread.h"

enum { ITEMS = 4000, SIDES = 4 };

static void first_in_first_out(void **state) {
	(void)state;
	int items[3];
	void *got = NULL;
	struct queue *q = queue_new(3);
	assert_non_null(q);
	assert_null(queue_new(0));
	assert_null(queue_new(SIZE_MAX));
	for (int round = 0; round < 5; round++) {
		for (int i = 0; i < 3; i++) assert_int_equal(queue_put(q, &items[i]), OK);
		for (int i = 0; i < 3; i++) {
			assert_int_equal(queue_get(q, &got), OK);
			assert_ptr_equal(got, &items[i]);
		}
		assert_null(queue_poll(q));
	}
	queue_free(q);
	queue_free(NULL);
}

static void a_closed_queue_still_empties(void **state) {
	(void)state;
	int item;
	void *got = NULL;
	struct queue *q = queue_new(2);
	assert_int_equal(queue_put(q, &item), OK);
	queue_close(q);
	assert_int_equal(queue_put(q, &item), E_CANCELLED);
	assert_int_equal(queue_get(q, &got), OK);
	assert_int_equal(queue_get(q, &got), E_NOTFOUND);
	assert_false(queue_is_cancelled(q));
	queue_free(q);
}

static void a_cancelled_queue_stops(void **state) {
	(void)state;
	int item;
	void *got = NULL;
	struct queue *q = queue_new(2);
	assert_int_equal(queue_put(q, &item), OK);
	queue_cancel(q);
	assert_true(queue_is_cancelled(q));
	assert_int_equal(queue_put(q, &item), E_CANCELLED);
	assert_int_equal(queue_get(q, &got), E_CANCELLED);
	assert_null(queue_poll(q));
	assert_ptr_equal(queue_left(q), &item);
	assert_null(queue_left(q));
	queue_free(q);
}

struct side {
	struct queue *queue;
	uint8_t *items; /* each is met once */
	size_t from;
	enum err end;
	struct thread thread;
};

static void produce(void *ctx) {
	struct side *s = ctx;
	for (size_t i = s->from; i < ITEMS; i += SIDES) {
		s->end = queue_put(s->queue, &s->items[i]);
		if (s->end != OK) return;
	}
}

static void consume(void *ctx) {
	struct side *s = ctx;
	void *got;
	while ((s->end = queue_get(s->queue, &got)) == OK) ++*(uint8_t *)got;
}

static void start(struct side *sides, struct queue *q, uint8_t *items, void (*run)(void *)) {
	for (size_t i = 0; i < SIDES; i++) {
		sides[i] = (struct side){ .queue = q, .items = items, .from = i };
		assert_int_equal(thread_start(&sides[i].thread, run, &sides[i], NULL), OK);
	}
}

static void join(struct side *sides) {
	for (size_t i = 0; i < SIDES; i++) thread_join(&sides[i].thread);
}

static void each_item_comes_once(void **state) {
	(void)state;
	static uint8_t items[ITEMS];
	struct side producers[SIDES], consumers[SIDES];
	struct queue *q = queue_new(5);
	start(consumers, q, items, consume);
	start(producers, q, items, produce);
	join(producers);
	queue_close(q);
	join(consumers);
	for (size_t i = 0; i < ITEMS; i++) assert_int_equal(items[i], 1);
	for (size_t i = 0; i < SIDES; i++) {
		assert_int_equal(producers[i].end, OK);
		assert_int_equal(consumers[i].end, E_NOTFOUND);
	}
	queue_free(q);
}

static void cancelling_wakes_everybody(void **state) {
	(void)state;
	static uint8_t items[ITEMS];
	struct side producers[SIDES], consumers[SIDES];
	struct queue *full = queue_new(2), *empty = queue_new(2);
	start(producers, full, items, produce);
	start(consumers, empty, items, consume);
	clock_sleep_ns(5000000);
	queue_cancel(full);
	queue_cancel(empty);
	join(producers);
	join(consumers);
	for (size_t i = 0; i < SIDES; i++) {
		assert_int_equal(producers[i].end, E_CANCELLED);
		assert_int_equal(consumers[i].end, E_CANCELLED);
	}
	int left = 0;
	while (queue_left(full)) left++;
	assert_int_equal(left, 2);
	queue_free(full);
	queue_free(empty);
}

static void waiting_has_an_end(void **state) {
	(void)state;
	struct mutex m;
	struct mutex_cond c;
	mutex_init(&m);
	mutex_cond_init(&c);
	mutex_lock(&m);
	uint64_t begin = clock_mono_ns(), end = begin + 30000000;
	while (mutex_wait_until(&c, &m, end)) continue;
	assert_true(clock_mono_ns() >= end);
	mutex_unlock(&m);
	mutex_cond_done(&c);
	mutex_done(&m);
}

static _Atomic bool blocked;

static void look_at_signals(void *ctx) {
	(void)ctx;
	sigset_t set;
	(void)pthread_sigmask(SIG_SETMASK, NULL, &set);
	blocked = sigismember(&set, SIGINT) && sigismember(&set, SIGTERM);
}

static void threads_start_and_end(void **state) {
	(void)state;
	struct thread t = { .running = false };
	thread_join(&t);
	assert_int_equal(thread_start(&t, look_at_signals, NULL, NULL), OK);
	thread_join(&t);
	thread_join(&t);
	assert_true(blocked);
	sigset_t set;
	(void)pthread_sigmask(SIG_SETMASK, NULL, &set);
	assert_false(sigismember(&set, SIGINT));
	mem_fail_at(1);
	assert_int_equal(thread_start(&t, look_at_signals, NULL, NULL), E_NOMEM);
	mem_fail_at(1);
	assert_null(queue_new(1));
	mem_fail_at(0);
	assert_true(thread_cpus() >= 1);
}

static void clocks_run(void **state) {
	(void)state;
	uint64_t a = clock_mono_ns();
	clock_sleep_ns(2000000);
	assert_true(clock_mono_ns() - a >= 2000000);
	/* After 2020, before 2262. */
	assert_true(clock_real_ns() > 1577836800000000000);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_in_first_out),
		cmocka_unit_test(a_closed_queue_still_empties),
		cmocka_unit_test(a_cancelled_queue_stops),
		cmocka_unit_test(each_item_comes_once),
		cmocka_unit_test(cancelling_wakes_everybody),
		cmocka_unit_test(waiting_has_an_end),
		cmocka_unit_test(threads_start_and_end),
		cmocka_unit_test(clocks_run),
	};
	return cmocka_run_group_tests_name("queue", tests, NULL, NULL);
}
