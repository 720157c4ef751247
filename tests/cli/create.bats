#!/usr/bin/env bats
# create and run hand crun a config that is compiled for this kernel.

load common

setup() {
	common_setup
	needs_cgroups
}

@test "the config is put behind the options" {
	bundle b "$LIMIT"
	memcrun run -b b -d --pid-file p web
	got_argv run -b b -d --pid-file p --config "/proc/self/fd/$(handed_fd)" web
	got_compiled
	memcrun --debug create --bundle=b web 2>/dev/null
	got_argv --debug create --bundle=b --config "/proc/self/fd/$(handed_fd)" web
	got_compiled
}

@test "the config stands before a double dash" {
	bundle b "$LIMIT"
	memcrun run -b b -- web
	got_argv run -b b --config "/proc/self/fd/$(handed_fd)" -- web
	got_compiled
}

@test "options are read however they are written" {
	bundle b "$LIMIT"
	for options in "--bun b" "-bb" "-db b" "-dbb" "--bundle=b" "--detach --bundle b"; do
		# shellcheck disable=SC2086
		memcrun run $options web
		# shellcheck disable=SC2086
		got_argv run $options --config "/proc/self/fd/$(handed_fd)" web
		got_compiled
	done
}

@test "the bundle is the working directory unless said" {
	bundle . "$LIMIT"
	memcrun run web
	got_argv run --config "/proc/self/fd/$(handed_fd)" web
	got_compiled
}

@test "a config of the user's own is honoured and comes last" {
	bundle b '{"limit":4096}'
	bundle other "$LIMIT"
	memcrun run -b b --config other/config.json web
	got_argv run -b b --config other/config.json --config "/proc/self/fd/$(handed_fd)" web
	got_compiled
	memcrun run -b b -f "$PWD/other/config.json" web
	got_compiled
}

@test "config.json by name is the one of the bundle, as crun has it" {
	bundle . '{"limit":4096}'
	bundle b "$LIMIT"
	memcrun run -b b -f config.json web
	got_compiled
}

@test "a config through a pipe is handed on" {
	bundle b "$LIMIT"
	memcrun run -f /dev/stdin web <b/config.json
	got_compiled
	memcrun run -f /dev/stdin web < <(cat b/config.json)
	got_compiled
	memcrun run -f <(cat b/config.json) web
	got_compiled
}

@test "a config through a pipe that asks for nothing is handed on as it was" {
	bundle b
	memcrun run -f /dev/stdin web < <(cat b/config.json)
	got_argv run -f /dev/stdin --config "/proc/self/fd/$(handed_fd)" web
	cmp "$RECORD/config" b/config.json
}

@test "one fd more is open and it is above all that the container gets" {
	bundle b "$LIMIT"
	"$FAKE" run -b b web
	cp "$RECORD/fds" direct
	memcrun run -b b web
	[[ $(comm -13 <(sort direct) <(sort "$RECORD/fds")) == "$(handed_fd)" ]]
	memcrun run -b b --preserve-fds 20 web
	(($(handed_fd) >= 23))
	LISTEN_FDS=9 memcrun run -b b --preserve-fds=20 web
	(($(handed_fd) >= 32))
	[[ $(cat "$RECORD/listen") == 9 ]]
}

@test "the container's name may look like an option" {
	bundle b "$LIMIT"
	memcrun run -b b -- -odd+name
	got_argv run -b b --config "/proc/self/fd/$(handed_fd)" -- -odd+name
}

@test "words behind the container's name are crun's to refuse" {
	bundle b "$LIMIT"
	memcrun run -b b web -b other
	got_argv run -b b web -b other
}

@test "fields that mean not set never reach crun, which takes 0 for a limit" {
	bundle b '{"limit":0,"swap":0}'
	memcrun run -b b web
	[[ $(jq -c .linux.resources.memory "$RECORD/config") == "{}" ]]
}

@test "a log that nobody reads does not block" {
	mkfifo log
	bundle b '{"limit":-5}'
	run -1 timeout 10 "$MEMCRUN" --crun "$FAKE" --log log run -b b web
	[[ $output == *'linux.resources.memory.limit: below -1, "-5"' ]]
}

