"""The same lists by plain paged HTTP with `json.loads`, one after the other: `python -m bench.paged FILE`.

FILE is JSON: address, CA file, token, and the path of each list. What is loaded is dropped; one connection is kept.
"""

import json
import sys
from pathlib import Path
from urllib.parse import quote

import urllib3

_PAGE = 500


def main(file: Path) -> int:
    """Return how many objects came."""
    told = json.loads(file.read_text())
    pool = urllib3.PoolManager(ca_certs=told["ca"], maxsize=1, headers={"Authorization": f"Bearer {told['token']}"})
    count = 0
    for path in told["paths"]:
        following = ""
        while True:
            more = f"&continue={quote(following)}" if following else ""
            page = json.loads(pool.request("GET", f"{told['url']}{path}?limit={_PAGE}{more}").data)
            count += len(page["items"])
            following = page["metadata"].get("continue") or ""
            if not following:
                break
    return count


if __name__ == "__main__":
    sys.stdout.write(f"{main(Path(sys.argv[1]))}\n")
