#include "os/queue.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"
#include "os/mutex.h"

struct queue {
	struct mutex lock;
	struct mutex_cond room;
	struct mutex_cond news;
	size_t capacity;
	size_t first;
	size_t count;
	bool closed;
	bool cancelled;
	void *slots[];
};

struct queue *queue_new(size_t capacity) {
	if (capacity == 0 || capacity > SIZE_MAX / sizeof(void *) / 2) return NULL;
	struct queue *q = mem_zalloc(sizeof *q + capacity * sizeof(void *));
	if (!q) return NULL;
	mutex_init(&q->lock);
	mutex_cond_init(&q->room);
	mutex_cond_init(&q->news);
	q->capacity = capacity;
	return q;
}

void queue_free(struct queue *q) {
	if (!q) return;
	mutex_cond_done(&q->news);
	mutex_cond_done(&q->room);
	mutex_done(&q->lock);
	mem_free(q);
}

/* The lock is held and there is something. */
static void *take(struct queue *q) {
	void *p = q->slots[q->first];
	q->first = (q->first + 1) % q->capacity;
	q->count--;
	mutex_wake_one(&q->room);
	return p;
}

enum err queue_put(struct queue *q, void *p) {
	if (!p) abort();
	enum err e = OK;
	mutex_lock(&q->lock);
	while (q->count == q->capacity && !q->closed && !q->cancelled) mutex_wait(&q->room, &q->lock);
	if (q->closed || q->cancelled) {
		e = E_CANCELLED;
	} else {
		q->slots[(q->first + q->count) % q->capacity] = p;
		q->count++;
		mutex_wake_one(&q->news);
	}
	mutex_unlock(&q->lock);
	return e;
}

enum err queue_get(struct queue *q, void **p) {
	enum err e = OK;
	mutex_lock(&q->lock);
	while (q->count == 0 && !q->closed && !q->cancelled) mutex_wait(&q->news, &q->lock);
	if (q->cancelled) e = E_CANCELLED;
	else if (q->count == 0) e = E_NOTFOUND;
	else *p = take(q);
	mutex_unlock(&q->lock);
	return e;
}

void *queue_poll(struct queue *q) {
	void *p = NULL;
	mutex_lock(&q->lock);
	if (!q->cancelled && q->count > 0) p = take(q);
	mutex_unlock(&q->lock);
	return p;
}

static void end(struct queue *q, bool *flag) {
	mutex_lock(&q->lock);
	*flag = true;
	mutex_wake_all(&q->room);
	mutex_wake_all(&q->news);
	mutex_unlock(&q->lock);
}

void queue_close(struct queue *q) {
	end(q, &q->closed);
}

void queue_cancel(struct queue *q) {
	end(q, &q->cancelled);
}

bool queue_is_cancelled(struct queue *q) {
	mutex_lock(&q->lock);
	bool is = q->cancelled;
	mutex_unlock(&q->lock);
	return is;
}

void *queue_left(struct queue *q) {
	void *p = NULL;
	mutex_lock(&q->lock);
	if (q->count > 0) p = take(q);
	mutex_unlock(&q->lock);
	return p;
}
