#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2016 # what bats sets; for the shell of the fake crun
#
# caller.bats - what a caller gives to memcrun: names that are paths, closed descriptors,
# signals that are ignored or blocked, and too few of anything.

load common

setup() { common_setup; }

# In a shell of its own, for bats looks at each command of a test. `refused WORD...`: memcrun
# says in one line that the container has no name, and crun is not run.
in_shell()
{
	{
		cat <<-'EOF'
		# crun 1.8 makes a path of these
		paths=('' . .. a/b ../web a/../../b /web web/ .cache .empty-directory)
		memcrun() { "$MEMCRUN" --crun "$FAKE" "$@"; }
		refused()
		{
			local said

			! said=$(memcrun "$@" 2>&1) && [[ $said == "memcrun: $1: "* &&
				$said != *$'\n'* && ! -e $RECORD/argv ]] && return
			echo "$*: $said"
			exit 1
		}
		EOF
		cat
	} >script
	MEMCRUN=$MEMCRUN FAKE=$FAKE bash script
}

@test "no verb gives crun a container whose name is a path" {
	bundle b "$LIMIT"
	in_shell <<-'EOF'
	for id in "${paths[@]}"; do
		refused create -b b "$id"
		refused run -db b -- "$id"
		refused run -b b "$id" more
		refused restore --bundle b --image-path i "$id"
		refused start "$id"
		refused state "$id"
		refused kill "$id" KILL
		refused kill --all "$id"
		refused delete "$id"
		refused delete -f "$id"
		refused delete --fo -- "$id"
		refused exec "$id" true
		refused exec -t -e A=b --cwd / "$id" true
		refused exec -tterminal -p p.json "$id"
		refused pause "$id"
		refused resume "$id"
		refused ps -f json "$id"
		refused checkpoint --image-path i "$id"
		refused mounts add "$id" file
		refused mounts -- remove "$id" file
	done
	EOF
}

@test "no verb of ours takes a container whose name is a path" {
	in_shell <<-'EOF'
	for id in "${paths[@]}"; do
		for words in "move --to /x" "adopt --from /x" "update --memory 1g" "reclaim --by 1" \
			"events --stats" check; do
			! memcrun $words "$id" 2>/dev/null || exit
		done
	done
	EOF
}

@test "a new container gets no name that crun 1.28 refuses; an old one may have it" {
	bundle b "$LIMIT"
	in_shell <<-'EOF'
	for id in .web 'a b' a:b 'a@b' $'a\nb' é; do
		refused create -b b "$id"
		refused run -b b "$id"
		refused restore "$id"
		for verb in delete start state kill pause resume ps; do
			memcrun "$verb" -- "$id"
			cmp <(printf '%s\0' "$verb" -- "$id") "$RECORD/argv" || exit
			rm "$RECORD/argv"
		done
	done
	EOF
}

@test "a pattern is no name" {
	for verb in delete kill; do
		memcrun "$verb" --regex '..'
		got_argv "$verb" --regex '..'
		memcrun "$verb" -r 'a/b|.*'
		got_argv "$verb" -r 'a/b|.*'
	done
}

# What the fake crun sees of its signals, and of its standard descriptors.
# By bash itself: while it starts a program it blocks signals of its own.
SEES='while read -r line; do
	[[ $line != Sig[BI]* ]] || echo "$line"
done </proc/$$/status >"$RECORD/signals"'

@test "crun gets signals and descriptors as the caller gave them" {
	local words

	needs_cgroups
	bundle b "$LIMIT"
	export FAKE_CRUN_DO=$SEES
	for words in --default-signal=PIPE --ignore-signal=CHLD "--ignore-signal=PIPE,XFSZ,CHLD" \
		"--default-signal=PIPE --block-signal=CHLD,TERM,PIPE"; do
		# shellcheck disable=SC2086 # words they are
		env $words "$FAKE" list
		cp "$RECORD/signals" direct
		for verb in list "exec web true" "delete web" "run -b b web"; do
			# shellcheck disable=SC2086
			env $words "$MEMCRUN" --crun "$FAKE" $verb
			diff direct "$RECORD/signals"
		done
	done
}

@test "a standard descriptor that the caller closed is closed for crun" {
	for closed in '<&-' '>&-' '2>&-' '<&- >&- 2>&-'; do
		bash -c '"$1" list '"$closed" sh "$FAKE"
		cp "$RECORD/fds" direct
		for verb in list "exec web true" "delete web"; do
			bash -c '"$1" --crun "$2" $3 '"$closed" sh "$MEMCRUN" "$FAKE" "$verb"
			diff direct "$RECORD/fds"
		done
	done
}

@test "a reader that is gone does not keep crun from running" {
	needs_cgroups
	bundle b '{"limit":67108864,"reservation":99999999999}'
	{ memcrun run -b b web; echo $? >status; } 2> >(exec <&-) | :
	[[ -e $RECORD/argv ]]
}

@test "too few descriptors for a verb of ours are said in one line" {
	for verb in "move --to /x web" "update --memory 1g web" "reclaim --by 1 web" \
		"adopt --from /x web" "events --stats web" check features; do
		# shellcheck disable=SC2016
		run --separate-stderr bash -c 'ulimit -n 20; exec "$1" --crun "$2" $3' sh "$MEMCRUN" "$FAKE" "$verb"
		[[ $status == 1 && $stderr == "memcrun: ${verb%% *}: fewer than 64 files can be opened: "* &&
			$(wc -l <<<"$stderr") == 1 ]] || {
			echo "$verb: $status: $stderr"
			return 1
		}
	done
}

@test "a config that may not be written in memory is an error in one line" {
	needs_cgroups
	bundle b "$LIMIT"
	# what it says goes through a pipe, for a file could not be written either
	run -1 bash -c 'set -o pipefail; (ulimit -f 0; exec "$1" --crun "$2" run -b b web) 2>&1 |
		cat' sh "$MEMCRUN" "$FAKE"
	[[ $output == "memcrun: config.json: cannot write: File too large" ]]
	not_run
}
