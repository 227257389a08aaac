// Makes the vectors of this folder from an implementation of its own (suite.mjs), or checks that the files are those.
//
//   node reference.mjs FOLDER           compares; exit 1 where a file differs
//   node reference.mjs FOLDER --write   writes
//
// A case is a paragraph: "case KIND", then lines "field = value" (bytes in hexadecimal, numbers in decimal, text as it
// is) and lines "bad = RESULT FIELD CHANGE": with that one change the case must give that result, here and in the
// program (vector_crypto.c). Changes: "flip N" (lowest bit of byte N), "put N BYTES" (from byte N on),
// "cut N" and "grow N" (bytes at the end), "is VALUE".

import { readFileSync, writeFileSync } from 'node:fs';
import { CipherSuite, HkdfSha256, ExportOnly } from '@hpke/core';
import { Chacha20Poly1305 } from '@hpke/chacha20poly1305';
import { XWing } from '@hpke/hybridkem-x-wing';
import * as s from './suite.mjs';

const files = {};
let file;
const into = name => { files[file = name] = []; };

// Inputs that look random and are the same each time.
let drawn = 0;
const some = (n = 32) => s.D('broch vectors input', s.u32(drawn++), [], n);
const same = (a, b) => s.equal(a, b) || s.refuse('differs');
const repeat = n => Uint8Array.from({ length: n }, (_, i) => i % 251);

const hex = x => Buffer.from(x).toString('hex');
const shown = v => v instanceof Uint8Array ? hex(v) : Array.isArray(v) ? v.map(shown).join(' ') : String(v);

function changed(value, change, argument) {
	const x = value instanceof Uint8Array ? value.slice() : value;
	switch (change) {
	case 'flip': x[argument] ^= 1; return x;
	case 'cut': return x.slice(0, x.length - argument);
	case 'grow': return s.join(x, s.zeros(argument));
	case 'put': x.set(argument[1], argument[0]); return x;
	case 'is': return argument;
	}
	throw new Error('no such change: ' + change);
}

const pending = [];
const resultOf = async (check, fields) => {
	try { await check(fields); return 'ok'; } catch (e) {
		if (e instanceof s.Refusal) return e.message;
		throw e;
	}
};

// Notes a case, after checking it and all that is bad about it.
function add(kind, check, fields, bad = []) {
	const lines = ['case ' + kind];
	for (const [name, v] of Object.entries(fields)) for (const one of Array.isArray(v) ? v : [v]) lines.push(`${name} =${one.length === 0 ? '' : ' ' + shown(one)}`);
	for (const [result, name, change, argument] of bad) lines.push(`bad = ${result} ${name} ${change} ${shown(argument)}`);
	files[file].push(lines.join('\n'));
	const where = `${file}, ${kind}`;
	pending.push(async () => {
		const got = await resultOf(check, fields);
		if (got !== 'ok') throw new Error(`${where}: ${got}`);
		for (const [result, name, change, argument] of bad) {
			const got = await resultOf(check, { ...fields, [name]: changed(fields[name], change, argument) });
			if (got !== result) throw new Error(`${where}: ${name} ${change} ${argument}: ${got} instead of ${result}`);
		}
	});
}

// What the program's own generator mixes; the system's part, "random", is the same at every call.
const machine = (device = some()) => ({ random: some(), device, clock: 1790000000123456789n + BigInt(drawn), process: 4000 + drawn });
const freshOf = (f, counter, n) => s.fresh(f.random, f.device, f.clock, f.process, counter, n);
const flips = (result, field, ...at) => at.map(n => [result, field, 'flip', n]);
const ENC_ENDS = [0, 1087, 1088, 1119]; // first and last byte of ML-KEM's and of X25519's part

// ---

