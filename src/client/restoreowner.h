/*
 * Whom a restored item belongs to here: the user or group that has the name it had there, else the same number. Belongs to
 * one thread.
 */
#ifndef CLIENT_RESTOREOWNER_H
#define CLIENT_RESTOREOWNER_H

#include "format/snapshot.h"
#include "os/why.h"

struct restoreowner_row {
	uint32_t id;
	bool known; /* ${here} was looked up */
	uint32_t here;
	struct span name;
};

struct restoreowner {
	struct restoreowner_row *users, *groups;
	size_t user_count, group_count;
};

/* ${s} must outlive it. E_NOMEM. */
MUST_USE enum err restoreowner_init(
	struct restoreowner *o, const struct snapshot *s, struct why *why);
void restoreowner_done(struct restoreowner *o);

uint32_t restoreowner_user(struct restoreowner *o, uint32_t id);
uint32_t restoreowner_group(struct restoreowner *o, uint32_t id);

#endif
