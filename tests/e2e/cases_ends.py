"""Ends that somebody wants: signals, a stop condition, halt. Every fault is reverted first, and that is proved."""

import signal
import time

from lane import NothingApplied


def signalled(number, times):
    def case(lane):
        run = lane.in_force(lane.experiment(f"signal-{number}", lasting="60s"))
        started = time.monotonic()
        for _ in range(times):  # an impatient user does not cut the cleanup short
            run.process.send_signal(number)
            time.sleep(0.1)
        journal = lane.judges(run, 130, says=f"interrupted by {number.name}; the cleanup is proved")
        assert time.monotonic() - started < 20, "it took too long"
        assert journal["run"]["interruption"]["cause"] == "signal", journal["run"]
        assert journal["faults"][0]["residue_checked"] and journal["faults"][0]["end_reason"] == "reverted"
        assert lane.target.fastest() < 0.5
    return case


def signalled_in_baseline(lane):
    with NothingApplied(lane):
        run = lane.run(lane.experiment("early", baseline="60s"))
        run.wait_for("phase baseline")
        run.process.send_signal(signal.SIGINT)
        journal = lane.judges(run, 130)
    assert journal["faults"] == [], journal["faults"]


def stop_condition(lane):
    started = time.monotonic()
    journal = lane.judges(lane.run(lane.experiment(
        "stop", fault=lane.loss(), lasting="60s", timeout="1s",
        more="stopConditions: [ { probe: gateway, state: unhealthy, for: 1s } ]")), 5,
        says="stopped: probe gateway was UNHEALTHY for 1s")
    assert time.monotonic() - started < 45, "it was not stopped early"
    assert journal["run"]["interruption"]["cause"] == "stop condition", journal["run"]
    assert lane.target.fastest() < 0.5


def halt(lane):
    run = lane.in_force(lane.experiment("halted", lasting="60s"))
    lane.does(0, "halt", "--reason", "customers affected",
              says="halt engaged: customers affected.*(residue: none|no fault was active)")
    assert lane.target.fastest() < 0.5, "the fault is still there when halt returns"
    journal = lane.judges(run, 5, says="halted: .*customers affected")
    assert journal["run"]["interruption"]["cause"] == "halt", journal["run"]


def halt_is_sticky(lane):
    with NothingApplied(lane):
        for _ in range(2):
            lane.does(5, "run", lane.experiment("refused"), says="halt is engaged .customers affected.")
    lane.does(0, "halt", "--release", says="halt released")
    lane.does(0, "halt", "--release", says="halt was not engaged")
    lane.passes("released")


CASES = [
    ("exit 130: SIGINT, three times, during the fault", signalled(signal.SIGINT, 3)),
    ("exit 130: SIGTERM during the fault", signalled(signal.SIGTERM, 1)),
    ("exit 130: SIGINT during the baseline, nothing injected", signalled_in_baseline),
    ("exit 5: a stop condition", stop_condition),
    ("exit 5: halt during a run; the fault is gone when halt returns", halt),
    ("exit 5: halt is sticky, nothing is touched until it is released", halt_is_sticky),
]
