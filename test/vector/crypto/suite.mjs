// doc/spec/crypto.md in JavaScript, on other libraries than the program's. Written from the specification, to be read
// beside it. What does not open throws a Refusal with the name of the error.

import { blake3 } from '@noble/hashes/blake3.js';
import { extract, expand } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { argon2id } from '@noble/hashes/argon2.js';
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { ed25519 } from '@noble/curves/ed25519.js';
import { ml_kem768_x25519 as xwing } from '@noble/post-quantum/hybrid.js';
import * as aegis256 from './aegis256.mjs';

export class Refusal extends Error {}
export const refuse = what => { throw new Refusal(what); };

// --- Section 2: notation

export const text = s => new TextEncoder().encode(s);
export const join = (...parts) => Uint8Array.from(parts.flatMap(p => [...p]));
export const equal = (a, b) => a.length === b.length && a.every((x, i) => x === b[i]);
export const zeros = n => new Uint8Array(n);

function little(n, bytes) {
	const out = zeros(bytes);
	let v = BigInt(n);
	for (let i = 0; i < bytes; i++, v >>= 8n) out[i] = Number(v & 255n);
	return out;
}
export const u8 = n => little(n, 1);
export const u32 = n => little(n, 4);
export const u64 = n => little(n, 8);
export const LP = x => join(u32(x.length), x);

export const hash = x => blake3(x);
export const H = (label, x) => blake3(x, { context: text(label) });
export const D = (label, key, fields = [], dkLen = 32) => blake3(join(...[key, ...fields].map(LP)), { context: text(label), dkLen });
export const MAC = (key, x) => blake3(x, { key });
export const AEAD = aegis256.seal;
export const openAEAD = (...args) => aegis256.open(...args) ?? refuse('forged');

const signed = (context, x) => join(text(context), u8(0), x);
export const publicKey = seed => ed25519.getPublicKey(seed);
export const SIGN = (seed, context, x) => ed25519.sign(signed(context, x), seed);
export function verify(key, context, x, signature) {
	let good = false;
	try { good = ed25519.verify(signature, signed(context, x), key, { zip215: false }); } catch { /* no point, no number */ }
	if (!good) refuse('forged');
}

// --- Section 3

export const fresh = (r, device, clock, process, counter, n) => D('broch 1 fresh', r, [device, u64(clock), u64(process), u64(counter)], n);

// --- Section 4

export const kemPublic = seed => xwing.keygen(seed).publicKey;
export function encapsulate(key, coins) {
	try {
		const { cipherText, sharedSecret } = xwing.encapsulate(key, coins);
		return { enc: cipherText, shared: sharedSecret };
	} catch { return refuse('malformed'); }
}
export function decapsulate(enc, seed) {
	try { return xwing.decapsulate(enc, seed); } catch { return refuse('forged'); }
}

const EMPTY = zeros(0);

class Hpke {
	constructor(aead, shared, info) {
		this.suite = join(text('HPKE'), [0x64, 0x7a], [0x00, 0x01], [aead >> 8, aead & 255]);
		const context = join(u8(0), this.extract(EMPTY, 'psk_id_hash', EMPTY), this.extract(EMPTY, 'info_hash', info));
		const secret = this.extract(shared, 'secret', EMPTY);
		this.key = this.expand(secret, 'key', context, 32);
		this.nonce = this.expand(secret, 'base_nonce', context, 12);
		this.exporter = this.expand(secret, 'exp', context, 32);
	}
	extract(salt, label, ikm) {
		return extract(sha256, join(text('HPKE-v1'), this.suite, text(label), ikm), salt);
	}
	expand(prk, label, info, n) {
		return expand(sha256, prk, join([n >> 8, n & 255], text('HPKE-v1'), this.suite, text(label), info), n);
	}
	export(context) { return this.expand(this.exporter, 'sec', text(context), 32); }
}

export function hpkeSeal(key, info, x, coins) {
	const { enc, shared } = encapsulate(key, coins), h = new Hpke(3, shared, info);
	return join(enc, chacha20poly1305(h.key, h.nonce).encrypt(x));
}
export function hpkeOpen(seed, info, sealed) {
	if (sealed.length < 1136) refuse('forged');
	const h = new Hpke(3, decapsulate(sealed.slice(0, 1120), seed), info);
	try { return chacha20poly1305(h.key, h.nonce).decrypt(sealed.slice(1120)); } catch { return refuse('forged'); }
}
export const exporterOf = (shared, info) => new Hpke(0xffff, shared, info);

// --- Section 5. x: { birth, epoch, s, w, a }

const ofEpoch = (label, key, x, ...more) => D(label, key, [x.birth, u32(x.epoch), ...more]);

