// What a vault's chain says (doc/spec/chains.md sections 4 and 5): what each entry that is not void does to the state.

import * as c from './crypto.mjs';
import { rootCommitment } from './epochs.mjs';
import { CREATE, HOME, INTENT, NONE, PURGE, ROTATE } from './chain.mjs';
import { CONTROL, DATA } from './chainformats.mjs';
import { forged, malformed } from './fault.mjs';
import { by, byBytes } from './reading.mjs';
import { summaryBytes } from './summary.mjs';

export const TYPE = { create: 32, rotate: 35, policy: 36, summary: 37, home: 38, snapshot: 64, index: 65, tag: 66, forget: 67, keep: 68, intent: 69, purge: 70 };
const PUBLIC_OF = { [TYPE.create]: CREATE, [TYPE.rotate]: ROTATE, [TYPE.home]: HOME, [TYPE.intent]: INTENT, [TYPE.purge]: PURGE };
const SECOND = 1000000000n, TIME_MAX = 2n ** 63n - 1n;

// Section 5. The tests make them smaller.
export const MAXIMA = { snapshots: 16777216, indexes: 1048576, intents: 65536, purges: 16777216, devices: 65536, policies: 65536 };

export function newState(fields) {
	return {
		...fields, count: 0n, head: null, holds: [], trust: 0, accountHead: null, threads: new Map(),
		snapshots: new Map(), snapshotCount: 0, indexes: new Map(), indexCount: 0, intents: new Map(), purges: 0,
	};
}

export const threadOf = (state, device) => state.threads.get(device.toString('hex'));
const inOrder = list => list.sort(by(x => x.sequence));
export const allSnapshots = state => inOrder([...state.snapshots.values()].flat());
// The locations in force, each once.
export const allIndexes = state => inOrder([...state.indexes.values()].map(same => same.at(-1)));

function room(count, more, what) {
	if (count + more > MAXIMA[what]) malformed(`more ${what} than a vault can have`);
}

// Whether the type belongs to the entry's class and public part: of an unknown one too.
export function checkType(e, type) {
	const right = type < TYPE.create ? null : type < TYPE.snapshot ? CONTROL : DATA;
	if (right !== e.class || e.public.kind !== (PUBLIC_OF[type] ?? NONE)) malformed('type, class and public part do not agree');
}

export function checkThreads(state, device) {
	if (!threadOf(state, device)) room(state.threads.size, 1, 'devices');
}

// The entry, known or not, counts for its author's thread and among the named heads of the account.
export function moveThread(state, e) {
	const i = e.inner;
	state.threads.set(i.device.toString('hex'), { id: i.device, sequence: e.sequence, hash: e.hash });
	state.accountHead = { id: i.account, sequence: i.accountSequence, hash: i.accountHead };
}

// Throws, with the state as before, if the entry is void.
export function applyBody(state, e, body) {
	EFFECT[e.inner.type]?.(state, e, body);
}

const place = l => `${l.pack.toString('hex')} ${l.offset} ${l.length}`;

// One that an entry names twice is added once.
function add(state, e, list) {
	for (const l of list) {
		const same = state.indexes.get(place(l)) ?? [];
		if (same.at(-1)?.sequence === e.sequence) continue;
		state.indexes.set(place(l), [...same, { ...l, sequence: e.sequence }]);
		state.indexCount++;
	}
}
function remove(state, list) {
	for (const l of list) {
		state.indexCount -= state.indexes.get(place(l))?.length ?? 0;
		state.indexes.delete(place(l));
	}
}

// The hold in force at a time: a shorter one waits until the one before it has passed.
const holdAt = (state, time) => (state.holds.filter(h => h.from <= time).at(-1) ?? state.holds[0]).hold;

function setHold(state, time, { hold, trust }) {
	room(state.holds.length, 1, 'policies');
	state.trust = trust;
	if (state.holds.length === 0) { state.holds.push({ from: time, hold }); return; }
	const now = holdAt(state, time), from = hold < now ? time + now * SECOND : time;
	state.holds = state.holds.filter(h => h.from <= time);
	if (from <= TIME_MAX) state.holds.push({ from, hold });
}

