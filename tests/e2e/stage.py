"""What the end-to-end tests play on, inside a test VM: real containers on a bridge, with an agent each.

A Lane is a target container (nginx that asks a backend container), an agent and a state folder of its own, so that
lanes can run side by side. Nothing here knows what a test expects. The VM is thrown away, so nothing is taken down.
"""

import http.client
import json
import os
import subprocess
import time

ROOT = "/run/fl-e2e"
CGROUPS = "/sys/fs/cgroup"
NETWORK = "10.99.77"
HOST = f"{NETWORK}.1"  # where the probes come from
PORT = 8080
NOBODY = 65534

NGINX = """
daemon off;
worker_processes 1;
pid /tmp/nginx.pid;
error_log stderr warn;
events {{ worker_connections 128; }}
http {{
  access_log off;
  client_body_temp_path /tmp/body; proxy_temp_path /tmp/proxy; fastcgi_temp_path /tmp/fastcgi;
  uwsgi_temp_path /tmp/uwsgi; scgi_temp_path /tmp/scgi;
  server {{
    listen {port};
    location / {{ default_type application/json; return 200 '{{"status":"ok"}}'; }}
    location /backend {{ proxy_pass http://{backend}:{port}/; proxy_connect_timeout 2s; proxy_read_timeout 2s; }}
  }}
}}
"""


