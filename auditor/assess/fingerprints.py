"""What names a finding across runs: policy, subject and item, and nothing that moves.

No file, line or column goes in, so a fingerprint survives moved lines, renamed files and rebases. The same object met
twice (in two overlays) has one fingerprint twice; who counts findings counts them all.
"""

import hashlib
import json


def finding_fingerprint(policy_id: str, subject_id: str, item: str) -> str:
    """Return 32 hex digits over the three names. Stored baselines hold them: never change how they are made."""
    # JSON keeps the borders between the parts: ("a", "bc") and ("ab", "c") are two things.
    named = json.dumps([policy_id, subject_id, item], separators=(",", ":"))
    return hashlib.sha256(named.encode("ascii")).hexdigest()[:32]
