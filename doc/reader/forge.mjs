// Makes small chains for the tests, right or wrong as told: a store in memory with an account of one device, and vaults.

import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { ed25519 } from '@noble/curves/ed25519.js';
import * as hkdf from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { ml_kem768_x25519 as xwing } from '@noble/post-quantum/hybrid.js';
import * as c from './crypto.mjs';
import { missing } from './fault.mjs';
import { deviceId } from './kit.mjs';
import { U64_MAX } from './reading.mjs';
import { bytes, list, stampBytes } from './summary.mjs';

const ACCOUNT = 1, VAULT = 2, CONTROL = 1, DATA = 2, READER = 2, WRITER = 3, ADMIN = 4;
const BODY_KEY = 0, HPKE = 1, CONTACT_KEY = 2;
export const SECOND = 1000000000n, START = 1000n * SECOND;
const text = s => Buffer.from(s, 'latin1');
const zeros = n => Buffer.alloc(n);
const padded = (x, n) => Buffer.concat([x, zeros(n - x.length)]);
const i64 = v => c.u64(BigInt.asUintN(64, v));

// Fixed bytes, others for each name.
export const seed = name => c.H('broch 1 test', text(name));

const sign = (secret, context, x) => Buffer.from(ed25519.sign(c.labelled(context, x), secret));

// hpke_seal(pk, info, x) of doc/spec/crypto.md section 4.
function hpkeSeal(pk, info, x) {
	const suite = Buffer.concat([text('HPKE'), Buffer.of(0x64, 0x7a, 0, 1, 0, 3)]);
	const extract = (salt, label, ikm) => hkdf.extract(sha256, Buffer.concat([text('HPKE-v1'), suite, text(label), ikm]), salt);
	const expand = (secret, label, context, n) => hkdf.expand(sha256, secret, Buffer.concat([Buffer.of(0, n), text('HPKE-v1'), suite, text(label), context]), n);
	const { cipherText, sharedSecret } = xwing.encapsulate(pk);
	const context = Buffer.concat([Buffer.of(0), extract(zeros(0), 'psk_id_hash', zeros(0)), extract(zeros(0), 'info_hash', info)]);
	const secret = extract(sharedSecret, 'secret', zeros(0));
	const cipher = chacha20poly1305(expand(secret, 'key', context, 32), expand(secret, 'base_nonce', context, 12), zeros(0));
	return Buffer.concat([cipherText, cipher.encrypt(x)]);
}

// A device or kit with its secrets.
export function device(name, kind) {
	const entry = seed(`${name} entry`), kem = seed(`${name} kem`);
	const record = { entryKey: c.signPublic(entry), requestKey: c.signPublic(seed(`${name} request`)), kemKey: c.kemPublic(kem) };
	return { entry, kem, ...record, kind, id: deviceId(record) };
}
export const record = (d, kind = d.kind) => Buffer.concat([c.u8(kind), d.entryKey, d.requestKey, d.kemKey, bytes(text('device')), i64(0n)]);
export const joining = (d, account, kind = d.kind) => {
	const r = record(d, kind);
	return Buffer.concat([r, sign(d.entry, 'broch 1 device joins', Buffer.concat([c.LP(account), r]))]);
};

// The bodies of formats.md section 8.2. A location is { pack: name, at }.
export const location = l => Buffer.concat([seed(l), Buffer.of(0, 5, 0, 0, 1, 0)]);
const many = names => list(names, x => [location(x)]);
const STAMP = { time: { sec: 5n, nsec: 0 }, host: text('host'), branch: text('branch'), parent: zeros(32), files: 1n, bytes: 2n, added: 3n };
export const stamp = tags => stampBytes({ ...STAMP, tags: tags.map(text) });
export const packs = names => Buffer.concat([c.u8(0), list(names.map(seed).sort(Buffer.compare), x => [x])]);
export const packList = (count, name) => Buffer.concat([c.u8(1), c.u64(count), seed(name)]);

