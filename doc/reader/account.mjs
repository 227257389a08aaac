// An account opened with the kit (doc/spec/chains.md sections 2 and 3): its devices and the list of its vaults.

import * as c from './crypto.mjs';
import * as epochs from './epochs.mjs';
import { ACCOUNT, CREATE, HOME, NONE, ROTATE, openEpochs, readChain } from './chain.mjs';
import { BODY_KEY, CONTACT_KEY, accountBody, inner } from './chainformats.mjs';
import { U64_MAX } from './reading.mjs';
import { deviceId } from './kit.mjs';
import { Fault, forged, malformed, missing } from './fault.mjs';

const FULL = 1;
const TYPE = { create: 1, add: 2, recovery: 5, vault: 6, rotate: 7, home: 8 };
const VAULT_TYPES = 32;
const PUBLIC_OF = { [TYPE.create]: CREATE, [TYPE.rotate]: ROTATE, [TYPE.home]: HOME };

// doc/spec/chains.md section 5. The tests make them smaller.
export const MAXIMA = { devices: 4096, vaults: 65536 };

// Opens what the kit leads to in this store. Returns { id, chain, keys, devices: records by id with `from`, kit, vaults: rows by id,
// notes }.
export function openAccount(store, kit) {
	const object = store.locator(kit.locator);
	if (!object) throw new Fault('kit', 'this kit has no locator in this store: it is the kit of another account, or the store is not whole');
	const { account } = epochs.openLocator(kit, object);
	const chain = readChain(store, account, ACCOUNT);
	const opened = openEpochs(store, chain, [{ seed: kit.kemSeed, recipient: kit.id }]);
	if (!opened) throw new Fault('kit', 'this kit opens nothing in the newest boxes of its account: it was replaced by a newer one');
	const state = { id: account, chain, keys: opened.keys, devices: new Map(), kit: null, ids: new Set(), vaults: new Map(), notes: [] };
	const threads = new Map();
	for (const e of chain.entries) {
		try {
			apply(state, threads, e);
		} catch (fault) {
			if (!fault.fault) throw fault;
			throw new Fault(fault.code === 'unsupported' ? 'unsupported' : 'forged', `account chain, entry ${e.sequence} is void: ${fault.message}`);
		}
	}
	if (chain.entries.at(-1).inner.type === TYPE.recovery) state.notes.push('the kit was replaced, but the old one still opens everything: the change is not finished');
	if (!c.equal(deviceId(state.kit), kit.id)) state.notes.push('this kit was replaced by a newer one');
	return state;
}

// Checks the author and his thread; returns the entry's inner part. `keyOf` gives the author's entry key.
export function openInner(keys, e, threads, keyOf) {
	const i = e.inner = inner(epochs.openInner(keys[e.epoch], e, e.outerHash));
	const key = keyOf(i);
	if (!c.verify(key, 'broch 1 entry author', Buffer.concat([e.outerHash, i.signed]), i.signature)) forged('author signature');
	const own = threads.get(i.device.toString('hex'));
	const follows = own ? i.ownSequence === own.sequence && c.equal(i.ownHash, own.hash) : i.ownSequence === U64_MAX;
	if (!follows) forged("the author's thread");
	return i;
}

function apply(state, threads, e) {
	let body;
	const first = e.sequence === 0n;
	const i = openInner(state.keys, e, threads, part => {
		if (first) body = part.type === TYPE.create ? accountBody(part.body, part.type) : malformed('the first entry creates nothing');
		return first ? firstAuthor(state, part, body).entryKey : author(state, part).entryKey;
	});
	if (i.type >= VAULT_TYPES || e.public.kind !== (PUBLIC_OF[i.type] ?? NONE)) malformed('type and public part do not agree');
	if (e.seal !== ([TYPE.recovery, TYPE.vault].includes(i.type) ? BODY_KEY : CONTACT_KEY)) malformed('type and seal do not agree');
	const before = state.chain.entries[Number(e.sequence) - 1];
	if (before?.inner.type === TYPE.recovery && i.type !== TYPE.rotate) forged('a recovery is not followed by new keys');
	body ??= accountBody(i.body, i.type);
	EFFECT[i.type]?.(state, e, i, body);
	threads.set(i.device.toString('hex'), e);
}

function firstAuthor(state, part, body) {
	const id = deviceId(body.device);
	return c.equal(id, part.device) ? body.device : forged('the author is another device');
}

function author(state, part) {
	if (c.equal(deviceId(state.kit), part.device)) return state.kit;
	const device = state.devices.get(part.device.toString('hex'));
	return device?.kind === FULL ? device : forged('the author is no device of this account');
}

// The id of the record, which no device or kit of the account had before.
function newId(state, record) {
	const id = deviceId(record).toString('hex');
	if (state.ids.has(id)) forged('the device or kit was there before');
	if (state.ids.size >= MAXIMA.devices) malformed('more devices and kits than an account can have');
	state.ids.add(id);
	return id;
}

function join(state, e, { device, joined }) {
	const account = e.sequence === 0n ? c.ZERO : state.id;
	if (!c.verify(device.entryKey, 'broch 1 device joins', Buffer.concat([c.LP(account), device.bytes]), joined)) forged('the device has not joined');
	state.devices.set(newId(state, device), { ...device, from: e.sequence });
}

function setKit(state, kit) {
	newId(state, kit);
	state.kit = kit;
}

const EFFECT = {
	[TYPE.create]: (state, e, i, body) => {
		if (e.sequence !== 0n) malformed('created twice');
		join(state, e, body);
		setKit(state, body.kit);
	},
	[TYPE.add]: (state, e, i, body) => join(state, e, body),
	[TYPE.recovery]: (state, e, i, body) => {
		const full = [...state.devices.values()].filter(d => d.kind === FULL);
		if (!c.equal(deviceId(state.kit), i.device) && full.length > 1) forged('one of several devices replaces the kit');
		setKit(state, body.kit);
	},
	[TYPE.vault]: (state, e, i, body) => {
		const id = body.vault.toString('hex');
		if (!state.vaults.has(id) && state.vaults.size >= MAXIMA.vaults) malformed('more vaults than an account can have');
		state.vaults.set(id, body);
	},
};

// The device of that id as it was after the entry `sequence`, or undefined.
export function deviceAt(account, id, sequence) {
	const device = account.devices.get(id.toString('hex'));
	return device && device.from <= sequence ? device : undefined;
}

// The row of the list of vaults whose name or beginning of the id is `wanted`; without it the only one, or "main".
export function findVault(account, wanted) {
	const rows = [...account.vaults.values()];
	if (rows.length === 0) missing('the account has no vault');
	if (wanted === undefined && rows.length === 1) return rows[0];
	const name = Buffer.from(wanted ?? 'main');
	let found = rows.filter(r => r.name.equals(name));
	if (found.length === 0 && wanted !== undefined && /^[0-9a-f]{6,64}$/.test(wanted)) found = rows.filter(r => r.vault.toString('hex').startsWith(wanted));
	if (found.length !== 1) missing(found.length ? 'several vaults have this name: give the beginning of the id' : 'no such vault');
	return found[0];
}
