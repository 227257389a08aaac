// Runs the reader's decoders over the vectors of the project: every good one must be read, with the values that are written
// beside it, every bad one refused for the reason written there.
//
//   node test.mjs VECTORS          (the folder with crypto/, format/ and kit/)

import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { argon2id } from '@noble/hashes/argon2.js';
import { ml_kem768_x25519 as xwing } from '@noble/post-quantum/hybrid.js';
import { blake3 } from '@noble/hashes/blake3.js';
import * as c from './crypto.mjs';
import * as hpke from './hpke.mjs';
import * as f from './formats.mjs';
import * as cf from './chainformats.mjs';
import * as epochs from './epochs.mjs';
import { Packs } from './packs.mjs';
import { Reading } from './reading.mjs';
import { deviceId, kitKeys, readCode, KitFault } from './kit.mjs';
import { Fault, forged, malformed, unsupported } from './fault.mjs';

const vectors = process.argv[2];
if (!vectors) { console.error('usage: node test.mjs VECTORS'); process.exit(2); }
let passed = 0, failed = 0;

function expect(where, right, said = '') {
	if (right) { passed++; return; }
	failed++;
	console.log(`${where}: ${said}`);
}

// Returns 'ok', or the code of the fault.
function resultOf(run) {
	try { run(); return 'ok'; } catch (e) {
		if (e instanceof Fault) return e.code;
		throw e;
	}
}

// --- format/

const whole = read => (bytes, _, trace) => { const r = new Reading(bytes, 'it', trace), v = read(r); r.end(); return v; };

function directory(bytes, _, trace) {
	const values = [];
	for (const e of f.directoryEntries([bytes], trace)) values.push(...derived(e));
	return values;
}

// What the descriptions of entries have besides the fields as they stand.
const derived = e => [...(e.size === undefined ? [] : [e.size]), ...e.holes.flatMap(h => [h.at, h.length])];

const DECODERS = {
	accountbody: (b, n, t) => cf.accountBody(b, n, t),
	block: (b, _, t) => f.block(b, t),
	block_stored: (b, _, t) => f.storedBlock(b, t),
	boxes: (b, _, t) => [cf.boxes(b, t).wrap ?? Buffer.alloc(0)],
	devicerecord: (b, _, t) => cf.deviceRecord(b, t),
	directory,
	direntry: (b, _, t) => derived(f.directoryEntry(b, t)),
	entry: (b, _, t) => { const e = cf.entry(b, t); return [e.outer.length, e.signed.length]; },
	entryinner: (b, _, t) => [cf.inner(b, t).signed.length],
	entrypublic: (b, _, t) => cf.publicPart(b, t),
	indexhead: (b, _, t) => f.indexHead(b, t),
	indexleaf: (b, _, t) => f.indexLeaf(b, t),
	indexpart0: (b, _, t) => f.indexPart0(b, t),
	namelist: (b, _, t) => cf.nameList(b, t),
	packhead: (b, _, t) => f.packHead(b, t),
	packtable: (b, n, t) => f.packTable(b, n, t).blocks.flatMap(x => [x.type, x.cut]),
	packtrailer: (b, n, t) => f.packTrailer(b, n, t),
	segment: (b, _, t) => cf.segment(b, t),
	snapshot: (b, _, t) => f.snapshot(b, t),
	storemark: b => [cf.storeMark(b)],
	streamitem: (b, _, t) => f.streamItem(b, t),
	streamref: whole(f.streamRef),
	summarystate: (b, _, t) => cf.summaryState(b, t),
	vaultbody: (b, n, t) => cf.vaultBody(b, n, t),
};
// Lengths of lists that no field holds.
const COUNTED = { direntry: ['attributes', 'holes'], directory: ['attributes', 'holes'], indexleaf: ['count'] };

const shown = v => (Buffer.isBuffer(v) ? v.toString('hex') || '-' : String(v));

function checkValues(where, kind, lines, trace) {
	const left = new Map();
	for (const v of trace) left.set(shown(v), (left.get(shown(v)) ?? 0) + 1);
	const lacking = lines.filter(({ name, value }) => {
		if (COUNTED[kind]?.includes(name)) return false;
		const n = left.get(value) ?? 0;
		left.set(value, n - 1);
		return n < 1;
	});
	expect(where, lacking.length === 0, `${lacking[0]?.name} is not ${lacking[0]?.value}`);
}

