#!/usr/bin/env bats
# What is not memcrun's reaches crun as it is.

load common

setup() { common_setup; }

@test "features is what crun says, or all of them have, and ours" {
	run --separate-stderr memcrun features
	[[ $status == 0 ]]
	jq -e '.linux.cgroup.v2 and .annotations["org.memcrun.version"]' <<<"$output"
	got_argv features
	run --separate-stderr memcrun features --nonsense
	[[ $status == 2 ]]
}

@test "every verb of crun gets its arguments byte for byte" {
	for verb in delete exec kill list pause ps resume spec start state checkpoint \
		restore mounts; do
		memcrun "$verb" --force web -- -x
		got_argv "$verb" --force web -- -x
	done
}

@test "a verb that nobody knows is for crun to judge" {
	FAKE_CRUN_DO='exit 9' run -9 memcrun frobnicate --now
	got_argv frobnicate --now
}

@test "no arguments at all are forwarded too" {
	memcrun
	got_argv
}

@test "odd arguments survive" {
	# shellcheck disable=SC1003,SC2016
	local odd=("" " " "a b" $'line\nbreak' $'\xff\xfe' $'tab\t' '*' '$HOME' "'" '"' '\' -- --x= -)

	memcrun exec web "${odd[@]}"
	got_argv exec web "${odd[@]}"
	memcrun list "" ""
	got_argv list "" ""
}

@test "a thousand arguments survive" {
	# shellcheck disable=SC2046
	memcrun exec web $(seq 1000)
	# shellcheck disable=SC2046
	got_argv exec web $(seq 1000)
}

@test "global options are crun's too and stay in their place" {
	memcrun --root /r --log=/dev/null --log-format json --systemd-cgroup list -q
	got_argv --root /r --log=/dev/null --log-format json --systemd-cgroup list -q
}

@test "a double dash before the verb stays" {
	memcrun --debug -- list
	got_argv --debug -- list
}

@test "our own option is taken out wherever it stands" {
	"$MEMCRUN" --root /r --crun="$FAKE" --debug list
	got_argv --root /r --debug list
	"$MEMCRUN" --root /r --debug --crun "$FAKE" list
	got_argv --root /r --debug list
}

@test "behind the verb our option is an argument like any other" {
	memcrun exec web --crun /nonexistent
	got_argv exec web --crun /nonexistent
}

@test "an unknown global option goes to crun with all that follows" {
	run -0 memcrun --bogus list
	got_argv --bogus list
	[[ -z $output ]]
}

@test "an unknown option before run is said, for its memory goes to crun as it is" {
	bundle b "$LIMIT"
	run -0 memcrun --bogus run -b b web
	got_argv --bogus run -b b web
	[[ $output == "memcrun: warning: an option unknown here: memory settings go to crun as they are" ]]
	run -0 memcrun run --bogus -b b web
	got_argv run --bogus -b b web
	[[ $output == "memcrun: warning: an option unknown here: memory settings go to crun as they are" ]]
}

@test "the exit status is crun's" {
	for status in 0 1 2 77 125 255; do
		FAKE_CRUN_DO="exit $status" run "-$status" memcrun list
	done
}

@test "a death by signal is crun's" {
	FAKE_CRUN_DO="kill -TERM \$\$" run -143 memcrun list
	FAKE_CRUN_DO="kill -KILL \$\$" run -137 memcrun list
}

@test "crun is the process that memcrun was" {
	needs_cgroups
	bundle b "$LIMIT"
	for arguments in "list" "run -b b web"; do
		# shellcheck disable=SC2016,SC2086
		bash -c 'echo $$ >pid; exec "$@"' sh "$MEMCRUN" --crun "$FAKE" $arguments
		cmp pid "$RECORD/pid"
	done
}

@test "standard input, output and error are crun's" {
	FAKE_CRUN_DO='cat; echo complaint >&2; exit 4'
	export FAKE_CRUN_DO
	status=0
	echo words | memcrun exec web cat >out 2>err || status=$?
	[[ $status == 4 && $(cat out) == words && $(cat err) == complaint ]]
}

@test "the working directory and open fds are those that memcrun had" {
	mkdir sub
	cd sub
	"$FAKE" list 7</dev/null
	cp "$RECORD/fds" ../direct
	memcrun list 7</dev/null
	cmp "$RECORD/fds" ../direct
	[[ $(cat "$RECORD/cwd") == "$PWD" ]]
	grep -qx 7 "$RECORD/fds"
}

@test "fds of a service are handed on" {
	LISTEN_FDS=2 memcrun list
	[[ $(cat "$RECORD/listen") == 2 ]]
}

@test "a config without memory settings leaves everything alone" {
	bundle b
	"$FAKE" run -b b web
	cp "$RECORD/fds" direct
	memcrun run -b b -d --pid-file p web
	got_argv run -b b -d --pid-file p web
	cmp "$RECORD/fds" direct
}

@test "create and run without a container are for crun to judge" {
	FAKE_CRUN_DO='exit 1' run -1 memcrun run
	got_argv run
	memcrun create --help
	got_argv create --help
}

@test "version is ours and then crun's" {
	FAKE_CRUN_DO='echo crun version 1.2.3' run -0 memcrun --version
	[[ ${lines[0]} =~ ^memcrun\ version\ [0-9]+\.[0-9]+ && ${lines[1]} == "crun version 1.2.3" ]]
	got_argv --version
}

@test "help is ours and then crun's" {
	FAKE_CRUN_DO='echo crun helps' run -0 memcrun --help
	[[ ${lines[0]} == "Usage: memcrun "* && ${lines[-1]} == "crun helps" ]]
	[[ $output == *"check"* && $output != *"apply-hook"* ]]
}

@test "a crun that is missing is named" {
	run -1 "$MEMCRUN" --crun /nonexistent/crun list
	[[ $output == "memcrun: /nonexistent/crun: cannot run: No such file or directory" ]]
	PATH=/nonexistent run -1 "$MEMCRUN" --crun crun list
	[[ $output == "memcrun: crun: cannot run: No such file or directory" ]]
}

@test "a crun that is memcrun itself is refused in PATH too" {
	mkdir bin
	ln -s "$MEMCRUN" bin/crun
	PATH=$PWD/bin:$PATH run -1 "$MEMCRUN" --crun crun list
	[[ $output == "memcrun: --crun: is memcrun itself, \"$PWD/bin/crun\"" ]]
}

@test "a crun that is memcrun itself is refused" {
	ln -s "$MEMCRUN" crun
	for program in "$MEMCRUN" ./crun; do
		run -1 timeout 10 "$MEMCRUN" --crun "$program" list
		[[ $output == "memcrun: --crun: is memcrun itself, \"$program\"" ]]
	done
}

@test "a crun without a path is bad usage" {
	run -2 "$MEMCRUN" --crun
	[[ $output == "memcrun: --crun: needs a path" ]]
}

# updates [ARGUMENT]... WANTED: crun itself is run with these resources, and nothing before it.
updates()
{
	local wanted=${*: -1} number

	rm -f "$RECORD/argv" "$RECORD/resources"
	# shellcheck disable=SC2016 # for the fake crun's shell
	FAKE_CRUN_DO='cat "/proc/$$/fd/${6##*/}" >"$RECORD/resources"; exit 7' \
		run -7 memcrun --root /r --debug update "${@:1:$#-1}" web
	number=$(tr '\0' '\n' <"$RECORD/argv" | sed -n 's,^/proc/self/fd/,,p')
	got_argv --root /r --debug update --resources "/proc/self/fd/$number" -- web
	[[ $(<"$RECORD/resources") == "$wanted" ]]
}

@test "an update without memory becomes crun" {
	echo '{"cpu":{"shares":5},"memory":{},"unified":{"pids.max":"7"}}' >resources.json
	updates --pids-limit 50 '{"pids":{"limit":50}}'
	updates --timeout 3 --cpu-idle 1 '{"unified":{"cpu.idle":"1"}}'
	updates -r resources.json '{"cpu":{"shares":5},"unified":{"pids.max":"7"}}'
	updates -r - '{"cpu":{"shares":5},"unified":{"pids.max":"7"}}' <resources.json
}

@test "an update with memory does not" {
	for resources in '{"memory":{"limit":0}}' '{"memory":5}' '{"unified":{"memory.high":"max"}}'; do
		echo "$resources" >resources.json
		run -1 memcrun --root /nonexistent update -r resources.json web
		[[ $output == "memcrun: web: no such container, "* ]]
	done
	not_run
}

@test "an update without memory waits for the end of a move, too" {
	mkdir -p state/web
	printf '{"pid":%d,"cgroup-path":"/web"}' $$ >state/web/status
	echo '{}' >state/web/memcrun-move.json
	run -1 memcrun --root state update --pids-limit 50 web
	[[ $output == "memcrun: web: a move has not ended: memcrun move --resume or --rollback it first" ]]
	not_run
}