@test "debug prints the plan before it is handed over" {
	bundle b "$LIMIT"
	run -0 memcrun --debug run -b b web
	[[ $output =~ ^memcrun:\ debug:\ memory\.(max|limit_in_bytes)\ =\ 67108864$ ]]
}

@test "an error is one line, status 1, and crun is not run" {
	mkdir b
	for config in '' '{' '[]' '{"a":1,"a":2}' '{"linux":{"resources":{"memory":{"limit":"x"}}}}' \
		'{"annotations":{"org.memcrun.x":"y"}}' '{} // no'; do
		echo "$config" >b/config.json
		run -1 --separate-stderr memcrun run -b b web
		[[ -z $output ]]
		# shellcheck disable=SC2154
		[[ ${#stderr_lines[@]} == 1 && $stderr == "memcrun: b/config.json: "* ]]
		not_run
	done
}

@test "a bundle without a config is an error that names it" {
	mkdir b
	run -1 memcrun run -b b web
	[[ $output == "memcrun: b/config.json: cannot open: No such file or directory" ]]
	not_run
}

@test "a refused value is named by its path" {
	bundle b '{"limit":4096,"swap":-2}'
	run -1 memcrun run -b b web
	[[ $output == 'memcrun: b/config.json: linux.resources.memory.swap: below -1, "-2"' ]]
	bundle b '{"limit":67108864,"swap":4096}'
	run -1 memcrun run -b b web
	[[ $output == 'memcrun: linux.resources.memory.swap: below the limit of memory alone, "4096"' ]]
	not_run
}

@test "an error goes to the engine's log as text" {
	bundle b '{"swap":-2}'
	run -1 memcrun --log log run -b b web
	[[ $(cat log) == 'b/config.json: linux.resources.memory.swap: below -1, "-2"' ]]
	run -1 memcrun --log=file:log2 --log-format text run -b b web
	[[ $(cat log2) == 'b/config.json: linux.resources.memory.swap: below -1, "-2"' ]]
}

@test "an error goes to the engine's log as json" {
	bundle b '{"swap":-2}'
	run -1 memcrun --log log --log-format=json run -b b web
	run -1 memcrun --log log --log-format=json run -b b web
	[[ $(wc -l <log) == 2 ]]
	while read -r line; do
		[[ $line =~ ^\{\"msg\":\"b/config.json:\ linux.resources.memory.swap:\ below\ -1,\ \\\"-2\\\"\",\"level\":\"error\",\"time\":\"[-0-9]+T[:0-9]+\.[0-9]+Z\"\}$ ]]
	done <log
}

@test "a log of another kind or that cannot be written changes nothing" {
	bundle b '{"swap":-2}'
	for log in syslog: syslog:web journald: journald:web nonsense:x /nonexistent/log ""; do
		for format in text json; do
			run -1 memcrun --log "$log" --log-format "$format" run -b b web
			[[ $output == "memcrun: b/config.json: "* ]]
		done
	done
	not_run
}

@test "a warning is printed, logged, and stops nothing" {
	bundle b "$LIMIT"
	sed -i 's/}$/,"annotations":{"org.memcrun.tmpfs":"pod"}}/' b/config.json
	run -0 memcrun --log log --log-format json run -b b web
	[[ $output == "memcrun: warning: annotations.org.memcrun.tmpfs: "* ]]
	grep -q '"level":"warning"' log
	sed -i 's/"annotations":{/&"org.memcrun.strict":"true",/' b/config.json
	rm "$RECORD/argv"
	run -1 memcrun run -b b web
	[[ $output == "memcrun: annotations.org.memcrun.tmpfs: "* ]]
	not_run
}

@test "a config beyond 16 MiB is refused" {
	bundle b
	truncate -s 16777217 b/config.json
	run -1 memcrun run -b b web
	[[ $output == "memcrun: b/config.json: longer than 16777216 bytes" ]]
}

@test "our own config is not compiled twice" {
	bundle b "$LIMIT"
	memcrun run -b b web
	cp "$RECORD/config" b/config.json
	rm "$RECORD/argv"
	run -1 memcrun run -b b web
	[[ $output == "memcrun: b/config.json: annotations.org.memcrun.asked: "* ]]
	not_run
}
