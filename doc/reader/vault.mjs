// A vault opened with its account (doc/spec/chains.md sections 2 and 4): the rights of its entries, and which are void.

import * as c from './crypto.mjs';
import { VAULT, openEpochs, readChain } from './chain.mjs';
import { CONTACT_KEY, CONTROL, vaultBody } from './chainformats.mjs';
import { deviceAt, openInner } from './account.mjs';
import { allIndexes, allSnapshots, applyBody, checkThreads, checkType, moveThread, newState } from './vaultstate.mjs';
import { Fault, forged, malformed } from './fault.mjs';

const FULL = 1;

// Returns { id, chain, keys, root, snapshots: in order of the chain, indexes: locations in force, notes }.
export function openVault(store, account, row) {
	const chain = readChain(store, row.vault, VAULT);
	const anchor = chain.entries[Number(row.anchorSequence)];
	if (!anchor || !c.equal(anchor.hash, row.anchorHash)) throw new Fault('rollback', 'the vault chain is not the one that the account names');
	const seeds = account.keys.map(k => ({ seed: k.kemSeed, recipient: account.id })).filter(Boolean).reverse();
	const opened = openEpochs(store, chain, seeds);
	if (!opened) forged('no box of the vault opens');
	const state = newState({ id: row.vault, store, account, chain, keys: opened.keys, root: opened.box.root, notes: [] });
	for (const e of chain.entries) {
		applyOrNote(state, e);
		state.count = e.sequence + 1n;
		state.head = e.hash;
	}
	return { ...state, snapshots: allSnapshots(state), indexes: allIndexes(state) };
}

function applyOrNote(state, e) {
	try {
		apply(state, e);
	} catch (fault) {
		if (!fault.fault || fault.code === 'rollback') throw fault;
		const what = `vault chain, entry ${e.sequence}: ${fault.message}`;
		if (e.class === CONTROL) throw new Fault(fault.code === 'unsupported' ? 'unsupported' : 'forged', what);
		if (fault.code === 'unsupported') moveThread(state, e);
		state.notes.push(`${what} (the entry is ${fault.code === 'unsupported' ? 'of a later version' : 'void'}, and ignored)`);
	}
}

// Right before type, type before body.
function apply(state, e) {
	if (e.seal === CONTACT_KEY) malformed('seal');
	const i = openInner(state.keys, e, state.threads, part => author(state, part).entryKey);
	checkThreads(state, i.device);
	checkType(e, i.type);
	applyBody(state, e, vaultBody(i.body, i.type));
	moveThread(state, e);
}

// The author: a full device of the account at the head that the entry names.
function author({ account, accountHead }, part) {
	if (!c.equal(part.account, account.id)) forged('the author is of another account');
	if (part.accountSequence >= BigInt(account.chain.entries.length)) throw new Fault('rollback', 'names a newer head of the account than this store has');
	const head = account.chain.entries[Number(part.accountSequence)];
	if (!c.equal(head.hash, part.accountHead)) forged('names a head that the account never had');
	if (accountHead && part.accountSequence < accountHead.sequence) forged('names an older head of the account than an entry before');
	const device = deviceAt(account, part.device, part.accountSequence);
	return device?.kind === FULL ? device : forged('the author is no device of the account');
}
