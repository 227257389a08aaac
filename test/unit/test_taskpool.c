/* client/taskpool: each task runs once, by one thread at a time for each worker's number, and whoever waits is told of the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "client/taskpool.h"
#include "os/clock.h"

enum { TASKS = 3000, THREADS = 4, DEPTH = 9, MS = 1000000 };

static struct taskpool *start(unsigned threads) {
	struct taskpool *p = NULL;
	struct why why = { OK, "" };
	assert_int_equal(taskpool_new(&p, threads, &why), OK);
	return p;
}

/* A task that counts itself, and finds out whether its worker's number is another thread's too. */
struct counted {
	atomic_uint runs;
};

static atomic_bool in_use[THREADS];
static atomic_uint wrong, counted;

static void count(void *ctx, unsigned worker) {
	struct counted *c = ctx;
	if (worker >= THREADS || atomic_exchange(&in_use[worker], true)) atomic_fetch_add(&wrong, 1);
	/* now and then long enough to meet another */
	if (atomic_fetch_add(&counted, 1) % 500 == 0) clock_sleep_ns(MS);
	atomic_fetch_add(&c->runs, 1);
	if (worker < THREADS) atomic_store(&in_use[worker], false);
}

static void each_task_runs_once(void **state) {
	static struct counted tasks[TASKS];
	(void)state;
	struct taskpool *p = start(THREADS);
	assert_int_equal(taskpool_threads(p), THREADS);
	for (size_t i = 0; i < TASKS; i++) assert_int_equal(taskpool_push(p, count, &tasks[i]), OK);
	while (!taskpool_wait(p, 1000)) continue;
	for (size_t i = 0; i < TASKS; i++) assert_int_equal(atomic_load(&tasks[i].runs), 1);
	assert_int_equal(atomic_load(&wrong), 0);
	taskpool_free(p);
}

/* A tree of tasks, each of which pushes two. */
struct tree {
	struct taskpool *pool;
	atomic_uint nodes, failed;
	struct tree_level {
		struct tree *tree;
		unsigned depth;
	} levels[DEPTH + 1];
};

static void grow(void *ctx, unsigned worker) {
	struct tree_level *l = ctx;
	(void)worker;
	atomic_fetch_add(&l->tree->nodes, 1);
	for (int i = 0; i < 2 && l->depth < DEPTH; i++)
		if (taskpool_push(l->tree->pool, grow, l + 1)) atomic_fetch_add(&l->tree->failed, 1);
}

static void tasks_push_tasks(void **state) {
	static struct tree tree;
	(void)state;
	tree.pool = start(THREADS);
	for (unsigned i = 0; i <= DEPTH; i++)
		tree.levels[i] = (struct tree_level){ .tree = &tree, .depth = i };
	assert_int_equal(taskpool_push(tree.pool, grow, tree.levels), OK);
	while (!taskpool_wait(tree.pool, 1000)) continue;
	assert_int_equal(atomic_load(&tree.nodes), (1u << (DEPTH + 1)) - 1);
	assert_int_equal(atomic_load(&tree.failed), 0);
	taskpool_free(tree.pool);
}

/* A task that stays under way until it is let go. */
struct gate {
	atomic_bool entered, open;
};

static void stand(void *ctx, unsigned worker) {
	struct gate *g = ctx;
	(void)worker;
	atomic_store(&g->entered, true);
	while (!atomic_load(&g->open)) clock_sleep_ns(MS / 10);
}

static void enter(struct taskpool *p, struct gate *g) {
	assert_int_equal(taskpool_push(p, stand, g), OK);
	while (!atomic_load(&g->entered)) clock_sleep_ns(MS / 10);
}

/* The order in which tasks ran. */
static unsigned order[100];
static atomic_uint ordered;

static void note_order(void *ctx, unsigned worker) {
	(void)worker;
	order[atomic_fetch_add(&ordered, 1)] = *(const unsigned *)ctx;
}

/* What a walk finds last it looks at first: so it has few folders open, however wide the tree. */
static void the_newest_runs_first(void **state) {
	static unsigned numbers[100];
	struct gate g = { false, false };
	(void)state;
	struct taskpool *p = start(1);
	enter(p, &g);
	for (unsigned i = 0; i < 100; i++) {
		numbers[i] = i;
		assert_int_equal(taskpool_push(p, note_order, &numbers[i]), OK);
	}
	atomic_store(&g.open, true);
	while (!taskpool_wait(p, 1000)) continue;
	for (unsigned i = 0; i < 100; i++) assert_int_equal(order[i], 99 - i);
	taskpool_free(p);
}

