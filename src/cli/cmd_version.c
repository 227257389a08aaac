#include "cli/cmd.h"
#include "cli/jsonl.h"
#include "cli/say.h"
#include "cli/version.h"

int cmd_version(const struct invocation *inv) {
	if (say_json(inv->say)) {
		struct jsonl *o = jsonl_new("version");

		jsonl_text(o, "version", span_text(BROCH_VERSION));
		jsonl_number(o, "format", BROCH_FORMAT);
		say_object(inv->say, o);
		return EXITCODE_OK;
	}
	say_out(inv->say, "broch %s, formats of version %d\n", BROCH_VERSION, BROCH_FORMAT);
	return EXITCODE_OK;
}