into('hash.txt');
{
	const key = s.text('whats the Elvish word for friend'), label = 'broch 1 entry';
	for (const length of [0, 1, 63, 64, 65, 1023, 1024, 1025, 4096, 31744, 102400]) {
		const x = repeat(length);
		add('hash', () => {}, { length, key, label, plain: s.hash(x), keyed: s.MAC(key, x), labelled: s.H(label, x) });
	}
	const cases = [['broch 1 entry', some(), [], 32], ['broch 1 entry', some(), [some(3)], 32], ['broch 1 fresh', some(16), [some(), s.u64(7)], 64],
		['broch 1 chunker', some(), [some()], 4112],
		['broch 1 entry', s.zeros(32), [s.text('ab'), s.text('c')], 32], ['broch 1 entry', s.zeros(32), [s.text('a'), s.text('bc')], 32],
		['broch 1 entry', s.zeros(32), [s.text('abc')], 32], ['broch 1 entry', s.zeros(32), [s.text('abc'), s.zeros(0)], 32]];
	for (const [label, key, field, n] of cases) add('derive', () => {}, { label, key, field, out: s.D(label, key, field, n) });
	for (const n of [32, 64, 100]) {
		const m = machine(n === 32 ? s.zeros(32) : some());
		add('fresh', () => {}, { ...m, counter: 1, out: freshOf(m, 1, n) });
	}
	const outer = some(300), entry = some(700);
	add('entry', () => {}, { outer, outer_hash: s.outerHash(outer), entry, entry_hash: s.entryHash(entry) });
}

into('sign.txt');
{
	const check = f => s.verify(f.public, f.context, f.message, f.signature);
	for (const [context, n] of [['broch 1 entry access', 0], ['broch 1 entry access', 100], ['broch 1 entry author', 5000]]) {
		const seed = some(), message = some(n);
		const bad = [...flips('forged', 'signature', 0, 31, 32, 63), ...flips('forged', 'public', 0), ['forged', 'context', 'is', 'broch 1 device joins'],
			['forged', 'message', 'grow', 1]];
		if (n) bad.push(...flips('forged', 'message', 0, n - 1), ['forged', 'message', 'cut', 1]);
		add('sign', check, { seed, public: s.publicKey(seed), context, message, signature: s.SIGN(seed, context, message) }, bad);
	}
	{
		const access = some(), author = some(), before = some(500), outer = some(), inner = some(400);
		add('entry_signatures', f => {
			s.verify(f.access_public, 'broch 1 entry access', f.before, f.access_signature);
			s.verify(f.author_public, 'broch 1 entry author', s.join(f.outer, f.inner), f.author_signature);
		}, { access, author, access_public: s.publicKey(access), author_public: s.publicKey(author), before, outer, inner,
			access_signature: s.SIGN(access, 'broch 1 entry access', before),
			author_signature: s.SIGN(author, 'broch 1 entry author', s.join(outer, inner)) },
		[...flips('forged', 'before', 0, 499), ...flips('forged', 'outer', 31), ...flips('forged', 'inner', 0),
			...flips('forged', 'access_signature', 40), ...flips('forged', 'author_signature', 3), ['forged', 'access_public', 'is', s.publicKey(author)]]);
	}
	for (const account of [some(), s.zeros(32)]) {
		const kem = some(), entry = some(), request = some(), record = some(1400);
		const pub = [s.publicKey(entry), s.publicKey(request), s.kemPublic(kem)];
		add('device', f => {
			same(f.id, s.deviceId(f.entry_public, f.request_public, f.kem_public));
			s.verify(f.entry_public, 'broch 1 device joins', s.joinedOver(f.account, f.record), f.joined);
		}, { kem, entry, request, entry_public: pub[0], request_public: pub[1], kem_public: pub[2], id: s.deviceId(...pub), account, record,
			joined: s.SIGN(entry, 'broch 1 device joins', s.joinedOver(account, record)) },
		[...flips('forged', 'joined', 0, 63), ...flips('forged', 'account', 0), ...flips('forged', 'record', 0, 1399), ['forged', 'record', 'cut', 1],
			...flips('differs', 'id', 0), ...flips('differs', 'request_public', 0), ...flips('differs', 'kem_public', 1215)]);
	}
	for (const secret of [some(16), s.zeros(16)]) {
		const k = s.kit(secret), pub = [s.publicKey(k.entry), s.publicKey(k.request), s.kemPublic(k.kem)];
		add('kit', () => {}, { secret, ...k, entry_public: pub[0], request_public: pub[1], kem_public: pub[2], id: s.deviceId(...pub) });
	}
}

