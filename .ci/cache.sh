# cache.sh: sourced by CI's scripts. What takes long to make is kept here from run to run; removing it is always safe.

cache=${MODELREG_CI_CACHE:-/var/tmp/modelreg-ci}
mkdir -p "$cache"
chmod 755 "$cache"

# The mirror of this machine's own apt for its own release.
apt_mirror() {
	local codename
	codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
	apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(COMPONENT)' 'Created-By: Packages' |
		awk -v codename="$codename" '$2 == codename && $3 == "main" { print $1; exit }'
}

need() {
	local package missing=()
	for package in "$@"; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	say "installing with apt: ${missing[*]}"
	apt-get update -qq >&2
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}
