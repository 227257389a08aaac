/*
 * Which snapshots of a group a policy keeps, with restic's rules. The snapshots come in the order of their chain; each
 * counts at a time that never goes back in that order, so that a wrong or stolen clock can't push out others.
 */
#ifndef CORE_RETENTION_H
#define CORE_RETENTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum retention_every {
	RETENTION_LAST, /* each snapshot */
	RETENTION_HOURLY,
	RETENTION_DAILY,
	RETENTION_WEEKLY, /* ISO weeks */
	RETENTION_MONTHLY,
	RETENTION_YEARLY,
	RETENTION_EVERYS
};

/* A duration on the calendar; all zero: none. */
struct retention_age {
	uint32_t years, months, days;
	uint64_t seconds;
};

#define RETENTION_UNLIMITED UINT64_MAX

struct retention_policy {
	uint64_t counts[RETENTION_EVERYS];             /* the last N that have one; 0: none */
	struct retention_age within[RETENTION_EVERYS]; /* [RETENTION_LAST]: all that are not older */
	bool by_tag;                                   /* snapshots with keep_tagged are kept */
};

struct retention_item {
	int64_t
		wall_s; /* seconds since 1970 as the local clock on the wall counts them: input of retention_apply */
	bool keep_tagged; /* input */
	bool keep;        /* output, as all that follows */
	uint32_t reasons; /* bit e: counts[e]; bit RETENTION_EVERYS + e: within[e] */
	uint32_t oldest;  /* bit e: kept by counts[e] only because it is the oldest */
	bool by_tag;
};

/* Whether the policy says anything: one that does not keeps everything. */
bool retention_is_empty(const struct retention_policy *p);

/*
 * The times that ${count} snapshots of one group, in the order of the chain, count at: what each says, but not after its
 * entry in the chain (${entry_s}), not after now, and not before its predecessor. ${said_s} is replaced.
 */
void retention_straighten(int64_t *said_s, const int64_t *entry_s, size_t count, int64_t now_s);

/* Decides about ${count} items in the order of the chain, whose times never go back. */
void retention_apply(const struct retention_policy *p, struct retention_item *items, size_t count);

#endif
