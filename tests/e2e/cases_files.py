"""Bad files, targets that may not be touched, results that could not be kept: refused before anything is touched."""

import json
import os
import re

from lane import NothingApplied
from stage import tool

# What is put instead of what into a good file, "@" where the message must point to, and what it must say.
MISTAKES = [
    ("an unknown key", "for: 2s", "@fro: 2s", "unknown key 'fro' in fault; did you mean 'for'"),
    ("a wrong type", "status: [200]", "status: @200", "status: must be a list, not text"),
    ("text for a number", "status: [200]", "status: [@ok]", "status: 'ok' is not a whole number"),
    ("a latency without unit", "latency: 300ms", "latency: @300", "300 has no unit"),
    ("an interval without unit", "every: 250ms", "every: @250", "250 has no unit"),
    ("150%", "unhealthy: 0%", "unhealthy: @150%", "150% is above 100%"),
    ("-1%", "unhealthy: 0%", "unhealthy: @-1%", "-1% is below 0%"),
    ("a negative duration", "for: 2s", "for: @-2s", "-2s is negative"),
    ("a duration of zero", "for: 2s", "for: @0s", "must be longer than zero"),
    ("a duration above the maximum", "for: 2s", "for: @2h", "2h is too long; the maximum is 1h"),
    ("a target of no kind", "target: container:{id}", "target: @{id}", "must be cgroup:PATH, pid:N or container:ID"),
    ("a way up and out", "target: container:{id}", "target: @cgroup:/../etc", "must not contain '..'"),
    ("an unknown container", "target: container:{id}", "target: @container:nobody", "no cgroup of a container nobody"),
    ("an unknown process", "target: container:{id}", "target: @pid:4194304", "no process 4194304"),
    ("an unknown cgroup", "target: container:{id}", "target: @cgroup:/no/such", "no cgroup /no/such"),
    ("init", "target: container:{id}", "target: @pid:1", "protected"),
    ("the agent itself", "target: container:{id}", "target: @pid:{agent}", "protected: it holds this agent"),
    ("the agent's cgroup", "target: container:{id}", "target: @cgroup:/fl-e2e-agent-{lane}",
     "protected: it holds this agent"),
    ("what the agent protects", "target: container:{id}", "target: @container:fl-e2e-backend",
     "protected by the agent's configuration"),
    ("a second fault of the same name", "wait: 1s", "fault: @{{ name: slow, target: 'pid:2', for: 1s, {loss} }}",
     "fault 'slow' was already given"),
]


def mistaken(lane, before, after):
    """The file and the place, line:column, where `after` has its mark."""
    words = {"id": lane.target.id, "agent": lane.agent.process.pid, "lane": lane.name,
             "loss": "loss: { probability: 1% }"}
    path = lane.experiment("mistake", more="")
    with open(path) as file:
        text = file.read().replace("recovery:", "  - wait: 1s\nrecovery:")
    before = before.format(**words)
    assert text.count(before) == 1, f"{before!r} in {text}"
    text = text.replace(before, after.format(**words))
    head = text[:text.index("@")].split("\n")
    return lane.file("mistake", text.replace("@", "", 1)), f"{len(head)}:{len(head[-1]) + 1}"


def refusal(before, after, says):
    def case(lane):
        path, place = mistaken(lane, before, after)
        with NothingApplied(lane):
            lane.does(2, "run", path, says=re.escape(f"{path}:{place}: ") + ".*" + re.escape(says))
    return case


def no_yaml(lane):
    with NothingApplied(lane):
        path = lane.file("broken", "apiVersion: faultline/v1\nkind: [Experiment\n")
        lane.does(2, "run", path, says=re.escape(path) + r":\d+:\d+: ")
        lane.does(2, "run", lane.file("empty", ""), says="empty.yaml:1:1: ")
        lane.does(2, "run", f"{lane.folder}/absent.yaml", says="absent.yaml")


def bad_command_lines(lane):
    good = lane.experiment("good")
    for arguments in (["run"], ["rnu", good], ["run", good, "--fast"], ["--agent", "somewhere", "run", good]):
        call = lane.does(2, *arguments, agent=None if "--agent" not in arguments else arguments[1])
        assert call.err and not call.out, f"{arguments}: {call.out}"


def nothing_recorded(lane):
    lane.does(0, "runs", says="no runs recorded")
    assert not os.path.exists(f"{lane.state}/faultline/runs"), "a report folder was made"
    lane.does(0, "halt", says="no fault was active")
    lane.does(0, "halt", "--release", says="halt released")


