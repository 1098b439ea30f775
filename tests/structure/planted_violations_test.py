#!/usr/bin/env python3
"""The structure checks find what they are for: each violation is planted into a small sound tree, alone."""

import tempfile
import unittest
from pathlib import Path

from file_length import too_long
from include_graph import violations

SOUND = {
    "common/status.h": "// a fault of one program is none of common's\nint make_error();\n",
    "common/log.cc": '#include "common/log.h"\n',
    "common/log.h": '#include "common/status.h"\nint default_level();\n',
    "bpf/abi/steer.h": "struct rule {};\n",
    "bpf/abi/schedule.h": "struct schedule {};\n",
    "bpf/lib/packet.bpf.h": "\n",
    "bpf/steer.bpf.c": '#include <bpf/bpf_helpers.h>\n#include "bpf/abi/steer.h"\n#include "bpf/lib/packet.bpf.h"\n',
    "agent/main.cc": '#include "agent/rpc/server.h"\n#include "agent/faults/table.h"\n#include <bpf/libbpf.h>\n',
    "agent/rpc/server.h": '#include "agent/engine/engine.h"\n',
    "agent/rpc/service.h": '#include "faultline/v1/agent.grpc.pb.h"\n',
    "agent/engine/engine.h": '#include "agent/fault/fault.h"\n#include "faultline/v1/agent.pb.h"\n',
    "agent/fault/fault.h": '#include "agent/target/target.h"\n#include "faultline/v1/fault.pb.h"\n',
    "agent/faults/table.h": '#include "agent/fault/fault.h"\n#include "agent/kernel/steer.h"\n',
    "agent/faults/f.h": '#include "bpf/abi/schedule.h"\n',
    "agent/target/target.h": '#include "agent/kernel/netns.h"\n',
    "agent/kernel/netns.h": "#include <vector>\n",
    "agent/kernel/steer.h": '#include "bpf/abi/steer.h"\n#include <netlink/socket.h>\n',
    "agent/kernel/steer.cc": '#include "agent/kernel/steer.h"\n#include <bpf/libbpf.h>\n#include "steer.skel.h"\n',
    "controller/cli/run.cc": '#include "controller/store/result_store.h"\n#include <grpcpp/grpcpp.h>\n',
    "controller/store/result_store.h": '#include "common/status.h"\n',
    "controller/store/sqlite_rows.h": "#include <SQLiteCpp/SQLiteCpp.h>\n",
    "loadgen/engine/w.h": "#include <vector>\n",
    "loadgen/protocol/p.h": '#include "loadgen/engine/w.h"\n',
    "tests/support/agent.h": "#include <grpcpp/grpcpp.h>\n",
    "tests/unit/agent_test.cc": '#include "agent/engine/engine.h"\n#include "controller/store/sqlite_rows.h"\n',
}

