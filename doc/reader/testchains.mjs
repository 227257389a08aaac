// What the reader makes of chains that are wrong somewhere (doc/spec/chains.md): builds them with forge.mjs and opens them.
//
//   node testchains.mjs VECTORS          (the folder with crypto/ and format/)

import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as c from './crypto.mjs';
import * as cf from './chainformats.mjs';
import { MAXIMA as ACCOUNT_MAXIMA, openAccount } from './account.mjs';
import { MAXIMA as CHAIN_MAXIMA } from './chain.mjs';
import { ENTRY, Forge, SECOND, START, device, joining, location, packList, packs, record, seed, stamp } from './forge.mjs';
import { Fault } from './fault.mjs';
import { bytes, summaryBytes } from './summary.mjs';
import { openVault } from './vault.mjs';
import { MAXIMA as VAULT_MAXIMA } from './vaultstate.mjs';

const vectors = resolve(process.argv[2] ?? '.');
const { seal: aead } = await import(pathToFileURL(join(vectors, 'crypto', 'aegis256.mjs')));
let passed = 0, failed = 0;

function is(what, got, right) {
	if (String(got) === String(right)) { passed++; return; }
	failed++;
	console.log(`${what}: ${got} instead of ${right}`);
}

function codeOf(run) {
	try { run(); return 'ok'; } catch (e) {
		if (e instanceof Fault) return e.code;
		throw e;
	}
}

// Runs it with smaller maxima.
function within(maxima, smaller, run) {
	const before = { ...maxima };
	Object.assign(maxima, smaller);
	try { run(); } finally { Object.assign(maxima, before); }
}

// --- vaults, all of one account

const forge = new Forge(aead), account = openAccount(forge, forge.kit);
const open = v => openVault(forge, account, { vault: v.hashes[0], anchorSequence: 0n, anchorHash: v.hashes[0] });
const NAMES = new Map(['a', 'b', 'c', 'd', 's1', 's2'].map(n => [seed(n).toString('hex'), n]));
const nameOf = id => NAMES.get(id.toString('hex'));
const voids = state => state.notes.filter(n => n.includes('void')).map(n => /entry ([0-9]+)/.exec(n)[1]).join(' ');
const indexes = state => state.indexes.map(l => nameOf(l.pack)).join(' ');
const snapshots = state => state.snapshots.map(s => nameOf(s.id) + (s.forgotten ? ' forgotten' : '') + s.tags.map(t => ` ${t}`).join('')).join(', ');

// Makes a vault of these entries; `isVoid` says of which the spec says that they are void.
let turn = 0;
function vault(hold, ...entries) {
	const v = forge.vault(`vault ${turn++}`, hold);
	entries.forEach(e => v.add(e));
	return v;
}
const bad = e => ({ ...e, isVoid: true });
const at = (seconds, e) => ({ ...e, time: START + BigInt(seconds) * SECOND });

function good() {
	const s = open(vault(0n, ENTRY.snapshot('s1', ['a', 'a'], ['x']), ENTRY.index(['b']), ENTRY.forget('s1'), ENTRY.tag('s1', ['y', 'z']), ENTRY.index(['c'], ['b'])));
	is('good: notes', s.notes, '');
	is('good: snapshots', snapshots(s), 's1 forgotten y z');
	is('good: indexes', indexes(s), 'a c');
}

function keeps() {
	const none = open(vault(0n, ENTRY.keepSnapshot('s1', ['a']), ENTRY.keepIntent(7n, ['b'])));
	is('keeps without effect: indexes', indexes(none), '');
	is('keeps without effect: notes', none.notes, '');
	const some = open(vault(0n, ENTRY.snapshot('s1'), ENTRY.forget('s1'), ENTRY.intent(packs(['a'])), ENTRY.keepSnapshot('s1', ['a']), ENTRY.keepIntent(3n, ['b']),
		ENTRY.keepIntent(3n, ['c'])));
	is('keeps: indexes', indexes(some), 'a b');
	is('keeps: snapshots', snapshots(some), 's1');
	is('keeps: intents', some.intents.size, 0);
}

function twice() {
	const s = open(vault(0n, ENTRY.snapshot('s1'), ENTRY.forget('s1'), ENTRY.snapshot('s1', [], ['x']), ENTRY.forget('s2')));
	is('a snapshot of two entries', snapshots(s), 's1 forgotten, s1 x');
}