into('aead.txt');
for (const [aad, n] of [[0, 0], [0, 1], [4, 15], [16, 16], [17, 31], [32, 32], [33, 33], [32, 1024], [100, 5000]]) {
	const key = some(), nonce = some(), ad = some(aad), plain = some(n), sealed = s.AEAD(key, nonce, ad, plain);
	const bad = [...flips('forged', 'sealed', 0, sealed.length - 1, sealed.length - 32), ...flips('forged', 'key', 0, 31), ...flips('forged', 'nonce', 0, 31),
		['forged', 'sealed', 'cut', 1], ['forged', 'sealed', 'grow', 1], ['forged', 'sealed', 'cut', sealed.length], ['forged', 'sealed', 'cut', n + 1], ['forged', 'aad', 'grow', 1]];
	if (aad) bad.push(...flips('forged', 'aad', 0, aad - 1), ['forged', 'aad', 'cut', 1]);
	add('aead', f => same(s.openAEAD(f.key, f.nonce, f.aad, f.sealed), f.plain), { key, nonce, aad: ad, plain, sealed }, bad);
}
{
	// The draft's own test vector with a tag of 256 bits.
	const key = s.join([0x10, 0x01], s.zeros(30)), nonce = s.join([0x10, 0x00, 0x02], s.zeros(29)), plain = s.zeros(16);
	const sealed = Uint8Array.from(Buffer.from('754fc3d8c973246dcc6d741412a4b2361181a1d18091082bf0266f66297d167d2e68b845f61a3b0527d31fc7b7b89f13', 'hex'));
	add('aead', f => same(s.openAEAD(f.key, f.nonce, f.aad, f.sealed), f.plain), { key, nonce, aad: s.zeros(0), plain, sealed });
}

into('hpke.txt');
{
	// draft-connolly-cfrg-xwing-kem, appendix C, first vector
	const seed = Uint8Array.from(Buffer.from('7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26', 'hex'));
	const eseed = Uint8Array.from(Buffer.from('3cb1eea988004b93103cfb0aeefd2a686e01fa4a58e8a3639ca8a1e3f9ae57e235b8cc873c23dc62b8d260169afa2f75ab916a58d974918835d25e6a435085b2', 'hex'));
	const shared = Uint8Array.from(Buffer.from('d2df0522128f09dd8e2c92b1e905c793d8f57a54c3da25861f10bf4ca613e384', 'hex'));
	for (const [x, coins, expected] of [[seed, eseed, shared], [some(), some(64)], [some(), some(64)]]) {
		const pub = s.kemPublic(x), { enc, shared } = s.encapsulate(pub, coins);
		if (expected) same(shared, expected);
		const lowEnc = s.join(enc.slice(0, 1088), s.zeros(32)), lowPublic = s.join(pub.slice(0, 1184), s.zeros(32));
		const large = pub.slice(); large[0] = 0x01; large[1] |= 0x0d; large[1] = (large[1] & 0xf0) | 0x0d; // first coefficient 3329
		add('xwing', f => {
			const e = s.encapsulate(f.public, f.coins);
			same(e.enc, f.enc);
			same(s.decapsulate(f.enc, f.seed), f.shared);
			same(e.shared, f.shared);
		}, { seed: x, public: pub, coins, enc, shared },
		[...ENC_ENDS.slice(0, 2).flatMap(n => flips('differs', 'enc', n)), ...flips('differs', 'seed', 0), ['malformed', 'public', 'is', lowPublic],
			['malformed', 'public', 'is', large]]);
		add('xwing_open', f => same(s.decapsulate(f.enc, f.seed), f.shared), { seed: x, enc, shared },
			[...ENC_ENDS.flatMap(n => flips('differs', 'enc', n)), ['forged', 'enc', 'is', lowEnc]]);
	}
}
const other = (kem, kdf, aead) => new CipherSuite({ kem, kdf, aead });
const bytes = x => new Uint8Array(x);
for (const [nInfo, n] of [[0, 0], [10, 1], [60, 256], [92, 3000]]) {
	const seed = some(), info = some(nInfo), plain = some(n), m = machine(), pub = s.kemPublic(seed), coins = freshOf(m, 1, 64);
	const sealed = s.hpkeSeal(pub, info, plain, coins);
	const check = async f => {
		// A third implementation has its say too.
		const suite = other(new XWing(), new HkdfSha256(), new Chacha20Poly1305());
		const key = await suite.kem.importKey('raw', f.seed.slice().buffer, false);
		let theirs = null;
		try { theirs = bytes(await suite.open({ recipientKey: key, enc: f.sealed.slice(0, 1120).buffer, info: f.info.slice().buffer }, f.sealed.slice(1120).buffer)); } catch { /* refused */ }
		let ours = null, why;
		try { ours = s.hpkeOpen(f.seed, f.info, f.sealed); } catch (e) { why = e; }
		if ((ours === null) !== (theirs === null) || ours && !s.equal(ours, theirs)) throw new Error('HPKE: two implementations disagree');
		if (why) throw why;
		same(ours, f.plain);
	};
	add('hpke', check, { ...m, seed, public: pub, info, plain, sealed },
		[...ENC_ENDS.flatMap(n => flips('forged', 'sealed', n)), ...flips('forged', 'sealed', 1120, sealed.length - 1), ['forged', 'sealed', 'cut', 1],
			['forged', 'sealed', 'put', [1088, s.zeros(32)]], ['forged', 'sealed', 'cut', n + 1], ['forged', 'sealed', 'cut', n + 16 + 1], ['forged', 'sealed', 'grow', 1], ['forged', 'info', 'grow', 1], ...flips('forged', 'seed', 31), ...(nInfo ? flips('forged', 'info', 0) : [])]);
	const e = s.encapsulate(pub, coins), exporter = s.exporterOf(e.shared, info);
	add('export', async f => {
		const suite = other(new XWing(), new HkdfSha256(), new ExportOnly());
		const key = await suite.kem.importKey('raw', f.seed.slice().buffer, false);
		const theirs = await suite.createRecipientContext({ recipientKey: key, enc: f.enc.slice().buffer, info: f.info.slice().buffer });
		const ours = s.exporterOf(s.decapsulate(f.enc, f.seed), f.info);
		for (const name of ['record', 'commitment']) {
			if (!s.equal(ours.export(name), bytes(await theirs.export(s.text(name).buffer, 32)))) throw new Error('HPKE: two implementations disagree');
			same(ours.export(name), f[name]);
		}
	}, { ...m, seed, public: pub, info, enc: e.enc, record: exporter.export('record'), commitment: exporter.export('commitment') },
	[...flips('differs', 'enc', 0), ...flips('differs', 'seed', 0), ['differs', 'info', 'grow', 1]]);
}

