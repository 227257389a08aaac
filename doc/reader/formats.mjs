// Decoders of what packs hold, doc/spec/formats.md sections 2 to 7: pure, strict, one per table. Each takes the bytes
// and, for the tests, a trace of the values read.

import { decompress } from 'fzstd';
import { Reading, ascending, by, byBytes } from './reading.mjs';
import { malformed, unsupported } from './fault.mjs';

export const CHUNK_MAX = 2097152;
export const PACK_MAX = 16777216, PACK_MIN = 65536;
export const HEAD = 1160, TRAILER = 48;
const RECORD_MIN = 33, RECORD_MAX = 2121766;
const SIZE_MAX = 2n ** 63n - 1n;
export const SAME_PACK = 0xffffffff;

// Section 2

export function block(bytes, trace) {
	const r = new Reading(bytes, 'block', trace);
	const lengths = r.list(r.within(r.u16(), 1, 8192, 'count'), () => r.within(r.u24(), 1, CHUNK_MAX, 'a length'));
	r.check(lengths.reduce((a, b) => a + b) <= CHUNK_MAX, 'too much data');
	const chunks = lengths.map(n => r.raw(n));
	r.end();
	return chunks;
}

export function storedBlock(bytes, trace) {
	const r = new Reading(bytes, 'stored block', trace);
	const method = r.u8();
	if (method > 1) unsupported(`stored block: method ${method}`);
	const rawLength = r.within(r.u24(), 6, 2121730, 'raw length'), payload = r.rest();
	if (method === 0) r.check(payload.length === rawLength, 'length differs');
	else r.check(payload.length > 0 && payload.length < rawLength, 'compressed is not shorter');
	return { method, rawLength, payload };
}

// Checks that `frame` is one zstd frame (RFC 8878) with this content size and a window of at most 4 MiB.
function checkFrame(frame, rawLength) {
	const r = new Reading(frame, 'zstd frame');
	r.check(r.u32() === 0xfd2fb528, 'is something else');
	const descriptor = r.u8(), single = (descriptor >> 5) & 1;
	r.check((descriptor & 0x0b) === 0, 'a dictionary, or a reserved bit');
	if (!single) {
		const w = r.u8(), base = 2 ** (10 + (w >> 3));
		r.check(base + (base / 8) * (w & 7) <= 4194304, 'window too large');
	}
	const size = [() => (single ? r.u8() : r.bad('no content size')), () => r.u16() + 256, () => r.u32(), () => r.u64()][descriptor >> 6]();
	r.check(BigInt(size) === BigInt(rawLength), 'content size differs');
	for (let last = 0; !last;) {
		const header = r.u24();
		last = header & 1;
		r.raw(((header >> 1) & 3) === 1 ? 1 : header >> 3);
	}
	if (descriptor & 4) r.u32();
	r.end();
}

// The raw block of a stored block.
export function expand({ method, rawLength, payload }) {
	if (method === 0) return payload;
	checkFrame(payload, rawLength);
	let out;
	try {
		out = decompress(payload, Buffer.alloc(rawLength));
	} catch (e) {
		malformed(`zstd frame: ${e.message}`);
	}
	if (out.length !== rawLength) malformed('zstd frame: length differs');
	return Buffer.from(out.buffer, out.byteOffset, out.length);
}

// Section 3

export function padme(n) {
	const e = Math.floor(Math.log2(n)), z = e - (Math.floor(Math.log2(e)) + 1), unit = 2 ** z;
	return Math.min(Math.max(Math.ceil(n / unit) * unit, PACK_MIN), PACK_MAX);
}
const packLength = n => n >= PACK_MIN && n <= PACK_MAX && (n === PACK_MAX || padme(n) === n);

export function packHead(bytes, trace) {
	const r = new Reading(bytes, 'pack head', trace);
	r.magic('brp');
	const head = { epoch: r.within(r.u32(), 1, Infinity, 'epoch'), enc: r.raw(1120), commitment: r.hash() };
	r.end();
	return head;
}