function formats(folder) {
	const kinds = readdirSync(folder, { withFileTypes: true }).filter(d => d.isDirectory()).map(d => d.name);
	for (const kind of kinds)
		for (const side of ['good', 'bad'])
			for (const file of readdirSync(join(folder, kind, side)).filter(n => n.endsWith('.bin'))) formatCase(folder, kind, side, file.slice(0, -4));
}

function formatCase(folder, kind, side, name) {
	const where = `format/${kind}/${side}/${name}`, base = join(folder, kind, side, name);
	const lines = readFileSync(base + '.txt', 'latin1').trimEnd().split('\n').filter(l => l).map(l => {
		const [field, value] = l.split(' = ');
		return { name: field, value };
	});
	const parameter = lines[0]?.name === 'param' ? Number(lines.shift().value) : undefined;
	const trace = [];
	if (!DECODERS[kind]) { expect(where, false, 'no decoder'); return; }
	const result = resultOf(() => {
		const more = DECODERS[kind](readFileSync(base + '.bin'), parameter, trace);
		if (Array.isArray(more)) trace.push(...more);
	});
	const right = side === 'good' ? 'ok' : { E_FORMAT: 'malformed', E_UNSUPPORTED: 'unsupported' }[lines[0].value];
	expect(where, result === right, `${result} instead of ${right}`);
	if (side === 'good' && result === 'ok') checkValues(where, kind, lines, trace);
}

// --- crypto/

const hex = s => Buffer.from(s, 'hex');
const differs = () => { throw new Fault('differs', 'differs'); };
const same = (a, b) => (c.equal(a, b) ? undefined : differs());
const sameOrForged = (a, b) => (c.equal(a, b) ? undefined : forged('differs'));
const secrets = v => ({ birth: v.birth, epoch: v.epoch, S: v.s });

const NUMBERS = ['length', 'clock', 'process', 'counter', 'epoch', 'role', 'kind', 'seal', 'origin', 'device_number', 'inode',
	'record_at', 'table_at', 'trailer_at', 'anchor_sequence'];
const TEXTS = ['label', 'context'];

const repeat = n => Buffer.from(Uint8Array.from({ length: n }, (_, i) => i % 251));
const sealInfo = v => c.labelled('broch 1 box', c.LP(v.birth), c.LP(c.u32(v.epoch)), c.LP(v.recipient));

