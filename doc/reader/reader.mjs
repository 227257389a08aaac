#!/usr/bin/env node
// Opens a Broch vault with the recovery kit and extracts a snapshot. See README.md.

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Fault } from './fault.mjs';
import { kitKeys, readCode } from './kit.mjs';
import { findVault, openAccount } from './account.mjs';
import { openVault } from './vault.mjs';
import { Packs } from './packs.mjs';
import { Extraction } from './extract.mjs';
import { Store } from './store.mjs';
import { moment, shown } from './say.mjs';

const USAGE = `usage: node reader.mjs --at DIR --kit-file FILE [--vault NAME] [--snapshot ID|latest] --to DIR
       node reader.mjs --at DIR --kit-file FILE [--vault NAME] --list

  --at DIR         the folder of the store
  --kit-file FILE  the recovery kit: the page, or the code alone; - is standard input
  --vault NAME     name of the vault, or the beginning of its id (without: "main", or the only one)
  --snapshot ID    the beginning of a snapshot's id, or latest (which is what is taken without)
  --to DIR         where to write; what is there already is left alone
  --list           only shows the vaults and the snapshots
  --scan           use no index: read the tables of all packs
  --allow LIST     as root, set also: setuid,devices,capabilities,trusted or all`;

const EXIT = { usage: 2, incomplete: 3, missing: 10, kit: 12, forged: 20, malformed: 20, unsupported: 1, rollback: 21, refused: 1 };
const ALLOWED = ['setuid', 'devices', 'capabilities', 'trusted'];

const say = line => process.stderr.write(line + '\n');
const usage = message => { say(`${message}\n${USAGE}`); process.exit(EXIT.usage); };

function options() {
	const text = { type: 'string' }, flag = { type: 'boolean' };
	let o;
	try {
		o = parseArgs({ options: { at: text, 'kit-file': text, vault: text, snapshot: text, to: text, allow: text, list: flag, scan: flag, help: flag } }).values;
	} catch (e) {
		usage(e.message);
	}
	if (o.help) { console.log(USAGE); process.exit(0); }
	if (!o.at || !o['kit-file'] || (!o.to && !o.list)) usage('--at, --kit-file and --to (or --list) are needed');
	const allow = (o.allow ?? '').split(',').filter(Boolean).flatMap(a => (a === 'all' ? ALLOWED : [a]));
	for (const a of allow) if (!ALLOWED.includes(a)) usage(`--allow ${a} is unknown`);
	return { ...o, allow: new Set(allow) };
}

function list(account, vault, row) {
	for (const r of account.vaults.values()) console.log(`vault ${r.vault.toString('hex')} ${shown(r.name)}${r === row ? ' (this one)' : ''}`);
	for (const s of vault.snapshots) {
		const more = [shown(s.host), shown(s.branch), ...s.tags.map(shown), ...(s.forgotten ? ['(forgotten)'] : [])];
		console.log(`${s.id.toString('hex')} ${moment(s.time)} ${s.files} files ${s.bytes} bytes ${more.join(' ')}`);
	}
}

function choose(snapshots, wanted = 'latest') {
	if (wanted === 'latest') return snapshots.filter(s => !s.forgotten).at(-1) ?? missingSnapshot('the vault has no snapshot');
	const begin = snapshots.filter(s => s.id.toString('hex').startsWith(wanted.toLowerCase()));
	const found = [...new Map(begin.map(s => [s.id.toString('hex'), s])).values()]; // several entries may name one
	if (found.length !== 1) missingSnapshot(found.length ? 'several snapshots begin so' : 'no such snapshot');
	return found[0];
}
const missingSnapshot = message => { throw new Fault('absent', message); };

function extract(vault, o) {
	const chosen = choose(vault.snapshots, o.snapshot);
	const packs = new Packs(vault, { warn: line => say(`warning: ${line}`), scan: o.scan });
	const snapshot = packs.snapshot(chosen.id), x = new Extraction(packs, { allow: o.allow, say });
	x.run(snapshot.root, o.to);
	console.log(`snapshot ${chosen.id.toString('hex')}: ${x.counts.files} files, ${x.counts.directories} directories, ${x.counts.links} links, ${x.counts.specials} special files, ${x.counts.bytes} bytes`);
	for (const [what, n] of x.left) console.log(`not set: ${n} ${what}`);
	if (x.faults.damaged > 0) console.log(`DAMAGED: ${x.faults.damaged} entries could not be extracted`);
	if (x.faults.failed > 0) console.log(`FAILED: ${x.faults.failed} times something could not be written or set`);
	return x.faults.damaged > 0 ? EXIT.forged : x.faults.failed > 0 ? EXIT.incomplete : 0;
}

function main() {
	const o = options();
	const kit = kitKeys(readCode(readFileSync(o['kit-file'] === '-' ? 0 : o['kit-file'])));
	const store = new Store(o.at);
	const account = openAccount(store, kit);
	account.notes.forEach(n => say(`warning: ${n}`));
	const row = findVault(account, o.vault), vault = openVault(store, account, row);
	vault.notes.forEach(n => say(`warning: ${n}`));
	if (!store.id.equals(row.store)) say('note: this store is a mirror of the vault: the vault itself may have newer snapshots');
	if (!o.list) return extract(vault, o);
	list(account, vault, row);
	return 0;
}

try {
	process.exitCode = main();
} catch (e) {
	if (!e.fault && !e.code) throw e;
	say(`reader: ${e.message}`);
	process.exitCode = e.fault ? EXIT[e.code === 'absent' ? 'missing' : e.code === 'missing' ? 'forged' : e.code] : 1;
}