into('epoch.txt');
const epochs = [];
for (const [kind, epoch] of [[1, 1], [2, 1], [2, 77]]) {
	const x = { birth: some(), epoch, s: some() };
	x.w = kind === 2 ? some() : x.s;
	x.a = kind === 2 ? some() : x.s;
	epochs.push({ kind, ...x });
	const pub = role => s.publicKey(s.accessSeed(x, role));
	const stated = { commitment: s.epochCommitment(x), kem_public: s.kemPublic(s.epochKem(x)), reader: pub(2), writer: pub(3), admin: pub(4) };
	for (const role of kind === 1 ? [4] : [2, 3, 4]) {
		const beyond = (need, field) => role >= need ? flips('forged', field, 0) : [];
		add('epoch', f => {
			const y = { ...f };
			const own = r => s.publicKey(s.accessSeed(y, r));
			s.equal(s.epochCommitment(y), f.commitment) || s.refuse('forged');
			s.equal(s.kemPublic(s.epochKem(y)), f.kem_public) || s.refuse('forged');
			for (const [r, field] of [[2, 'reader'], [3, 'writer'], [4, 'admin']]) if (r <= f.role) s.equal(own(r), f[field]) || s.refuse('forged');
		}, { ...x, role, ...stated, kem: s.epochKem(x), body: s.bodyKey(x, 0), contact: s.bodyKey(x, 2) },
		[...flips('forged', 'commitment', 0, 31), ...flips('forged', 'kem_public', 0, 1215), ...flips('forged', 'reader', 0), ...flips('forged', 's', 0), ...flips('forged', 'birth', 0),
			['forged', 'epoch', 'is', 2], ...beyond(3, 'writer'), ...beyond(4, 'admin'), ...beyond(3, 'w').filter(() => kind === 2), ...beyond(4, 'a').filter(() => kind === 2),
			['forged', 'reader', 'is', stated.writer].map((v, i) => i === 3 && s.equal(stated.writer, stated.reader) ? stated.admin : v)]);
	}
}
for (const x of epochs) {
	const previous = some(), recipient = some(), first = s.firstBoxTagKey(x.birth), later = s.boxTagKey(previous, x.birth, x.epoch);
	add('box_tag', () => {}, { birth: x.birth, epoch: x.epoch, previous, recipient, first_key: first, first_tag: s.MAC(first, recipient), key: later, tag: s.MAC(later, recipient) });
	const m = machine();
	add('wrap', f => same(s.unwrap(f, f.wrap), f.previous), { ...m, birth: x.birth, epoch: x.epoch, s: x.s, previous, wrap: s.wrap(x, previous, freshOf(m, 1, 32)) },
		[...flips('forged', 'wrap', 0, 31, 32, 64, 95), ...flips('forged', 's', 0), ...flips('forged', 'birth', 31), ['forged', 'epoch', 'is', x.epoch + 1]]);
	for (const seal of [0, 2, 1]) {
		const m = machine(), outer = some(), nonce = some(), padded = some(1024);
		const sealed = s.sealInner(seal, x, nonce, outer, padded, freshOf(m, 1, 64));
		add('inner', f => same(s.openInner(Number(f.seal), f, f.nonce, f.outer, f.sealed), f.padded), { ...m, birth: x.birth, epoch: x.epoch, s: x.s, seal, nonce, outer, padded, sealed },
			[...flips('forged', 'sealed', 0, sealed.length - 1), ...flips('forged', 'outer', 0), ...flips('forged', 's', 0), ...flips('forged', 'birth', 0), ['forged', 'epoch', 'is', x.epoch + 1],
				['forged', 'sealed', 'cut', 1], ['forged', 'sealed', 'cut', sealed.length], ['forged', 'seal', 'is', (seal + 1) % 3], ['forged', 'seal', 'is', (seal + 2) % 3],
				...(seal === 1 ? [] : flips('forged', 'nonce', 0))]);
	}
}