/* A task that is under way is not done, though none is left in the list. */
static void waiting_is_for_what_is_under_way_too(void **state) {
	struct gate g = { false, false };
	(void)state;
	struct taskpool *p = start(2);
	assert_true(taskpool_wait(p, 0));
	enter(p, &g);
	assert_false(taskpool_wait(p, 0));
	uint64_t began = clock_mono_ns();
	assert_false(taskpool_wait(p, 20));
	assert_true(clock_mono_ns() - began >= 20 * (uint64_t)MS);
	atomic_store(&g.open, true);
	assert_true(taskpool_wait(p, 60000));
	taskpool_free(p);
}

static void nap(void *ctx, unsigned worker) {
	(void)worker;
	clock_sleep_ns(20 * MS);
	atomic_fetch_add((atomic_uint *)ctx, 1);
}

/* The end wakes who waits: the timeout is for when there is none. */
static void waiting_ends_with_the_last_task(void **state) {
	atomic_uint done = 0;
	(void)state;
	struct taskpool *p = start(2);
	assert_int_equal(taskpool_push(p, nap, &done), OK);
	uint64_t began = clock_mono_ns();
	assert_true(taskpool_wait(p, 120000));
	assert_true(clock_mono_ns() - began < 100000 * (uint64_t)MS);
	assert_int_equal(atomic_load(&done), 1);
	taskpool_free(p);
}

/* Also for those that its tasks push while it waits. */
static void freeing_waits_for_all_tasks(void **state) {
	static struct tree tree;
	static struct counted tasks[TASKS];
	struct gate g = { false, false };
	(void)state;
	taskpool_free(NULL);
	tree.pool = start(2);
	for (unsigned i = 0; i <= DEPTH; i++)
		tree.levels[i] = (struct tree_level){ .tree = &tree, .depth = i };
	for (size_t i = 0; i < TASKS; i++)
		assert_int_equal(taskpool_push(tree.pool, count, &tasks[i]), OK);
	enter(tree.pool, &g);
	assert_int_equal(taskpool_push(tree.pool, grow, tree.levels), OK);
	atomic_store(&g.open, true);
	taskpool_free(tree.pool);
	assert_int_equal(atomic_load(&tree.nodes), (1u << (DEPTH + 1)) - 1);
	for (size_t i = 0; i < TASKS; i++) assert_int_equal(atomic_load(&tasks[i].runs), 1);
}

/* A pool without a thread would keep its tasks for ever. */
static void there_is_at_least_one_thread(void **state) {
	struct counted task = { 0 };
	(void)state;
	struct taskpool *p = start(0);
	assert_int_equal(taskpool_threads(p), 1);
	assert_int_equal(taskpool_push(p, count, &task), OK);
	taskpool_free(p);
	assert_int_equal(atomic_load(&task.runs), 1);
}

static void memory_runs_out(void **state) {
	struct counted tasks[65] = { { 0 } };
	struct taskpool *p = NULL;
	struct gate g = { false, false };
	struct why why;
	(void)state;
	for (uint64_t n = 1; n <= 2; n++) {
		mem_fail_at(n);
		assert_int_equal(taskpool_new(&p, 2, &why), E_NOMEM);
		assert_null(p);
	}
	mem_fail_at(3); /* the second thread: fewer will do */
	p = start(2);
	mem_fail_at(0);
	assert_int_equal(taskpool_threads(p), 1);
	mem_fail_at(1);
	assert_int_equal(taskpool_push(p, count, &tasks[0]), E_NOMEM);
	mem_fail_at(0);
	enter(p, &g);
	for (size_t i = 0; i < 64; i++) assert_int_equal(taskpool_push(p, count, &tasks[i]), OK);
	/* the list must grow, and can't: what is in it stays */
	mem_fail_at(1);
	assert_int_equal(taskpool_push(p, count, &tasks[64]), E_NOMEM);
	mem_fail_at(0);
	atomic_store(&g.open, true);
	taskpool_free(p);
	for (size_t i = 0; i < 64; i++) assert_int_equal(atomic_load(&tasks[i].runs), 1);
	assert_int_equal(atomic_load(&tasks[64].runs), 0);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_task_runs_once),
		cmocka_unit_test(tasks_push_tasks),
		cmocka_unit_test(the_newest_runs_first),
		cmocka_unit_test(waiting_is_for_what_is_under_way_too),
		cmocka_unit_test(waiting_ends_with_the_last_task),
		cmocka_unit_test(freeing_waits_for_all_tasks),
		cmocka_unit_test(there_is_at_least_one_thread),
		cmocka_unit_test(memory_runs_out),
	};
	return cmocka_run_group_tests_name("taskpool", tests, NULL, NULL);
}
