#!/usr/bin/env python3
"""Fetch the third-party browser files into static/vendor/, or check that they are what the manifest says.

    scripts/vendor.py            fetch every package of SOURCES with `npm pack` and rewrite the manifest
    scripts/vendor.py --check    compare the committed files with the manifest; exit 1 on any difference

The files are committed, so neither running nor developing the product needs Node; only an upgrade does.
"""

import argparse
import hashlib
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

VENDOR = Path(__file__).resolve().parent.parent / "static" / "vendor"
MANIFEST = VENDOR / "manifest.json"

# package, version, {path inside the package: path under static/vendor/}
SOURCES = [
    (
        "@tabler/core",
        "1.6.1",
        {"dist/css/tabler.min.css": "tabler/tabler.min.css"},  # its MIT notice stands in its first lines
    ),
    (
        "@fontsource-variable/inter",
        "5.3.0",
        {
            "files/inter-latin-wght-normal.woff2": "inter/inter-latin.woff2",
            "files/inter-latin-ext-wght-normal.woff2": "inter/inter-latin-ext.woff2",
            "LICENSE": "inter/LICENSE",
        },
    ),
    (
        "echarts",
        "6.1.0",
        {"dist/echarts.min.js": "echarts/echarts.min.js", "LICENSE": "echarts/LICENSE", "NOTICE": "echarts/NOTICE"},
    ),
]

# A map that is not shipped stops collectstatic, which resolves every reference it finds.
SOURCE_MAP = re.compile(rb"\n?/[*/]# sourceMappingURL=[^\n]*?(?:\*/|(?=\n)|$)")


def sha512(content: bytes) -> str:
    return hashlib.sha512(content).hexdigest()


def fetch() -> None:
    """Download each package, copy the named files and write the manifest."""
    manifest = []
    for name, version, files in SOURCES:
        with tempfile.TemporaryDirectory() as folder:
            packed = subprocess.run(
                ["npm", "pack", "--silent", f"{name}@{version}"], cwd=folder, check=True, capture_output=True, text=True
            )
            with tarfile.open(Path(folder) / packed.stdout.split()[-1]) as archive:
                for inside, outside in files.items():
                    member = archive.extractfile(f"package/{inside}")
                    if member is None:
                        sys.exit(f"{name} {version} has no file {inside}")
                    content = member.read()
                    if outside.endswith((".css", ".js")):
                        content = SOURCE_MAP.sub(b"", content).rstrip() + b"\n"
                    target = VENDOR / outside
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(content)
                    manifest.append({"name": name, "version": version, "file": outside, "sha512": sha512(content)})
    MANIFEST.write_text(json.dumps(manifest, indent=2) + "\n")


def differences() -> list[str]:
    """What differs between the committed files and the manifest, one sentence each."""
    manifest = json.loads(MANIFEST.read_text())
    found = []
    for entry in manifest:
        path = VENDOR / entry["file"]
        if not path.exists():
            found.append(f"{entry['file']} is missing")
        elif sha512(path.read_bytes()) != entry["sha512"]:
            found.append(f"{entry['file']} is not the file of {entry['name']} {entry['version']}")
    named = {entry["file"] for entry in manifest} | {MANIFEST.name}
    for path in sorted(VENDOR.rglob("*")):
        if path.is_file() and str(path.relative_to(VENDOR)) not in named:
            found.append(f"{path.relative_to(VENDOR)} is not in the manifest")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="only compare the files with the manifest")
    if not parser.parse_args().check:
        fetch()
    problems = differences()
    print("\n".join(problems) or "static/vendor/ is what the manifest says")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
