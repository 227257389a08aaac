// doc/spec/crypto.md sections 5 to 7: the keys of epochs and vaults, boxes, wraps, sealed parts.

import * as c from './crypto.mjs';
import * as hpke from './hpke.mjs';
import { ADMIN, BODY_KEY, CONTACT_KEY, READER, VAULT, WRITER, box, locatorText } from './chainformats.mjs';
import { Reading } from './reading.mjs';
import { forged, malformed } from './fault.mjs';

// All that follows from the secret of an epoch.
export function derive(birth, epoch, S) {
	const d = (label, ...more) => c.D(label, S, birth, c.u32(epoch), ...more);
	const kemSeed = d('broch 1 epoch kem');
	return {
		birth, epoch, S, kemSeed,
		commitment: d('broch 1 epoch commitment'),
		bodyKey: d('broch 1 entry body'), contactKey: d('broch 1 contact body'),
		wrapKey: d('broch 1 previous epoch'),
	};
}

function accessPublic(secret, e, role) {
	return c.signPublic(c.D('broch 1 access key', secret, e.birth, c.u32(e.epoch), c.u8(role)));
}

// Checks that the public keys of the chain's entry are those of the epoch; W and A where they are known.
export function check(e, keys, { W = null, A = null } = {}) {
	const what = `epoch ${e.epoch}`;
	if (!c.equal(e.commitment, keys.commitment)) forged(`${what}: another secret than the entry states`);
	if (!c.equal(c.kemPublic(e.kemSeed), keys.kem)) forged(`${what}: KEM key differs`);
	if (!c.equal(accessPublic(e.S, e, READER), keys.reader)) forged(`${what}: reader key differs`);
	if (W && !c.equal(accessPublic(W, e, WRITER), keys.writer)) forged(`${what}: writer key differs`);
	if (A && !c.equal(accessPublic(A, e, ADMIN), keys.admin)) forged(`${what}: admin key differs`);
}

export function openBox(seed, { birth, epoch, recipient }, kind, sealed) {
	const info = c.labelled('broch 1 box', c.LP(birth), c.LP(c.u32(epoch)), c.LP(recipient));
	const b = box(hpke.open(seed, info, sealed, 'box'), kind);
	if (b.epoch !== Number(epoch)) malformed('box: of another epoch');
	return b;
}

// The secret of the epoch before.
export function unwrap(e, wrap) {
	const nonce = wrap.subarray(0, 32);
	return c.open(e.wrapKey, nonce, c.u32(e.epoch), wrap.subarray(32), 'the secret of the epoch before');
}

// The padded inner part of an entry.
export function openInner(e, { seal, nonce, sealed }, outerHash) {
	if (seal === BODY_KEY) return c.open(e.bodyKey, nonce, outerHash, sealed, 'sealed part');
	if (seal === CONTACT_KEY) return c.open(e.contactKey, nonce, outerHash, sealed, 'sealed part');
	return hpke.open(e.kemSeed, c.labelled('broch 1 entry sealed', outerHash), sealed, 'sealed part');
}

export function openLocator(kit, object) {
	const r = new Reading(object, 'locator');
	r.magic('bro');
	const sealed = r.raw(hpke.ENC + 512 + 16);
	r.end();
	return locatorText(hpke.open(kit.kemSeed, kit.locatorInfo, sealed, 'locator'));
}

export const rootCommitment = (root, birth) => c.D('broch 1 root commitment', root, birth);

export function vaultKeys(root, vault, origin = { kind: 0 }) {
	const originRoot = origin.kind === 0 ? root : c.D('broch 1 origin root', root, vault, c.u8(origin.kind), origin.id);
	const idKeys = [1, 2, 3, 4, 5, 6].map(type => c.D('broch 1 chunk id key', originRoot, vault, c.u8(type)));
	return { idKey: type => idKeys[type - 1] };
}

// Decrypts a record, the table or the trailer of a pack, which begins at `offset`.
export function openPart(key, offset, sealed, what) {
	return c.open(key, Buffer.concat([c.u64(offset), Buffer.alloc(24)]), Buffer.alloc(0), sealed, what);
}

export function packKeys(e, vault, head) {
	const info = c.labelled('broch 1 pack', c.LP(vault), c.LP(c.u32(e.epoch)));
	const derived = hpke.exporter(e.kemSeed, info, head.enc);
	if (!c.equal(derived('commitment'), head.commitment)) forged('pack: the head does not authenticate');
	return { record: derived('record'), table: derived('table'), trailer: derived('trailer') };
}
