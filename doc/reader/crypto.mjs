// doc/spec/crypto.md: hashes, derivations, signatures, AEAD and X-Wing, on the noble packages and aegis.mjs.

import { blake3 } from '@noble/hashes/blake3.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { ed25519 } from '@noble/curves/ed25519.js';
import { ml_kem768_x25519 as xwing } from '@noble/post-quantum/hybrid.js';
import * as aegis from './aegis.mjs';
import { forged } from './fault.mjs';

export const ZERO = Buffer.alloc(32);
const text = s => Buffer.from(s, 'latin1');
const buffer = x => Buffer.from(x.buffer, x.byteOffset, x.byteLength);

function number(size) {
	return v => {
		const out = Buffer.alloc(size);
		for (let i = 0, rest = BigInt(v); i < size; i++, rest >>= 8n) out[i] = Number(rest & 0xffn);
		return out;
	};
}
export const u8 = number(1), u32 = number(4), u64 = number(8);

export const LP = x => Buffer.concat([u32(x.length), x]);
export const labelled = (label, ...parts) => Buffer.concat([text(label), u8(0), ...parts]);

export const hash = x => buffer(blake3(x));
export const H = (label, x) => buffer(blake3(x, { context: text(label) }));
export const D = (label, key, ...fields) =>
	buffer(blake3(Buffer.concat([key, ...fields].map(LP)), { context: text(label) }));
export const MAC = (key, x) => buffer(blake3(x, { key }));

export function equal(a, b) {
	let differs = a.length ^ b.length;
	for (let i = 0; i < a.length; i++) differs |= a[i] ^ b[i];
	return differs === 0;
}

export function open(key, nonce, aad, sealed, what) {
	return aegis.open(key, nonce, aad, sealed) ?? forged(`${what} does not authenticate`);
}

export const kemPublic = seed => buffer(xwing.keygen(seed).publicKey);
export const signPublic = seed => buffer(ed25519.getPublicKey(seed));

export function decapsulate(seed, enc) {
	try {
		return buffer(xwing.decapsulate(enc, seed));
	} catch {
		return forged('the encapsulated key is none'); // X25519 gave zeros
	}
}

// Ed25519 as libsodium verifies: no cofactor, canonical S and A, no point of small order.
const Point = ed25519.Point, L = Point.Fn.ORDER;
const little = bytes => BigInt('0x' + Buffer.from(bytes).reverse().toString('hex'));

export function verify(publicKey, context, message, signature) {
	const signed = labelled(context, message);
	const R = signature.subarray(0, 32), s = little(signature.subarray(32));
	if (s >= L) return false;
	let A;
	try {
		A = Point.fromBytes(publicKey, false);
		if (A.isSmallOrder() || Point.fromBytes(R, false).isSmallOrder()) return false;
	} catch {
		return false;
	}
	const k = little(sha512(Buffer.concat([R, publicKey, signed]))) % L;
	const right = (s === 0n ? Point.ZERO : Point.BASE.multiply(s)).subtract(A.multiplyUnsafe(k));
	return equal(right.toBytes(), R);
}
