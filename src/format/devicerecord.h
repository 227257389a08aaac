/* The public record of a device or of the recovery kit (doc/spec/formats.md section 8.2). Points into its input. */
#ifndef FORMAT_DEVICERECORD_H
#define FORMAT_DEVICERECORD_H

#include "base/reader.h"
#include "base/writer.h"

enum devicerecord_kind {
	DEVICERECORD_FULL = 1,
	DEVICERECORD_WRITE_ONLY = 2,
	DEVICERECORD_KIT = 3,
};

struct devicerecord {
	uint8_t kind;
	struct span entry_key;   /* 32 bytes */
	struct span request_key; /* 32 bytes */
	struct span kem_key;     /* 1,216 bytes */
	struct span name;        /* at most 64 bytes */
	int64_t created;         /* ns */
	struct span
		bytes; /* the record as it stands in the input (what `joined` signs); set by decode and read */
};

void devicerecord_read(struct reader *r, struct devicerecord *out);
void devicerecord_write(struct writer *w, const struct devicerecord *d);
MUST_USE enum err devicerecord_decode(struct devicerecord *out, struct span in); /* E_FORMAT */
MUST_USE enum err devicerecord_encode(
	const struct devicerecord *d, struct buf *out); /* appends; E_USAGE, E_LIMIT, E_NOMEM */

#endif
