/* What a chunk is (doc/spec/formats.md section 1). */
#ifndef FORMAT_CHUNKTYPE_H
#define FORMAT_CHUNKTYPE_H

enum chunktype {
	CHUNKTYPE_CONTENT = 1,
	CHUNKTYPE_DIRECTORY = 2,
	CHUNKTYPE_LIST = 3,
	CHUNKTYPE_SNAPSHOT = 4,
	CHUNKTYPE_INDEX = 5,
	CHUNKTYPE_SUMMARY = 6,
};

#endif
