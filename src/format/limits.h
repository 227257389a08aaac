/*
 * The maxima and fixed sizes of doc/spec/formats.md (the section stands behind each). A decoder refuses what is
 * larger with E_FORMAT; an encoder with E_LIMIT or E_USAGE.
 */
#ifndef FORMAT_LIMITS_H
#define FORMAT_LIMITS_H

#include <stdint.h>

#define LIMIT_SECONDS UINT32_MAX /* 8.2: hold, delay */

enum {
	/* sizes of what cryptography makes (doc/spec/crypto.md section 1) */
	SIZE_HASH = 32,
	SIZE_TAG = 32, /* AEGIS-256 */
	SIZE_NONCE = 32,
	SIZE_SIGNATURE = 64,
	SIZE_SIGN_PUBLIC = 32,
	SIZE_KEM_PUBLIC = 1216,
	SIZE_KEM_ENC = 1120,
	SIZE_HPKE_TAG = 16,
	SIZE_HPKE_OVERHEAD = SIZE_KEM_ENC + SIZE_HPKE_TAG,

	LIMIT_CHUNK = 2097152, /* 1 */

	LIMIT_BLOCK_CHUNKS = 8192,    /* 2 */
	LIMIT_BLOCK_DATA = 2097152,   /* 2 */
	LIMIT_BLOCK_RAW = 2121730,    /* 2: 2 + 3 x chunks + data */
	LIMIT_BLOCK_STORED = 2121734, /* 2 */
	LIMIT_BLOCK_FILL = 1048576,   /* 2: what writers fill blocks to */
	SIZE_BLOCK_STORED_HEADER = 4, /* 2 */
	LIMIT_ZSTD_WINDOW = 4194304,  /* 2 */

	LIMIT_PACK = 16777216,             /* 3 */
	LIMIT_PACK_LEAST = 65536,          /* 3 */
	SIZE_PACK_HEADER = 1160,           /* 3: also the offset of the first record */
	SIZE_PACK_TRAILER = 16,            /* 3 */
	SIZE_PACK_TRAILER_SEALED = 48,     /* 3 */
	LIMIT_PACK_TABLE = 8388608,        /* 3, without the tag */
	LIMIT_PACK_BLOCKS = 16384,         /* 3 */
	LIMIT_RECORD_LEAST = SIZE_TAG + 1, /* 3 */
	LIMIT_RECORD = LIMIT_BLOCK_STORED + SIZE_TAG,

	LIMIT_STREAM_DEPTH = 8, /* 4 */
	SIZE_STREAM_ITEM = 35,  /* 4 */

	LIMIT_DIRENTRY = 1048576,     /* 5 */
	LIMIT_NAME = 255,             /* 5 */
	LIMIT_XATTRS = 4096,          /* 5 */
	LIMIT_XATTR_NAME = 255,       /* 5 */
	LIMIT_XATTR_VALUE = 65536,    /* 5 */
	LIMIT_HOLES = 65536,          /* 5 */
	LIMIT_LINK_TARGET = 4096,     /* 5 */
	LIMIT_VAULT_LINK_PATH = 4096, /* 5 */
	SIZE_LINK_GROUP = 16,         /* 5 */

	LIMIT_LEAF = 65536,          /* 6 */
	LIMIT_LEAF_ROWS = 1489,      /* 6 */
	SIZE_LEAF_ROW = 44,          /* 6 */
	LIMIT_HEAD_PART = 1048576,   /* 6 */
	LIMIT_HEAD_PARTS = 4096,     /* 6: further parts */
	LIMIT_HEAD_PACKS = 16777216, /* 6 */
	SIZE_HEAD_PACK_ROW = 36,     /* 6 */
	SIZE_HEAD_CUT_ROW = 14,      /* 6 */
	SIZE_HEAD_LEAF_ROW = 46,     /* 6 */
	SIZE_LOCATION = 38,          /* 6 */

	LIMIT_SNAPSHOT = 1048576,     /* 7 */
	LIMIT_TEXT = 255,             /* 7: host, user, program, branch, tag, name of a user or group */
	LIMIT_PATHS = 4096,           /* 7 */
	LIMIT_PATH = 65536,           /* 7 */
	LIMIT_TAGS = 256,             /* 7 */
	LIMIT_SNAPSHOT_NAMES = 65536, /* 7 */

	LIMIT_ENTRY = 262144,         /* 8 */
	LIMIT_ENTRY_PUBLIC = 65536,   /* 8 */
	LIMIT_ENTRY_SEALED = 131104,  /* 8 */
	LIMIT_ENTRY_INNER = 131072,   /* 8, padded */
	SIZE_ENTRY_PADDING = 1024,    /* 8 */
	LIMIT_ENTRY_BODY = 98304,     /* 8 */
	LIMIT_PACK_NAMES = 1024,      /* 8.1 */
	LIMIT_DEVICE_NAME = 64,       /* 8.2 */
	LIMIT_VAULT_NAME = 255,       /* 8.2 */
	LIMIT_INDEXES_ADDED = 256,    /* 8.2 */
	LIMIT_INDEXES_REMOVED = 1024, /* 8.2 */
	LIMIT_FORGET = 2048,          /* 8.2 */
	LIMIT_MASK_BITS = 32,         /* 8.2 */

	LIMIT_OBJECT = 16777216,                                  /* 8.3 */
	LIMIT_BOXES = 1024,                                       /* 8.3 */
	LIMIT_BOXES_LEAST = 4,                                    /* 8.3 */
	SIZE_BOX_PLAIN = 256,                                     /* 8.3 */
	SIZE_BOX = SIZE_KEM_ENC + SIZE_BOX_PLAIN + SIZE_HPKE_TAG, /* 8.3 */
	SIZE_PREVIOUS_WRAP = 96,                                  /* 8.3 */
	LIMIT_LIST_NAMES = 524000,                                /* 8.3 */

	LIMIT_SUMMARY_STATE = 1073741824, /* 9 */
};

#endif
