// Decoders of what the clear store and the chains hold, doc/spec/formats.md sections 8, 9, 11 and 12: pure and strict.

import { Reading, U64_MAX, ascending, by, byBytes } from './reading.mjs';
import { location, streamRef, tags } from './formats.mjs';
import { malformed, unsupported } from './fault.mjs';

export const ACCOUNT = 1, VAULT = 2;
export const CONTROL = 1, DATA = 2;
export const GRANT = 1, READER = 2, WRITER = 3, ADMIN = 4;
export const BODY_KEY = 0, HPKE = 1, CONTACT_KEY = 2;
export const HOLD_MAX = 2n ** 32n - 1n;
const ENTRY_MAX = 262144;

const isZero = b => b.every(x => x === 0);

// Section 8

export function entry(bytes, trace) {
	const r = new Reading(bytes, 'chain entry', trace);
	r.check(bytes.length <= ENTRY_MAX, 'too long');
	r.magic('bre');
	const e = { bytes, kind: r.within(r.u8(), 1, 2, 'chain kind'), chain: r.hash(), sequence: r.u64(), previous: r.hash() };
	Object.assign(e, { controlSequence: r.u64(), controlHash: r.hash(), epoch: r.within(r.u32(), 1, Infinity, 'epoch') });
	Object.assign(e, { class: r.within(r.u8(), 1, 2, 'class'), role: r.u8() });
	r.check([GRANT, WRITER, ADMIN].includes(e.role), 'role out of range');
	e.grant = e.role === GRANT ? r.hash() : null;
	Object.assign(e, { time: r.i64(), seal: r.within(r.u8(), 0, 2, 'seal'), public: r.bytesMax(65536), nonce: r.hash() });
	e.outer = bytes.subarray(0, r.at);
	e.sealed = r.bytesMax(131104);
	e.signed = bytes.subarray(0, r.at);
	e.signature = r.raw(64);
	r.end();
	checkEntry(r, e);
	return e;
}

function checkEntry(r, e) {
	const first = e.sequence === 0n;
	for (const h of [e.chain, e.previous, e.controlHash]) r.check(isZero(h) === first, 'a hash that is missing or too many');
	r.check(first ? e.controlSequence === 0n && e.class === CONTROL : e.controlSequence < e.sequence, 'control entry out of place');
	r.check(e.class === DATA ? e.kind === VAULT : e.role === ADMIN, 'class and role do not agree');
	r.check(e.seal !== (e.kind === ACCOUNT ? HPKE : CONTACT_KEY), 'a seal of another kind of chain');
	const padded = e.sealed.length - (e.seal === HPKE ? 1136 : 32);
	r.check(padded > 0 && padded % 1024 === 0, 'sealed part of wrong length');
}

// `raw` is the packs as they stand.
export function packNames(r) {
	const at = r.at, packs = packsOf(r);
	return { ...packs, raw: r.bytes.subarray(at, r.at) };
}

function packsOf(r) {
	const form = r.within(r.u8(), 0, 1, 'form');
	if (form === 1) {
		const count = r.u64();
		return { count: Number(r.within(count, 1025n, 524000n, 'count')), list: r.hash() };
	}
	const names = r.list(r.count(1024, 1), () => r.hash());
	ascending(r, names, byBytes);
	return { count: names.length, names };
}

function keys(r) {
	return { kem: r.raw(1216), reader: r.hash(), writer: r.hash(), admin: r.hash(), commitment: r.hash(), boxes: r.hash() };
}

const PUBLIC = {
	0: () => ({}),
	1: r => ({ birth: r.hash(), keys: keys(r) }),
	2: r => ({ keys: keys(r) }),
	3: r => ({ packs: packNames(r) }),
	4: r => ({ intent: r.u64(), packs: packNames(r) }),
	6: r => ({ store: r.hash() }),
};

export function publicPart(bytes, trace) {
	const r = new Reading(bytes, 'public part', trace);
	const kind = r.u8();
	if (!PUBLIC[kind]) unsupported(`public part: kind ${kind}`);
	const p = { kind, ...PUBLIC[kind](r) };
	r.end();
	return p;
}