def validates(lane):
    lane.does(0, "validate", lane.experiment("good"), says="good.yaml: valid: good, 1 probe", agent="unix:/nobody")
    path, place = mistaken(lane, "for: 2s", "for: @0s")
    lane.does(2, "validate", path, says=re.escape(f"{path}:{place}: "), agent="unix:/nobody")


def plans(lane):
    with NothingApplied(lane):
        lane.does(0, "plan", lane.experiment("good"),
                  says=f"{lane.target.id}.*traffic: egress; peers: {re.escape(lane.backend.address)}; protocol: any\\n"
                       ".*qdisc tree fa17: beside eth0.*each of them waits 300 ms.*Nothing was touched")
        path, place = mistaken(lane, "container:{id}", "@container:nobody")
        lane.does(2, "plan", path, says=re.escape(f"{path}:{place}: "))
    lane.does(0, "runs", says="no runs recorded")


def no_place_for_reports(lane):
    blocker = lane.file("blocker", "")
    with NothingApplied(lane):
        lane.does(2, "run", lane.experiment("good"), "--out", f"{blocker}/below", says="blocker")


def replaced_reports(lane):
    """What stands in the reports' folder after a refused run is of that run."""
    folder = f"{lane.folder}/refused.reports"
    os.makedirs(folder)
    for name, text in (("junit.xml", "<testsuites name='ctest'/>"), ("notes.txt", "of yesterday")):
        with open(f"{folder}/{name}", "w") as file:
            file.write(text)

    def refused(code, outcome, path, agent=None):
        lane.does(code, "run", path, "--out", folder, says="reports:", agent=agent)
        with open(f"{folder}/journal.json") as file:
            journal = json.load(file)
        assert journal["judgement"]["exit_code"] == code and journal["faults"] == [], journal
        lane.check_junit(f"{folder}/junit.xml", code, journal)
        with open(f"{folder}/summary.md") as file:
            assert file.read().startswith(f"# {outcome}: "), "summary.md"

    with NothingApplied(lane):
        lane.does(2, "run", lane.experiment("good"), "--out", folder, says="junit.xml is no report of an earlier run")
        assert sorted(os.listdir(folder)) == ["junit.xml", "notes.txt"], os.listdir(folder)
        with open(f"{folder}/junit.xml", "w") as file:
            file.write('<?xml version="1.0"?><testsuites name="faultline" of="yesterday"/>')
        refused(2, "REFUSED", mistaken(lane, "for: 2s", "for: @0s")[0])
        refused(2, "REFUSED", mistaken(lane, "container:{id}", "@container:nobody")[0])
        refused(7, "INFRASTRUCTURE", lane.experiment("good"), agent="unix:/run/fl-e2e/nobody.sock")
    assert sorted(os.listdir(folder)) == ["journal.json", "junit.xml", "notes.txt", "summary.md"], os.listdir(folder)


def no_database(lane):
    other = lane.file("letter", "Dear database, " * 100)
    with NothingApplied(lane):
        lane.does(7, "--store", other, "run", lane.experiment("good"), says="letter")
    with open(other) as file:
        assert file.read() == "Dear database, " * 100, "the file was changed"


def foreign_qdisc(lane):
    device = ["-n", lane.target.netns, "qdisc"]
    tool("tc", *device, "add", "dev", "eth0", "root", "handle", "5:", "pfifo", "limit", "55")
    try:
        with NothingApplied(lane):
            lane.does(3, "run", lane.experiment("good"), says="not the kernel's default .pfifo 5:.; it is left alone")
    finally:
        tool("tc", *device, "del", "dev", "eth0", "root")


CASES = [(f"exit 2, nothing touched: {what}", refusal(*mistake)) for what, *mistake in MISTAKES] + [
    ("exit 2, nothing touched: no YAML, an empty file, no file", no_yaml),
    ("exit 2: bad command lines", bad_command_lines),
    ("after all these nothing is recorded and the agent has no fault", nothing_recorded),
    ("validate needs no agent: 0 for a good file, 2 for a bad one", validates),
    ("plan says what would be done and touches nothing", plans),
    ("exit 2, nothing touched: no place for the reports", no_place_for_reports),
    ("exit 2 and 7: a refused run replaces the reports of an earlier one", replaced_reports),
    ("exit 7, nothing touched: the database file is something else", no_database),
    ("exit 3, nothing touched: a foreign qdisc is left alone", foreign_qdisc),
]