export function packTrailer(bytes, length, trace) {
	const r = new Reading(bytes, 'pack trailer', trace);
	const t = { tableOffset: r.u32(), tableLength: r.u32(), packLength: r.u32() };
	r.check(r.u32() === 0 && t.packLength === length, 'the length differs');
	const needed = t.tableOffset + t.tableLength + TRAILER;
	r.check(t.tableOffset >= HEAD + RECORD_MIN && t.tableLength > 32 && t.tableLength <= 8388608 + 32 && needed <= length, 'the table is out of place');
	r.check(length === PACK_MAX || padme(needed) === length, 'not a length of a pack');
	r.end();
	return t;
}

function origin(r) {
	const kind = r.within(r.u8(), 0, 3, 'origin');
	return { kind, id: kind === 0 ? null : r.hash() };
}

export function packTable(bytes, tableOffset, trace) {
	const r = new Reading(bytes, 'pack table', trace);
	const t = { run: r.raw(16), startSequence: r.u64(), startHead: r.hash(), writer: r.hash(), origin: origin(r) };
	t.continues = r.within(r.u8(), 0, 1, 'continues');
	t.previous = t.continues ? r.hash() : null;
	const count = r.within(r.u32(), 1, 16384, 'count');
	let at = HEAD;
	t.blocks = r.list(count, () => {
		const word = r.u8(), b = { type: word & 0x7f, cut: word >> 7, offset: r.u24(), length: r.within(r.u24(), RECORD_MIN, RECORD_MAX, 'length') };
		b.ids = r.list(r.within(r.u16(), 0, 8192, 'ids'), () => r.hash());
		r.check(b.offset === at, 'records leave a gap or overlap');
		at += b.length;
		return b;
	});
	t.blocks.forEach((b, i) => {
		const rest = t.continues === 1 && i === 0;
		r.check(rest ? b.type === 0 && !b.cut : b.type >= 1 && b.type <= 6, 'a block has a wrong type');
		r.check(!b.cut || (i === count - 1 && b.type !== 5), 'a block cannot be cut');
		r.check((b.ids.length === 0) === (b.type === 0 || b.type === 5), 'a block has a wrong number of chunks');
	});
	r.check(at === tableOffset && at <= PACK_MAX, 'the last record does not end where the table begins');
	r.end();
	return t;
}

// Section 4

export function streamRef(r) {
	const s = { origin: origin(r), length: r.varint(SIZE_MAX), depth: r.within(r.u8(), 0, 8, 'depth'), id: null };
	if (s.length > 0n) s.id = r.hash();
	else r.check(s.depth === 0, 'an empty stream has depth');
	r.check(s.depth > 0 || s.length <= BigInt(CHUNK_MAX), 'a chunk is too long');
	return s;
}

export function streamItem(bytes, trace) {
	const r = new Reading(bytes, 'list item', trace);
	const item = { id: r.hash(), length: r.within(r.u24(), 1, CHUNK_MAX, 'length') };
	r.end();
	return item;
}
export const ITEM = 35;

// Section 5

export const ENTRY_MAX = 1048576;
export const FILE = 1, DIRECTORY = 2, SYMLINK = 3, FIFO = 4, CHARACTER = 5, BLOCK = 6, VAULT_LINK = 7;
const XATTRS = 1, HOLES = 2, LINKED = 4, CHANGED = 8;

function name(r) {
	const n = r.bytesMax(255);
	const good = n.length > 0 && !n.includes(0) && !n.includes(0x2f) && !n.equals(Buffer.from('.')) && !n.equals(Buffer.from('..'));
	r.check(good, 'a name that cannot be');
	return n;
}

function holes(r, e) {
	const count = r.count(65536, 1);
	let end = 0n, total = 0n;
	return {
		list: r.list(count, () => {
			const distance = r.varint(SIZE_MAX), length = r.varint(SIZE_MAX), at = end + distance;
			r.check(length > 0n && (distance > 0n || end === 0n), 'a hole is empty or touches another');
			end = at + length;
			total += length;
			r.check(end - total <= e.stream.length && e.stream.length + total <= SIZE_MAX, 'a hole outside of the file');
			return { at, length };
		}),
		total,
		get size() { return e.stream.length + total; },
	};
}