export function inner(bytes, trace) {
	const r = new Reading(bytes, 'inner part', trace);
	r.check(bytes.length <= 131072, 'too long');
	const i = { type: r.u8(), account: r.hash(), device: r.hash(), accountSequence: r.u64(), accountHead: r.hash(), ownSequence: r.u64(), ownHash: r.hash() };
	i.body = r.bytesMax(98304);
	i.signed = bytes.subarray(0, r.at);
	i.signature = r.raw(64);
	const padding = bytes.subarray(r.at);
	r.check(padding.length < 1024 && bytes.length % 1024 === 0 && isZero(padding), 'wrong padding');
	r.check((i.ownSequence === U64_MAX) === isZero(i.ownHash), 'half an own entry');
	const inAccount = i.type < 32;
	r.check(isZero(i.account) === inAccount && isZero(i.accountHead) === inAccount, 'account that is missing or too many');
	r.check(!inAccount || i.accountSequence === 0n, 'an account sequence too many');
	return i;
}

export function readDevice(r) {
	const start = r.at;
	const d = { kind: r.within(r.u8(), 1, 3, 'kind'), entryKey: r.hash(), requestKey: r.hash(), kemKey: r.raw(1216), name: r.bytesMax(64), created: r.i64() };
	d.bytes = r.bytes.subarray(start, r.at);
	return d;
}
export function deviceRecord(bytes, trace) {
	const r = new Reading(bytes, 'device record', trace), d = readDevice(r);
	r.end();
	return d;
}

const hold = r => r.within(r.u64(), 0n, HOLD_MAX, 'hold');
const trust = r => r.within(r.u8(), 0, 1, 'trust');
function kit(r) {
	const d = readDevice(r);
	r.check(d.kind === 3, 'not a kit');
	return d;
}
function joining(r, kinds) {
	const device = readDevice(r);
	r.check(kinds.includes(device.kind), 'not such a device');
	return { device, joined: r.raw(64) };
}
const stamp = r => ({ time: r.moment(), host: r.bytesMax(255), branch: r.bytesMax(255), tags: tags(r), parent: r.hash(), files: r.varint(), bytes: r.varint(), added: r.varint() });
function rawLocation(r) {
	const at = r.at, l = location(r);
	return { ...l, raw: r.bytes.subarray(at, r.at) };
}
const locations = (r, max) => r.list(r.count(max), () => rawLocation(r));

const BODIES = {
	1: r => ({ ...joining(r, [1]), kit: kit(r), store: r.hash() }),
	2: r => joining(r, [1, 2]),
	5: r => ({ kit: kit(r), delay: r.within(r.u64(), 0n, HOLD_MAX, 'delay') }),
	6: r => {
		r.version();
		const v = { vault: r.hash(), store: r.hash(), role: r.within(r.u8(), 1, 4, 'role'), name: r.bytesMax(255), anchorSequence: r.u64(), anchorHash: r.hash() };
		r.check(v.name.length > 0, 'a vault without a name');
		return v;
	},
	7: () => ({}),
	8: () => ({}),
	32: r => {
		const v = { rootCommitment: r.hash(), min: r.u32(), max: r.u32(), maskBits: r.within(r.u8(), 0, 32, 'mask bits'), hold: hold(r), trust: trust(r), owner: r.hash() };
		r.check(v.min >= 1 && v.min <= v.max && v.max <= 2097152, 'sizes of chunks');
		return v;
	},
	35: () => ({}),
	36: r => ({ hold: hold(r), trust: trust(r) }),
	37: r => {
		const s = { covers: r.u64(), stateHash: r.hash(), state: streamRef(r), index: location(r) };
		r.check(s.state.length > 0n, 'no state');
		return s;
	},
	38: () => ({}),
	64: r => ({ snapshot: r.hash(), stamp: stamp(r), added: locations(r, 256) }),
	65: r => ({ added: locations(r, 256), removed: locations(r, 1024) }),
	66: r => ({ snapshot: r.hash(), tags: tags(r) }),
	67: r => ({ snapshots: r.list(r.count(2048, 1), () => r.hash()) }),
	68: r => {
		const k = r.within(r.u8(), 0, 1, 'kind') ? { intent: r.u64() } : { snapshot: r.hash() };
		return { ...k, added: locations(r, 256) };
	},
	69: r => ({ removed: locations(r, 1024) }),
	70: () => ({}),
	71: () => ({}),
};