# what is planted: the file, its new lines, and words of the complaint
PLANTED = {
    "program_includes_another": ("agent/engine/e.cc", '#include "controller/store/result_store.h"', "programs meet"),
    "generator_includes_agent": ("loadgen/main.cc", '#include "agent/engine/engine.h"', "programs meet"),
    "product_includes_tests": ("agent/main.cc", '#include "tests/support/agent.h"', "does not include its tests"),
    "common_includes_agent": ("common/status.h", '#include "agent/kernel/netns.h"', "nothing of ours but common/"),
    "common_includes_proto": ("common/status.h", '#include "faultline/v1/fault.pb.h"', "nothing of ours but common/"),
    "domain_word_in_common": ("common/log.h", "int log_fault();", 'says "fault"'),
    "domain_word_in_camel_case": ("common/log.h", "struct CgroupLog {};", 'says "cgroup"'),
    "domain_word_as_file_name": ("common/tenant.h", "", 'says "tenant"'),
    "engine_includes_rpc": ("agent/engine/engine.h", '#include "agent/rpc/server.h"', "may not see agent/rpc"),
    "engine_includes_faults": ("agent/engine/e.cc", '#include "agent/faults/table.h"', "may not see agent/faults"),
    "engine_includes_kernel": ("agent/engine/e.cc", '#include "agent/kernel/netns.h"', "may not see agent/kernel"),
    "rpc_includes_faults": ("agent/rpc/s.cc", '#include "agent/faults/table.h"', "may not see agent/faults"),
    "kernel_includes_fault": ("agent/kernel/steer.h", '#include "agent/fault/fault.h"', "may not see agent/fault"),
    "watchdog_includes_kernel": ("agent/watchdog/w.cc", '#include "agent/kernel/netns.h"', "may not see agent/kernel"),
    "new_layer": ("agent/helpers/h.h", "", "no layer of the agent"),
    "load_engine_includes_a_protocol": ("loadgen/engine/w.h", '#include "loadgen/protocol/p.h"', "may not see loadgen"),
    "protocol_reaches_liburing": ("loadgen/engine/w.h", "#include <liburing.h>", "liburing belongs"),
    "engine_includes_libbpf": ("agent/engine/e.cc", "#include <bpf/libbpf.h>", "libbpf belongs"),
    "engine_includes_a_skeleton": ("agent/engine/e.cc", '#include "steer.skel.h"', "libbpf belongs"),
    "engine_reaches_libnl": ("agent/kernel/netns.h", "#include <netlink/msg.h>", "agent/engine/engine.h -> "),
    "engine_includes_grpc": ("agent/engine/e.cc", "#include <grpcpp/grpcpp.h>", "gRPC belongs"),
    "kernel_includes_proto": ("agent/kernel/steer.cc", '#include "faultline/v1/fault.pb.h"', "sees no proto"),
    "kernel_includes_protobuf": ("agent/kernel/steer.cc", "#include <google/protobuf/message.h>", "sees no proto"),
    "faults_include_the_abi": ("agent/faults/f.cc", '#include "bpf/abi/steer.h"', "only agent/kernel talks"),
    "cpp_includes_bpf_library": ("agent/kernel/k.cc", '#include "bpf/lib/packet.bpf.h"', "only bpf/abi/"),
    "bpf_includes_cpp": ("bpf/steer.bpf.c", '#include "common/status.h"', "bpf/ stands alone"),
    "grpc_in_a_header": ("controller/cli/run.h", "#include <grpcpp/grpcpp.h>", "its headers are for .cc files"),
    "stub_in_a_header": ("controller/cli/run.h", '#include "faultline/v1/agent.grpc.pb.h"', "its headers are for .cc"),
    "database_in_the_cli": ("controller/cli/run.cc", "#include <sqlite3.h>", "databases belong"),
    "database_reached": ("controller/cli/run.cc", '#include "controller/store/sqlite_rows.h"', "databases belong"),
    "database_in_the_interface": ("controller/store/result_store.h", "#include <pqxx/pqxx>", "names no database"),
    "cycle": ("agent/kernel/netns.h", '#include "agent/target/target.h"', "a cycle"),
    "include_with_spaces": ("agent/engine/e.cc", "  #  include <bpf/libbpf.h>", "libbpf belongs"),
}


class PlantedViolations(unittest.TestCase):
    def tree(self, plant=None):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        files = dict(SOUND)
        if plant:
            files[plant[0]] = files.get(plant[0], "") + plant[1] + "\n"
        for name, text in files.items():
            path = Path(folder.name, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return folder.name

    def test_a_sound_tree_passes(self):
        self.assertEqual(violations(self.tree()), [])

    def test_each_violation_is_found(self):
        for what, (name, lines, complaint) in PLANTED.items():
            with self.subTest(what):
                found = violations(self.tree((name, lines)))
                self.assertTrue(any(complaint in line for line in found), found)

    def test_a_commented_include_is_none(self):
        for comment in ("// #include <bpf/libbpf.h>", '/*\n#include "agent/rpc/server.h"\n*/'):
            self.assertEqual(violations(self.tree(("agent/engine/e.cc", comment))), [])

    def test_an_empty_folder_does_not_pass(self):
        with tempfile.TemporaryDirectory() as empty:
            self.assertNotEqual(violations(empty), [])
            self.assertNotEqual(too_long(empty), [])

    def test_too_many_files_in_common(self):
        root = self.tree()
        for number in range(8):
            Path(root, "common", f"leaf{number}.h").touch()
        self.assertTrue(any("at most 10" in line for line in violations(root)))

    def test_a_long_file_is_found(self):
        for name, limit in (("agent/engine/e.cc", 400), ("bpf/steer.bpf.c", 400), ("deploy/demo/run", 400),
                            ("tests/unit/agent_test.cc", 600)):
            root = self.tree()
            path = Path(root, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("\n" * limit, encoding="utf-8")
            self.assertEqual(too_long(root), [])
            path.write_text("\n" * (limit + 1), encoding="utf-8")
            self.assertEqual(too_long(root), [f"{name}: {limit + 1} lines, at most {limit}"])


if __name__ == "__main__":
    unittest.main()
