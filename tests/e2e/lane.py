"""One target with its agent and its state folder, the faultline command on them, and what holds of every run."""

import json
import os
import re
import xml.etree.ElementTree

from stage import ROOT, PORT, Agent, Run

# Generous times: the machine is emulated, and several lanes share it.
EXPERIMENT = """apiVersion: faultline/v1
kind: Experiment
name: {name}
steadyState:
  every: 250ms
  baseline: {baseline}
  probes:
    - name: gateway
      http: {{ url: "{url}", status: [200], json: {{ pointer: /status, healthy: [ok] }} }}
      timeout: {timeout}
      {probe}
method:
  - fault:
      name: slow
      target: {target}
      for: {lasting}
      {fault}
recovery: {{ within: {within}, stable: 500ms }}
{more}
"""

OUTCOMES = {0: "PASSED", 1: "FAILED", 3: "PRECONDITION", 4: "INCONCLUSIVE", 5: "STOPPED", 6: "RESIDUE",
            7: "INFRASTRUCTURE", 130: "STOPPED"}


class Lane:
    def __init__(self, name, programs, target, backend):
        self.name, self.programs, self.target, self.backend = name, programs, target, backend
        self.folder = f"{ROOT}/lane-{name}"
        self.state = f"{self.folder}/state"
        os.makedirs(self.folder)
        self.agent = Agent(f"{programs}/faultline-agent", name)
        self.calls = []
        self.clean = target.kernel_state()
        self.judged = {}  # run id -> the exit code it should have, of the runs that came to a verdict

    def delay(self, latency="300ms", peer=None):
        """Of what the target sends to its backend, or to `peer`."""
        return f"delay: {{ latency: {latency}, traffic: {{ peers: [{peer or self.backend.address}] }} }}"

    def loss(self):
        return f"loss: {{ probability: 100%, traffic: {{ peers: [{self.backend.address}] }} }}"

    def experiment(self, name, **changes):
        """Writes an experiment file; without changes it is one that passes."""
        values = {"name": name, "url": f"http://{self.target.address}:{PORT}/backend", "timeout": "10s",
                  "probe": "tolerance: { degraded: 100%, unhealthy: 0% }", "target": self.target.target,
                  "lasting": "2s", "fault": self.delay(), "baseline": "1s", "within": "10s", "more": ""}
        return self.file(name, EXPERIMENT.format(**{**values, **changes}))

    def file(self, name, text):
        path = f"{self.folder}/{name}.yaml"
        with open(path, "w") as file:
            file.write(text)
        return path

    def call(self, *arguments, agent=None):
        """Starts the faultline command."""
        agent = ["--agent", agent or self.agent.address]
        environment = {"PATH": os.environ["PATH"], "XDG_STATE_HOME": self.state}
        call = Run([f"{self.programs}/faultline", *agent, *arguments], environment,
                   f"{self.folder}/call-{len(self.calls)}")
        self.calls.append(call)
        return call

    def does(self, code, *arguments, says="", agent=None):
        """Calls faultline to its end; it must exit with `code` and its output match the pattern `says`."""
        return self.ended(self.call(*arguments, agent=agent), code, says)

    def ended(self, call, code, says=""):
        call.end()
        text = call.out + call.err
        assert call.code == code, f"exit code {call.code}, not {code}: {' '.join(call.command)}\n{text}"
        assert re.search(says, text, re.S), f"{' '.join(call.command)} does not say {says!r}:\n{text}"
        return call

    def run(self, path, *arguments, agent=None):
        return self.call("run", path, "--out", f"{path}.reports", *arguments, agent=agent)

    def judges(self, run, code, says="", residue="none"):
        """The run ends with this verdict, and everything that it writes says the same. Returns its journal."""
        if begun := re.search(r"^run (\S+): ", run.end().out, re.M):
            self.judged[begun[1]] = code
        self.ended(run, code, says)
        outcome = OUTCOMES[code]
        assert f"verdict: {outcome}\n" in run.out, run.out
        if residue == "none":
            assert "residue: none\n" in run.out, run.out
        reports = run.command[run.command.index("--out") + 1]
        with open(f"{reports}/journal.json") as file:
            journal = json.load(file)
        assert journal["judgement"]["outcome"] == outcome and journal["judgement"]["exit_code"] == code, journal
        self.check_junit(f"{reports}/junit.xml", code, journal)
        with open(f"{reports}/summary.md") as file:
            assert file.read().startswith(f"# {outcome}: "), "summary.md"
        return journal

    @staticmethod
    def check_junit(path, code, journal):
        suites = xml.etree.ElementTree.parse(path).getroot()
        cases = {case.get("name") for case in suites.iter("testcase")}
        assert {finding["check"] for finding in journal["findings"]} <= cases, f"{path}: {cases}"
        properties = {one.get("name"): one.get("value") for one in suites.iter("property")}
        assert properties["exit_code"] == str(code), f"{path}: {properties}"
        bad = len(list(suites.iter("failure"))) + len(list(suites.iter("error")))
        assert (bad == 0) == (code == 0), f"{path}: {bad} failures and errors with exit code {code}"

    def check_clean(self):
        """The target's kernel state is as it was before the first fault."""
        state = self.target.kernel_state()
        assert state == self.clean, f"left behind. At first:\n{self.clean}\nNow:\n{state}"

    def passes(self, name, **changes):
        return self.judges(self.run(self.experiment(name, **changes)), 0)

    def in_force(self, path, **options):
        """Starts a run and waits until its fault is there."""
        run = self.run(path, **options)
        run.wait_for("slow: in force on ")
        return run

class NothingApplied:
    """The agent put no fault in force during the block."""

    def __init__(self, lane):
        self.agent = lane.agent

    def __enter__(self):
        self.applied = self.agent.log().count("event=applied")

    def __exit__(self, kind, *_):
        if kind is None:
            assert self.agent.log().count("event=applied") == self.applied, self.agent.log()
