/*
 * The pipeline of a restore: the thread that plans gathers pieces of files into a window; a full window's pieces are sorted by
 * where they are in the store and handed to threads that read each block once and write, while the next window is planned.
 * A window's memory lives until the last item that was planned in it is done.
 */
#ifndef CLIENT_RESTOREWINDOW_H
#define CLIENT_RESTOREWINDOW_H

#include "client/restorefile.h"

struct restorewindow_line;

/* Starts ${threads} threads. E_NOMEM, E_IO. */
MUST_USE enum err restorewindow_start(
	struct restorewindow_line **out, struct restorerun *r, unsigned threads, struct why *why);

/* Works off what was planned and ends the threads. NULL is fine. */
void restorewindow_end(struct restorewindow_line *l);

/* A new item of this window, with one piece that the planner leaves (restorefile_leave) when all are added; NULL: E_NOMEM. */
struct restorefile *restorewindow_file(struct restorewindow_line *l);

/* ${n} bytes that live as long as the item made last; NULL: E_NOMEM. */
void *restorewindow_memory(struct restorewindow_line *l, size_t n);

/* Adds a piece: a chunk of content, from byte ${data} of the stream on. E_NOMEM, E_IO. */
MUST_USE enum err restorewindow_piece(struct restorewindow_line *l, struct restorefile *f,
	const struct streamref_item *chunk, uint64_t data, struct why *why);

/* Adds an item without content. E_NOMEM. */
MUST_USE enum err restorewindow_bare(
	struct restorewindow_line *l, struct restorefile *f, struct why *why);

/* Hands over what was gathered so far. Waits if two windows are being worked off. E_NOMEM. */
MUST_USE enum err restorewindow_flush(struct restorewindow_line *l, struct why *why);

/* Whether something is being worked off; waits until something changes. False: nothing is. */
bool restorewindow_wait(struct restorewindow_line *l);

/* Of an item: its window's memory is no longer needed by it. */
void restorewindow_drop(struct restorewindow *w);

#endif