def tool(*command, text=None):
    """Runs a program and returns what it prints; its failure is the test's."""
    done = subprocess.run(command, input=text, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: exit code {done.returncode}: {done.stdout.strip()}")
    return done.stdout


def until(what, condition, seconds=30.0):
    """Waits for `condition` to be true; fails saying `what`, a text or a function that gives it, if it never is."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"in {seconds} s never: {what() if callable(what) else what}")
        time.sleep(0.05)
    return value


def make_bridge():
    os.makedirs(ROOT)
    tool("ip", "-batch", "-", text="link add fl-e2e type bridge\nlink set fl-e2e up\n"
                                   f"address add {HOST}/24 dev fl-e2e\n")


class Container:
    """nginx by crun: root file system over the machine's own, namespaces and a cgroup of its own, no rights."""

    def __init__(self, name, number, backend=HOST):
        self.name, self.id, self.address = name, f"fl-e2e-{name}", f"{NETWORK}.{number}"
        self.netns, self.cgroup, self.folder = self.id, f"/{self.id}", f"{ROOT}/{name}"
        self.target = f"container:{self.id}"
        tool("ip", "-batch", "-", text=f"netns add {self.netns}\n"
             f"link add fl-e2e{number} type veth peer name eth0 netns {self.netns}\n"
             f"link set fl-e2e{number} master fl-e2e up\n")
        tool("ip", "-n", self.netns, "-batch", "-", text="link set lo up\nlink set eth0 up\n"
             f"address add {self.address}/24 dev eth0\n")
        for part in ("upper/etc/fl-e2e", "work", "root"):
            os.makedirs(f"{self.folder}/{part}")
        with open(f"{self.folder}/upper/etc/fl-e2e/nginx.conf", "w") as file:
            file.write(NGINX.format(port=PORT, backend=backend))
        with open(f"{self.folder}/config.json", "w") as file:
            json.dump(self.bundle(), file)
        layers = f"lowerdir=/,upperdir={self.folder}/upper,workdir={self.folder}/work"
        tool("mount", "-t", "overlay", "-o", layers, self.id, f"{self.folder}/root")
        self.start()

    def bundle(self):
        namespaces = [{"type": kind} for kind in ("pid", "mount", "ipc", "uts", "cgroup")]
        namespaces.append({"type": "network", "path": f"/run/netns/{self.netns}"})
        tmpfs = {"type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=1777"]}
        return {
            "ociVersion": "1.0.0", "hostname": self.name, "root": {"path": "root"},
            "process": {"user": {"uid": NOBODY, "gid": NOBODY}, "cwd": "/", "noNewPrivileges": True,
                        "capabilities": {}, "env": ["PATH=/usr/sbin:/usr/bin"],
                        "args": ["/usr/sbin/nginx", "-c", "/etc/fl-e2e/nginx.conf"]},
            "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}]
                      + [{"destination": path, **tmpfs} for path in ("/dev", "/tmp", "/run")],
            "linux": {"cgroupsPath": self.cgroup, "namespaces": namespaces}}

    def crun(self, *command):
        with open(f"{self.folder}/log", "a+") as log:
            done = subprocess.run(["crun", f"--root={ROOT}/crun", "--cgroup-manager=cgroupfs", *command],
                                  stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            if done.returncode != 0:
                log.seek(0)
                raise RuntimeError(f"crun {' '.join(command)}: {log.read()}")

    def start(self):
        self.crun("run", "--detach", f"--bundle={self.folder}", self.id)

    def kill(self):
        """Every process at once, as an outage would. The container does not come back, its cgroup stays."""
        with open(f"{CGROUPS}{self.cgroup}/cgroup.kill", "w") as file:
            file.write("1")
        until(f"{self.id} has ended", lambda: not self.pids())

    def delete(self):
        self.crun("delete", "--force", self.id)
        until(f"the cgroup of {self.id} is gone", lambda: not os.path.exists(CGROUPS + self.cgroup))

    def pids(self):
        with open(f"{CGROUPS}{self.cgroup}/cgroup.procs") as file:
            return file.read().split()

    def get(self, path="/", timeout=10.0):
        """Asks as a user would; seconds until the answer of 200, or None if there was none in time."""
        start = time.monotonic()
        connection = http.client.HTTPConnection(self.address, PORT, timeout=timeout)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            return time.monotonic() - start if answer.status == 200 else None
        except OSError:
            return None
        finally:
            connection.close()

    def fastest(self, path="/backend", tries=3):
        """The best of some answers, so that a busy machine is not taken for a fault."""
        return min(time for _ in range(tries) if (time := self.get(path)) is not None)

    def kernel_state(self):
        """What a fault could leave behind, as other programs than the product tell it."""
        return (tool("tc", "-n", self.netns, "qdisc", "show") + tool("ip", "-n", self.netns, "route", "show")
                + tool("bpftool", "cgroup", "show", CGROUPS + self.cgroup))


class Agent:
    """A faultline-agent in a cgroup of its own. `arguments` may be changed between stop and start."""

    def __init__(self, program, name, *arguments):
        self.folder, self.cgroup = f"{ROOT}/agent-{name}", f"{CGROUPS}/fl-e2e-agent-{name}"
        os.makedirs(self.folder)
        os.mkdir(self.cgroup)
        self.socket, self.log_path = f"{self.folder}/agent.sock", f"{self.folder}/log"
        self.address = f"unix:{self.socket}"
        self.command = [program, "--state-dir", f"{self.folder}/state", *arguments]
        self.process = None

    def start(self, *listen):
        told = self.log().count("event=listening")
        with open(self.log_path, "a") as log:
            self.process = subprocess.Popen([*self.command, *(listen or ("--listen", self.address))],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        with open(f"{self.cgroup}/cgroup.procs", "w") as file:
            file.write(str(self.process.pid))
        until(lambda: f"the agent listens:\n{self.log()}", lambda: self.log().count("event=listening") > told
              or self.process.poll() is not None)
        assert self.process.poll() is None, f"the agent ended:\n{self.log()}"

    def log(self):
        if not os.path.exists(self.log_path):
            return ""
        with open(self.log_path) as file:
            return file.read()

    def end(self, signal):
        self.process.send_signal(signal)
        return self.process.wait(30)


class Run:
    """One call of the faultline command, under way or over. `outcome` is known once end() has returned."""

    def __init__(self, command, environment, folder):
        os.makedirs(folder)
        self.folder, self.command, self.code = folder, command, None
        with open(f"{folder}/stdout", "w") as out, open(f"{folder}/stderr", "w") as err:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                            env=environment, start_new_session=True)

    def read(self, name):
        with open(f"{self.folder}/{name}") as file:
            return file.read()

    @property
    def out(self):
        return self.read("stdout")

    @property
    def err(self):
        return self.read("stderr")

    def end(self, seconds=60):
        try:
            self.code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            told = f"{' '.join(self.command)} did not end in {seconds} s:\n{self.out}{self.err}"
            raise AssertionError(told) from None
        return self

    def wait_for(self, text, seconds=60):
        until(lambda: f"{' '.join(self.command)} says {text!r}:\n{self.out}{self.err}",
              lambda: text in self.out or self.process.poll() is not None, seconds)
        assert text in self.out, f"it ended without saying {text!r}:\n{self.out}{self.err}"