// An unknown type that belongs counts for the thread; one that does not is void, so it must not.
function unknown() {
	const data = ENTRY.unknown(200, cf.DATA);
	is('unknown type: next in thread', voids(open(vault(0n, data, ENTRY.snapshot('s1')))), '');
	is('unknown type of another class', voids(open(vault(0n, bad(ENTRY.unknown(50, cf.DATA)), ENTRY.snapshot('s1')))), '1');
	is('unknown type with a public part', voids(open(vault(0n, bad({ ...data, public: ENTRY.intent(packs(['a'])).public }), ENTRY.snapshot('s1')))), '1');
	is('unknown control type', codeOf(() => open(vault(0n, ENTRY.unknown(50, cf.CONTROL)))), 'unsupported');
	is('unknown data type as control', codeOf(() => open(vault(0n, ENTRY.unknown(200, cf.CONTROL)))), 'forged');
}

// Of account heads too: an entry after an unknown one may not name an older head.
function unknownHeads() {
	const f = new Forge(aead), older = f.account.head;
	f.account.add({ type: 8, public: Buffer.concat([Buffer.of(6), f.id]) });
	const v = f.vault('vault', 0n, older);
	v.add(ENTRY.unknown(200, cf.DATA));
	v.add(bad({ ...ENTRY.snapshot('s1'), head: older }));
	const state = openVault(f, openAccount(f, f.kit), { vault: v.hashes[0], anchorSequence: 0n, anchorHash: v.hashes[0] });
	is('the head that an unknown entry names', voids(state), '2');
}

function purges() {
	const state = (...entries) => open(vault(10n, ...entries));
	const ab = ENTRY.intent(packs(['a', 'b']));
	is('purge', voids(state(ab, at(10, ENTRY.purge(1n, packs(['a']))))), '');
	is('purge: ends the intent', state(ab, at(10, ENTRY.purge(1n, packs(['a'])))).intents.size, 0);
	is('purge too early', voids(state(ab, bad(at(9, ENTRY.purge(1n, packs(['a'])))))), '2');
	is('purge of another pack', voids(state(ab, bad(at(10, ENTRY.purge(1n, packs(['c'])))))), '2');
	is('purge of a list, intent of names', voids(state(ab, bad(at(10, ENTRY.purge(1n, packList(1025, 'list')))))), '2');
	const lists = ENTRY.intent(packList(2000, 'not in the store'));
	is('purge of lists: no more', voids(state(lists, at(10, ENTRY.purge(1n, packList(2000, 'nor this'))))), '');
	is('purge of lists: names', voids(state(lists, at(10, ENTRY.purge(1n, packs(['a']))))), '');
	is('purge of lists: more', voids(state(lists, bad(at(10, ENTRY.purge(1n, packList(2001, 'nor this')))))), '2');
	is('purge of lists: notes', state(lists, at(10, ENTRY.purge(1n, packList(2000, 'nor this')))).notes, '');
	is('purge of lists: ends the intent', state(lists, at(10, ENTRY.purge(1n, packList(2000, 'nor this')))).intents.size, 0);
	// a list object that is there, with other names
	const name = (first, n) => forge.put(Buffer.concat([Buffer.from('brl\x01'), c.u64(n), ...Array.from({ length: n }, (_, i) => Buffer.from((first + i).toString(16).padStart(64, '0'), 'hex'))]));
	const form = (first, n) => Buffer.concat([c.u8(1), c.u64(n), name(first, n)]);
	is('purge of lists: their contents decide nothing', voids(state(ENTRY.intent(form(1, 1500)), at(10, ENTRY.purge(1n, form(5000, 1100))))), '');
	is('purge: the longer hold, then', voids(state(ab, at(1, ENTRY.policy(5n)), bad(at(11, ENTRY.purge(1n, packs(['a'])))))), '');
	is('purge: the longer hold, now', voids(state(ab, at(1, ENTRY.policy(20n)), bad(at(19, ENTRY.purge(1n, packs(['a'])))))), '3');
	is('purge: the longer hold, over', voids(state(ab, at(1, ENTRY.policy(20n)), at(20, ENTRY.purge(1n, packs(['a']))))), '');
}

