/*
 * Which snapshot is meant: by its id, by the beginning of it, or as the newest of those that a filter lets through.
 * "Newest" is by place in the chain, which a wrong clock can't change.
 */
#ifndef CLIENT_CHOOSE_H
#define CLIENT_CHOOSE_H

#include "core/vaultstate.h"
#include "os/why.h"

enum choose_by {
	CHOOSE_HOST,
	CHOOSE_BRANCH,
	CHOOSE_TAGS, /* several divided by commas: all of them; "": none at all */
	CHOOSE_BYS
};

/* Of each kind any may match; a kind without texts lets everything through. The texts are borrowed. */
struct choose_filter {
	struct {
		const char **texts;
		size_t count;
	} by[CHOOSE_BYS];
};

/* Start with an all-zero filter. E_NOMEM. */
MUST_USE enum err choose_filter_add(struct choose_filter *f, enum choose_by by, const char *text);
void choose_filter_done(struct choose_filter *f);

/* Whether ${s} passes; forgotten or not is not looked at. */
bool choose_passes(const struct choose_filter *f, const struct vault_snapshot *s);

/* Whether ${stamp} has all the tags of ${list}, divided by commas; "": whether it has none. */
bool choose_has_tags(const struct stamp *stamp, const char *list);

enum choose_among { CHOOSE_KEPT, CHOOSE_FORGOTTEN };

/*
 * The snapshot that ${text} means, valid until ${state} changes: 64 digits; the first digits of one alone (an
 * ambiguous beginning is E_USAGE, listing what it may be); `latest`, or `latest~N` for the Nth before it, of those that
 * ${filter} (NULL: none) lets through. E_NOTFOUND; E_USAGE.
 */
MUST_USE enum err choose_snapshot(const struct vaultstate *state, enum choose_among among,
	const struct choose_filter *filter, const char *text, const struct vault_snapshot **out,
	struct why *why);

#endif
