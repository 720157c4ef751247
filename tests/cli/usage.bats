#!/usr/bin/env bats
# shellcheck disable=SC2154 # what bats and the helper set
#
# usage.bats - what each verb of ours says of a command line that it does not understand:
# one line that names it, exit status 2, before anything is looked at.

load common

setup() { common_setup; }

# The command line; what is said behind "memcrun: ".
said='
check --format xml      |check: --format: not table or json, "xml"
check --none            |check: unknown option, "--none"
check -zf               |check: unknown option, "-z"
check -b                |check: needs an argument, "-b"
check one two           |check: more than one container, "two"
check -f a one          |check: one of --bundle, --config and CONTAINER at a time
move                    |move: which container?
move one                |move: one of --to and --slice
move --to a --slice b c |move: one of --to and --slice
move --live=x --to a c  |move: unknown option, "--live=x"
move --live -xy c       |move: unknown option, "-x"
move --to a --timeout 0 c|move: --timeout: not seconds, more than 0 and up to 86400, "0"
move --to a --charges x c|move: --charges: not all, none or a list of anon, file, shmem, swap, kernel, "x"
move --live -é c        |move: unknown option, "-é"
move --resume --to a c  |move: where to was said when the move began: no --to, no --slice
move --resume --rollback c|move: one of --resume and --rollback at a time
adopt one               |adopt: one of --from and --pid
adopt --pid 0 c         |adopt: --pid: not a process, "0"
adopt --pid 1 --charges swap c|adopt: --pid: only anon, file and shmem say whose they are
adopt --from            |adopt: needs an argument, "--from"
reclaim one             |reclaim: one of --to and --by
reclaim --by 1x c       |reclaim: --by: not a size, "1x"
reclaim --by 1 --swappiness 201 c|reclaim: --swappiness: not a number from 0 to 200, "201"
update                  |update: which container?
update --memory 5Y c    |update: --memory: not a size, "5Y"
update --memory 9223372036854775808 c|update: --memory: out of range, "9223372036854775808"
update --pids-limit x c |update: --pids-limit: not a number, "x"
update --pids-limit 9223372036854775808 c|update: --pids-limit: out of range, "9223372036854775808"
update --timeout -1 c   |update: --timeout: not 0 to 86400 seconds, "-1"
update -r               |update: needs an argument, "-r"
update --mem-bw-schema  |update: needs an argument, "--mem-bw-schema"
events                  |events: which container?
events --interval 5 c   |events: --interval: not a time, "5"
events a b              |events: more than one container, "b"
features x              |features: unknown option, "x"
'

@test "a command line that makes no sense is refused in one line, with status 2" {
	local line words wrong=0

	while IFS='|' read -r words line; do
		[[ -n $words ]] || continue
		# shellcheck disable=SC2086 # words they are
		run memcrun $words
		if [[ $status != 2 || $output != "memcrun: $line" ]]; then
			printf '%s: status %s: %s\n' "$words" "$status" "$output"
			wrong=1
		fi
	done <<<"$said"
	[[ $wrong == 0 ]]
	not_run
}

@test "each verb of ours shows its help on stdout, also behind other options" {
	local verb

	for verb in adopt check events features move reclaim update; do
		run -0 memcrun "$verb" --help
		[[ ${lines[0]} == "Usage: memcrun $verb"* ]]
	done
	run -0 memcrun move --live one --help
	[[ ${lines[0]} == "Usage: memcrun move"* ]]
}
