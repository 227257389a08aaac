/* broch keep: takes back the forgetting of snapshots, or the announcement of a deletion. */
#include <string.h>

#include "cli/cmd.h"
#include "cli/jsonl.h"
#include "cli/opening.h"
#include "cli/say.h"
#include "cli/snapshotrow.h"
#include "client/forget.h"
#include "client/units.h"

/* Announcements are named by the place of their entry in the chain, as prune prints them: "@17". */
enum { INTENT_MARK = '@' };

static int keep_intent(const struct invocation *inv, struct opening *o, const char *text) {
	struct why why = { 0 };
	uint64_t sequence = 0;

	if (units_parse_u64(text + 1, 0, INT64_MAX, &sequence)) {
		err_ignore(why_set(
			&why, E_USAGE, "\"%s\" is no announcement: give one as @17, or a snapshot", text));
		return opening_failed(inv, &why);
	}
	if (forget_undo_intent(&o->vault, sequence, &why)) return opening_absent(inv, &why);
	if (say_json(inv->say)) {
		struct jsonl *j = jsonl_new("kept");

		jsonl_number(j, "announcement", sequence);
		say_object(inv->say, j);
	} else {
		say_out(inv->say, "what @%llu announced stays\n", (unsigned long long)sequence);
	}
	return EXITCODE_OK;
}

static int keep_snapshot(const struct invocation *inv, struct opening *o, const char *text) {
	const struct vault_snapshot *row = NULL;
	struct why why = { 0 };
	struct hash id;
	char digits[SNAPSHOTROW_ID];

	if (choose_snapshot(&o->vault.state, CHOOSE_FORGOTTEN, NULL, text, &row, &why))
		return opening_absent(inv, &why);
	id = row->id;
	snapshotrow_id(digits, &id);
	if (forget_undo(&o->vault, &id, &why)) {
		(void)why_in(&why, digits);
		return opening_failed(inv, &why);
	}
	if (say_json(inv->say)) {
		struct jsonl *j = jsonl_new("kept");

		jsonl_hex(j, "snapshot", hash_span(&id));
		say_object(inv->say, j);
	} else {
		say_out(inv->say, "%s is kept\n", digits);
	}
	return EXITCODE_OK;
}

int cmd_keep(const struct invocation *inv) {
	struct opening o;
	int code = opening_vault(&o, inv);

	for (size_t i = 0; !code && i < inv->args_n; i++)
		code = inv->args[i][0] == INTENT_MARK ? keep_intent(inv, &o, inv->args[i])
											  : keep_snapshot(inv, &o, inv->args[i]);
	opening_close(&o);
	return code;
}
