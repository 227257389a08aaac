#include "cli/verb.h"

#include <string.h>

#include "cli/optiongroups.h"

/* In the order of help. Each ends with a row without a name. */
static const struct verb *const parts[] = { verbs_account, verbs_data, verbs_look, verbs_order,
	verbs_other };

const struct verb *verb_at(size_t i) {
	for (size_t part = 0; part < sizeof(parts) / sizeof(parts[0]); part++)
		for (const struct verb *v = parts[part]; v->name; v++)
			if (i-- == 0) return v;
	return NULL;
}

const struct verb *verb_find(const char *name) {
	const struct verb *v;

	for (size_t i = 0; (v = verb_at(i)); i++)
		if (strcmp(v->name, name) == 0) break;
	return v;
}

bool verb_in_group(const struct verb *v, const char *group, size_t len) {
	return strncmp(v->name, group, len) == 0 && v->name[len] == ' ';
}

/* Walks the verb's groups one after the other, then the common options, by one running number. */
const struct option *verb_option(const struct verb *v, size_t *i) {
	size_t skip = *i;

	for (size_t group = 0; group <= VERB_GROUPS; group++) {
		const struct option *o = group == VERB_GROUPS ? optiongroups_common
			: v                                       ? v->options[group]
													  : NULL;

		for (; o && o->name; o++) {
			if (skip-- == 0) {
				(*i)++;
				return o;
			}
		}
	}
	return NULL;
}
