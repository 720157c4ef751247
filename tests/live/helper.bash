# shellcheck shell=bash
# helper.bash - what the live tests have in common.
#
# Every check of memory settings looks at all control files of a cgroup: those
# that a test names must have the value it names, all others what the kernel
# gives to a cgroup that nobody has touched.

bats_require_minimum_version 1.8.0

# What `run` of bats leaves, and what the functions below do.
: "${output=}" "${stderr=}" "${status=}" "${directory=}" "${told=}" "${said=}" "${pid=}" "${id=}"

BED=$(cd "$(dirname "${BASH_SOURCE[0]}")/../vm" && pwd -P)
IMAGE=localhost/busybox
# shellcheck disable=SC2034 # for the tests: they share one default, as podman does
STATE=/run/crun
MIB=1048576

if [[ -e /sys/fs/cgroup/memory/memory.limit_in_bytes ]]; then
	CGROUP=v1
	MEMORY_ROOT=/sys/fs/cgroup/memory
	NO_LIMIT=9223372036854771712
else
	CGROUP=v2
	MEMORY_ROOT=/sys/fs/cgroup
	# shellcheck disable=SC2034
	NO_LIMIT=max
fi

fail()
{
	printf '%s\n' "$*" >&2
	return 1
}

is_systemd()
{
	[[ $(</proc/1/comm) == systemd ]]
}

# has_controller NAME: this kernel has that cgroup controller, in this layout.
has_controller()
{
	local controllers

	if [[ $CGROUP == v1 ]]; then
		# podman makes plain directories there, too
		mountpoint -q "/sys/fs/cgroup/$1"
		return
	fi
	controllers=$(</sys/fs/cgroup/cgroup.controllers)
	[[ " $controllers " == *" $1 "* ]]
}

# at_least PROGRAM VERSION: the installed PROGRAM is of that version or a later one. For
# differences that its list of changes names.
at_least()
{
	local version

	version=$("$1" --version | sed -n "s/^$1 version //p")
	[[ -n $version ]] || fail "$1 --version names no version"
	printf '%s\n' "$2" "$version" | sort -V -C
}

# until_true WHAT COMMAND...: wait for a state, not for a time.
until_true()
{
	local what=$1 tries
	shift

	for ((tries = 0; tries < 600; tries++)); do
		! "$@" || return 0
		sleep 0.05
	done
	fail "waited 30 s for: $what"
}

# Each processor holds the memcg that it has charged last, until it charges another: a
# removed cgroup that nobody else holds is gone after this. The other one stays.
charge_another()
{
	local cpu other=$MEMORY_ROOT/live-other

	[[ -d $other ]] || mkdir "$other"
	for ((cpu = 0; cpu < $(nproc); cpu++)); do
		(echo "$BASHPID" >"$other/cgroup.procs" && exec taskset -c "$cpu" true)
	done
}

# --- what is asserted

assert_equal()
{
	[[ $1 == "$2" ]] || fail "expected: $2"$'\n'"actual:   $1"
}

assert_contains()
{
	[[ $1 == *"$2"* ]] || fail "expected: ...$2..."$'\n'"actual:   $1"
}

assert_lacks()
{
	[[ $1 != *"$2"* ]] || fail "not expected: ...$2..."$'\n'"actual:       $1"
}

# --- the memory files of a cgroup

# The directory of the memory cgroup that process $1 is in.
memory_cgroup()
{
	local line path=

	while IFS= read -r line; do
		case $line in
		*:memory:*) path=${line#*:memory:} ;;
		0::*) [[ $CGROUP == v1 ]] || path=${line#0::} ;;
		esac
	done <"/proc/$1/cgroup"
	[[ -n $path ]] || fail "/proc/$1/cgroup names no memory cgroup"
	printf '%s\n' "$MEMORY_ROOT${path%/}"
}

# For setup_file: what a cgroup is like that nobody has touched. Files that count,
# that report, or that are an action when written hold nothing that can be set.
learn_fresh_cgroup()
{
	local fresh=$MEMORY_ROOT/live-fresh file value

	mkdir "$fresh"
	if [[ $CGROUP == v2 && ! -e $fresh/memory.max ]]; then
		echo +memory >"$MEMORY_ROOT/cgroup.subtree_control"
	fi
	for file in "$fresh"/memory.*; do
		case ${file##*/} in
		*usage* | *failcnt | *.force_empty | *pressure* | *.peak | *.reclaim | \
		*.current | *stat | *.events* | *.migrate | *.kmem.slabinfo) continue ;;
		esac
		# "oom_kill_disable 0" is set, the lines after it count
		IFS= read -r value <"$file" || fail "$file: empty"
		printf '%s=%s\n' "${file##*/}" "$value"
	done >"$BATS_FILE_TMPDIR/fresh"

	export SOFT_LIMIT=none
	if [[ $CGROUP == v1 ]]; then
		SOFT_LIMIT=ignored
		echo $((32 * MIB)) >"$fresh/memory.soft_limit_in_bytes"
		[[ $(<"$fresh/memory.soft_limit_in_bytes") != $((32 * MIB)) ]] || SOFT_LIMIT=works
	fi
	rmdir "$fresh"
}