// An entry without its length in front. The result's `body` is what follows the name.
export function directoryEntry(bytes, trace) {
	const r = new Reading(bytes, 'directory entry', trace);
	const e = { type: r.u8(), name: name(r), xattrs: [], holes: [] };
	e.body = bytes.subarray(r.at);
	if (e.type === VAULT_LINK) {
		Object.assign(e, { vault: r.hash(), epoch: r.u32(), path: r.bytesMax(4096) });
	} else if (e.type < 1 || e.type > 6) {
		e.rest = r.rest();
	} else {
		e.mode = r.within(r.u16(), 0, 0o7777, 'mode');
		e.uid = Number(r.varint(0xffffffffn));
		e.gid = Number(r.varint(0xffffffffn));
		e.mtime = r.moment();
		attributesAndContent(r, e);
	}
	r.end();
	return e;
}

function attributesAndContent(r, e) {
	const allowed = XATTRS | (e.type === FILE ? HOLES | CHANGED : 0) | (e.type === DIRECTORY ? 0 : LINKED);
	const flags = r.u8();
	r.check((flags & ~allowed) === 0, 'a flag that cannot be');
	e.changed = (flags & CHANGED) !== 0;
	e.group = flags & LINKED ? r.raw(16) : null;
	if (flags & XATTRS) {
		e.xattrs = r.list(r.count(4096, 1), () => ({ name: r.bytesMax(255), value: r.bytesMax(65536) }));
		r.check(e.xattrs.every(x => x.name.length > 0 && !x.name.includes(0)), 'an attribute without a good name');
		ascending(r, e.xattrs, by(x => x.name));
	}
	const contentAt = r.at;
	if (e.type === FILE || e.type === DIRECTORY) e.stream = streamRef(r);
	if (e.type === FILE) {
		const h = flags & HOLES ? holes(r, e) : { list: [], size: e.stream.length };
		e.holes = h.list;
		e.size = h.size;
	}
	if (e.type === SYMLINK) {
		e.target = r.bytesMax(4096);
		r.check(e.target.length > 0 && !e.target.includes(0), 'a target that cannot be');
	}
	if (e.type === CHARACTER || e.type === BLOCK) Object.assign(e, { major: r.u32(), minor: r.u32() });
	e.content = r.bytes.subarray(contentAt, r.at);
}

// Section 6

const place = r => ({
	offset: r.within(r.u24(), HEAD, PACK_MAX, 'offset'),
	length: r.within(r.u24(), RECORD_MIN, RECORD_MAX, 'length'),
});
const inPack = (r, p) => { r.check(p.offset + p.length <= PACK_MAX, 'a record behind the pack'); return p; };

// `samePack`: the pack may be all zero, and then is null.
export function location(r, samePack = false) {
	const pack = r.hash(), zero = pack.every(b => b === 0);
	r.check(samePack || !zero, 'a location without a pack');
	return { pack: zero ? null : pack, ...inPack(r, place(r)) };
}

export function indexLeaf(bytes, trace) {
	const r = new Reading(bytes, 'index leaf', trace);
	r.check(bytes.length <= 65536 && bytes.length % 44 === 0, 'wrong length');
	const rows = r.list(r.within(bytes.length / 44, 1, 1489, 'entries'), () =>
		inPack(r, { id: r.hash(), pack: r.u32(), ...place(r), slot: r.within(r.u16(), 0, 8191, 'slot') }));
	ascending(r, rows, by(e => e.id, e => e.pack, e => e.offset, e => e.slot));
	return rows;
}

export function indexPart0(bytes, trace) {
	const r = new Reading(bytes, 'index head', trace);
	r.check(bytes.length <= 1048576, 'too long');
	const parts = r.list(r.within(r.u16(), 0, 4096, 'parts'), () => location(r, true));
	r.check(r.left > 0, 'no bytes');
	return { parts, first: r.rest() };
}