into('box.txt');
for (const [kind, role, x] of [[1, 4, epochs[0]], [2, 2, epochs[1]], [2, 3, epochs[1]], [2, 4, epochs[2]]]) {
	const m = machine(), seed = some(), recipient = some(), root = some(), coins = freshOf(m, 1, 64), pub = s.kemPublic(seed);
	const info = s.boxInfo(x.birth, x.epoch, recipient), content = { ...x, kind, role, root };
	const box = s.hpkeSeal(pub, info, s.boxPlain(content), coins);
	const with_ = change => s.hpkeSeal(pub, info, change(s.boxPlain(content)) ?? s.zeros(256), some(64));
	const put = (at, v) => p => { p[at] = v; return p; };
	const wrong = [['unsupported', put(0, 2)], ['unsupported', put(0, 0)], ['malformed', put(1, 3 - kind)], ['malformed', put(1, 0)], ['malformed', put(2, 0)],
		['malformed', put(2, 1)], ['malformed', put(2, 5)], ['malformed', put(3, x.epoch + 1)], ['malformed', put(6, 1)], ['malformed', put(255, 1)], ['malformed', put(kind === 1 ? 39 : 71 + 32 * (role - 2), 1)],
		['forged', p => p.slice(0, 255)], ['forged', p => s.join(p, [0])]];
	const few = kind === 1 || role === 3 ? wrong : [];
	const sized = (v, result) => result === 'forged' ? v.slice(0, 1392) : v; // boxes have one size: the rest is not looked at
	const bad = [...ENC_ENDS.flatMap(n => flips('forged', 'box', n)), ...flips('forged', 'box', 1120, 1391), ...flips('forged', 'seed', 0), ...flips('forged', 'recipient', 0), ...flips('forged', 'birth', 0),
		['forged', 'epoch', 'is', x.epoch + 1], ['malformed', 'kind', 'is', 3 - kind], ...few.map(([result, change]) => [result, 'box', 'is', sized(s.join(with_(change), s.zeros(1)).slice(0, 1392), result)])];
	add('box', f => {
		const y = s.openBox(f.seed, Number(f.kind), f.birth, f.epoch, f.recipient, f.box);
		same(y.s, f.s);
		if (y.role !== f.role) s.refuse('differs');
		if (kind === 2) same(y.root, f.root);
		if (role >= 3) same(y.w, f.w);
		if (role >= 4) same(y.a, f.a);
	}, { ...m, seed, public: pub, kind, role, birth: x.birth, epoch: x.epoch, recipient, s: x.s, w: x.w, a: x.a, root, box }, bad);
}