// Entry types with class, public part and body. Another class or public part may be given where one is made.
export const ENTRY = {
	rotate: { type: 35 },
	policy: (hold, trust = 0) => ({ type: 36, body: Buffer.concat([c.u64(hold), c.u8(trust)]) }),
	summary: (covers, hash) => ({ type: 37, body: Buffer.concat([c.u64(covers), hash, Buffer.of(0, 1, 0), seed('state'), location('state')]) }),
	snapshot: (id, added = [], tags = []) => ({ type: 64, body: Buffer.concat([seed(id), stamp(tags), many(added)]) }),
	index: (added, removed = []) => ({ type: 65, body: Buffer.concat([many(added), many(removed)]) }),
	tag: (id, tags) => ({ type: 66, body: Buffer.concat([seed(id), list(tags.map(text), t => [bytes(t)])]) }),
	forget: id => ({ type: 67, body: Buffer.concat([Buffer.of(1), seed(id)]) }),
	keepSnapshot: (id, added = []) => ({ type: 68, body: Buffer.concat([Buffer.of(0), seed(id), many(added)]) }),
	keepIntent: (sequence, added = []) => ({ type: 68, body: Buffer.concat([Buffer.of(1), c.u64(sequence), many(added)]) }),
	intent: of => ({ type: 69, public: Buffer.concat([Buffer.of(3), of]), body: Buffer.of(0) }),
	purge: (sequence, of) => ({ type: 70, public: Buffer.concat([Buffer.of(4), c.u64(sequence), of]) }),
	unknown: (type, cls) => ({ type, class: cls }),
};

class Chain {
	constructor(forge, kind, name) {
		Object.assign(this, { forge, kind, name, birth: seed(`${name} birth`), root: seed(`${name} root`), epochs: [], entries: [], hashes: [], threads: new Map() });
		Object.assign(this, { control: { sequence: 0n, hash: c.ZERO }, time: START });
	}

	get head() { return { sequence: BigInt(this.hashes.length - 1), hash: this.hashes.at(-1) }; }

	// Makes the next epoch's secrets and boxes; returns the keys of the public part. `role`: what the boxes say.
	epoch(recipient, role = ADMIN) {
		const n = this.epochs.length + 1, S = seed(`${this.name} S ${n}`), own = this.kind === ACCOUNT;
		const W = own ? S : seed(`${this.name} W ${n}`), A = own ? S : seed(`${this.name} A ${n}`);
		const d = label => c.D(label, S, this.birth, c.u32(n)), kem = d('broch 1 epoch kem');
		const access = (secret, of) => c.D('broch 1 access key', secret, this.birth, c.u32(n), c.u8(of));
		const e = { S, kem, body: d('broch 1 entry body'), contact: d('broch 1 contact body'), writer: access(W, WRITER), admin: access(A, ADMIN) };
		const plain = padded(Buffer.concat([c.u8(1), c.u8(this.kind), c.u8(role), c.u32(n), S, ...(own ? [] : [this.root, W, A])]), 256);
		const info = c.labelled('broch 1 box', c.LP(this.birth), c.LP(c.u32(n)), c.LP(recipient.id));
		const rows = [hpkeSeal(recipient.pk, info, plain), ...[1, 2, 3].map(() => zeros(1392))].map(b => Buffer.concat([zeros(32), b]));
		const nonce = seed('wrap'), before = this.epochs.at(-1);
		const wrap = before ? [nonce, this.forge.aead(d('broch 1 previous epoch'), nonce, c.u32(n), before.S)] : [];
		const boxes = this.forge.put(Buffer.concat([text('brb'), c.u8(1), c.u32(n), Buffer.of(4, 0), ...rows, ...wrap]));
		this.epochs.push(e);
		return Buffer.concat([c.kemPublic(kem), c.signPublic(access(S, READER)), c.signPublic(e.writer), c.signPublic(e.admin), d('broch 1 epoch commitment'), boxes]);
	}

