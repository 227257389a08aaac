# Completion for fish, made by "broch generate completion fish" from the tables in src/cli.
function __broch_words
	set -l skip 0
	for word in (commandline -opc)[2..-1]
		if test $skip = 1
			set skip 0
			continue
		end
		switch $word
			case --at --vault --passphrase-file
				set skip 1
			case '-*'
			case '*'
				echo $word
		end
	end
end
function __broch_needs_verb
	test -z (__broch_words)[1]
end
function __broch_is
	set -l words (__broch_words)
	set -l n (count $argv)
	test (count $words) -ge $n; and test "$words[1..$n]" = "$argv"
end
function __broch_words_are
	set -l words (__broch_words)
	test "$words" = "$argv"
end
complete -c broch -f
complete -c broch -n __broch_needs_verb -a init -d 'make an account, its first vault and its recovery kit'
complete -c broch -n __broch_needs_verb -a recover -d 'open an account on this machine with its recovery kit'
complete -c broch -n __broch_needs_verb -a vault
complete -c broch -n __broch_needs_verb -a kit
complete -c broch -n __broch_needs_verb -a device
complete -c broch -n __broch_needs_verb -a accept-older -d 'go on with a store that shows an older state than this device has seen'
complete -c broch -n __broch_needs_verb -a backup -d 'store files and folders as a snapshot'
complete -c broch -n __broch_needs_verb -a restore -d 'bring a snapshot, or part of it, back'
complete -c broch -n __broch_needs_verb -a copy -d 'make or bring up to date a second copy of the store'
complete -c broch -n __broch_needs_verb -a snapshots -d 'list the snapshots'
complete -c broch -n __broch_needs_verb -a ls -d 'list the files of a snapshot'
complete -c broch -n __broch_needs_verb -a find -d 'find files by name in snapshots'
complete -c broch -n __broch_needs_verb -a cat -d 'write the contents of one file to standard output'
complete -c broch -n __broch_needs_verb -a diff -d 'show what differs between two snapshots'
complete -c broch -n __broch_needs_verb -a stats -d 'show how much the snapshots hold and how much the store takes'
complete -c broch -n __broch_needs_verb -a check -d 'look for damage; never changes anything'
complete -c broch -n __broch_needs_verb -a repair -d 'rebuild indexes and caches from the packs'
complete -c broch -n __broch_needs_verb -a forget -d 'give up snapshots, by name or by a policy'
complete -c broch -n __broch_needs_verb -a keep -d 'undo a forget, or the announcement of a deletion'
complete -c broch -n __broch_needs_verb -a prune -d 'delete data that no snapshot needs'
complete -c broch -n __broch_needs_verb -a tag -d 'change the tags of snapshots'
complete -c broch -n __broch_needs_verb -a version -d 'print the versions of this program and of its formats'
complete -c broch -n __broch_needs_verb -a help -d 'list the commands, or explain one'
complete -c broch -n '__broch_words_are vault' -a ' list create info'
complete -c broch -n '__broch_words_are kit' -a ' verify replace'
complete -c broch -n '__broch_words_are device' -a ' list'
complete -c broch -l at -x -a '(__fish_complete_directories)' -d 'the store: a folder on any disk, stick or mount'
complete -c broch -l vault -x -d 'the vault to work on'
complete -c broch -l passphrase-file -rF -d 'read the passphrase of this device\'s keys from a file'
complete -c broch -l json -d 'print one JSON object a line, each with a "type"'
complete -c broch -l quiet -s q -d 'no progress and no notes; results, warnings and errors stay'
complete -c broch -l verbose -s v -d 'say more about what is being done'
complete -c broch -l no-progress -d 'no progress, but notes'
complete -c broch -l help -s h -d 'help for the command'
complete -c broch -n '__broch_is init' -l hold -x -d 'how long deleted data stays recoverable'
complete -c broch -n '__broch_is init' -l no-passphrase -d 'keep this device\'s keys without a passphrase'
complete -c broch -n '__broch_is init' -l kit-out -rF -d 'write the recovery kit\'s page to a new file'
complete -c broch -n '__broch_is recover' -l promote -d 'the store is a mirror and its home is lost: make it the home'
complete -c broch -n '__broch_is recover' -l kit-file -rF -d 'read the recovery kit from a file: the page, or the code alone'
complete -c broch -n '__broch_is recover' -l no-passphrase -d 'keep this device\'s keys without a passphrase'
complete -c broch -n '__broch_is vault create' -l hold -x -d 'how long deleted data stays recoverable'
complete -c broch -n '__broch_is kit verify' -l kit-file -rF -d 'read the recovery kit from a file: the page, or the code alone'
complete -c broch -n '__broch_is kit replace' -l lost -d 'the kit is lost: possible while this is the account\'s only device'
complete -c broch -n '__broch_is kit replace' -l kit-file -rF -d 'read the recovery kit from a file: the page, or the code alone'
complete -c broch -n '__broch_is kit replace' -l kit-out -rF -d 'write the recovery kit\'s page to a new file'
complete -c broch -n '__broch_is accept-older' -l confirm -x -d 'the words that the command asks to be typed'
complete -c broch -n '__broch_is backup' -l exclude -s e -x -d 'leave out what matches (may be repeated)'
complete -c broch -n '__broch_is backup' -l exclude-file -rF -d 'leave out what matches a pattern of this file (may be repeated)'
complete -c broch -n '__broch_is backup' -l exclude-caches -d 'leave out the contents of folders with a valid CACHEDIR.TAG'
complete -c broch -n '__broch_is backup' -l one-file-system -s x -d 'do not go into other file systems'
complete -c broch -n '__broch_is backup' -l files-from -rF -d 'also back up the paths in this file, one a line (may be repeated)'
complete -c broch -n '__broch_is backup' -l stdin -d 'back up standard input as one file'
complete -c broch -n '__broch_is backup' -l stdin-filename -x -d 'what that file is called'
complete -c broch -n '__broch_is backup' -l tag -x -d 'tags for the snapshot (may be repeated)'
complete -c broch -n '__broch_is backup' -l host -s H -x -d 'the host to name in the snapshot'
complete -c broch -n '__broch_is backup' -l branch -x -d 'the line of snapshots that this one continues'
complete -c broch -n '__broch_is backup' -l time -x -d 'the time to name in the snapshot'
complete -c broch -n '__broch_is backup' -l skip-if-unchanged -d 'make no snapshot where nothing differs from the parent'
complete -c broch -n '__broch_is backup' -l compression -x -a ' off fast auto max' -d 'how hard to compress'
complete -c broch -n '__broch_is backup' -l read-back -x -d 'read this share of what is reused back and check it'
complete -c broch -n '__broch_is backup' -l checkpoint-every -x -d 'how often a long run makes what it stored reusable'
complete -c broch -n '__broch_is backup' -l dry-run -s n -d 'only say what would be done'
complete -c broch -n '__broch_is backup' -F
complete -c broch -n '__broch_is restore' -l to -s t -x -a '(__fish_complete_directories)' -d 'the folder to restore into (--target means the same)'
complete -c broch -n '__broch_is restore' -l path -x -d 'restore only this file or folder of the snapshot (may be repeated)'
complete -c broch -n '__broch_is restore' -l include -s i -x -d 'restore only what matches (may be repeated)'
complete -c broch -n '__broch_is restore' -l exclude -s e -x -d 'leave out what matches (may be repeated)'
complete -c broch -n '__broch_is restore' -l overwrite -x -a ' never if-changed always' -d 'whether a file that is there already is replaced'
complete -c broch -n '__broch_is restore' -l verify -d 'read every restored file back and compare'
complete -c broch -n '__broch_is restore' -l sparse -d 'write runs of zeros as holes, even where there were none'
complete -c broch -n '__broch_is restore' -l allow -x -a ' setuid devices capabilities trusted all' -d 'restore these too, which could harm the machine'
complete -c broch -n '__broch_is restore' -l host -s H -x -d 'only snapshots of this host (may be repeated)'
complete -c broch -n '__broch_is restore' -l tag -x -d 'only snapshots with all of these tags (repeated: or all of those); "": without tags'
complete -c broch -n '__broch_is restore' -l branch -x -d 'only snapshots of this branch (may be repeated)'
complete -c broch -n '__broch_is restore' -l dry-run -s n -d 'only say what would be done'
complete -c broch -n '__broch_is restore' -a latest
complete -c broch -n '__broch_is copy' -l to -x -a '(__fish_complete_directories)' -d 'the folder of the mirror'
complete -c broch -n '__broch_is copy' -l promote -d 'make the mirror the home, from which on it is written to'
complete -c broch -n '__broch_is snapshots' -l latest -x -d 'only the last N of each host and branch'
complete -c broch -n '__broch_is snapshots' -l host -s H -x -d 'only snapshots of this host (may be repeated)'
complete -c broch -n '__broch_is snapshots' -l tag -x -d 'only snapshots with all of these tags (repeated: or all of those); "": without tags'
complete -c broch -n '__broch_is snapshots' -l branch -x -d 'only snapshots of this branch (may be repeated)'
complete -c broch -n '__broch_is snapshots' -a latest
complete -c broch -n '__broch_is ls' -l long -s l -d 'also mode, owner, size and time'
complete -c broch -n '__broch_is ls' -l host -s H -x -d 'only snapshots of this host (may be repeated)'
complete -c broch -n '__broch_is ls' -l tag -x -d 'only snapshots with all of these tags (repeated: or all of those); "": without tags'
complete -c broch -n '__broch_is ls' -l branch -x -d 'only snapshots of this branch (may be repeated)'
complete -c broch -n '__broch_is ls' -a latest
complete -c broch -n '__broch_is find' -l snapshot -s s -x -d 'look only in this snapshot (may be repeated)'
complete -c broch -n '__broch_is find' -l oldest -s O -x -d 'only files modified at this time or later'
complete -c broch -n '__broch_is find' -l newest -s N -x -d 'only files modified at this time or before'
complete -c broch -n '__broch_is find' -l long -s l -d 'also mode, owner, size and time'
complete -c broch -n '__broch_is find' -l host -s H -x -d 'only snapshots of this host (may be repeated)'
complete -c broch -n '__broch_is find' -l tag -x -d 'only snapshots with all of these tags (repeated: or all of those); "": without tags'
complete -c broch -n '__broch_is find' -l branch -x -d 'only snapshots of this branch (may be repeated)'
complete -c broch -n '__broch_is cat' -l host -s H -x -d 'only snapshots of this host (may be repeated)'
complete -c broch -n '__broch_is cat' -l tag -x -d 'only snapshots with all of these tags (repeated: or all of those); "": without tags'
complete -c broch -n '__broch_is cat' -l branch -x -d 'only snapshots of this branch (may be repeated)'
complete -c broch -n '__broch_is cat' -a latest
complete -c broch -n '__broch_is diff' -l metadata -d 'also name what differs only in mode, owner, times or attributes'
complete -c broch -n '__broch_is diff' -l host -s H -x -d 'only snapshots of this host (may be repeated)'
complete -c broch -n '__broch_is diff' -l tag -x -d 'only snapshots with all of these tags (repeated: or all of those); "": without tags'
complete -c broch -n '__broch_is diff' -l branch -x -d 'only snapshots of this branch (may be repeated)'
complete -c broch -n '__broch_is diff' -a latest
complete -c broch -n '__broch_is stats' -l host -s H -x -d 'only snapshots of this host (may be repeated)'
complete -c broch -n '__broch_is stats' -l tag -x -d 'only snapshots with all of these tags (repeated: or all of those); "": without tags'
complete -c broch -n '__broch_is stats' -l branch -x -d 'only snapshots of this branch (may be repeated)'
complete -c broch -n '__broch_is stats' -a latest
complete -c broch -n '__broch_is check' -l read-data -d 'read and authenticate every pack, not only the structure'
complete -c broch -n '__broch_is check' -l read-data-subset -x -d 'the same for a part: n/t, a percentage, or a size'
complete -c broch -n '__broch_is repair' -l apply -d 'really write; without it only says what would be written'
complete -c broch -n '__broch_is repair' -l read-data -d 'read every pack whole, and leave what is damaged out of the index'
complete -c broch -n '__broch_is forget' -l keep-last -s l -x -d 'keep the last N'
complete -c broch -n '__broch_is forget' -l keep-hourly -x -d 'keep the last of each of the last N hours that have one'
complete -c broch -n '__broch_is forget' -l keep-daily -s d -x -d 'keep the last of each of the last N days that have one'
complete -c broch -n '__broch_is forget' -l keep-weekly -s w -x -d 'keep the last of each of the last N weeks that have one'
complete -c broch -n '__broch_is forget' -l keep-monthly -s m -x -d 'keep the last of each of the last N months that have one'
complete -c broch -n '__broch_is forget' -l keep-yearly -s y -x -d 'keep the last of each of the last N years that have one'
complete -c broch -n '__broch_is forget' -l keep-within -x -d 'keep all that are not older than this before the latest'
complete -c broch -n '__broch_is forget' -l keep-within-hourly -x -d 'keep one an hour of those not older than this before the latest'
complete -c broch -n '__broch_is forget' -l keep-within-daily -x -d 'keep one a day of those not older than this before the latest'
complete -c broch -n '__broch_is forget' -l keep-within-weekly -x -d 'keep one a week of those not older than this before the latest'
complete -c broch -n '__broch_is forget' -l keep-within-monthly -x -d 'keep one a month of those not older than this before the latest'
complete -c broch -n '__broch_is forget' -l keep-within-yearly -x -d 'keep one a year of those not older than this before the latest'
complete -c broch -n '__broch_is forget' -l keep-tag -x -d 'keep those with all of these tags (may be repeated); "": those without'
complete -c broch -n '__broch_is forget' -l group-by -s g -x -a ' device host branch' -d 'apply the policy to each group of these by itself; "" makes one group of all'
complete -c broch -n '__broch_is forget' -l prune -d 'go on with prune'
complete -c broch -n '__broch_is forget' -l host -s H -x -d 'only snapshots of this host (may be repeated)'
complete -c broch -n '__broch_is forget' -l tag -x -d 'only snapshots with all of these tags (repeated: or all of those); "": without tags'
complete -c broch -n '__broch_is forget' -l branch -x -d 'only snapshots of this branch (may be repeated)'
complete -c broch -n '__broch_is forget' -l max-unused -x -d 'leave this much unused data in packs rather than repack them'
complete -c broch -n '__broch_is forget' -l dry-run -s n -d 'only say what would be done'
complete -c broch -n '__broch_is forget' -a latest
complete -c broch -n '__broch_is keep' -a latest
complete -c broch -n '__broch_is prune' -l max-unused -x -d 'leave this much unused data in packs rather than repack them'
complete -c broch -n '__broch_is prune' -l dry-run -s n -d 'only say what would be done'
complete -c broch -n '__broch_is tag' -l add -x -d 'add these tags (may be repeated)'
complete -c broch -n '__broch_is tag' -l remove -x -d 'remove these tags (may be repeated)'
complete -c broch -n '__broch_is tag' -l set -x -d 'replace all tags by these (may be repeated); "": by none'
complete -c broch -n '__broch_is tag' -l host -s H -x -d 'only snapshots of this host (may be repeated)'
complete -c broch -n '__broch_is tag' -l tag -x -d 'only snapshots with all of these tags (repeated: or all of those); "": without tags'
complete -c broch -n '__broch_is tag' -l branch -x -d 'only snapshots of this branch (may be repeated)'
complete -c broch -n '__broch_is tag' -a latest