# assert_memory DIR [NAME=VALUE]...: all other control files are untouched. One
# process does it all, for bats counts every command of a shell loop.
assert_memory()
{
	local directory=$1
	shift

	printf 'memory.%s\n' "$@" | awk -v directory="$directory" '
		{
			cut = index($0, "=")
			name = substr($0, 1, cut - 1)
			value = substr($0, cut + 1)
		}
		FILENAME != "-" { expected[name] = value; files++; next }
		name == "" { next }		# printf without any change
		!(name in expected) { print name ": no such control file here"; bad = 1; next }
		{ expected[name] = value }
		END {
			if (files < 6) { print "only " files " control files"; bad = 1 }
			for (name in expected) {
				actual = "(none)"
				getline actual <(directory "/" name)
				if (actual == expected[name]) continue
				print directory "/" name ": expected \"" expected[name] \
					"\", actual \"" actual "\""
				bad = 1
			}
			exit bad
		}' "$BATS_FILE_TMPDIR/fresh" - >&2
}

# --- podman

# bats waits for whoever holds its descriptor 3: conmon must not.
pod()
{
	# of the runtime that podman takes by itself it need not be told
	[[ -z ${LIVE_DEFAULT:-} || "$1 $2" != "--runtime memcrun" ]] || shift 2
	podman "$@" 3>&-
}

# forget_cpuset POD: on cgroup v1 podman 4.3 makes directories and files for a pod in
# /sys/fs/cgroup/cpuset, also on a kernel without that controller. There the files are plain
# ones, because of which podman cannot remove the directories, nor the pod.
forget_cpuset()
{
	local directory

	[[ $CGROUP == v1 ]] && ! has_controller cpuset || return 0
	directory=/sys/fs/cgroup/cpuset/libpod_parent/$(podman pod inspect -f '{{.ID}}' "$1")
	[[ ! -d $directory ]] || find "$directory" -type f -delete
}

# start NAME OPTION...: a container that sleeps, under memcrun. Its memory cgroup
# is in $directory, its process in $pid; what memcrun told the engine in $told.
start()
{
	local name=$1
	shift

	rm -f "$BATS_TEST_TMPDIR/pid"
	id=$(pod --runtime memcrun run -d --name "$name" --network none \
		--pidfile "$BATS_TEST_TMPDIR/pid" "$@" "$IMAGE" sleep 1000)
	pid=$(<"$BATS_TEST_TMPDIR/pid")
	directory=$(memory_cgroup "$pid")
	told=$(engine_log "$id")
}

# What the runtime wrote where podman has told it to: the log of a container's
# engine. After a failure podman has shown it and it is gone.
engine_log()
{
	local log=/run/containers/storage/overlay-containers/$1/userdata/oci-log

	[[ ! -s $log ]] || jq -r '.level + ": " + .msg' "$log"
}

# refused OPTION...: podman run fails, what it says is in $stderr.
refused()
{
	run --separate-stderr pod --runtime memcrun run --rm --network none "$@" "$IMAGE" true
	# 126 is what podman makes of a runtime that fails
	assert_equal "$status" 126
	assert_equal "$output" ""
}

# Prints what crun leaves in its state directory when its last container is gone: .cache
# (seccomp filters) and .empty-directory (for masked paths), depending on its version.
left_by_crun()
{
	podman --runtime crun run --rm --network none "$IMAGE" true 3>&-
	ls -A "$STATE"
}

# --- memcrun on its own

# For setup_file: a bundle whose process sleeps.
make_bundle()
{
	export BUNDLE=$BATS_FILE_TMPDIR/bundle
	"$BED/bundle" "$BUNDLE" sleep 1000
}

# configure FILTER: config.json of this test from the bundle's, by jq
configure()
{
	config=$BATS_TEST_TMPDIR/config.json
	jq "$1" "$BUNDLE/config.json" >"$config"
}

# create ID FILTER [GLOBAL OPTION]...: memcrun create with the bundle's config
# changed by FILTER. Its words are in $said, its exit status is returned.
create()
{
	local id=$1 status=0

	configure ".linux.cgroupsPath = \"/$id\" | ($2)"
	shift 2
	memcrun "$@" create --bundle "$BUNDLE" --config "$config" "$id" \
		</dev/null >"$BATS_TEST_TMPDIR/said" 2>&1 3>&- || status=$?
	said=$(<"$BATS_TEST_TMPDIR/said")
	directory=$MEMORY_ROOT/$id
	return "$status"
}

# direct FILTER: a container made by memcrun itself, until delete_made. A test may
# make several.
made=()
tried=0

direct()
{
	local id

	tried=$((tried + 1))
	id=direct-$BATS_TEST_NUMBER-$tried
	create "$id" "$1" || fail "$said"
	made+=("$id")
}

delete_made()
{
	local id

	for id in "${made[@]}"; do
		memcrun delete --force "$id"
	done
}

# Nothing of container $1 is left: state, cgroups in any hierarchy.
assert_gone()
{
	local -a left=()
	local path

	for path in "$STATE/$1" "/sys/fs/cgroup/$1" /sys/fs/cgroup/*/"$1"; do
		[[ ! -e $path ]] || left+=("$path")
	done
	[[ ${#left[@]} == 0 ]] || fail "left behind: ${left[*]}"
}

# create_fails ID FILTER TEXT [any]: memcrun refuses, says TEXT, leaves nothing.
# With `any` it is crun that fails, in its own words.
create_fails()
{
	if create "$1" "$2"; then
		memcrun delete --force "$1"
		fail "$1 was created, it should not have been: $2"
	fi
	[[ ${4:-} == any ]] || assert_equal "${said%%:*}" memcrun
	assert_contains "$said" "$3"
	assert_gone "$1"
}
