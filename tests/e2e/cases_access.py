"""Who may call the agent, and two who do at once."""

import os
import signal
import socket
import ssl

from lane import NothingApplied
from stage import HOST, tool

PORT = 7443
HTTP2_HELLO = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"


def make_certificates(folder):
    """Two authorities, each with an agent's and a user's certificate for 127.0.0.1."""
    if os.path.exists(folder):
        return
    os.makedirs(folder)
    key = ["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    for ca in ("ours", "theirs"):
        tool(*key, "-x509", "-days", "2", "-subj", f"/CN={ca}", "-keyout", f"{folder}/{ca}.key",
             "-out", f"{folder}/{ca}.pem")
        for name in ("agent", "user"):
            path = f"{folder}/{ca}-{name}"
            tool(*key, "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", f"{path}.key",
                 "-out", f"{path}.csr")
            tool("openssl", "x509", "-req", "-in", f"{path}.csr", "-days", "2", "-CA", f"{folder}/{ca}.pem",
                 "-CAkey", f"{folder}/{ca}.key", "-copy_extensions", "copy", "-out", f"{path}.pem")


def tls(lane, trusts, owner, name):
    folder = f"{lane.folder}/tls"
    return ["--tls-ca", f"{folder}/{trusts}.pem", "--tls-cert", f"{folder}/{owner}-{name}.pem",
            "--tls-key", f"{folder}/{owner}-{name}.key"]


def refused_by_the_agent(lane, *arguments):
    """The agent's program does not start with these, and says why."""
    lane.agent.end(signal.SIGTERM)
    process = lane.agent.process
    try:
        lane.agent.start(*arguments)
    except AssertionError:
        pass
    assert lane.agent.process is not process and lane.agent.process.poll() == 2, lane.agent.log()


def tcp_needs_certificates(lane):
    address = f"127.0.0.1:{PORT}"
    lane.does(2, "doctor", says="over TCP the agent wants certificates", agent=address)
    with NothingApplied(lane):
        lane.does(2, "run", lane.experiment("bare"), says="over TCP the agent wants certificates", agent=address)
    make_certificates(f"{lane.folder}/tls")
    refused_by_the_agent(lane, "--listen", address)
    assert "TCP needs --tls-cert, --tls-key and --tls-ca" in lane.agent.log(), lane.agent.log()
    lane.agent.start()
    refused_by_the_agent(lane, "--listen", address, *tls(lane, "ours", "ours", "agent")[:4])
    lane.agent.start()


def first_answer(lane, *certificate):
    """What the agent sends to a client with this certificate once it says hello; nothing if it hangs up."""
    context = ssl.create_default_context(cafile=f"{lane.folder}/tls/ours.pem")
    context.set_alpn_protocols(["h2"])
    if certificate:
        context.load_cert_chain(*certificate)
    try:
        with socket.create_connection(("127.0.0.1", PORT), timeout=10) as plain:
            with context.wrap_socket(plain, server_hostname="127.0.0.1") as secured:
                secured.sendall(HTTP2_HELLO)
                return secured.recv(100)
    except (ssl.SSLError, ConnectionError):
        return b""


def mutual_tls(lane):
    address = f"127.0.0.1:{PORT}"
    make_certificates(f"{lane.folder}/tls")
    lane.agent.end(signal.SIGTERM)
    lane.agent.start("--listen", address, *tls(lane, "ours", "ours", "agent"))
    lane.does(0, *tls(lane, "ours", "ours", "user"), "doctor", "--markdown", agent=address,
              says=r"## Kernel \d+\.\d+\n.*\| delay \| yes \|")
    with NothingApplied(lane):
        good = lane.experiment("secured")
        # The agent does not know us, then we do not know the agent.
        for trusts, owner in (("ours", "theirs"), ("theirs", "ours")):
            call = lane.does(7, *tls(lane, trusts, owner, "user"), "run", good, says="agent at", agent=address)
            assert len(call.err.splitlines()) == 1, f"more than the one error:\n{call.err}"
        lane.does(2, *tls(lane, "ours", "absent", "user"), "run", good, agent=address)
    folder = f"{lane.folder}/tls"
    assert first_answer(lane, f"{folder}/ours-user.pem", f"{folder}/ours-user.key"), "the right certificate"
    assert not first_answer(lane), "the agent talks to a client without certificate"
    assert not first_answer(lane, f"{folder}/theirs-user.pem", f"{folder}/theirs-user.key"), "a foreign certificate"
    lane.judges(lane.run(good, *tls(lane, "ours", "ours", "user"), agent=address), 0)
    lane.agent.end(signal.SIGTERM)
    lane.agent.start()


def socket_is_private(lane):
    mode = os.stat(lane.agent.socket).st_mode & 0o777
    assert mode == 0o600, f"the agent's socket has mode {mode:o}"


def two_runs_at_once(lane):
    # Towards different peers: of two faults that want the same packet, the older gets it.
    runs = [lane.run(lane.experiment("first", lasting="5s")),
            lane.run(lane.experiment("second", lasting="5s", fault=lane.delay("200ms", peer=HOST)))]
    journals = [lane.judges(run, 0) for run in runs]
    spans = sorted((fault["effective_at"], fault["removed_at"]) for fault in
                   (journal["faults"][0] for journal in journals))
    assert spans[1][0] < spans[0][1], f"not at the same time: {spans}"
    rows = lane.does(0, "runs").out
    assert all(journal["run"]["id"] in rows for journal in journals), rows


CASES = [
    ("the agent's socket is its owner's alone", socket_is_private),
    ("exit 0: two runs at once on the same target, each its own", two_runs_at_once),
    ("exit 2: TCP without certificates, by both programs", tcp_needs_certificates),
    ("mTLS: the right certificates work, none and foreign ones are refused (exit 7)", mutual_tls),
]