const CRYPTO = {
	aead: v => same(c.open(v.key, v.nonce, v.aad, v.sealed, 'it'), v.plain),
	box: v => {
		const b = epochs.openBox(v.seed, { birth: v.birth, epoch: v.epoch, recipient: v.recipient }, Number(v.kind), v.box);
		if (b.role !== Number(v.role)) malformed('role');
		same(b.S, v.s);
		if (b.W) same(b.W, v.w);
		if (b.A) same(b.A, v.a);
		if (b.root) same(b.root, v.root);
	},
	box_tag: v => {
		const first = c.D('broch 1 first box tag', v.birth);
		const later = c.D('broch 1 box tag', v.previous, v.birth, c.u32(v.epoch));
		same(first, v.first_key), same(c.MAC(first, v.recipient), v.first_tag);
		if (v.key) same(later, v.key), same(c.MAC(later, v.recipient), v.tag);
	},
	device: v => {
		same(c.signPublic(v.entry), v.entry_public), same(c.signPublic(v.request), v.request_public), same(c.kemPublic(v.kem), v.kem_public);
		same(deviceId({ entryKey: v.entry_public, requestKey: v.request_public, kemKey: v.kem_public }), v.id);
		if (!c.verify(v.entry_public, 'broch 1 device joins', Buffer.concat([c.LP(v.account), v.record]), v.joined)) forged('joined');
	},
	entry: v => { same(c.H('broch 1 entry outer', v.outer), v.outer_hash), same(c.H('broch 1 entry', v.entry), v.entry_hash); },
	entry_signatures: v => {
		if (!c.verify(v.access_public, 'broch 1 entry access', v.before, v.access_signature)) forged('access');
		if (!c.verify(v.author_public, 'broch 1 entry author', Buffer.concat([v.outer, v.inner]), v.author_signature)) forged('author');
	},
	epoch: v => {
		const role = Number(v.role), e = epochs.derive(v.birth, v.epoch, v.s);
		const keys = { commitment: v.commitment, kem: v.kem_public, reader: v.reader, writer: v.writer, admin: v.admin };
		epochs.check(e, keys, { W: role >= 3 ? v.w : null, A: role >= 4 ? v.a : null });
		same(e.kemSeed, v.kem), same(e.bodyKey, v.body), same(e.contactKey, v.contact);
	},
	export: v => { const x = hpke.exporter(v.seed, v.info, v.enc); same(x('record'), v.record), same(x('commitment'), v.commitment); },
	hash: v => {
		const x = repeat(Number(v.length));
		same(c.hash(x), v.plain), same(c.MAC(v.key, x), v.keyed), same(c.H(v.label, x), v.labelled);
	},
	hpke: v => same(hpke.open(v.seed, v.info, v.sealed, 'it'), v.plain),
	inner: v => same(epochs.openInner(epochs.derive(v.birth, v.epoch, v.s), { seal: Number(v.seal), nonce: v.nonce, sealed: v.sealed }, v.outer), v.padded),
	keystore: openKeyStore,
	kit: v => {
		const k = kitKeys(v.secret);
		same(k.kemSeed, v.kem), same(k.locator, v.locator), same(k.id, v.id), same(c.kemPublic(k.kemSeed), v.kem_public);
	},
	locator: v => {
		const l = epochs.openLocator(kitKeys(v.secret), v.object);
		same(l.account, v.account), same(l.store, v.store), same(l.address, v.address);
	},
	pack: v => {
		const x = hpke.exporter(v.seed, c.labelled('broch 1 pack', c.LP(v.vault), c.LP(c.u32(v.epoch))), v.enc);
		sameOrForged(x('commitment'), v.commitment);
		for (const part of ['record', 'table', 'trailer'])
			same(epochs.openPart(x(part), Number(v[part + '_at']), v[part], part), part === 'record' ? v.plain : v[part + '_plain'] ?? v.plain.subarray(0, v[part].length - 32));
		same(x('record'), v.record_key), same(x('table'), v.table_key), same(x('trailer'), v.trailer_key);
	},
	sign: v => c.verify(v.public, v.context, v.message, v.signature) || forged('signature'),
	vault: v => {
		const k = epochs.vaultKeys(v.root, v.vault, Number(v.origin) ? { kind: Number(v.origin), id: v.origin_id } : { kind: 0 });
		same(epochs.rootCommitment(v.root, v.birth), v.commitment);
		const chunk = repeat(Number(v.length));
		for (let type = 1; type <= 6; type++) same(c.MAC(k.idKey(type), chunk), v['id' + type]);
	},
	wrap: v => same(epochs.unwrap(epochs.derive(v.birth, v.epoch, v.s), v.wrap), v.previous),
	xwing: v => {
		try { xwing.encapsulate(v.public, v.coins); } catch { malformed('public key'); }
		same(c.kemPublic(v.seed), v.public), same(c.decapsulate(v.seed, v.enc), v.shared);
	},
	xwing_open: v => same(c.decapsulate(v.seed, v.enc), v.shared),
};

const known = new Map();
function stretched(passphrase, salt, t, m) {
	const name = [passphrase.toString('hex'), salt.toString('hex'), t, m].join();
	if (!known.has(name)) known.set(name, Buffer.from(argon2id(passphrase, salt, { t, m, p: 1, dkLen: 32 })));
	return known.get(name);
}