into('vault.txt');
for (const origin of [0, 1, 2, 3]) {
	const root = some(), birth = some(), vault = some(), origin_id = some(), chunk = repeat([1, 70, 1024, 200000][origin]), device = 2049 + origin, inode = 18446744073709551615n - BigInt(origin);
	const from = s.originRoot(root, vault, origin, origin_id), link = s.hardLinkKey(from, vault);
	const ids = Object.fromEntries([1, 2, 3, 4, 5, 6].map(t => ['id' + t, s.MAC(s.chunkIdKey(from, vault, t), chunk)]));
	add('vault', () => {}, { root, birth, commitment: s.rootCommitment(root, birth), vault, origin, origin_id, length: chunk.length, ...ids, chunker: s.chunkerKey(from, vault), device, inode, group: s.linkGroup(link, device, inode) });
}
for (const epoch of [1, 4000000000]) {
	const m = machine(), seed = some(), vault = some(), coins = freshOf(m, 1, 64), pub = s.kemPublic(seed), { enc } = s.encapsulate(pub, coins);
	const keys = s.openPackKeys(seed, vault, epoch, enc, s.packKeys(s.decapsulate(enc, seed), vault, epoch).commitment);
	const plain = some(777), record_at = 1160, table_at = 1160 + 777 + 32, trailer_at = 16777216 - 48;
	add('pack', f => {
		const k = s.openPackKeys(f.seed, f.vault, f.epoch, f.enc, f.commitment);
		same(s.openAt(k.record, f.record_at, f.record), f.plain);
		same(s.openAt(k.table, f.table_at, f.table), f.plain);
		same(s.openAt(k.trailer, f.trailer_at, f.trailer), f.plain);
	}, { ...m, seed, public: pub, vault, epoch, enc, record_key: keys.record, table_key: keys.table, trailer_key: keys.trailer, commitment: keys.commitment, plain,
		record_at, record: s.sealAt(keys.record, record_at, plain), table_at, table: s.sealAt(keys.table, table_at, plain), trailer_at, trailer: s.sealAt(keys.trailer, trailer_at, plain) },
	[...flips('forged', 'commitment', 0, 31), ...ENC_ENDS.flatMap(n => flips('forged', 'enc', n)), ...flips('forged', 'seed', 0), ...flips('forged', 'vault', 31), ['forged', 'epoch', 'is', epoch - 1],
		['forged', 'record_at', 'is', 1161], ['forged', 'table_at', 'is', record_at], ['forged', 'trailer_at', 'is', 0], ['forged', 'record', 'is', s.sealAt(keys.table, record_at, plain)],
		['forged', 'table', 'is', s.sealAt(keys.record, table_at, plain)], ['forged', 'trailer', 'is', s.sealAt(keys.table, trailer_at, plain)], ...flips('forged', 'record', 0, 808), ['forged', 'table', 'cut', 1], ['forged', 'trailer', 'grow', 1]]);
}