// Whether the purge names nothing that the intent did not. Of what is in list objects the chain shows the number only.
function isPart(purge, intent) {
	if (intent.list) return purge.count <= intent.count;
	if (purge.list) return false;
	const doomed = new Set(intent.names.map(n => n.toString('hex')));
	return purge.names.every(n => doomed.has(n.toString('hex')));
}

function purge(state, e) {
	const intent = state.intents.get(e.public.intent);
	if (!intent) forged('purges what no intent in force names');
	if (!isPart(e.public.packs, intent.packs)) forged('purges packs that the intent does not name');
	const holds = [holdAt(state, intent.time), holdAt(state, e.time)], hold = holds[0] > holds[1] ? holds[0] : holds[1];
	if (e.time - intent.time < hold * SECOND) forged('purges before the hold has passed');
	room(state.purges, 1, 'purges');
	state.purges++;
	state.intents.delete(e.public.intent);
}

function keep(state, e, body) {
	const snapshots = body.snapshot && state.snapshots.get(body.snapshot.toString('hex'));
	if (body.snapshot ? !snapshots : !state.intents.has(body.intent)) return;
	room(state.indexCount, body.added.length, 'indexes');
	snapshots?.forEach(s => { s.forgotten = false; });
	state.intents.delete(body.intent);
	add(state, e, body.added);
}

function snapshot(state, e, body) {
	room(state.indexCount, body.added.length, 'indexes');
	room(state.snapshotCount, 1, 'snapshots');
	const id = body.snapshot.toString('hex'), same = state.snapshots.get(id) ?? [];
	state.snapshots.set(id, [...same, { id: body.snapshot, device: e.inner.device, sequence: e.sequence, ...body.stamp, forgotten: false }]);
	state.snapshotCount++;
	add(state, e, body.added);
}

// Who has all entries before a summary holds it against them.
function summary(state, e, body) {
	if (body.covers !== e.sequence - 1n) forged('a summary of another entry than the one before');
	const whole = summaryBytes({
		covers: state.count - 1n, hash: state.head, hold: state.holds.at(-1).hold, trust: state.trust,
		snapshots: allSnapshots(state).map(s => ({ ...s, stamp: s })),
		indexes: [...state.indexes.values()].flat().sort(by(x => x.sequence, x => x.pack, x => x.offset, x => x.length)),
		intents: [...state.intents.values()],
		accounts: [state.accountHead],
		devices: [...state.threads.values()].sort((a, b) => byBytes(a.id, b.id)),
	});
	if (!c.equal(c.H('broch 1 summary', whole), body.stateHash)) forged('a summary of another state');
}

const EFFECT = {
	[TYPE.create]: (state, e, body) => {
		if (!c.equal(rootCommitment(state.root, state.chain.birth), body.rootCommitment)) forged('the root is not the one of this vault');
		if (!c.equal(body.owner, e.inner.account)) forged('the vault of another account than its author\'s');
		setHold(state, e.time, body);
	},
	[TYPE.policy]: (state, e, body) => setHold(state, e.time, body),
	[TYPE.summary]: summary,
	[TYPE.snapshot]: snapshot,
	[TYPE.index]: (state, e, body) => {
		room(state.indexCount, body.added.length, 'indexes');
		remove(state, body.removed);
		add(state, e, body.added);
	},
	[TYPE.tag]: (state, e, body) => state.snapshots.get(body.snapshot.toString('hex'))?.forEach(s => { s.tags = body.tags; }),
	[TYPE.forget]: (state, e, body) => body.snapshots.forEach(id => state.snapshots.get(id.toString('hex'))?.forEach(s => { s.forgotten = true; })),
	[TYPE.keep]: keep,
	[TYPE.intent]: (state, e) => {
		room(state.intents.size, 1, 'intents');
		state.intents.set(e.sequence, { sequence: e.sequence, time: e.time, packs: e.public.packs });
	},
	[TYPE.purge]: purge,
};
