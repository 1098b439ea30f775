# shellcheck shell=bash source=names.sh disable=SC2154
# One container of the demo platform: bundle, start, stop, removal; sourced by ./platform after names.sh.

runtime() { crun --root=$state/crun --cgroup-manager=cgroupfs "$@"; }

arguments() { # as the members of a JSON list
  case $1 in
    gateway) echo '"/usr/sbin/nginx", "-c", "/etc/faultline-demo/nginx.conf"' ;;
    metrics)
      echo '"/usr/bin/prometheus", "--config.file=/etc/faultline-demo/prometheus.yml",
        "--storage.tsdb.path=/data", "--web.listen-address=:9090", "--web.enable-remote-write-receiver"'
      ;;
    database) echo '"/etc/faultline-demo/database"' ;;
  esac
}

# The OCI bundle: root = overlay over the host's root, so that Debian's own servers run without an image.
make_bundle() {
  local name=$1 dir=$state/$1 uid gid
  uid=$(id -u "${user[$name]}") gid=$(id -g "${user[$name]}")
  mkdir -p "$dir"/{upper/etc/faultline-demo,upper/data,work,root}
  cp servers/* "$dir/upper/etc/faultline-demo/"
  if [ "$name" = database ]; then
    install -m 400 -o "$uid" $state/password "$dir/upper/etc/faultline-demo/password"
    [ -z "$prepared" ] || install -m 400 -o "$uid" "$prepared/cluster.tar" "$dir/upper/etc/faultline-demo/"
  fi
  chown "$uid:$gid" "$dir/upper/data"
  chmod 755 "$dir" "$dir/upper"
  mount -t overlay -o "lowerdir=/,upperdir=$dir/upper,workdir=$dir/work" $prefix "$dir/root"
  cat >"$dir/config.json" <<JSON
{
  "ociVersion": "1.0.0",
  "hostname": "$name",
  "root": { "path": "root" },
  "process": {
    "user": { "uid": $uid, "gid": $gid },
    "args": [ $(arguments "$name") ],
    "env": [ "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C" ],
    "cwd": "/data",
    "noNewPrivileges": true,
    "capabilities": {}
  },
  "mounts": [
    { "destination": "/proc", "type": "proc", "source": "proc" },
    { "destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": [ "nosuid", "mode=755", "size=64k" ] },
    { "destination": "/dev/shm", "type": "tmpfs", "source": "tmpfs", "options": [ "nosuid", "nodev", "mode=1777" ] },
    { "destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": [ "nosuid", "nodev", "mode=1777" ] },
    { "destination": "/run", "type": "tmpfs", "source": "tmpfs", "options": [ "nosuid", "nodev", "mode=755" ] },
    { "destination": "/root", "type": "tmpfs", "source": "tmpfs", "options": [ "nosuid", "nodev", "mode=700" ] },
    { "destination": "/home", "type": "tmpfs", "source": "tmpfs", "options": [ "nosuid", "nodev", "mode=755" ] },
    { "destination": "/var/lib/postgresql", "type": "tmpfs", "source": "tmpfs", "options": [ "nosuid", "nodev" ] }
  ],
  "linux": {
    "cgroupsPath": "/$prefix-$name",
    "namespaces": [
      { "type": "pid" }, { "type": "mount" }, { "type": "ipc" }, { "type": "uts" }, { "type": "cgroup" },
      { "type": "network", "path": "$state/net/$name" }
    ],
    "maskedPaths": [ "/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/sched_debug" ],
    "readonlyPaths": [ "/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus", "/proc/fs" ]
  }
}
JSON
}

start_container() {
  local dir=$state/$1
  runtime run --detach --bundle="$dir" "$prefix-$1" >"$dir/log" 2>&1 </dev/null ||
    { show_log "$1"; die "$1: crun could not start it"; }
}

container_cgroup() { echo "$(cgroup_root)/$prefix-$1"; }

container_runs() { [ -n "$(cat "$(container_cgroup "$1")/cgroup.procs" 2>/dev/null)" ]; }

show_log() {
  echo "--- the last lines of $1:" >&2
  tail -n 20 "$state/$1/log" >&2
}

# Waits until no process of the container is left; false if some are there after ten seconds.
container_ends() {
  local i
  for ((i = 0; i < 100; i++)); do
    container_runs "$1" || return 0
    sleep 0.1
  done
  return 1
}

# Every process of the container at once. Needs neither the runtime nor its state, and no time.
kill_container() {
  local cgroup pid
  cgroup=$(container_cgroup "$1")
  if [ -e "$cgroup/cgroup.kill" ]; then
    echo 1 >"$cgroup/cgroup.kill"
  else # before Linux 5.14
    while read -r pid; do kill -KILL "$pid" 2>/dev/null || true; done <"$cgroup/cgroup.procs"
  fi
  container_ends "$1" || die "$1 does not end"
}

# After a killed run the runtime, its state, or both may be gone; the cgroup is what there is to go by.
remove_container() {
  local cgroup
  cgroup=$(container_cgroup "$1")
  if [ -d "$state/crun/$prefix-$1" ]; then runtime delete --force "$prefix-$1" 2>/dev/null || true; fi
  [ -d "$cgroup" ] || return 0
  kill_container "$1"
  rmdir "$cgroup" || die "cannot remove $cgroup"
}