export const entryHash = x => H('broch 1 entry', x);
export const outerHash = x => H('broch 1 entry outer', x);
export const epochCommitment = x => ofEpoch('broch 1 epoch commitment', x.s, x);
export const epochKem = x => ofEpoch('broch 1 epoch kem', x.s, x);
export const accessSeed = (x, role) => ofEpoch('broch 1 access key', { 2: x.s, 3: x.w, 4: x.a }[role], x, u8(role));
export const bodyKey = (x, seal) => ofEpoch({ 0: 'broch 1 entry body', 2: 'broch 1 contact body' }[seal], x.s, x);

export const firstBoxTagKey = birth => D('broch 1 first box tag', birth);
export const boxTagKey = (previous, birth, epoch) => D('broch 1 box tag', previous, [birth, u32(epoch)]);

const sealedInfo = outer => join(text('broch 1 entry sealed'), u8(0), outer);
export function sealInner(seal, x, nonce, outer, padded, coins) {
	if (seal === 1) return hpkeSeal(kemPublic(epochKem(x)), sealedInfo(outer), padded, coins);
	return AEAD(bodyKey(x, seal), nonce, outer, padded);
}
export function openInner(seal, x, nonce, outer, sealed) {
	if (seal === 1) return hpkeOpen(epochKem(x), sealedInfo(outer), sealed);
	return openAEAD(bodyKey(x, seal), nonce, outer, sealed);
}

const wrapKey = x => ofEpoch('broch 1 previous epoch', x.s, x);
export const wrap = (x, previous, n) => join(n, AEAD(wrapKey(x), n, u32(x.epoch), previous));
export const unwrap = (x, w) => openAEAD(wrapKey(x), w.slice(0, 32), u32(x.epoch), w.slice(32));

export const boxInfo = (birth, epoch, recipient) => join(text('broch 1 box'), u8(0), LP(birth), LP(u32(epoch)), LP(recipient));

// formats.md section 8.3; x also has kind, role and root
export function boxPlain(x) {
	const vault = x.kind === 2;
	const said = join(u8(1), u8(x.kind), u8(x.role), u32(x.epoch), x.s, vault ? x.root : [],
		vault && x.role >= 3 ? x.w : [], vault && x.role >= 4 ? x.a : []);
	return join(said, zeros(256 - said.length));
}
export function openBox(seed, kind, birth, epoch, recipient, box) {
	const p = hpkeOpen(seed, boxInfo(birth, epoch, recipient), box);
	if (p[0] !== 1) refuse('unsupported');
	const x = { kind: p[1], role: p[2], birth, epoch, s: p.slice(7, 39), root: zeros(32) };
	x.w = x.a = x.s;
	if (x.kind === 2) {
		x.root = p.slice(39, 71);
		x.w = x.role >= 3 ? p.slice(71, 103) : zeros(32);
		x.a = x.role >= 4 ? p.slice(103, 135) : zeros(32);
	}
	if (x.kind !== kind || !(kind === 1 ? [4] : [2, 3, 4]).includes(x.role) || !equal(boxPlain(x), p)) refuse('malformed');
	return x;
}

// --- Section 6

export const deviceId = (entry, request, kem) => D('broch 1 device id', entry, [request, kem]);
export const kit = K => Object.fromEntries(['kem', 'entry', 'request', 'locator'].map(n => [n, D('broch 1 kit ' + n, K)]));
export const joinedOver = (account, record) => join(LP(account), record);

const locatorInfo = locator => join(text('broch 1 locator'), u8(0), LP(locator));
const LOCATOR_MAGIC = join([0x62, 0x72, 0x6f, 0x01]);
const varint = n => n < 128 ? [n] : [n & 127 | 128, n >> 7]; // enough for a byte
const padded = (x, n) => join(x, zeros(n - x.length));

export const sealLocator = (key, locator, plain, coins) => join(LOCATOR_MAGIC, hpkeSeal(key, locatorInfo(locator), plain, coins));
export const locatorPlain = (account, store, address) => padded(join(u8(1), account, store, varint(address.length), address), 512);
export function openLocator(seed, locator, object) {
	checkMagic(object, LOCATOR_MAGIC, 1652);
	const p = hpkeOpen(seed, locatorInfo(locator), object.slice(4));
	if (p[0] !== 1) refuse('unsupported');
	const [length, at] = p[65] < 128 ? [p[65], 66] : [p[65] & 127 | p[66] << 7, 67];
	const c = { account: p.slice(1, 33), store: p.slice(33, 65), address: p.slice(at, at + length) };
	if (length > 255 || !equal(locatorPlain(c.account, c.store, c.address), p)) refuse('malformed');
	return c;
}

function checkMagic(object, magic, size) {
	if (!equal(object.slice(0, 3), magic.slice(0, 3)) || object.length < 4) refuse('malformed');
	if (object[3] !== magic[3]) refuse('unsupported');
	if (object.length !== size) refuse('malformed');
}

