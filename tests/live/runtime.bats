#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2016 # what the helper sets; quoted for inner shells
#
# runtime.bats - memcrun as a runtime without an engine: what crun does with its
# options, descriptors and processes is what memcrun does.

load helper

setup_file()
{
	make_bundle
}

teardown()
{
	local path

	for path in "$STATE"/*; do
		[[ ! -e $path ]] || memcrun delete --force "${path##*/}"
	done
}

LIMIT='.linux.resources.memory = {limit: 67108864, swap: 100663296}'

# same SHELL: the text runs under crun and under memcrun, as $RUNTIME; its words
# are the same, and in $words.
same()
{
	local runtime

	for runtime in crun memcrun; do
		RUNTIME=$runtime BUNDLE=$BUNDLE config=$config timeout 60 bash -c "$1" \
			</dev/null >"$BATS_TEST_TMPDIR/$runtime" 2>&1 3>&- ||
			printf 'exit %d\n' $? >>"$BATS_TEST_TMPDIR/$runtime"
	done
	diff -u "$BATS_TEST_TMPDIR/crun" "$BATS_TEST_TMPDIR/memcrun" >&2
	words=$(<"$BATS_TEST_TMPDIR/memcrun")
}

# runs SCRIPT: the container's process is this script of a shell
runs()
{
	configure "$LIMIT | .process.args = [\"sh\", \"-c\", $(jq -n --arg s "$1" '$s')]"
}

# bats test_tags=processes
@test "exit_status_and_output_are_the_containers" {
	runs 'echo out; echo err >&2; exit 42'
	same '$RUNTIME run --bundle "$BUNDLE" --config "$config" x'
	assert_equal "$words" "out"$'\n'"err"$'\n'"exit 42"
}

# bats test_tags=processes
@test "a_signal_is_passed_to_the_container" {
	runs 'trap "echo caught; exit 9" TERM; echo ready; while :; do sleep 0.05; done'
	same '$RUNTIME run --bundle "$BUNDLE" --config "$config" x >"$BUNDLE/said" &
		until [ -s "$BUNDLE/said" ]; do sleep 0.05; done
		kill -TERM $!; wait $!; status=$?; cat "$BUNDLE/said"; rm "$BUNDLE/said"; exit $status'
	assert_equal "$words" "ready"$'\n'"caught"$'\n'"exit 9"
}

# bats test_tags=processes
@test "preserved_descriptors_arrive_and_no_others" {
	runs 'cat <&3; cat <&4; ls /proc/self/fd | sort -n | paste -sd " " -'
	same 'exec 3< <(echo three) 4< <(echo four)
		$RUNTIME run --preserve-fds 2 --bundle "$BUNDLE" --config "$config" x'
	# 5 is what ls has opened
	assert_equal "$words" "three"$'\n'"four"$'\n'"0 1 2 3 4 5"
}

# bats test_tags=processes
@test "listen_fds_arrive" {
	runs 'cat <&3; echo "$LISTEN_PID"; ls /proc/self/fd | wc -l'
	same 'exec 3< <(echo socket); export LISTEN_FDS=1 LISTEN_PID=$$
		exec $RUNTIME run --bundle "$BUNDLE" --config "$config" x'
	assert_equal "$words" "socket"$'\n'1$'\n'5
}

