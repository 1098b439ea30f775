"""The project's own C and C++ files and what they include, read from the sources alone."""

import re
from pathlib import Path

FOLDERS = ("agent", "bpf", "common", "controller", "loadgen", "tests")
SUFFIXES = (".h", ".cc", ".c")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)
COMMENT_OR_STRING = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)


def without_comments(text):
    """Strings stay: an include is one."""
    return COMMENT_OR_STRING.sub(lambda m: " " if m.group().startswith("/") else m.group(), text)


class SourceTree:
    """files: relative path -> code without comments; includes: relative path -> list of included names."""

    def __init__(self, root):
        root = Path(root)
        self.files = {}
        for folder in FOLDERS:
            for path in sorted((root / folder).rglob("*")):
                if path.suffix in SUFFIXES and path.is_file():
                    name = path.relative_to(root).as_posix()
                    self.files[name] = without_comments(path.read_text(encoding="utf-8"))
        self.includes = {
            name: [quoted or angled for quoted, angled in INCLUDE.findall(code)] for name, code in self.files.items()
        }

    def own(self, name):
        """Of the files that `name` includes, those of the project."""
        return [i for i in self.includes[name] if i in self.files]

    def reached(self, name):
        """included name -> the chain of files from `name` to it, over any number of our own headers."""
        chains = {}
        waiting = [(name, (name,))]
        while waiting:
            file, chain = waiting.pop()
            for include in self.includes[file]:
                if include in chains or include == name:
                    continue
                chains[include] = chain + (include,)
                if include in self.files:
                    waiting.append((include, chains[include]))
        return chains
