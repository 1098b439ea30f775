#!/usr/bin/env python3
"""include_graph.py ROOT: checks who may include whom (the rules are below). Prints each violation; exit code 1 if
there is any."""

import re
import sys

from source_tree import SourceTree

PROGRAMS = ("agent", "controller", "loadgen")

# What each part of the agent may include of the others: main -> rpc -> engine -> fault <- faults -> dns, kernel.
AGENT_LAYERS = {
    "main.cc": {"rpc", "engine", "fault", "faults", "kernel", "target", "watchdog"},
    "rpc": {"engine"},
    "engine": {"fault", "target"},
    "watchdog": {"fault"},
    "faults": {"dns", "fault", "kernel", "target"},
    "fault": {"target"},
    "target": {"kernel"},
    "dns": set(),
    "kernel": set(),
}

# The same of the load generator: main -> cli, report, protocol -> engine. The engine knows no protocol.
LOADGEN_LAYERS = {
    "main.cc": {"cli", "engine", "protocol", "report"},
    "cli": {"protocol"},
    "report": {"engine"},
    "protocol": {"engine"},
    "engine": set(),
}

# What agent and BPF programs each decide by; everything else below bpf/abi/ is an interface to one program.
RULES_OF_BOTH = {"bpf/abi/dice.h", "bpf/abi/schedule.h", "bpf/abi/selection.h"}

GRPC = re.compile(r"^grpc|\.grpc\.pb\.h$")
PROTO = re.compile(r"\.pb\.h$|^google/protobuf/")
LIBBPF = re.compile(r"^bpf/(bpf|libbpf|btf|skel_internal)\w*\.h$|\.skel\.h$")
LIBNL = re.compile(r"^netlink/")
LIBURING = re.compile(r"^liburing")
DATABASE = re.compile(r"^(pqxx|SQLiteCpp)/|^sqlite3\.h$|^libpq-fe\.h$")

COMMON_FILES = 10
# What would tie common/ to what one of the programs is about.
DOMAIN_WORDS = {
    "agent", "bpf", "cgroup", "chaos", "controller", "experiment", "fault", "health", "lease", "netem", "probe",
    "qdisc", "residue", "target", "tenant", "verdict",
}


def part_of(name):
    """The layer of its program that a file belongs to."""
    return name.split("/")[1]


def programs_stay_apart(tree):
    for name in tree.files:
        program = name.split("/")[0]
        if program not in PROGRAMS:
            continue
        for include in tree.includes[name]:
            other = include.split("/")[0]
            if other in PROGRAMS and other != program:
                yield f"{name} includes {include}: programs meet only in proto/ and common/"
            if other == "tests":
                yield f"{name} includes {include}: the product does not include its tests"


def common_is_a_leaf(tree):
    names = [n for n in tree.files if n.startswith("common/")]
    if len(names) > COMMON_FILES:
        yield f"common/ has {len(names)} files, at most {COMMON_FILES}"
    for name in names:
        for include in tree.includes[name]:
            if (include in tree.files and not include.startswith("common/")) or PROTO.search(include):
                yield f"{name} includes {include}: common/ includes nothing of ours but common/"
        words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name + " " + tree.files[name])
        for word in sorted({w.lower() for w in words} & DOMAIN_WORDS):
            yield f"{name} says \"{word}\": common/ has no words of the domain"


def layers_keep_apart(tree, program, layers):
    for name in tree.files:
        if not name.startswith(program + "/"):
            continue
        part = part_of(name)
        if part not in layers:
            yield f"{name}: no layer of the {program} has this name"
            continue
        for include in tree.own(name):
            if include.startswith(program + "/") and part_of(include) not in layers[part] | {part}:
                yield f"{name} includes {include}: {program}/{part} may not see {program}/{part_of(include)}"


def layers(tree):
    yield from layers_keep_apart(tree, "agent", AGENT_LAYERS)
    yield from layers_keep_apart(tree, "loadgen", LOADGEN_LAYERS)


def agent_kernel_alone_talks_to_bpf(tree):
    for name in tree.files:
        if not name.startswith("agent/"):
            continue
        part = part_of(name)
        for include in tree.own(name):
            if include.startswith("bpf/") and part != "kernel" and include not in RULES_OF_BOTH:
                yield f"{name} includes {include}: only agent/kernel talks to the BPF programs"


def forbid(tree, applies, pattern, why):
    """No file that applies(name) may reach, directly or over our headers, what matches the pattern."""
    for name in filter(applies, tree.files):
        for include, chain in tree.reached(name).items():
            if pattern.search(include):
                yield f"{' -> '.join(chain)}: {why}"


def libraries_keep_to_their_folders(tree):
    def below(*folders):
        return lambda name: name.startswith(folders)

    upper = below("agent/dns/", "agent/rpc/", "agent/engine/", "agent/fault/", "agent/target/")
    yield from forbid(tree, upper, LIBBPF, "libbpf belongs to agent/kernel")
    yield from forbid(tree, upper, LIBNL, "libnl belongs to agent/kernel")
    lower = below("agent/dns/", "agent/engine/", "agent/fault/", "agent/faults/", "agent/target/", "agent/kernel/")
    yield from forbid(tree, lower, GRPC, "gRPC belongs to agent/rpc")
    yield from forbid(tree, below("agent/dns/", "agent/kernel/", "agent/target/"), PROTO, "the kernel's side sees no proto")
    yield from forbid(tree, below("controller/", "loadgen/", "common/"), LIBBPF, "libbpf belongs to agent/kernel")
    yield from forbid(tree, lambda n: n.startswith("controller/") and not n.startswith("controller/store/"), DATABASE,
                      "databases belong to controller/store")
    yield from forbid(tree, lambda n: n == "controller/store/result_store.h", DATABASE,
                      "the store's interface names no database")
    yield from forbid(tree, below("loadgen/protocol/", "loadgen/report/", "loadgen/cli/"), LIBURING,
                      "liburing belongs to loadgen/engine")
    yield from forbid(tree, below("agent/", "loadgen/", "common/"), DATABASE, "databases belong to controller/store")
    for name in tree.files:
        header_of_anybody = name.endswith(".h") and not name.startswith("tests/") and "/rpc/" not in name
        if header_of_anybody and any(GRPC.search(i) for i in tree.includes[name]):
            yield f"{name} includes gRPC: its headers are for .cc files and */rpc"


def cpp_sees_only_the_abi_of_bpf(tree):
    for name in tree.files:
        for include in tree.own(name):
            if include.startswith("bpf/") and not name.startswith("bpf/") and not include.startswith("bpf/abi/"):
                yield f"{name} includes {include}: of bpf/ only bpf/abi/ is for C++"
        if name.startswith("bpf/"):
            for include in tree.own(name):
                if not include.startswith("bpf/"):
                    yield f"{name} includes {include}: bpf/ stands alone"


def no_cycles(tree):
    for name in tree.files:
        for include, chain in tree.reached(name).items():
            if include in tree.files and name in tree.includes[include] and name <= include:
                yield f"{' -> '.join(chain)} -> {name}: a cycle"


RULES = (programs_stay_apart, common_is_a_leaf, layers, agent_kernel_alone_talks_to_bpf, libraries_keep_to_their_folders,
         cpp_sees_only_the_abi_of_bpf, no_cycles)


def violations(root):
    tree = SourceTree(root)
    if not tree.files:
        return [f"{root}: no sources here"]
    return [line for rule in RULES for line in rule(tree)]


if __name__ == "__main__":
    found = violations(sys.argv[1])
    print("\n".join(found) or "the include graph is as agreed")
    sys.exit(1 if found else 0)
