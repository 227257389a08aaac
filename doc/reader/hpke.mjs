// doc/spec/crypto.md section 4: HPKE base mode (RFC 9180) over X-Wing, HKDF-SHA256 and ChaCha20-Poly1305 or export only.

import * as hkdf from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { decapsulate } from './crypto.mjs';
import { forged } from './fault.mjs';

export const ENC = 1120;
const TAG = 16;
const CHACHA20POLY1305 = 0x0003, EXPORT_ONLY = 0xffff;
const EMPTY = Buffer.alloc(0);

const text = s => Buffer.from(s, 'latin1');
function big16(v) {
	const out = Buffer.alloc(2);
	out.writeUInt16BE(v);
	return out;
}

// LabeledExtract and LabeledExpand (section 4 of the RFC) of the suite with this AEAD.
function suite(aead) {
	const id = Buffer.concat([text('HPKE'), big16(0x647a), big16(0x0001), big16(aead)]);
	return {
		extract: (salt, label, ikm) => hkdf.extract(sha256, Buffer.concat([text('HPKE-v1'), id, text(label), ikm]), salt),
		expand: (secret, label, info, length) => Buffer.from(hkdf.expand(sha256, secret,
			Buffer.concat([big16(length), text('HPKE-v1'), id, text(label), info]), length)),
	};
}

// KeySchedule (section 5.1): returns what expands the schedule's secret.
function schedule(aead, shared, info) {
	const { extract, expand } = suite(aead);
	const context = Buffer.concat([Buffer.of(0), extract(EMPTY, 'psk_id_hash', EMPTY), extract(EMPTY, 'info_hash', info)]);
	const secret = extract(shared, 'secret', EMPTY);
	return (label, length) => expand(secret, label, context, length);
}

// Opens hpke_seal(pk, info, x); throws forged.
export function open(seed, info, sealed, what) {
	if (sealed.length < ENC + TAG) forged(`${what} is too short`);
	const derive = schedule(CHACHA20POLY1305, decapsulate(seed, sealed.subarray(0, ENC)), info);
	const cipher = chacha20poly1305(derive('key', 32), derive('base_nonce', 12), EMPTY);
	try {
		return Buffer.from(cipher.decrypt(sealed.subarray(ENC)));
	} catch {
		return forged(`${what} does not authenticate`);
	}
}

// Returns Export(label), 32 bytes, of an export-only encapsulation.
export function exporter(seed, info, enc) {
	const secret = schedule(EXPORT_ONLY, decapsulate(seed, enc), info)('exp', 32);
	return label => suite(EXPORT_ONLY).expand(secret, 'sec', text(label), 32);
}