// --- Section 7

export const rootCommitment = (root, birth) => D('broch 1 root commitment', root, [birth]);
export const originRoot = (root, vault, origin, id) => origin === 0 ? root : D('broch 1 origin root', root, [vault, u8(origin), id]);
export const chunkIdKey = (from, vault, type) => D('broch 1 chunk id key', from, [vault, u8(type)]);
export const chunkerKey = (from, vault) => D('broch 1 chunker', from, [vault], 4112);
export const hardLinkKey = (from, vault) => D('broch 1 hard link', from, [vault]);
export const linkGroup = (key, device, inode) => MAC(key, join(u64(device), u64(inode))).slice(0, 16);

const packInfo = (vault, epoch) => join(text('broch 1 pack'), u8(0), LP(vault), LP(u32(epoch)));
export function packKeys(shared, vault, epoch) {
	const h = exporterOf(shared, packInfo(vault, epoch));
	return Object.fromEntries(['record', 'table', 'trailer', 'commitment'].map(n => [n, h.export(n)]));
}
export function openPackKeys(seed, vault, epoch, enc, commitment) {
	const keys = packKeys(decapsulate(enc, seed), vault, epoch);
	return equal(keys.commitment, commitment) ? keys : refuse('forged');
}
const placeNonce = offset => join(u64(offset), zeros(24));
export const sealAt = (key, offset, x) => AEAD(key, placeNonce(offset), EMPTY, x);
export const openAt = (key, offset, sealed) => openAEAD(key, placeNonce(offset), EMPTY, sealed);
export { packInfo };

// --- Section 8

const KEYSTORE_MAGIC = join([0x62, 0x72, 0x6b, 0x01]);
const number = (x, at, n) => Number(x.slice(at, at + n).reduceRight((v, b) => v * 256n + BigInt(b), 0n));
const made = new Map(); // Argon2id is slow here

export function argon(passphrase, salt, t, m) {
	const name = JSON.stringify([[...passphrase], [...salt], t, m]);
	if (!made.has(name)) made.set(name, argon2id(passphrase, salt, { t, m, p: 1, dkLen: 32, version: 0x13 }));
	return made.get(name);
}
const keystoreHeader = (protection, t, m, salt) => join(KEYSTORE_MAGIC, u8(protection), u32(t), u32(m), salt);
export const keystorePayload = s => padded(join(u8(1), s.account, s.device, s.kem, s.entry, s.request, s.secret,
	varint(s.name.length), s.name, u64(s.anchor_sequence), s.anchor_head), 4096);
export function sealKeystore(passphrase, salt, nonce, payload) {
	const header = passphrase ? keystoreHeader(1, 2, 65536, salt) : keystoreHeader(0, 0, 0, zeros(16));
	const k = passphrase ? argon(passphrase, salt, 2, 65536) : zeros(32);
	return join(header, D('broch 1 key store commitment', k, [header]), nonce,
		AEAD(D('broch 1 key store', k, [header]), nonce, header, payload));
}
export function openKeystore(object, passphrase) {
	checkMagic(object, KEYSTORE_MAGIC, 4221);
	const header = object.slice(0, 29), protection = header[4], t = number(header, 5, 4), m = number(header, 9, 4), salt = header.slice(13);
	if (protection > 1) refuse('malformed');
	if (protection === 0 && (t || m || !equal(salt, zeros(16)))) refuse('malformed');
	if (protection === 1 && (t < 1 || t > 16 || m < 19456 || m > 1048576 || t * m < 131072)) refuse('limit');
	if (protection === 1 && !passphrase) refuse('denied');
	const k = protection ? argon(passphrase, salt, t, m) : zeros(32);
	if (!equal(D('broch 1 key store commitment', k, [header]), object.slice(29, 61))) refuse(protection ? 'denied' : 'forged');
	const p = openAEAD(D('broch 1 key store', k, [header]), object.slice(61, 93), header, object.slice(93));
	if (p[0] !== 1) refuse('unsupported');
	const part = i => p.slice(1 + 32 * i, 33 + 32 * i), n = p[193], end = 194 + n;
	const s = { account: part(0), device: part(1), kem: part(2), entry: part(3), request: part(4), secret: part(5),
		name: p.slice(194, end), anchor_sequence: p.slice(end, end + 8).reduceRight((v, b) => v * 256n + BigInt(b), 0n),
		anchor_head: p.slice(end + 8, end + 40) };
	if (n > 64 || !equal(keystorePayload(s), p)) refuse('malformed');
	if (!equal(deviceId(publicKey(s.entry), publicKey(s.request), kemPublic(s.kem)), s.device)) refuse('malformed');
	return s;
}
