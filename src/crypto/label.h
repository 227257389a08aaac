/* Every context string of format version 1, each for one purpose (doc/spec/crypto.md). */
#ifndef CRYPTO_LABEL_H
#define CRYPTO_LABEL_H

/* H(label, x) */
#define LABEL_ENTRY "broch 1 entry"
#define LABEL_ENTRY_OUTER "broch 1 entry outer"
#define LABEL_SUMMARY "broch 1 summary"

/* SIGN(seed, label, x) */
#define LABEL_ENTRY_ACCESS "broch 1 entry access"
#define LABEL_ENTRY_AUTHOR "broch 1 entry author"
#define LABEL_DEVICE_JOINS "broch 1 device joins"

/* D(label, key, ...) */
#define LABEL_FRESH "broch 1 fresh"
#define LABEL_ENTRY_BODY "broch 1 entry body"
#define LABEL_CONTACT_BODY "broch 1 contact body"
#define LABEL_EPOCH_COMMITMENT "broch 1 epoch commitment"
#define LABEL_EPOCH_KEM "broch 1 epoch kem"
#define LABEL_ACCESS_KEY "broch 1 access key"
#define LABEL_FIRST_BOX_TAG "broch 1 first box tag"
#define LABEL_BOX_TAG "broch 1 box tag"
#define LABEL_PREVIOUS_EPOCH "broch 1 previous epoch"
#define LABEL_DEVICE_ID "broch 1 device id"
#define LABEL_KIT_KEM "broch 1 kit kem"
#define LABEL_KIT_ENTRY "broch 1 kit entry"
#define LABEL_KIT_REQUEST "broch 1 kit request"
#define LABEL_KIT_LOCATOR "broch 1 kit locator"
#define LABEL_ROOT_COMMITMENT "broch 1 root commitment"
#define LABEL_ORIGIN_ROOT "broch 1 origin root"
#define LABEL_CHUNK_ID_KEY "broch 1 chunk id key"
#define LABEL_CHUNKER "broch 1 chunker"
#define LABEL_HARD_LINK "broch 1 hard link"
#define LABEL_KEY_STORE "broch 1 key store"
#define LABEL_KEY_STORE_COMMITMENT "broch 1 key store commitment"

/* D(label, key, ...) of what a device keeps for itself */
#define LABEL_LOCAL_STATE_CACHE "broch 1 local state cache"
#define LABEL_LOCAL_TREE_CACHE "broch 1 local tree cache"

/* HPKE info: label || 0x00 || fields */
#define LABEL_ENTRY_SEALED "broch 1 entry sealed"
#define LABEL_BOX "broch 1 box"
#define LABEL_LOCATOR "broch 1 locator"
#define LABEL_PACK "broch 1 pack"

#endif
