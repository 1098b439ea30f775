# shellcheck shell=bash disable=SC2034
# What the demo platform is called, for the scripts beside this file; sourced.
# Everything it makes carries one of these names, so that a later run finds what a killed one left.
state=/run/faultline-demo # one tmpfs: root file systems, namespaces, container state, logs
prefix=fl-demo            # of container ids, cgroups and links
servers=(gateway metrics database)
declare -A address=([gateway]=10.88.77.2 [metrics]=10.88.77.3 [database]=10.88.77.4)
declare -A port=([gateway]=80 [metrics]=9090 [database]=5432)
declare -A user=([gateway]=www-data [metrics]=prometheus [database]=postgres)

die() {
  echo "${0##*/}: $*" >&2
  exit 1
}

# Where cgroup v2 is mounted; nothing if it is not.
cgroup_root() { awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts; }

# Everything of the platform that exists now, a line each; nothing when it is down.
platform_remains() {
  local root
  root=$(cgroup_root)
  awk -v s="$state" '$5 == s || index($5, s "/") == 1 { print "mount " $5 }' /proc/self/mountinfo
  ip -o link show 2>/dev/null | awk -F'[ :@]+' -v p="$prefix" 'index($2, p) == 1 { print "link " $2 }'
  [ -z "$root" ] || find "$root" -maxdepth 2 -type d -name "$prefix*" -printf 'cgroup %p\n'
  # A zombie holds nothing any more: it only waits for init.
  grep -l "/$prefix-" /proc/[0-9]*/cgroup 2>/dev/null | while IFS=/ read -r _ _ pid _; do
    grep -qs '^State:.[^ZX]' "/proc/$pid/status" && echo "process $pid" || true
  done
  [ ! -e "$state" ] || echo "directory $state"
}