// The key store belongs to a device; the reader has no use for it but here.
function openKeyStore(v) {
	const r = new Reading(v.object, 'key store');
	r.magic('brk');
	const protection = r.within(r.u8(), 0, 1, 'protection'), t = r.u32(), m = r.u32(), salt = r.raw(16);
	const header = v.object.subarray(0, r.at), commitment = r.hash(), nonce = r.hash(), sealed = r.raw(4096 + 32);
	r.end();
	if (protection === 0) r.check(t === 0 && m === 0 && salt.every(b => b === 0), 'parameters without a passphrase');
	else if (t < 1 || t > 16 || m < 19456 || m > 1048576 || t * m < 131072) throw new Fault('limit', 'Argon2id parameters');
	const k = protection === 0 ? c.ZERO : stretched(v.passphrase, salt, t, m);
	if (!c.equal(c.D('broch 1 key store commitment', k, header), commitment)) throw new Fault(protection === 0 ? 'forged' : 'denied', 'commitment');
	const p = new Reading(c.open(c.D('broch 1 key store', k, header), nonce, header, sealed, 'key store'), 'key store');
	p.version();
	const fields = ['account', 'device_id', 'kem', 'entry', 'request', 'secret'].map(name => [p.hash(), v[name]]);
	fields.push([p.bytesMax(64), v.name], [c.u64(p.u64()), c.u64(v.anchor_sequence)], [p.hash(), v.anchor_head]);
	p.check(p.rest().every(b => b === 0), 'wrong padding');
	const [, id, kem, entry, request] = fields.map(([found]) => found);
	p.check(deviceId({ entryKey: c.signPublic(entry), requestKey: c.signPublic(request), kemKey: c.kemPublic(kem) }).equals(id), 'device id');
	for (const [found, right] of fields) same(found, right);
}

function readCases(path) {
	return readFileSync(path, 'latin1').split('\n\n').filter(p => p.startsWith('case ') || p.includes('\ncase ')).map(paragraph => {
		const lines = paragraph.split('\n').filter(l => l && !l.startsWith('#'));
		const kind = lines.shift().slice(5), fields = {}, bad = [];
		for (const line of lines) {
			const at = line.indexOf(' ='), name = line.slice(0, at), value = line.slice(at + 3);
			if (name === 'bad') bad.push(value.split(' '));
			else (fields[name] ??= []).push(value);
		}
		return { kind, fields, bad };
	});
}

function parsed(kind, name, value) {
	if (NUMBERS.includes(name) || (name === 'device' && kind === 'vault')) return BigInt(value);
	if (TEXTS.includes(name)) return value;
	if (name === 'passphrase') return Buffer.from(value);
	return hex(value);
}

function changed(kind, name, before, change, rest) {
	if (change === 'is') return parsed(kind, name, rest.join(' '));
	const x = Buffer.from(before), at = Number(rest[0]);
	switch (change) {
	case 'flip': x[at] ^= 1; return x;
	case 'cut': return x.subarray(0, x.length - at);
	case 'grow': return Buffer.concat([x, Buffer.alloc(at)]);
	case 'put': hex(rest[1]).copy(x, at); return x;
	}
	throw new Error(`no such change: ${change}`);
}

// Generated secrets are a writer's business, but their derivation is that of crypto.md section 3.
function fresh(v) {
	const out = blake3(Buffer.concat([v.random, v.device, c.u64(v.clock), c.u64(v.process), c.u64(v.counter)].map(c.LP)),
		{ context: Buffer.from('broch 1 fresh'), dkLen: v.out.length });
	same(Buffer.from(out), v.out);
}
CRYPTO.fresh = fresh;

function derive(v, fields) {
	same(c.D(v.label, v.key, ...(fields.field ?? []).map(hex)), v.out.subarray(0, 32));
}

function cryptoCases(folder) {
	for (const file of readdirSync(folder).filter(n => n.endsWith('.txt'))) {
		readCases(join(folder, file)).forEach(({ kind, fields, bad }, n) => {
			const where = `crypto/${file} ${n + 1} (${kind})`, v = {};
			for (const [name, values] of Object.entries(fields)) v[name] = parsed(kind, name, values[0]);
			const run = kind === 'derive' ? derive : CRYPTO[kind];
			if (!run) { expect(where, false, 'no such case known'); return; }
			const result = resultOf(() => run(v, fields));
			expect(where, result === 'ok', result);
			for (const [right, name, change, ...rest] of bad) {
				const got = resultOf(() => run({ ...v, [name]: changed(kind, name, v[name], change, rest) }, fields));
				expect(`${where}, ${name} ${change} ${rest.join(' ').slice(0, 40)}`, got === right, `${got} instead of ${right}`);
			}
		});
	}
}

