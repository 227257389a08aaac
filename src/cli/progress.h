/*
 * Shows how far a long command is: a line redrawn in place on a terminal, a plain line now and then elsewhere, an
 * object a second with --json; nothing with --quiet or --no-progress. Counting is cheap and may be done from any
 * thread; a thread of its own does the showing.
 */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

struct progress;
struct say;

/* ${task}: what is being done, as a word ("backup"); must stay valid. E_NOMEM. A NULL progress is taken everywhere. */
MUST_USE enum err progress_new(struct say *say, const char *task, struct progress **out);

/* Stops showing and takes the line away. */
void progress_free(struct progress *p);

/* What is to be done in all, as far as known by now. Until this is called with more than 0 no share is shown. */
void progress_total(struct progress *p, uint64_t files, uint64_t bytes);

void progress_add(struct progress *p, uint64_t files, uint64_t bytes);
void progress_failed(struct progress *p); /* one more thing that did not work */

/* What is being worked on. Copied at most every tenth of a second, so it may be called for every file. */
void progress_at(struct progress *p, struct span name);

#endif