// `types`: the least and the largest type of the chain's kind; another is unsupported.
function body(bytes, type, [least, most], trace) {
	if (!BODIES[type] || type < least || type > most) unsupported(`entry of type ${type}`);
	const r = new Reading(bytes, `body of type ${type}`, trace), b = BODIES[type](r);
	r.end();
	return b;
}
export const accountBody = (bytes, type, trace) => body(bytes, type, [0, 31], trace);
export const vaultBody = (bytes, type, trace) => body(bytes, type, [32, 255], trace);

// Section 8.3

export function boxes(bytes, trace) {
	const r = new Reading(bytes, 'boxes', trace);
	r.magic('brb');
	const b = { epoch: r.within(r.u32(), 1, Infinity, 'epoch') }, count = r.within(r.u16(), 4, 1024, 'count');
	r.check((count & (count - 1)) === 0, 'count is no power of two');
	b.rows = r.list(count, () => ({ tag: r.hash(), box: r.raw(1392) }));
	b.wrap = b.epoch > 1 ? r.raw(96) : null;
	r.end();
	return b;
}

export function box(bytes, kind, trace) {
	const r = new Reading(bytes, 'box', trace);
	r.check(bytes.length === 256, 'wrong length');
	r.version();
	const found = r.u8(), b = { role: 0, root: null, W: null, A: null };
	r.check(found === kind, 'of another kind of chain');
	b.role = r.within(r.u8(), kind === ACCOUNT ? ADMIN : READER, ADMIN, 'role');
	b.epoch = r.u32();
	b.S = r.hash();
	if (kind === VAULT) {
		b.root = r.hash();
		if (b.role >= 3) b.W = r.hash();
		if (b.role === 4) b.A = r.hash();
	}
	r.check(isZero(bytes.subarray(r.at)), 'wrong padding');
	return b;
}

export function nameList(bytes, trace) {
	const r = new Reading(bytes, 'list of packs', trace);
	r.magic('brl');
	const count = r.within(r.u64(), 1n, 524000n, 'count');
	r.check(BigInt(r.left) === count * 32n, 'wrong length');
	const names = r.list(Number(count), () => r.hash());
	ascending(r, names, byBytes);
	return names;
}

// Section 9

export function summaryState(bytes, trace) {
	const r = new Reading(bytes, 'summary', trace);
	r.version();
	const many = read => r.list(Number(r.varint(BigInt(r.left))), read);
	const s = { covers: r.u64(), hash: r.hash(), hold: hold(r), trust: trust(r) };
	s.snapshots = many(() => ({ sequence: r.u64(), id: r.hash(), device: r.hash(), forgotten: r.within(r.u8(), 0, 1, 'forgotten'), stamp: stamp(r) }));
	s.indexes = many(() => ({ ...rawLocation(r), sequence: r.u64() }));
	s.intents = many(() => ({ sequence: r.u64(), time: r.i64(), packs: packNames(r) }));
	for (const field of ['accounts', 'devices']) {
		s[field] = many(() => ({ id: r.hash(), sequence: r.u64(), hash: r.hash() }));
		ascending(r, s[field], by(h => h.id));
	}
	ascending(r, s.snapshots, by(x => x.sequence));
	ascending(r, s.indexes, by(x => x.sequence, x => x.pack, x => x.offset, x => x.length));
	ascending(r, s.intents, by(x => x.sequence));
	r.end();
	return s;
}

// Section 11: the plain text of a locator object.
export function locatorText(bytes, trace) {
	const r = new Reading(bytes, 'locator', trace);
	r.check(bytes.length === 512, 'wrong length');
	r.version();
	const l = { account: r.hash(), store: r.hash(), address: r.bytesMax(255) };
	r.check(isZero(bytes.subarray(r.at)), 'wrong padding');
	return l;
}

// Section 12

export function storeMark(bytes) {
	const found = /^broch store ([1-9][0-9]*)\nid ([0-9a-f]{64})\n$/.exec(bytes.toString('latin1'));
	if (!found) malformed('broch-store: not the mark of a store');
	if (found[1] !== '1') unsupported(`broch-store: version ${found[1]}`);
	return Buffer.from(found[2], 'hex');
}

export function segment(bytes, trace) {
	const r = new Reading(bytes, 'segment', trace);
	const entries = r.list(256, () => r.raw(r.within(r.u32(), 1, ENTRY_MAX, 'length')));
	r.end();
	return entries;
}