// --- kit/

const cases = path => readFileSync(path, 'latin1').split('\n').filter(l => l && !l.startsWith('#')).map(l => l.split('\t'));

function kits(folder) {
	for (const [secret, code] of cases(join(folder, 'good.txt'))) {
		let got;
		const result = resultOf(() => { got = readCode(Buffer.from(code, 'latin1')); });
		expect(`kit good ${code}`, result === 'ok' && got.toString('hex') === secret, result);
		expect(`kit page ${code}`, readCode(Buffer.from(`Your kit\n\n \tRecovery code:  ${code}\nRecovery code: no\n`, 'latin1')).equals(got), 'page');
	}
	for (const [kind, places, should, code] of cases(join(folder, 'bad.txt'))) {
		try {
			readCode(Buffer.from(code === '-' ? '' : code, 'latin1'));
			expect(`kit bad ${code}`, false, 'was accepted');
		} catch (e) {
			if (!(e instanceof KitFault)) throw e;
			const got = [e.kind, e.places.join(',') || '-', e.should ?? '-'].join(' ');
			expect(`kit bad ${code}`, got === [kind, places, should].join(' '), `${got} instead of ${kind} ${places} ${should}`);
		}
	}
}

// --- packs that say they go on with a cut block of another: anybody can write one

const hexName = n => Buffer.alloc(32, n).toString('hex');

// Packs of a store that has the first half of a block in pack 1, and each of ${rests}, [number, bytes or null if it is forged].
function cutPacks(first, id, rests) {
	const names = [1, ...rests.map(r => r[0])].map(hexName);
	const vault = { root: Buffer.alloc(32, 7), id: Buffer.alloc(32, 8), indexes: [], store: { packNames: () => names } };
	const packs = new Packs(vault, { warn: () => {} }), bytes = new Map(rests.map(([n, b]) => [hexName(n), b]));
	packs.table = name => (name === names[0]
		? { origin: { kind: 0 }, continues: 0, previous: null, blocks: [{ offset: f.HEAD, length: first.length, cut: true, ids: [id(packs)] }] }
		: { origin: { kind: 0 }, continues: 1, previous: Buffer.alloc(32, 1), blocks: [{ offset: f.HEAD, length: bytes.get(name)?.length ?? 9, cut: false, ids: [] }] });
	packs.record = name => (name === names[0] ? first : bytes.get(name) ?? forged('a record'));
	return packs;
}

function forgedRests() {
	const chunk = Buffer.from('what is in the chunk'), type = 1;
	const block = Buffer.concat([Buffer.from([1, 0, chunk.length, 0, 0]), chunk]);
	const stored = Buffer.concat([Buffer.from([0, block.length, 0, 0]), block]);
	const first = stored.subarray(0, 15), rest = stored.subarray(15), id = packs => c.MAC(packs.idKeys.idKey(type), chunk);
	const other = Buffer.alloc(rest.length, 1), longer = Buffer.alloc(rest.length + 1), real = [9, rest];
	const lies = [[2, other], [3, longer], [4, null], [5, Buffer.from(other).fill(2)]];
	for (const [where, rests] of [['alone', [real]], ['before', [real, ...lies]], ['after', [...lies, real]], ['between', [...lies.slice(0, 2), real, ...lies.slice(2)]]]) {
		const packs = cutPacks(first, id, rests);
		const result = resultOf(() => expect(`true rest ${where}`, packs.chunk(type, id(packs)).equals(chunk), 'another chunk'));
		expect(`true rest ${where}`, result === 'ok', result);
	}
	const packs = cutPacks(first, id, lies), result = resultOf(() => packs.chunk(type, id(packs)));
	expect('no true rest', result !== 'ok', 'was accepted');
}

formats(join(vectors, 'format'));
forgedRests();
cryptoCases(join(vectors, 'crypto'));
kits(join(vectors, 'kit'));
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 || passed === 0 ? 1 : 0);
