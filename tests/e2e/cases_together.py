"""Faults that are armed first and start at one moment of the node's clock; which of two has the packets."""

import signal

from lane import NothingApplied
from stage import HOST

# Goes in place of the only fault of a good file, at the depth where that stands.
TOGETHER = """together:
      - fault:
          name: slow
          target: {target}
          for: {lasting}
          priority: 1
          {slow}
      - fault:
          name: echo
          target: {target}
          for: 3s
          {echo}
"""


def together(lane, name, echo_peer, lasting="2s"):
    path = lane.experiment(name)
    with open(path) as file:
        text = file.read()
    start, end = text.index("  - fault:"), text.index("recovery:")
    block = TOGETHER.format(target=lane.target.target, lasting=lasting, slow=lane.delay("300ms"),
                            echo=lane.delay("20ms", peer=echo_peer))
    return lane.file(name, text[:start] + "  - " + block + text[end:])


def at_one_moment(lane):
    run = lane.run(together(lane, "together", HOST))
    journal = lane.judges(run, 0, says="slow: armed, starts in .*slow: in force on .*node clock: [+-]")
    slow, echo = journal["faults"]
    assert slow["planned_start_ns"] == echo["planned_start_ns"] is not None, journal["faults"]
    assert slow["effective_at"] == echo["effective_at"] is not None, journal["faults"]
    for fault, lasting in ((slow, 2e9), (echo, 3e9)):
        late = fault["effective_at_ns"] - fault["planned_start_ns"]
        assert abs(late) < 5e6, f"{late} ns beside the planned moment: {fault}"
        assert lasting * 0.99 < fault["removed_at_ns"] - fault["effective_at_ns"] < lasting + 4e9, fault
        assert fault["counters"]["injected"] > 0 and fault["residue"] == [], fault
    checks = {finding["check"]: finding["result"] for finding in journal["findings"]}
    assert checks["start/slow"] == checks["start/echo"] == "HELD", checks
    # One machine, one clock: what is measured must not tell another.
    clock = journal["run"]["agent"]["clock"]
    assert abs(clock["offset_ns"]) <= clock["uncertainty_ns"] < 1e9, clock


def interrupted_while_armed(lane):
    usual = lane.target.fastest()
    run = lane.run(together(lane, "armed", HOST))
    run.wait_for("echo: armed, starts in ")
    run.process.send_signal(signal.SIGINT)
    journal = lane.judges(run, 130, says="interrupted by SIGINT; the cleanup is proved")
    for fault in journal["faults"]:
        assert fault["counters"]["injected"] == 0 and fault["residue_checked"], fault
        assert fault["effective_at"] is None and fault["removed_at_ns"] < fault["planned_start_ns"], fault
    assert lane.target.fastest() < usual + 0.2


def plan_tells_who_has_the_packets(lane):
    with NothingApplied(lane):
        lane.does(0, "plan", together(lane, "meeting", lane.backend.address),
                  says="armed first and started together:.*"
                       "overlap: slow and echo match the same packets; slow has them: its priority is 1")
        apart = lane.does(0, "plan", together(lane, "apart", HOST)).out
        assert "overlap" not in apart, apart


def shadowed(lane):
    run = lane.run(together(lane, "shadowed", lane.backend.address, lasting="8s"))
    journal = lane.judges(run, 4, says="effect/echo: not effective: 0 injected of 0 matched.*; fault slow, which "
                                       "matches the same packets, has them instead: its priority is 1, this one's 0")
    slow, echo = journal["faults"]
    assert slow["counters"]["injected"] > 0 == echo["counters"]["matched"], journal["faults"]


CASES = [
    ("two faults are armed and start at one moment", at_one_moment),
    ("what is reverted while armed has done nothing", interrupted_while_armed),
    ("exit 4: a fault that another one kept from its packets names that", shadowed),
    ("plan tells which of two faults has the packets", plan_tells_who_has_the_packets),
]
