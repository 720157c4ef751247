# shellcheck shell=bash
# hook.bats - a state goes in, files of a fixture tree come out.

bats_require_minimum_version 1.5.0
: "${output=}" "${stderr=}" "${status=}"

setup_file()
{
	[[ -x ${HOOK:-} ]] || skip "memcrun-hook is not built"
}

# A tree with a cgroup for each kind of kernel, where /proc says that we are.
setup()
{
	bundle=$BATS_TEST_TMPDIR/bundle
	mkdir "$bundle"
	v2 v2
}

v2()
{
	tree=$BATS_TEST_TMPDIR/tree-$1
	cgroup=$tree$(sed -n 's/^0:://p' /proc/self/cgroup)
	mkdir -p "$cgroup"
	cp -r "$FIXTURES/$1/." "$tree"
	cp "$FIXTURES/$1"/system.slice/*.* "$cgroup"
	echo 1048576 >"$cgroup/memory.current"
}

v1()
{
	local path
	path=$(sed -n 's/^[0-9]*:\([a-z_,]*,\)*memory[a-z_,]*:\(.*\)/\2/p' /proc/self/cgroup)
	[[ -n $path ]] || skip "no cgroup v1 has the memory controller here"
	tree=$BATS_TEST_TMPDIR/tree-v1
	cgroup=$tree/memory$path
	cp -r "$FIXTURES/v1" "$tree"
	mkdir -p "$cgroup"
	cp "$FIXTURES"/v1/memory/memory.* "$cgroup"
	# a file keeps what is behind what is written, unlike the kernel
	echo 0 >"$cgroup/memory.limit_in_bytes"
	echo 0 >"$cgroup/memory.memsw.limit_in_bytes"
	echo 0 >"$cgroup/memory.usage_in_bytes"
}

# config MEMORY [ANNOTATIONS]: the bundle's
config()
{
	printf '{"ociVersion": "1.0.2", "linux": {"resources": {"memory": %s}}, "annotations": %s}' \
		"$1" "${2:-{\}}" >"$bundle/config.json"
}

# hook STAGE [STATE]
hook()
{
	local state=${2-"{\"ociVersion\": \"1.0.2\", \"id\": \"c\", \"status\": \"created\",
		\"pid\": $$, \"bundle\": \"$bundle\", \"annotations\": {}}"}

	printf '%s' "$state" >"$BATS_TEST_TMPDIR/state"
	run --separate-stderr "$HOOK" --cgroup-root "$tree" "$1" <"$BATS_TEST_TMPDIR/state"
}

snapshot()
{
	(cd "$tree" && find . -type f -print0 | sort -z | xargs -0 sha256sum)
}

# refused STATUS TEXT: it says so in one line, and nothing was written
refused()
{
	[[ $status == "$1" ]]
	[[ $stderr == "memcrun-hook: "*"$2"* ]]
	[[ $(wc -l <<<"$stderr") == 1 ]]
	[[ $(snapshot) == "$before" ]]
}

@test "createRuntime puts the settings in force, and takes back what the runtime made of them" {
	v2 v2-patched
	echo 1 >"$cgroup/memory.low"
	echo 1 >"$cgroup/memory.swap.max"
	config '{"limit": 67108864, "swap": 100663296, "reservation": 33554432}' \
		'{"org.memcrun.reservation": "none"}'
	hook createRuntime
	[[ $status == 0 ]]
	[[ $(<"$cgroup/memory.max") == 67108864 ]]
	[[ $(<"$cgroup/memory.memsw.max") == 100663296 ]]
	[[ $(<"$cgroup/memory.soft.max") == 33554432 ]]
	[[ $(<"$cgroup/memory.low") == 0 ]]
	[[ $(<"$cgroup/memory.swap.max") == max ]]
	[[ -e $bundle/memcrun-hook.json ]]
}

@test "createRuntime on v1 writes the files of v1" {
	v1
	config '{"limit": 67108864, "swap": 100663296}'
	hook createRuntime
	[[ $status == 0 ]]
	[[ $(<"$cgroup/memory.limit_in_bytes") == 67108864 ]]
	[[ $(<"$cgroup/memory.memsw.limit_in_bytes") == 100663296 ]]
}

@test "createRuntime takes over the charges of the container's process" {
	v2 v2-patched
	config '{"limit": 67108864}' '{"org.memcrun.move-charge": "all"}'
	hook createRuntime
	[[ $status == 0 && -z $stderr ]]
	[[ $(<"$cgroup/memory.migrate") == "pid:$$ anon file shmem" ]]
}

@test "reservation=high on a kernel without the series" {
	config '{"limit": 67108864, "reservation": 33554432}' '{"org.memcrun.reservation": "high"}'
	echo 1 >"$cgroup/memory.low"
	hook createRuntime
	[[ $status == 0 ]]
	[[ $(<"$cgroup/memory.high") == 33554432 ]]
	[[ $(<"$cgroup/memory.low") == 0 ]]
}

@test "what this kernel cannot is warned about, and strict refuses it" {
	config '{"limit": 67108864, "swappiness": 10}'
	hook createRuntime
	[[ $status == 0 ]]
	[[ $stderr == "memcrun-hook: warning: "*swappiness* ]]
	[[ $(<"$cgroup/memory.max") == 67108864 ]]

	config '{"limit": 50331648, "swappiness": 10}' '{"org.memcrun.strict": "true"}'
	before=$(snapshot)
	hook createRuntime
	refused 1 swappiness
}

@test "a container of memcrun and one without settings are left alone" {
	before=$(snapshot)
	config '{"limit": 67108864}'
	hook createRuntime "{\"pid\": $$, \"bundle\": \"$bundle\",
		\"annotations\": {\"org.memcrun.asked\": \"{}\"}}"
	[[ $status == 0 && $(snapshot) == "$before" && ! -e $bundle/memcrun-hook.json ]]
	config '{}'
	hook createRuntime
	[[ $status == 0 && $(snapshot) == "$before" && ! -e $bundle/memcrun-hook.json ]]
}

@test "an unknown annotation and settings that contradict each other end the creation" {
	before=$(snapshot)
	config '{"limit": 67108864}' '{"org.memcrun.reservatoin": "high"}'
	hook createRuntime
	refused 1 reservatoin
	config '{"limit": 67108864, "swap": 33554432}'
	hook createRuntime
	refused 1 linux.resources.memory.swap
}

@test "a refusal by the kernel leaves what the runtime made" {
	config '{"limit": 67108864, "reservation": 33554432}' '{"org.memcrun.reservation": "high"}'
	rm "$cgroup/memory.high"
	mkdir "$cgroup/memory.high"
	before=$(snapshot)
	hook createRuntime
	refused 1 memory.high
}

@test "a pipe can be the log" {
	local text

	config '{"limit": 67108864, "swappiness": 10}'
	printf '{"pid": %d, "bundle": "%s"}' $$ "$bundle" >"$BATS_TEST_TMPDIR/state"
	text=$(set -o pipefail
		"$HOOK" --cgroup-root "$tree" --log /proc/self/fd/2 createRuntime \
			<"$BATS_TEST_TMPDIR/state" 2>&1 | cat)
	# standard error and the log are the same pipe
	[[ $(grep -c swappiness <<<"$text") == 2 ]]
	[[ $(<"$cgroup/memory.max") == 67108864 ]]
}

@test "a hostile state is refused, and nothing is touched" {
	local state

	config '{"limit": 67108864}'
	before=$(snapshot)
	for state in '' 'x' '[]' '{' '{"pid": "x"}' '{"pid": -1}' '{"pid": 99999999999}' \
		"{\"pid\": $$}" "{\"pid\": $$, \"bundle\": \"relative\"}" \
		"{\"pid\": $$, \"bundle\": \"/nonexistent\"}" \
		"{\"pid\": $$, \"bundle\": \"$bundle\", \"pid\": 1}" \
		"{\"bundle\": \"$bundle\"}" "{\"pid\": $$, \"bundle\": 5}" \
		"{\"pid\": 4194304, \"bundle\": \"$bundle\"}" \
		"$(printf '[%.0s' {1..5000})"; do
		hook createRuntime "$state"
		refused 1 "" || {
			echo "of ${state:0:200}: $status, $stderr"
			return 1
		}
	done
	[[ ! -e $bundle/memcrun-hook.json ]]
}

@test "what is no file is no config: nobody waits for it" {
	before=$(snapshot)
	mkfifo "$bundle/config.json"
	hook createRuntime
	refused 1 "not a file"
	rm "$bundle/config.json"
	ln -s /etc/passwd "$bundle/config.json"
	hook createRuntime
	refused 1 "config.json"
}

@test "poststart says what was changed since; poststop removes what was kept" {
	config '{"limit": 67108864}'
	hook createRuntime
	hook poststart
	[[ $status == 0 && -z $stderr ]]
	echo max >"$cgroup/memory.max"
	hook poststart
	[[ $status == 0 ]]
	[[ $stderr == *'memory.max: "67108864" was set, and somebody made it "max"' ]]
	hook poststop
	[[ $status == 0 && -z $stderr && ! -e $bundle/memcrun-hook.json ]]
	hook poststart
	[[ $status == 0 && -z $stderr ]]
	rm -r "$bundle"
	hook poststop
	[[ $status == 0 && -z $stderr ]]
}

@test "a record that is none is refused" {
	config '{"limit": 67108864}'
	echo '{"form": 1, "files": {"../memory.max": "1"}}' >"$bundle/memcrun-hook.json"
	before=$(snapshot)
	hook poststart
	# it says so, and is no reason to end the container
	refused 0 "not a setting"
}

# The process that is about to read the state, a child of $1.
reader()
{
	local child

	child=$(awk -v parent="$1" '$4 == parent { print $1 }' /proc/[0-9]*/stat)
	[[ -n $child ]] && text=$(<"/proc/$child/status") && [[ $text == *$'Seccomp:\t2'* ]]
}