	// Appends an entry of `type`. `head`: of the account, that it names, if not the newest; `isVoid`: it does not count for the
	// thread of its author.
	add({ type, body = zeros(0), class: cls = type < 64 ? CONTROL : DATA, public: part = Buffer.of(0), seal, time = this.time, author, head, isVoid = false }) {
		const own = this.kind === ACCOUNT, sequence = BigInt(this.entries.length), first = sequence === 0n;
		const e = this.epochs.at(-1), signing = part[0] === 2 ? this.epochs.at(-2) : e;
		author ??= this.forge.device;
		head ??= own ? null : this.forge.account.head;
		seal ??= own ? ([5, 6].includes(type) ? BODY_KEY : CONTACT_KEY) : BODY_KEY;
		const outer = Buffer.concat([text('bre'), c.u8(1), c.u8(this.kind), this.hashes[0] ?? c.ZERO, c.u64(sequence), this.hashes.at(-1) ?? c.ZERO,
			c.u64(this.control.sequence), this.control.hash, c.u32(this.epochs.length), c.u8(cls), c.u8(cls === CONTROL ? ADMIN : WRITER), i64(time), c.u8(seal), bytes(part), seed('nonce')]);
		const outerHash = c.H('broch 1 entry outer', outer), before = this.threads.get(author.id.toString('hex'));
		const inner = Buffer.concat([c.u8(type), head ? this.forge.account.hashes[0] : c.ZERO, author.id, c.u64(head?.sequence ?? 0n), head?.hash ?? c.ZERO,
			c.u64(before?.sequence ?? U64_MAX), before?.hash ?? c.ZERO, bytes(body)]);
		const whole = Buffer.concat([inner, sign(author.entry, 'broch 1 entry author', Buffer.concat([outerHash, inner]))]);
		const sealed = this.forge.aead(seal === CONTACT_KEY ? e.contact : e.body, seed('nonce'), outerHash, padded(whole, Math.ceil(whole.length / 1024) * 1024));
		const signed = Buffer.concat([outer, bytes(sealed)]);
		const entry = Buffer.concat([signed, sign(cls === CONTROL ? signing.admin : signing.writer, 'broch 1 entry access', signed)]);
		const hash = c.H('broch 1 entry', entry);
		this.entries.push(entry);
		this.hashes.push(hash);
		this.time = time;
		if (cls === CONTROL) this.control = { sequence, hash };
		if (!isVoid) this.threads.set(author.id.toString('hex'), { sequence, hash });
		if (first) this.forge.chains.set(hash.toString('hex'), this);
	}
}

// `aead`: AEGIS-256, (key, nonce, aad, plain). It is the store too, as the reader asks for it.
export class Forge {
	constructor(aead, { kit = device('kit', 3), kitRecord = record(kit), role = ADMIN } = {}) {
		Object.assign(this, { aead: (...x) => Buffer.from(aead(...x)), objects: new Map(), chains: new Map(), id: seed('store'), device: device('device', 1), kitDevice: kit });
		const account = this.account = new Chain(this, ACCOUNT, 'account');
		const keys = account.epoch({ id: kit.id, pk: kit.kemKey }, role);
		account.add({ type: 1, public: Buffer.concat([Buffer.of(1), account.birth, keys]), body: Buffer.concat([joining(this.device, c.ZERO), kitRecord, this.id]) });
		const locator = seed('locator'), info = c.labelled('broch 1 locator', c.LP(locator));
		const plain = padded(Buffer.concat([c.u8(1), account.hashes[0], this.id, bytes(zeros(0))]), 512);
		this.located = Buffer.concat([text('bro'), c.u8(1), hpkeSeal(kit.kemKey, info, plain)]);
		this.kit = { kemSeed: kit.kem, id: kit.id, locator, locatorInfo: info };
	}

	vault(name, hold = 0n, head) {
		const v = new Chain(this, VAULT, name), newest = this.account.epochs.at(-1);
		const keys = v.epoch({ id: this.account.hashes[0], pk: c.kemPublic(newest.kem) });
		const body = [c.D('broch 1 root commitment', v.root, v.birth), c.u32(1), c.u32(1000), c.u8(3), c.u64(hold), c.u8(0), this.account.hashes[0]];
		v.add({ type: 32, public: Buffer.concat([Buffer.of(1), v.birth, keys]), body: Buffer.concat(body), head });
		return v;
	}

	put(object) {
		const name = c.hash(object);
		this.objects.set(name.toString('hex'), object);
		return name;
	}
	locator(name) { return c.equal(name, seed('locator')) ? this.located : null; }
	object(name) { return this.objects.get(name.toString('hex')) ?? missing('no such object'); }
	chain(id) {
		const { entries } = this.chains.get(id.toString('hex'));
		return { length: BigInt(entries.length), at: sequence => [entries[Number(sequence)]] };
	}
}
