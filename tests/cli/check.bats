#!/usr/bin/env bats
# check shows what the kernel can do, a plan, or drift; tests/plans has the plans.

load common

setup() { common_setup; }

check() { memcrun check "$@"; }

@test "bad usage is status 2 and one line" {
	for arguments in "--bogus" "-x" "--format" "--format xml" "--format=" "--bundle" "--config" \
		"a b" "--bundle b web" "--bundle b --config c" "--config c web"; do
		# shellcheck disable=SC2086
		run -2 --separate-stderr check $arguments
		# shellcheck disable=SC2154
		[[ -z $output && ${#stderr_lines[@]} == 1 && $stderr == "memcrun: check: "* ]]
	done
	not_run
}

@test "help is on standard output" {
	run -0 --separate-stderr check --help
	[[ $output == "Usage: memcrun check "* && -z $stderr ]]
	not_run
}

@test "a kernel's files are a table for people" {
	run -0 check --cgroup-root "$FIXTURES/v2"
	[[ ${lines[0]} == "Linux $(uname -r), cgroup v2 (unified layout)" ]]
	[[ $output != *$'\033'* ]]
}

@test "a kernel's files are json for programs" {
	check --cgroup-root "$FIXTURES/v2-patched" --format json >out
	grep -q '^  "kernel": {$' out
	grep -q '"cgroup": "v2"' out
	grep -q '"seen": true' out
	[[ $(grep -c '"present": true' out) == "$(grep -c '"file"' out)" ]]
	[[ $(tail -n 1 out) == "}" ]]
}

@test "a plan is json for programs" {
	bundle b '{"limit":67108864,"swap":100663296,"swappiness":5}'
	check --cgroup-root "$FIXTURES/v2" --format json --bundle b >out
	[[ $(tr -d ' \n' <out) == '{"cgroup":"v2","plan":[{"field":"limit","asked":"67108864","file":"memory.max","value":"67108864"},{"field":"swap","asked":"100663296","file":"memory.swap.max","value":"33554432"},{"field":"swappiness","asked":"5","file":null,"value":null}],"warnings":["linux.resources.memory.swappiness:thiskernelhasnonepercontainer,keptforreclaimonrequest,\"5\""]}' ]]
	[[ $(tail -n 1 out) == "}" ]]
}

@test "a bundle and a config are the same plan" {
	bundle b "$LIMIT"
	check --cgroup-root "$FIXTURES/v2" --bundle b >one
	check --cgroup-root "$FIXTURES/v2" -f b/config.json >two
	check --cgroup-root "$FIXTURES/v2" --config=b/config.json >three
	cmp one two
	cmp one three
	[[ $(cat one) == *memory.max* ]]
}

@test "what this kernel cannot is status 3" {
	bundle b '{"disableOOMKiller":true}'
	run -3 check --cgroup-root "$FIXTURES/v2" --bundle b
	[[ $output == "memcrun: linux.resources.memory.disableOOMKiller: "* ]]
	run -0 check --cgroup-root "$FIXTURES/v1" --bundle b
}

@test "what is wrong is status 1" {
	run -1 check --cgroup-root "$FIXTURES/v2" --bundle nowhere
	[[ $output == "memcrun: nowhere/config.json: cannot open: No such file or directory" ]]
	run -1 check --cgroup-root /nonexistent
	[[ $output == "memcrun: /nonexistent: cannot open: No such file or directory" ]]
	mkdir empty
	run -1 check --cgroup-root empty
	[[ $output == "memcrun: empty: no cgroup hierarchy controls memory here" ]]
}

@test "an error of check goes to the engine's log too" {
	run -1 memcrun --log log check --cgroup-root /nonexistent
	[[ $(cat log) == "/nonexistent: cannot open: No such file or directory" ]]
}

@test "check changes no fixture" {
	cp -r "$FIXTURES/v1" tree
	bundle b '{"limit":67108864,"reservation":4096,"kernel":4096}'
	check --cgroup-root tree >/dev/null
	check --cgroup-root tree --bundle b >/dev/null
	diff -r "$FIXTURES/v1" tree
}

# A tree in which the cgroup of this very process has a limit.
tree_of_this_process()
{
	local path

	path=$(sed -n 's/^0:://p' /proc/self/cgroup)
	[[ -n $path ]] || skip "this process is in no cgroup of v2"
	mkdir -p "tree$path"
	cp "$FIXTURES"/v2/system.slice/* "tree$path/"
	echo memory >tree/cgroup.controllers
	echo 67108864 >"tree$path/memory.max"
}

state()
{
	echo "echo '{\"id\":\"web\",\"pid\":$$,\"bundle\":\"/b\",\"annotations\":{\"org.memcrun.asked\":\"{\\\"linux\\\":{\\\"resources\\\":{\\\"memory\\\":{\\\"limit\\\":$1}}}}\"}}'"
}

@test "a container that has what it asked for shows no drift" {
	tree_of_this_process
	FAKE_CRUN_DO=$(state 67108864) run -0 memcrun --root /r check --cgroup-root tree web
	got_argv --root /r state -- web
	[[ $output == *"memory.max"*"67108864"* && $output != *DRIFT* ]]
}

@test "a container whose limit was changed shows drift" {
	tree_of_this_process
	FAKE_CRUN_DO=$(state 4096) run -0 check --cgroup-root tree web
	[[ ${lines[-1]} == *" 67108864 "*DRIFT ]]
	FAKE_CRUN_DO=$(state 4096) run -0 check --cgroup-root tree --format json web
	[[ $output == *'"in_force": "67108864"'*'"drift": true'* ]]
}

@test "a container without our mark asked for nothing" {
	tree_of_this_process
	FAKE_CRUN_DO="echo '{\"id\":\"web\",\"pid\":$$}'" run -0 check --cgroup-root tree web
	[[ ${lines[-1]} == "no memory settings" ]]
}

@test "a container that crun does not know is crun's error" {
	FAKE_CRUN_DO='echo "error opening file web" >&2; exit 1' \
		run -1 check --cgroup-root "$FIXTURES/v2" web
	[[ $output == "memcrun: web: error opening file web" ]]
}

@test "a container that has stopped is an error" {
	FAKE_CRUN_DO="echo '{\"id\":\"web\",\"pid\":0}'" run -1 check --cgroup-root "$FIXTURES/v2" web
	[[ $output == "memcrun: web: not running" ]]
}

@test "a state that is no state is an error" {
	FAKE_CRUN_DO="echo nonsense" run -1 check --cgroup-root "$FIXTURES/v2" web
	[[ $output == "memcrun: web: state: offset "* ]]
}

# A tree of v2 in which crun's record puts the container web into /pods/a/web.
tree_with_pods()
{
	mkdir -p tree/pods/a/web state/web
	echo memory >tree/cgroup.controllers
	for directory in pods pods/a pods/a/web; do
		cp "$FIXTURES"/v2/system.slice/* "tree/$directory/"
	done
	printf '{"pid":%d,"cgroup-path":"/pods/a/web"}' $$ >state/web/status
	echo 67108864 >tree/pods/a/web/memory.max
}

@test "what cgroups above leave of a limit and a protection is shown" {
	tree_with_pods
	echo 33554432 >tree/pods/memory.max
	echo 50331648 >tree/pods/a/memory.max
	echo 8388608 >tree/pods/a/memory.high
	echo 4194304 >tree/pods/a/web/memory.low
	echo 1048576 >tree/pods/a/memory.low
	echo max >tree/pods/memory.low
	echo 0 >tree/pods/memory.swap.max
	FAKE_CRUN_DO=$(state 67108864) run -0 memcrun --root state check --cgroup-root tree web
	diff - <(printf '%s\n' "${lines[@]: -5}") <<-END
	FILE             HERE      EFFECTIVE  FROM
	memory.max       67108864  33554432   /pods
	memory.high      max       8388608    /pods/a
	memory.swap.max  max       0          /pods
	memory.low       4194304   1048576    /pods/a
	END
	[[ $output != *DRIFT* ]]
	FAKE_CRUN_DO=$(state 67108864) run -0 memcrun --root state check --cgroup-root tree --format json web
	[[ $(tr -d ' \n' <<<"$output") == *'"effective":[{"file":"memory.max","here":"67108864","value":"33554432","from":"/pods"},{'* ]]
}

@test "nothing is said of cgroups above that leave all" {
	tree_with_pods
	echo 67108864 >tree/pods/a/memory.max
	FAKE_CRUN_DO=$(state 67108864) run -0 memcrun --root state check --cgroup-root tree web
	[[ $output != *EFFECTIVE* ]]
	FAKE_CRUN_DO=$(state 67108864) run -0 memcrun --root state check --cgroup-root tree --format json web
	[[ $(tr -d ' \n' <<<"$output") == *'"effective":[]'* ]]
}

@test "a container that asked for nothing is limited by cgroups above all the same" {
	tree_with_pods
	echo max >tree/pods/a/web/memory.max
	echo 33554432 >tree/pods/a/memory.max
	FAKE_CRUN_DO="echo '{\"id\":\"web\",\"pid\":$$}'" \
		run -0 memcrun --root state check --cgroup-root tree web
	[[ $output == *"no memory settings"*"memory.max  max   33554432   /pods/a" ]]
}

@test "a flat parent of v1 limits nothing below it" {
	mkdir -p tree/memory/flat/web state/web
	cp "$FIXTURES"/v1/memory/memory.* tree/memory/
	cp "$FIXTURES"/v1/memory/memory.* tree/memory/flat/
	cp "$FIXTURES"/v1/memory/memory.* tree/memory/flat/web/
	printf '{"pid":%d,"cgroup-path":"/flat/web"}' $$ >state/web/status
	echo 33554432 >tree/memory/flat/memory.limit_in_bytes
	echo 1 >tree/memory/flat/memory.use_hierarchy
	FAKE_CRUN_DO=$(state 67108864) run -0 memcrun --root state check --cgroup-root tree web
	[[ $output == *"33554432   /flat"* ]]
	echo 0 >tree/memory/flat/memory.use_hierarchy
	FAKE_CRUN_DO=$(state 67108864) run -0 memcrun --root state check --cgroup-root tree web
	[[ $output != *EFFECTIVE* ]]
}

@test "control characters of a hostile config are escaped in json" {
	printf '{"linux":{},"annotations":{"org.memcrun.tmpfs":"/a\177\302\2331m"}}' >config.json
	check --cgroup-root "$FIXTURES/v2" --format json -f config.json >out
	grep -qF '"asked": "/a\u007f\u009b1m"' out
	run ! grep -q $'[\177\302]' out
}

@test "a name that is no UTF-8 is said to be none" {
	FAKE_CRUN_DO="echo '{}'" run -1 check --cgroup-root "$FIXTURES/v2" $'w\377b'
	[[ $output == "memcrun: check: the name is not UTF-8, and crun prints no state of it" ]]
	not_run
}

@test "the hook refuses what is no memory file and a state without a process" {
	for argument in memory.max =5 memory.max/x=5 cpu.max=5 memory.../x=5 ""; do
		run -1 memcrun apply-hook "$argument" <<<"{\"pid\":$$}"
		[[ $output == "memcrun: apply-hook: not FILE=VALUE, \"$argument\"" ]]
	done
	run -1 memcrun apply-hook memory.max=5 <<<'{"pid":0}'
	[[ $output == "memcrun: state: pid: missing" ]]
	run -1 memcrun apply-hook memory.max=5 <<<'nonsense'
	[[ $output == "memcrun: state: offset "* ]]
	not_run
}
