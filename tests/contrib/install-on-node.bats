# shellcheck shell=bash
# install-on-node.bats - a node's root is a directory here.

bats_require_minimum_version 1.5.0
: "${output=}" "${stderr=}" "${status=}"

setup()
{
	install=$SRCDIR/contrib/kubernetes/install-on-node
	node=$BATS_TEST_TMPDIR/node
	mkdir -p "$node/etc"
	echo program >"$BATS_TEST_TMPDIR/memcrun"
}

install()
{
	run --separate-stderr "$install" --memcrun "$BATS_TEST_TMPDIR/memcrun" "$@" "$node"
}

# The CRI plugin that has the runtimes, by the version of the configuration.
plugin()
{
	case $1 in
	2) echo io.containerd.grpc.v1.cri ;;
	*) echo io.containerd.cri.v1.runtime ;;
	esac
}

# containerd DRIVER [VERSION]: its configuration. Version 3 is as containerd 2 prints it.
containerd()
{
	mkdir -p "$node/etc/containerd"
	if [[ ${2:-2} == 2 ]]; then
		printf '%s\n' 'version = 2' \
			'[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]' \
			"  SystemdCgroup = $1"
	else
		printf '%s\n' "version = $2" "root = '/var/lib/containerd'" '' '[plugins]' \
			"  [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]" \
			"    SystemdCgroup = $1"
	fi >"$node/etc/containerd/config.toml"
	cp "$node/etc/containerd/config.toml" "$BATS_TEST_TMPDIR/had"
}

files()
{
	(cd "$node" && find . -type f -printf '%p %m %T@ ' -exec sha256sum {} \; | sort)
}

@test "CRI-O gets a drop-in and the program, a second time changes nothing, and it goes again" {
	mkdir "$node/etc/crio"
	install
	[[ $status == 0 && $output == "install-on-node: installed for crio" ]]
	cmp "$SRCDIR/contrib/kubernetes/crio-memcrun.conf" \
		"$node/etc/crio/crio.conf.d/10-memcrun.conf"
	[[ -x $node/usr/local/bin/memcrun ]]
	before=$(files)
	install
	[[ $status == 0 && $(files) == "$before" ]]
	install --uninstall
	[[ $status == 0 && ! -e $node/etc/crio/crio.conf.d/10-memcrun.conf ]]
	# for containers that run are stopped by it
	[[ -x $node/usr/local/bin/memcrun ]]
}

@test "containerd gets a handler behind what it has, with runc's cgroup driver" {
	local driver version

	for version in 2 3; do for driver in true false; do
		containerd "$driver" "$version"
		install
		[[ $status == 0 && $output == "install-on-node: installed for containerd" ]]
		[[ $(grep -Fc "[plugins.\"$(plugin "$version")\".containerd.runtimes.memcrun" \
			"$node/etc/containerd/config.toml") == 2 ]]
		grep -q '^  runtime_type = "io.containerd.runc.v2"' "$node/etc/containerd/config.toml"
		[[ $(grep -c "SystemdCgroup = $driver" "$node/etc/containerd/config.toml") == 2 ]]
		before=$(files)
		install
		[[ $(files) == "$before" ]]
		install --uninstall
		cmp "$BATS_TEST_TMPDIR/had" "$node/etc/containerd/config.toml"
	done; done
}

@test "a configuration of another version is refused by its version" {
	local version before

	for version in 1 4 23 '"3"'; do
		containerd true "$version"
		before=$(files)
		install
		[[ $status == 1 && $(files) == "$before" ]]
		[[ $stderr == "install-on-node: $node/etc/containerd/config.toml: neither version 2 nor version 3, \"$version\"" ]]
		# a handler of an earlier time goes all the same
		install --uninstall
		[[ $status == 0 ]]
	done
	# a table's own key is not the version of the file
	printf '%s\n' '[plugins."example"]' '  version = 2' >"$node/etc/containerd/config.toml"
	install
	[[ $status == 1 && $stderr == *'neither version 2 nor version 3, "none"' ]]
	printf '%s\n' '# made by hand' '  version=3   # of containerd 2' >"$node/etc/containerd/config.toml"
	install
	[[ $status == 0 ]]
	grep -q "$(plugin 3)" "$node/etc/containerd/config.toml"
}

@test "the engine's configuration keeps its mode, and need not end in a newline" {
	containerd true
	printf '# the end' >>"$node/etc/containerd/config.toml"
	chmod 600 "$node/etc/containerd/config.toml"
	install
	before=$(files)
	install
	[[ $status == 0 && $(files) == "$before" ]]
	[[ $(stat -c %a "$node/etc/containerd/config.toml") == 600 ]]
	install --uninstall
	[[ $status == 0 && $(tail -n 1 "$node/etc/containerd/config.toml") == "# the end" ]]
}

@test "the root of this machine is a root as well" {
	# a copy that has no program beside it, so that it ends before it does anything
	mkdir "$BATS_TEST_TMPDIR/alone"
	cp "$install" "$BATS_TEST_TMPDIR/alone"
	run --separate-stderr "$BATS_TEST_TMPDIR/alone/install-on-node" /
	[[ $status == 1 && $stderr == *"memcrun: which file?"* ]]
}

@test "what it cannot do it says, and changes nothing" {
	install
	[[ $status == 1 && $stderr == *"neither CRI-O nor containerd"* ]]
	containerd true
	echo '[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.memcrun]' \
		>>"$node/etc/containerd/config.toml"
	before=$(files)
	install
	[[ $status == 1 && $stderr == *"a handler memcrun of its own"* && $(files) == "$before" ]]
	sed -i '/^version/d' "$node/etc/containerd/config.toml"
	before=$(files)
	install
	[[ $status == 1 && $stderr == *"neither version 2 nor version 3"* && $(files) == "$before" ]]
	run --separate-stderr "$install" "$BATS_TEST_TMPDIR/nowhere"
	[[ $status == 1 ]]
	run --separate-stderr "$install"
	[[ $status == 2 ]]
}