# bats test_tags=processes
@test "a_console_socket_gets_the_terminal" {
	command -v python3 >/dev/null || skip "python3 is not installed, nothing listens"
	configure "$LIMIT | .process.terminal = true | .process.consoleSize = {height: 31, width: 97} |
		.process.args = [\"sh\", \"-c\", \"tty; stty size; echo end\"]"
	cat >"$BATS_TEST_TMPDIR/listen.py" <<'PYTHON'
import array, os, socket, sys
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
server.listen()
peer = server.accept()[0]
_, ancillary, _, _ = peer.recvmsg(100, socket.CMSG_SPACE(4))
terminal = array.array("i", ancillary[0][2])[0]
text = b""
while b"end" not in text:
    text += os.read(terminal, 1000)
print(text.decode().replace("\r", ""), end="")
PYTHON
	export LISTEN=$BATS_TEST_TMPDIR/listen.py SOCKET=$BATS_TEST_TMPDIR/console
	same 'rm -f "$SOCKET"; python3 "$LISTEN" "$SOCKET" & until [ -S "$SOCKET" ]; do sleep 0.05; done
		$RUNTIME create --console-socket "$SOCKET" --bundle "$BUNDLE" --config "$config" x
		$RUNTIME start x; wait; $RUNTIME delete --force x'
	assert_equal "$words" "/dev/pts/0"$'\n'"31 97"$'\n'end
}

# bats test_tags=processes
@test "the_pid_file_names_the_containers_process" {
	configure "$LIMIT"
	memcrun run --detach --pid-file "$BATS_TEST_TMPDIR/pid" --bundle "$BUNDLE" --config "$config" x \
		</dev/null >/dev/null 2>&1 3>&-
	assert_equal "$(<"$BATS_TEST_TMPDIR/pid")" "$(memcrun state x | jq .pid)"
	assert_equal "$(tr '\0' ' ' <"/proc/$(<"$BATS_TEST_TMPDIR/pid")/cmdline")" "sleep 1000 "
	assert_equal "$(memcrun state x | jq -r .status)" running
	memcrun kill x KILL
	until_true "it is stopped" eval '[[ $(memcrun state x | jq -r .status) == stopped ]]'
	memcrun delete x
	assert_gone x
}

# bats test_tags=processes
@test "a_config_through_a_pipe_is_read_once" {
	local filter

	for filter in "$LIMIT" .; do
		configure "$filter | .process.args = [\"echo\", \"piped\"]"
		run memcrun run --bundle "$BUNDLE" --config /dev/fd/5 x 5< <(cat "$config")
		assert_equal "$output" piped
		assert_equal "$status" 0
	done
}

@test "the_state_directory_keeps_the_compiled_config_until_delete" {
	create x "$LIMIT | .linux.resources.memory.reservation = 33554432 |
		.annotations = {\"org.memcrun.reservation\": \"none\"}"
	assert_equal "$(jq -c '.annotations."org.memcrun.asked" | fromjson | .linux.resources.memory' \
		"$STATE/x/config.json")" '{"limit":67108864,"swap":100663296,"reservation":33554432}'
	assert_equal "$(jq -c '.linux.resources.memory | del(.reservation)' "$STATE/x/config.json")" \
		'{"limit":67108864,"swap":100663296}'
	# all but memory and our note is what was given
	diff <(jq -S 'del(.linux.resources.memory, .annotations)' "$config") \
		<(jq -S 'del(.linux.resources.memory, .annotations)' "$STATE/x/config.json")
	memcrun delete --force x
	assert_gone x
}

@test "a_config_without_settings_reaches_crun_byte_for_byte" {
	create x .
	cmp "$config" "$STATE/x/config.json"
}

@test "the_log_has_warnings_and_errors_in_json_and_text" {
	local log=$BATS_TEST_TMPDIR/log annotate='.annotations = {"org.memcrun.tmpfs": "pod"'

	create x "$annotate}" --log "$log" --log-format json
	assert_equal "$(jq -r '.level + " " + .msg' "$log")" \
		'warning annotations.org.memcrun.tmpfs: this kernel binds no tmpfs to a cgroup (mount option memcg), "pod"'
	[[ $(jq -r .time "$log") =~ ^20[0-9-]+T[0-9:.]+Z$ ]] || fail "$(<"$log")"

	: >"$log"
	! create y "$annotate, \"org.memcrun.strict\": \"true\"}" --log "$log" --log-format json ||
		fail "y was created"
	assert_equal "$(jq -r .level "$log")" error
	assert_contains "$(jq -r .msg "$log")" "annotations.org.memcrun.tmpfs: this kernel"
	assert_equal "$said" "memcrun: $(jq -r .msg "$log")"

	: >"$log"
	create z "$annotate}" --log "file:$log"
	assert_contains "$(<"$log")" "annotations.org.memcrun.tmpfs: this kernel"
	assert_lacks "$(<"$log")" '{"'
}

@test "journald_gets_what_is_logged_there" {
	is_systemd || skip "no journald without systemd"
	create x '.annotations = {"org.memcrun.tmpfs": "pod"}' --log journald:live-test
	until_true "journald has written it" eval \
		'journalctl -q -o json SYSLOG_IDENTIFIER=memcrun | grep -q live-test'
	assert_equal "$(journalctl -q -o json SYSLOG_IDENTIFIER=memcrun ID=live-test |
		jq -r '.PRIORITY + " " + .MESSAGE')" \
		'4 annotations.org.memcrun.tmpfs: this kernel binds no tmpfs to a cgroup (mount option memcg), "pod"'
}

@test "a_hook_sets_what_crun_cannot_on_v1" {
	[[ $CGROUP == v1 ]] || skip "on v2 crun can write every file"
	create x '.hooks.createRuntime = [{path: "/bin/true"}] |
		.annotations = {"org.memcrun.move-charge": "all"}'
	assert_equal "$(<"$directory/memory.move_charge_at_immigrate")" 3
	# first, so that other hooks find the settings in force
	assert_equal "$(jq -c '[.hooks.createRuntime[] | .args[-2:] // .path]' "$STATE/x/config.json")" \
		'[["apply-hook","memory.move_charge_at_immigrate=3"],"/bin/true"]'
}

# The parent of a container's process under "run" is the one that was started.
# bats test_tags=processes
@test "no_process_stands_between" {
	local runtime started parent

	configure "$LIMIT"
	for runtime in crun memcrun; do
		"$runtime" run --pid-file "$BATS_TEST_TMPDIR/pid-$runtime" --bundle "$BUNDLE" \
			--config "$config" "x-$runtime" </dev/null >/dev/null 2>&1 3>&- &
		started=$!
		until_true "$runtime has written its pid file" test -s "$BATS_TEST_TMPDIR/pid-$runtime"
		parent=$(ps -o ppid= -p "$(<"$BATS_TEST_TMPDIR/pid-$runtime")")
		assert_equal "$runtime ${parent// /}" "$runtime $started"
		assert_equal "$(</proc/"$started"/comm)" crun
		assert_equal "$(pgrep -c -P "$started")" 1
		# it removes the container itself
		memcrun kill "x-$runtime" KILL
		wait "$started" || assert_equal $? 137
		assert_gone "x-$runtime"
	done
}

# bats test_tags=processes
@test "no_process_is_started_that_crun_would_not_start" {
	local runtime
	local -A count

	configure "$LIMIT"
	for runtime in crun memcrun; do
		strace -f -qq -o "$BATS_TEST_TMPDIR/trace" \
			-e trace=execve,execveat,fork,vfork,clone,clone3 \
			"$runtime" run --bundle "$BUNDLE" --config <(jq '.process.args = ["true"]' "$config") \
			"y-$runtime" </dev/null 3>&-
		count[$runtime]=$(grep -cE '(fork|clone3?)\(.*= [0-9]+$' "$BATS_TEST_TMPDIR/trace")
		count[$runtime-exec]=$(grep -cE 'execve(at)?\(.*= 0$' "$BATS_TEST_TMPDIR/trace")
	done
	[[ ${count[crun]} -ge 1 ]] || fail "no process seen under crun"
	assert_equal "${count[memcrun]}" "${count[crun]}"
	assert_equal "${count[memcrun-exec]}" $((count[crun-exec] + 1))
}
