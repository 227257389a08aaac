/* broch device list. */
#include "cli/cmd.h"
#include "cli/jsonl.h"
#include "cli/opening.h"
#include "cli/say.h"
#include "cli/snapshotrow.h"
#include "cli/table.h"
#include "client/when.h"

static const char *kind(const struct account_device *d) {
	switch ((enum devicerecord_kind)d->kind) {
	case DEVICERECORD_FULL: return "full";
	case DEVICERECORD_WRITE_ONLY: return "write-only";
	case DEVICERECORD_KIT: return "kit";
	}
	return "unknown";
}

static void tell_json(const struct invocation *inv, const struct account_device *d, bool is_this) {
	struct jsonl *j = jsonl_new("device");

	jsonl_hex(j, "device", hash_span(&d->id));
	jsonl_bytes(j, "name", span_of(d->name, d->name_len));
	jsonl_text(j, "kind", span_text(kind(d)));
	jsonl_flag(j, "valid", d->removed == UINT64_MAX);
	jsonl_flag(j, "this", is_this);
	jsonl_time(j, "added", d->added_time);
	jsonl_number(j, "added_sequence", d->added);
	if (d->removed != UINT64_MAX) jsonl_number(j, "removed_sequence", d->removed);
	say_object(inv->say, j);
}

int cmd_device_list(const struct invocation *inv) {
	static const char *const heads[] = { "ID", "Name", "Kind", "Since", "" };
	struct opening o;
	struct table t;
	int code = opening_session(&o, inv);

	table_init(&t, sizeof(heads) / sizeof(heads[0]), heads);
	for (size_t i = 0; !code && i < o.session.account.state.device_count; i++) {
		const struct account_device *d = &o.session.account.state.devices[i];
		bool is_this = hash_equal(&d->id, &o.session.secrets->actor.id);
		char id[SNAPSHOTROW_ID], time[WHEN_TEXT];

		if (say_json(inv->say)) {
			tell_json(inv, d, is_this);
			continue;
		}
		table_text(&t, snapshotrow_id(id, &d->id));
		table_add(&t, span_of(d->name, d->name_len));
		table_text(&t, kind(d));
		table_text(&t, when_local(time, d->added_time));
		table_text(&t, d->removed != UINT64_MAX ? "replaced" : is_this ? "this device" : "");
	}
	if (!code && !say_json(inv->say) && !table_print(&t, inv->say)) code = EXITCODE_ERROR;
	table_done(&t);
	opening_close(&o);
	return code;
}
