"""Somebody dies or freezes in the middle: told plainly, the effect ends, nothing is left in the end."""

import os
import signal
import time

from stage import until

LEASE = 5.0  # seconds, as the controller asks for


def effect_ends(lane, within, since):
    """The delay is seen no more `within` seconds after `since`, give or take the looking on a busy machine."""
    until("the effect ends", lambda: lane.target.fastest(tries=2) < 0.5, within + 5)
    assert time.monotonic() - since < within + 3, f"the effect lasted {time.monotonic() - since:.1f} s"


def delayed(lane, name):
    """A run whose fault is in force and felt."""
    run = lane.in_force(lane.experiment(name, lasting="60s"))
    assert lane.target.get("/backend") > 0.5, "the fault is not felt"
    return run


def agent_missing(lane):
    lane.does(7, "run", lane.experiment("good"), says="agent at unix:.*no such socket; is faultline-agent running",
              agent="unix:/run/fl-e2e/nobody.sock")
    lane.does(7, "plan", lane.experiment("good"), says="agent at unix:", agent="unix:/run/fl-e2e/nobody.sock")
    lane.does(7, "doctor", says="agent at unix:", agent="unix:/run/fl-e2e/nobody.sock")


def agent_told_to_stop(lane):
    run = delayed(lane, "shut")
    assert lane.agent.end(signal.SIGTERM) == 0, lane.agent.log()
    lane.judges(run, 7, says="agent", residue="told by the agent's last words, if they came through")
    lane.check_clean()
    lane.agent.start()


def agent_killed(lane):
    run = delayed(lane, "killed")
    killed = time.monotonic()
    lane.agent.end(signal.SIGKILL)
    effect_ends(lane, 1, killed)
    journal = lane.judges(run, 7, says="agent.*residue/slow: not proved", residue="unknown")
    assert not journal["faults"][0]["residue_checked"], journal["faults"]
    until("the watchdog has taken the tree away", lambda: "fa17" not in lane.target.kernel_state(), 5)
    lane.check_clean()
    lane.agent.start()  # and sweeps
    lane.check_clean()
    lane.passes("after-killed")


def agent_frozen(lane):
    run = delayed(lane, "frozen")
    lane.agent.process.send_signal(signal.SIGSTOP)
    try:
        effect_ends(lane, LEASE, time.monotonic())
        lane.judges(run, 7, says="agent.*residue/slow: not proved", residue="unknown")
    finally:
        lane.agent.process.send_signal(signal.SIGCONT)
    until("the agent has taken the rest away", lambda: "fa17" not in lane.target.kernel_state())


def controller_killed(lane):
    run = delayed(lane, "orphan")
    killed = time.monotonic()
    os.kill(run.process.pid, signal.SIGKILL)
    run.process.wait()
    effect_ends(lane, LEASE, killed)
    until("the agent ends the fault for its lease", lambda: "END_REASON_LEASE" in lane.agent.log())
    lost = [row.split() for row in lane.does(0, "runs", says=" LOST ").out.splitlines() if " LOST " in row]
    assert len(lost) == 1 and lost[0][-1] == "orphan", lost
    lane.does(0, "runs", lost[0][0], says="outcome:    LOST")


CASES = [
    ("exit 7: no agent there", agent_missing),
    ("exit 7: the agent is told to stop during the fault, and reverts it", agent_told_to_stop),
    ("exit 7: the agent is killed during the fault; the effect goes with it, the next agent leaves nothing",
     agent_killed),
    ("the controller is killed: the lease ends the fault, the run shows as LOST", controller_killed),
    ("exit 7: the agent is frozen; the kernel ends the effect with the lease", agent_frozen),
]