into('keystore.txt');
for (const passphrase of [null, s.text('tide over the old stones')]) {
	const m = machine(), kem = some(), entry = some(), request = some(), name = s.text(passphrase ? 'x'.repeat(64) : 'laptop');
	const store = { account: some(), device_id: s.deviceId(s.publicKey(entry), s.publicKey(request), s.kemPublic(kem)), kem, entry, request, secret: some(), name, anchor_sequence: 300n, anchor_head: some() };
	const content = { ...store, device: store.device_id };
	const payload = s.keystorePayload(content);
	const salt = passphrase ? freshOf(m, 1, 16) : s.zeros(16), nonce = freshOf(m, passphrase ? 2 : 1, 32);
	const object = s.sealKeystore(passphrase, salt, nonce, payload);
	const wrongKey = passphrase ? 'denied' : 'forged';
	const put = (at, ...v) => [at, Uint8Array.from(v)];
	const sealed = change => { const p = payload.slice(); return s.sealKeystore(passphrase, salt, nonce, change(p) ?? p); };
	const bad = [['malformed', 'object', 'put', put(0, 0x63)], ['unsupported', 'object', 'put', put(3, 2)], ['malformed', 'object', 'cut', 1], ['malformed', 'object', 'grow', 1], ['malformed', 'object', 'cut', 4221], ['malformed', 'object', 'cut', 4218],
		['malformed', 'object', 'put', put(4, 2)], ...flips(wrongKey, 'object', 29, 60), ...flips('forged', 'object', 61, 92, 93, 4188, 4189, 4220),
		['unsupported', 'object', 'is', sealed(p => { p[0] = 2; })], ['malformed', 'object', 'is', sealed(p => { p[4095] = 1; })], ['malformed', 'object', 'is', sealed(p => { p[193] = 65; })],
		['malformed', 'object', 'is', sealed(p => { p[40] ^= 1; })], ['malformed', 'object', 'is', sealed(p => { p[70] ^= 1; })]];
	if (passphrase) bad.push(['denied', 'passphrase', 'is', 'tide over the old stone'], ['denied', 'passphrase', 'is', ''], ...flips('denied', 'object', 13, 28), ['denied', 'object', 'put', put(5, 3)],
		['limit', 'object', 'put', put(5, 0)], ['limit', 'object', 'put', put(5, 1)], ['limit', 'object', 'put', put(5, 17)], ['limit', 'object', 'put', put(5, 0xff, 0xff, 0xff, 0xff)],
		['limit', 'object', 'put', put(9, 8, 0, 0, 0)], ['limit', 'object', 'put', put(9, 0xff, 0x4b, 0, 0)], ['limit', 'object', 'put', put(9, 1, 0, 0x10, 0)], ['limit', 'object', 'put', put(9, 0, 0, 0, 4)], ['limit', 'object', 'put', put(9, 0xff, 0xff, 0xff, 0xff)],
		['malformed', 'object', 'put', put(4, 0)]);
	else bad.push(['limit', 'object', 'put', put(4, 1)], ['malformed', 'object', 'put', put(5, 1)], ['malformed', 'object', 'put', put(9, 1)], ['malformed', 'object', 'put', put(28, 1)]);
	add('keystore', f => {
		const y = s.openKeystore(f.object, f.passphrase.length ? f.passphrase instanceof Uint8Array ? f.passphrase : s.text(f.passphrase) : null);
		for (const n of ['account', 'kem', 'entry', 'request', 'secret', 'name', 'anchor_head']) same(y[n], f[n]);
		same(y.device, f.device_id);
		if (y.anchor_sequence !== f.anchor_sequence) s.refuse('differs');
	}, { ...m, ...store, passphrase: passphrase ? 'tide over the old stones' : '', object }, bad);
}

into('locator.txt');
for (const length of [0, 20, 127, 128, 255]) {
	const m = machine(), secret = some(16), k = s.kit(secret), pub = s.kemPublic(k.kem), account = some(), store = some(), address = some(length);
	const plain = s.locatorPlain(account, store, address), object = s.sealLocator(pub, k.locator, plain, freshOf(m, 1, 64));
	const sealed = change => { const p = plain.slice(); return s.sealLocator(pub, k.locator, change(p) ?? p, some(64)); };
	const put = (at, v) => [at, Uint8Array.from([v])];
	const bad = [...flips('forged', 'object', 4, 1123, 1124, 1651), ['malformed', 'object', 'put', put(1, 0)], ['unsupported', 'object', 'put', put(3, 0)], ['malformed', 'object', 'cut', 1], ['malformed', 'object', 'cut', 1650], ['malformed', 'object', 'grow', 1],
		...flips('forged', 'secret', 0)];
	if (length === 20) bad.push(['unsupported', 'object', 'is', sealed(p => { p[0] = 0; })], ['malformed', 'object', 'is', sealed(p => { p[511] = 1; })], ['malformed', 'object', 'is', sealed(p => { p[65] = 0x80; p[66] = 2; })],
		['malformed', 'object', 'is', sealed(p => { p.set([0x94, 0x00], 65); })], ['malformed', 'object', 'is', sealed(p => { p[65] = 19; })],
		['forged', 'object', 'is', s.sealLocator(pub, some(), plain, some(64))]);
	add('locator', f => {
		const k = s.kit(f.secret), y = s.openLocator(k.kem, k.locator, f.object);
		for (const n of ['account', 'store', 'address']) same(y[n], f[n]);
	}, { ...m, secret, public: pub, account, store, address, object }, bad);
}

// ---

for (const check of pending) await check();
const [folder, mode] = process.argv.slice(2);
let failed = 0;
for (const [name, cases] of Object.entries(files)) {
	const content = `# Made by reference.mjs; its head says how to read this. doc/spec/crypto.md is what it tests.\n\n${cases.join('\n\n')}\n`;
	const path = `${folder}/${name}`;
	if (mode === '--write') writeFileSync(path, content);
	else if (readFileSync(path, 'utf8') !== content) { console.log(`${path} is not what the reference makes`); failed++; }
}
console.log(`${Object.keys(files).length - failed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