// A vault with something of everything, and its state as formats.md section 9 writes it.
function summaries() {
	const entries = [ENTRY.snapshot('s1', ['b', 'a'], ['x']), ENTRY.index(['a']), ENTRY.forget('s1'), ENTRY.tag('s1', ['y']), ENTRY.intent(packs(['c'])), ENTRY.policy(10n, 1)];
	const sorted = ['a', 'b'].map(location).sort(Buffer.compare);
	const state = v => c.H('broch 1 summary', Buffer.concat([
		c.u8(1), c.u64(v.head.sequence), v.head.hash, c.u64(10n), c.u8(1),
		c.u8(1), c.u64(1n), seed('s1'), forge.device.id, c.u8(1), stamp(['y']),
		c.u8(3), ...sorted.map(l => Buffer.concat([l, c.u64(1n)])), location('a'), c.u64(2n),
		c.u8(1), c.u64(5n), c.u64(START), packs(['c']),
		c.u8(1), forge.account.hashes[0], c.u64(0n), forge.account.hashes[0],
		c.u8(1), forge.device.id, c.u64(v.head.sequence), v.head.hash,
	]));
	const right = vault(20n, ...entries);
	right.add(ENTRY.summary(right.head.sequence, state(right)));
	right.add(ENTRY.snapshot('s2'));
	is('summary', codeOf(() => open(right)), 'ok');
	is('summary: what comes after', snapshots(open(right)), 's1 forgotten y, s2');
	const older = vault(20n, ...entries);
	older.add(ENTRY.summary(older.head.sequence - 1n, state(older)));
	is('summary of an older entry', codeOf(() => open(older)), 'forged');
	const newer = vault(20n, ...entries);
	newer.add(ENTRY.summary(newer.head.sequence + 1n, state(newer)));
	is('summary of itself', codeOf(() => open(newer)), 'forged');
	const other = vault(20n, ...entries);
	other.add(ENTRY.summary(other.head.sequence, seed('another')));
	is('summary of another state', codeOf(() => open(other)), 'forged');
}

// The string is the decoder's other way round.
function summaryVectors(folder) {
	for (const file of readdirSync(folder).filter(n => n.endsWith('.bin'))) {
		const whole = readFileSync(join(folder, file));
		is(`summary state ${file}`, summaryBytes(cf.summaryState(whole)).toString('hex'), whole.toString('hex'));
	}
}

function vaultMaxima() {
	const limited = (what, n, hold, ...entries) => {
		let said;
		const v = vault(hold, ...entries);
		within(VAULT_MAXIMA, { [what]: n }, () => { said = voids(open(v)); });
		return said;
	};
	const s1 = ENTRY.snapshot('s1'), intent = ENTRY.intent(packs(['a'])), purge = n => ENTRY.purge(n, packs(['a']));
	is('maximum of snapshots', limited('snapshots', 2, 0n, s1, s1, bad(s1), ENTRY.index(['a'])), '3');
	is('maximum of intents', limited('intents', 2, 0n, intent, intent, bad(intent), ENTRY.keepIntent(2n), intent), '3');
	is('maximum of purges', limited('purges', 1, 0n, intent, intent, purge(1n), bad(purge(2n)), s1), '4');
	is('maximum of indexes', limited('indexes', 2, 0n, ENTRY.index(['a', 'b']), bad(ENTRY.index(['c'])), s1), '2');
	is('maximum of indexes: removals of the same entry', limited('indexes', 2, 0n, ENTRY.index(['a', 'b']), bad(ENTRY.index(['c'], ['a']))), '2');
	is('maximum of indexes: removals before', limited('indexes', 2, 0n, ENTRY.index(['a', 'b']), ENTRY.index([], ['a']), ENTRY.index(['c'])), '');
	is('maximum of indexes: one twice', limited('indexes', 2, 0n, bad(ENTRY.index(['a', 'a', 'a'])), ENTRY.index(['a', 'a']), ENTRY.index(['b'])), '1');
	is('maximum of indexes: one of two entries', limited('indexes', 2, 0n, ENTRY.index(['a']), ENTRY.index(['a']), bad(ENTRY.index(['b']))), '3');
	is('maximum of indexes: snapshot', limited('indexes', 1, 0n, bad(ENTRY.snapshot('s1', ['a', 'b'])), s1), '1');
	is('maximum of indexes: keep', limited('indexes', 1, 0n, s1, bad(ENTRY.keepSnapshot('s1', ['a', 'b'])), s1), '2');
	is('maximum of indexes: keep without effect', limited('indexes', 1, 0n, ENTRY.keepSnapshot('s1', ['a', 'b'])), '');
	const policies = (n, hold, ...entries) => {
		let said;
		const v = vault(hold, ...entries);
		within(VAULT_MAXIMA, { policies: n }, () => { said = codeOf(() => open(v)); });
		return said;
	};
	is('maximum of policies', policies(2, 1n, ENTRY.policy(1n), ENTRY.policy(1n)), 'forged');
	is('maximum of policies: as many', policies(3, 1n, ENTRY.policy(1n), ENTRY.policy(1n)), 'ok');
	is('maximum of policies: replaced', policies(3, 9n, ENTRY.policy(5n), ENTRY.policy(4n), ENTRY.policy(3n)), 'ok');
	const never = { ...ENTRY.policy(1n), time: 2n ** 63n - 1n };
	is('maximum of policies: never in force', policies(2, 9n, never, never), 'ok');
}