export function indexHead(bytes, trace) {
	const r = new Reading(bytes, 'index head', trace);
	const rows = (max, size) => { const n = r.u32(); r.check(n <= max && n * size <= r.left, 'a count is too large'); return n; };
	const packs = r.list(rows(16777216, 36), () => {
		const p = { name: r.hash(), size: r.u32() };
		r.check(packLength(p.size), 'not a length of a pack');
		return p;
	});
	const pack = () => { const p = r.u32(); r.check(p < packs.length || p === SAME_PACK, 'an unknown pack'); return p; };
	const cuts = r.list(rows(SAME_PACK, 14), () => {
		const c = { pack: pack(), offset: r.within(r.u24(), HEAD, PACK_MAX - RECORD_MIN, 'offset'), next: pack(), length: r.within(r.u24(), RECORD_MIN, RECORD_MAX, 'length') };
		r.check(c.pack !== c.next, 'a block cut into one pack');
		return c;
	});
	ascending(r, cuts, by(c => c.pack, c => c.offset));
	const entries = r.u64();
	const leaves = r.list(rows(SAME_PACK, 46), () =>
		({ first: r.hash(), pack: pack(), ...inPack(r, place(r)), entries: r.within(r.u32(), 1, 1489, 'entries') }));
	for (let i = 1; i < leaves.length; i++) r.check(byBytes(leaves[i - 1].first, leaves[i].first) <= 0, 'leaves are not in order');
	r.check(BigInt(leaves.reduce((sum, l) => sum + l.entries, 0)) === entries, 'the number of entries differs');
	r.end();
	return { packs, cuts, leaves };
}

// Section 7

export const texts = (r, countMax, max) => r.list(r.count(countMax), () => r.bytesMax(max));
export function tags(r) {
	const list = texts(r, 256, 255);
	ascending(r, list, byBytes);
	return list;
}

function people(r) {
	const list = r.list(r.count(65536), () => ({ id: r.varint(0xffffffffn), name: r.bytesMax(255) }));
	ascending(r, list, by(p => p.id));
	return list;
}

export function snapshot(bytes, trace) {
	const r = new Reading(bytes, 'snapshot', trace);
	r.check(bytes.length <= 1048576, 'too long');
	r.version();
	const s = { started: r.moment(), ended: r.moment() };
	for (const field of ['host', 'user', 'program', 'branch']) s[field] = r.bytesMax(255);
	s.parent = r.hash();
	s.paths = texts(r, 4096, 65536);
	r.check(s.paths.every(p => p[0] === 0x2f && !p.includes(0)), 'a path that is not absolute');
	s.tags = tags(r);
	s.root = streamRef(r);
	for (const field of ['files', 'directories', 'others', 'bytes', 'unreadable', 'changed']) s[field] = r.varint();
	s.users = people(r);
	s.groups = people(r);
	r.end();
	return s;
}

// The entries of a directory whose bytes come in pieces; at most one entry is held.
export function* directoryEntries(pieces, trace) {
	let held = Buffer.alloc(0), before = null;
	for (const piece of pieces) {
		held = held.length > 0 ? Buffer.concat([held, piece]) : piece;
		for (let next; (next = splitEntry(held)) !== null; held = held.subarray(next.end)) {
			const e = directoryEntry(next.bytes, trace);
			if (before && byBytes(before, e.name) >= 0) malformed('directory: names are not in order');
			before = e.name;
			yield e;
		}
	}
	if (held.length > 0) malformed('directory: ends too early');
}

// The first entry in `held`: its bytes and where it ends; null if more is needed.
function splitEntry(held) {
	const head = held.subarray(0, 3), lengthEnd = head.findIndex(b => b < 0x80) + 1;
	if (lengthEnd === 0) return head.length < 3 ? null : malformed('directory: an entry is too long');
	const r = new Reading(head.subarray(0, lengthEnd), 'directory'), length = r.count(ENTRY_MAX);
	const end = lengthEnd + length;
	return held.length < end ? null : { bytes: held.subarray(lengthEnd, end), end };
}