@test "the state is read by a process without capabilities, new privileges, or other calls" {
	local text=

	[[ ${SANITIZED:-0} == 0 ]] || skip "sanitizers have threads and signals of their own"
	mkfifo "$BATS_TEST_TMPDIR/stdin"
	"$HOOK" --cgroup-root "$tree" createRuntime <>"$BATS_TEST_TMPDIR/stdin" 3>&- &
	for _ in {1..200}; do
		! reader $! 2>/dev/null || break
		sleep 0.02
	done
	kill $!
	[[ $text == *$'Seccomp:\t2'* ]]
	[[ $text == *$'NoNewPrivs:\t1'* ]]
	[[ $text =~ CapEff:[[:blank:]]*0+$'\n' ]]
	[[ $text =~ CapPrm:[[:blank:]]*0+$'\n' ]]
}

@test "the command line: help, version, and what is wrong with it" {
	run --separate-stderr "$HOOK" --help
	[[ $status == 0 && $output == *createRuntime*poststart*poststop* ]]
	run --separate-stderr "$HOOK" --version
	[[ $status == 0 && $output == "memcrun-hook "* ]]
	for arguments in "" "nonsense" "createRuntime poststart" "--nonsense createRuntime" \
		"--log-format xml createRuntime" "--log"; do
		# shellcheck disable=SC2086
		run --separate-stderr "$HOOK" $arguments </dev/null
		[[ $status == 2 && $stderr == "memcrun-hook: "* ]]
	done
}