// An unknown entry of one device more is void too.
function authors() {
	const f = new Forge(aead);
	f.account.add(adding(OTHER)(f));
	const v = f.vault('vault');
	v.add(ENTRY.snapshot('s1'));
	v.add(bad({ ...ENTRY.snapshot('s2'), author: OTHER }));
	v.add(bad({ ...ENTRY.unknown(200, cf.DATA), author: OTHER }));
	const said = () => voids(openVault(f, openAccount(f, f.kit), { vault: v.hashes[0], anchorSequence: 0n, anchorHash: v.hashes[0] }));
	within(VAULT_MAXIMA, { devices: 1 }, () => is('maximum of author devices', said(), '2 3'));
}

// --- accounts

const openNew = (options, ...entries) => {
	const f = new Forge(aead, options);
	entries.forEach(e => f.account.add(typeof e === 'function' ? e(f) : e));
	return codeOf(() => openAccount(f, f.kit));
};
const adding = (d, kind) => f => ({ type: 2, body: joining(d, f.account.hashes[0], kind) });
const recovery = kit => ({ type: 5, body: Buffer.concat([record(kit, 3), c.u64(0n)]) });
const KIT = device('kit', 3), DEVICE = device('device', 1), OTHER = device('other', 1);

function rotate(f) {
	const keys = f.account.epoch({ id: KIT.id, pk: KIT.kemKey });
	return { type: 7, public: Buffer.concat([Buffer.of(2), keys]) };
}

function devices() {
	is('add device', openNew({}, adding(OTHER)), 'ok');
	is('add a device twice', openNew({}, adding(OTHER), adding(OTHER)), 'forged');
	is('add the kit as a device', openNew({}, adding(KIT, 1)), 'forged');
	is('a device that is the kit from the start', openNew({ kitRecord: record(DEVICE, 3) }), 'forged');
	is('a new kit that was a device', openNew({}, recovery(DEVICE)), 'forged');
	is('a new kit that is the old one', openNew({}, recovery(KIT)), 'forged');
	is('a new kit', openNew({}, recovery(device('kit 2', 3)), rotate), 'ok');
	is('add a replaced kit as a device', openNew({}, recovery(device('kit 2', 3)), rotate, adding(KIT, 1)), 'forged');
	is('a kit that was replaced', openNew({}, recovery(device('kit 2', 3)), rotate, recovery(KIT), rotate), 'forged');
	is('account box of a reader', openNew({ role: 2 }), 'malformed');
	is('account box of a writer', openNew({ role: 3 }), 'malformed');
}

function types() {
	is('unknown type', openNew({}, { type: 20 }), 'unsupported');
	is('unknown type with another seal', openNew({}, { type: 20, seal: 0 }), 'forged');
}

function accountMaxima() {
	within(ACCOUNT_MAXIMA, { devices: 3 }, () => {
		is('maximum of devices: as many', openNew({}, adding(OTHER)), 'ok');
		is('maximum of devices', openNew({}, adding(OTHER), adding(device('third', 1))), 'forged');
		is('maximum of devices: replaced kits', openNew({}, adding(OTHER), { ...recovery(device('kit 2', 3)), author: KIT }, rotate), 'forged');
	});
	const row = name => ({ type: 6, body: Buffer.concat([c.u8(1), seed(name), seed('store'), c.u8(4), bytes(Buffer.from(name)), c.u64(0n), seed(name)]) });
	within(ACCOUNT_MAXIMA, { vaults: 1 }, () => {
		is('maximum of vaults: one changed', openNew({}, row('a'), row('a')), 'ok');
		is('maximum of vaults', openNew({}, row('a'), row('b')), 'forged');
	});
	within(CHAIN_MAXIMA, { epochs: 1 }, () => is('maximum of epochs', openNew({}, rotate), 'refused'));
	within(CHAIN_MAXIMA, { epochs: 2 }, () => is('maximum of epochs: as many', openNew({}, rotate), 'ok'));
	within(CHAIN_MAXIMA, { entries: { 1: 2n, 2: 2n } }, () => {
		is('maximum of entries: as many', openNew({}, row('a')), 'ok');
		is('maximum of entries', openNew({}, row('a'), row('b')), 'refused');
		is('maximum of entries of a vault', codeOf(() => open(vault(0n, ENTRY.forget('s1'), ENTRY.forget('s1')))), 'refused');
	});
}

for (const run of [good, keeps, twice, unknown, unknownHeads, purges, summaries, vaultMaxima, authors, devices, types, accountMaxima]) run();
summaryVectors(join(vectors, 'format', 'summarystate', 'good'));
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 || passed === 0 ? 1 : 0);
