"""Every verdict that an experiment itself can come to."""

import time

from lane import NothingApplied
from stage import PORT, tool, until


def passed(lane):
    usual = lane.target.fastest()
    run = lane.in_force(lane.experiment("pass", lasting="4s"))
    slow, direct = lane.target.get("/backend"), lane.target.get("/")
    journal = lane.judges(run, 0, says="slow: .*latency.*counters:")
    # Two packets wait, the one that connects and the one that asks; a neighbour's and our own do not.
    assert slow > usual + 0.5, f"in force: {slow} s, usually {usual} s"
    assert direct < slow - 0.3, f"the target itself answers in {direct} s, through it {slow} s"
    fault = journal["faults"][0]
    assert fault["state"] == "ended" and fault["end_reason"] in ("reverted", "duration"), fault
    assert fault["counters"]["injected"] > 0 and fault["residue_checked"] and fault["residue"] == [], fault
    # The duration is counted from the call, and putting it in force takes a while.
    assert 1e9 < fault["removed_at_ns"] - fault["effective_at_ns"] < 6e9, fault
    assert fault["achieved"][0]["median"] > 0 and fault["achieved"][0]["samples"] > 0, fault
    assert {finding["result"] for finding in journal["findings"]} == {"HELD"}, journal["findings"]
    assert [span["phase"] for span in journal["phases"]][0] == "baseline", journal["phases"]


def tolerance_violated(lane):
    journal = lane.judges(lane.run(lane.experiment(
        "violated", probe="degradedAbove: 900ms\n      tolerance: { degraded: 0%, unhealthy: 0% }",
        fault=lane.delay("700ms"))), 1, says="tolerance/gateway: of .* degraded")
    assert journal["probes"][0]["degraded_share"] > 0, journal["probes"]
    assert journal["probes"][0]["time_to_detect"]["latest_ns"] is not None, journal["probes"]


def not_effective(lane):
    journal = lane.judges(lane.run(lane.experiment("idle", fault=lane.delay(peer="10.99.77.250"))), 4,
                          says="effect/slow: not effective")
    assert journal["faults"][0]["counters"]["injected"] == 0, journal["faults"]


def residue(lane):
    # What is left behind need not be ours: the target is not as before, and that is what counts.
    run = lane.in_force(lane.experiment("residue", lasting="8s"))
    tool("tc", "-n", lane.target.netns, "qdisc", "add", "dev", "lo", "root", "handle", "77:", "pfifo")
    journal = lane.judges(run, 6, says="residue/slow: left behind: .*pfifo 77", residue="some")
    tool("tc", "-n", lane.target.netns, "qdisc", "del", "dev", "lo", "root")
    assert len(journal["faults"][0]["residue"]) == 1, journal["faults"]
    assert "fa17" not in lane.target.kernel_state(), "ours stayed, too"


def not_recovered(lane):
    run = lane.in_force(lane.experiment("down", probe="tolerance: { degraded: 100%, unhealthy: 100% }",
                                        timeout="1s", within="1s"))
    lane.backend.kill()
    journal = lane.judges(run, 1, says="recovery/gateway: gateway is UNHEALTHY.* it had 1s to get healthy")
    assert journal["probes"][0]["time_to_recover"]["latest_ns"] is None, journal["probes"]
    assert journal["faults"][0]["residue_checked"], journal["faults"]
    lane.backend.delete()
    lane.backend.start()
    until("the backend answers again", lambda: lane.target.get("/backend"))


def target_gone(lane):
    run = lane.in_force(lane.experiment("gone", url=f"http://{lane.backend.address}:{PORT}/", lasting="20s"))
    until("the fault has bitten", lambda: lane.target.get("/backend"))
    started = time.monotonic()
    lane.target.delete()
    lane.judges(run, 4, says="effect/slow: .*its target went away")
    assert time.monotonic() - started < 15, "the fault was held for a target that is gone"
    lane.target.start()
    until("the target answers again", lambda: lane.target.get("/backend"))
    assert "fa17" not in lane.target.kernel_state(), lane.target.kernel_state()


def no_steady_state(lane):
    with NothingApplied(lane):
        journal = lane.judges(lane.run(lane.experiment("ill", url=f"http://{lane.target.address}:81/")), 3,
                              says="nothing was injected: gateway is UNHEALTHY")
    assert journal["faults"] == [], journal["faults"]


def listed(lane):
    rows = {row.split()[0]: row for row in lane.does(0, "runs").out.splitlines()[1:]}
    assert set(rows) == set(lane.judged), f"{rows} are not {lane.judged}"
    for run_id, code in lane.judged.items():
        assert f" {code} " in rows[run_id], rows[run_id]
        assert lane.does(0, "runs", run_id, says=f"exit code:  {code}\n.*residue/slow").out
    lane.does(2, "runs", "19990101T000000Z-none")


CASES = [
    ("exit 0: the fault bites its target only, all recovers, nothing is left", passed),
    ("exit 1: a tolerance is violated", tolerance_violated),
    ("exit 4: a fault that never meets a packet is not effective", not_effective),
    ("exit 6: the target's kernel state is not as before", residue),
    ("exit 1: the backend dies during the fault and does not recover", not_recovered),
    ("exit 4: the target goes away during the fault", target_gone),
    ("exit 3: no steady state, nothing injected", no_steady_state),
    ("runs lists and shows each of them with its exit code", listed),
]
