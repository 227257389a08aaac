// A vault opened with its account (doc/spec/chains.md sections 2, 4 and 5): snapshots and indexes in force.

import * as c from './crypto.mjs';
import { rootCommitment } from './epochs.mjs';
import { CREATE, HOME, INTENT, NONE, PURGE, ROTATE, VAULT, openEpochs, readChain } from './chain.mjs';
import { CONTACT_KEY, CONTROL, DATA, HPKE, nameList, vaultBody } from './chainformats.mjs';
import { deviceAt, openInner } from './account.mjs';
import { Fault, forged, malformed, unsupported } from './fault.mjs';

const FULL = 1;
const TYPE = { create: 32, rotate: 35, policy: 36, summary: 37, home: 38, snapshot: 64, index: 65, tag: 66, forget: 67, keep: 68, intent: 69, purge: 70, account: 71 };
const PUBLIC_OF = { [TYPE.create]: CREATE, [TYPE.rotate]: ROTATE, [TYPE.home]: HOME, [TYPE.intent]: INTENT, [TYPE.purge]: PURGE };
const classOf = type => (type < TYPE.snapshot ? CONTROL : DATA);
const known = type => Object.values(TYPE).includes(type);

// Returns { id, chain, keys, root, snapshots: in order of the chain, indexes: locations in force, notes }.
export function openVault(store, account, row) {
	const chain = readChain(store, row.vault, VAULT);
	const anchor = chain.entries[Number(row.anchorSequence)];
	if (!anchor || !c.equal(anchor.hash, row.anchorHash)) throw new Fault('rollback', 'the vault chain is not the one that the account names');
	const seeds = account.keys.map(k => ({ seed: k.kemSeed, recipient: account.id })).filter(Boolean).reverse();
	const opened = openEpochs(store, chain, seeds);
	if (!opened) forged('no box of the vault opens');
	const state = {
		id: row.vault, store, account, chain, keys: opened.keys, root: opened.box.root, holds: [], heads: new Map(), threads: new Map(),
		snapshots: new Map(), indexes: new Map(), intents: new Map(), notes: [],
	};
	for (const e of chain.entries) applyOrNote(state, e);
	return { ...state, snapshots: [...state.snapshots.values()], indexes: [...state.indexes.values()] };
}

function applyOrNote(state, e) {
	try {
		apply(state, e);
	} catch (fault) {
		if (!fault.fault || fault.code === 'rollback') throw fault;
		const what = `vault chain, entry ${e.sequence}: ${fault.message}`;
		if (e.class === CONTROL) throw new Fault(fault.code === 'unsupported' ? 'unsupported' : 'forged', what);
		if (fault.code === 'unsupported') setThread(state, e);
		state.notes.push(`${what} (the entry is ${fault.code === 'unsupported' ? 'of a later version' : 'void'}, and ignored)`);
	}
}

function apply(state, e) {
	if (e.seal === CONTACT_KEY) malformed('seal');
	const i = openInner(state.keys, e, state.threads, part => author(state, part).entryKey);
	const type = i.type;
	if (type < TYPE.create || (known(type) && classOf(type) !== e.class) || e.public.kind !== (PUBLIC_OF[type] ?? NONE)) malformed('type, class and public part do not agree');
	if ((e.sequence === 0n) !== (type === TYPE.create)) malformed('create entry');
	const body = vaultBody(i.body, type);
	EFFECT[type]?.(state, e, body);
	state.heads.set(i.account.toString('hex'), i.accountSequence);
	setThread(state, e);
}

const setThread = (state, e) => state.threads.set(e.inner.device.toString('hex'), e);

// The author: a full device of the account at the head that the entry names.
function author({ account, heads }, part) {
	if (!c.equal(part.account, account.id)) forged('the author is of another account');
	if (part.accountSequence >= BigInt(account.chain.entries.length)) throw new Fault('rollback', 'names a newer head of the account than this store has');
	const head = account.chain.entries[Number(part.accountSequence)];
	if (!c.equal(head.hash, part.accountHead)) forged('names a head that the account never had');
	if (part.accountSequence < (heads.get(part.account.toString('hex')) ?? 0n)) forged('names an older head of the account than an entry before');
	const device = deviceAt(account, part.device, part.accountSequence);
	return device?.kind === FULL ? device : forged('the author is no device of the account');
}

const place = l => `${l.pack.toString('hex')} ${l.offset} ${l.length}`;
const add = (state, e, list) => list.forEach(l => state.indexes.set(place(l), { ...l, sequence: e.sequence }));
const remove = (state, list) => list.forEach(l => state.indexes.delete(place(l)));
const SECOND = 1000000000n;

// The hold in force at a time: a shorter one waits until the one before it has passed.
function holdAt(state, time) {
	return state.holds.filter(h => h.from <= time).at(-1).hold;
}
function setHold(state, time, hold) {
	if (state.holds.length === 0) { state.holds.push({ from: time, hold }); return; }
	const now = holdAt(state, time);
	state.holds = state.holds.filter(h => h.from <= time);
	state.holds.push({ from: hold < now ? time + now * SECOND : time, hold });
}

function names(state, packs) {
	if (packs.names) return packs.names;
	const list = nameList(state.store.object(packs.list, 'list of packs'));
	return list.length === packs.count ? list : malformed('list of packs: of another length');
}

function purge(state, e) {
	const intent = state.intents.get(e.public.intent);
	if (!intent) forged('purges what no intent in force names');
	if (e.time < intent.time + holdAt(state, intent.time) * SECOND) forged('purges before the hold has passed');
	try {
		const doomed = new Set(names(state, intent.packs).map(n => n.toString('hex')));
		if (!names(state, e.public.packs).every(n => doomed.has(n.toString('hex')))) forged('purges packs that the intent does not name');
	} catch (fault) {
		if (fault.code !== 'missing') throw fault;
		state.notes.push(`vault chain, entry ${e.sequence}: ${fault.message}`);
	}
	state.intents.delete(e.public.intent);
}

const EFFECT = {
	[TYPE.create]: (state, e, body) => {
		if (!c.equal(rootCommitment(state.root, state.chain.birth), body.rootCommitment)) forged('the root is not the one of this vault');
		if (!c.equal(body.owner, state.account.id)) unsupported('the vault of another account');
		setHold(state, e.time, body.hold);
	},
	[TYPE.policy]: (state, e, body) => setHold(state, e.time, body.hold),
	[TYPE.snapshot]: (state, e, body) => {
		state.snapshots.set(body.snapshot.toString('hex'), { id: body.snapshot, sequence: e.sequence, ...body.stamp, forgotten: false });
		add(state, e, body.added);
	},
	[TYPE.index]: (state, e, body) => { remove(state, body.removed); add(state, e, body.added); },
	[TYPE.tag]: (state, e, body) => {
		const s = state.snapshots.get(body.snapshot.toString('hex'));
		if (s) s.tags = body.tags;
	},
	[TYPE.forget]: (state, e, body) => body.snapshots.forEach(id => {
		const s = state.snapshots.get(id.toString('hex'));
		if (s) s.forgotten = true;
	}),
	[TYPE.keep]: (state, e, body) => {
		const s = body.snapshot && state.snapshots.get(body.snapshot.toString('hex'));
		if (s) s.forgotten = false;
		if (body.intent !== undefined) state.intents.delete(body.intent);
		add(state, e, body.added);
	},
	[TYPE.intent]: (state, e) => state.intents.set(e.sequence, { time: e.time, packs: e.public.packs }),
	[TYPE.purge]: (state, e) => purge(state, e),
};
