"""What a diagnostic alone does not say: the line to change, a name that is near, the resource a log means."""

from __future__ import annotations

import difflib
import posixpath
import re
from collections.abc import Iterable

from .blocks import Configuration, Place
from .rules import Case, Clue

_RUNNING = re.compile(r"^(?P<address>[\w.\[\]\"/-]+): (?:Creating|Destroying|Modifying|Still \w+|Reading|Refreshing)")
_ENDED = re.compile(r"^(?P<address>[\w.\[\]\"/-]+): (?:\w+ complete|Creation errored|Destruction complete)")
_MEANT = """
len=length, size=length, count=length, substring=substr, uppercase=upper, lowercase=lower, tostr=tostring,
str=tostring, int=tonumber, number=tonumber, json_encode=jsonencode, to_json=jsonencode, tojson=jsonencode,
json_decode=jsondecode, base64=base64encode, has=contains, includes=contains, append=concat, union=setunion,
now=timestamp, map=tomap, list=tolist, set=toset, readfile=file, strip=trimspace, template=templatefile,
render=templatefile, md5sum=md5, hash=sha256, cidr=cidrsubnet
"""
"""What people from other languages write, and the function they mean."""
_FUNCTIONS = """
abs alltrue anytrue base64decode base64encode base64sha256 basename can ceil chomp cidrhost cidrnetmask
cidrsubnet cidrsubnets coalesce coalescelist compact concat contains csvdecode dirname distinct element
endswith file fileexists filebase64 fileset filesha256 flatten floor format formatdate formatlist indent join
jsondecode jsonencode keys length log lookup lower matchkeys max md5 merge min nonsensitive one parseint
pathexpand pow range regex regexall replace reverse sensitive setintersection setproduct setsubtract setunion
sha1 sha256 sha512 signum slice sort split startswith strcontains strrev substr sum templatefile
templatestring timeadd timecmp timestamp title tobool tolist tomap tonumber toset tostring transpose trim
trimprefix trimspace trimsuffix try upper urlencode uuid values yamldecode yamlencode zipmap
"""


def within(*patterns: str) -> Clue:
    """Point to the first line of the address's block that matches one of the patterns."""

    def clue(case: Case) -> dict[str, str]:
        block = case.configuration.find(case.facts.get("base", ""))
        places = (block.line_of(pattern) for pattern in patterns) if block else iter(())
        place = next(filter(None, places), block.place if block and not case.facts.get("file") else None)
        return _put(place)

    return clue


def assigned(name: str) -> Clue:
    """Point to where an argument is set in the address's block."""
    return within(rf"^\s*{name}\s*(=|\{{|\")")


def required(key: str = "") -> Clue:
    """Point to a provider's entry in required_providers, or to the line of `key` in it."""

    def clue(case: Case) -> dict[str, str]:
        name = case.facts.get("provider", "")
        own = name.rsplit("/", 1)[-1]
        return _put(_entry(case.configuration, own, key) or _user(case.configuration, own)) if own else {}

    return clue


def configured(case: Case) -> dict[str, str]:
    """Point to the provider block of the resource that failed; its credentials are what matters."""
    address = case.facts.get("base", "")
    named = re.search(r'provider\["(?:[^"]*/)?(?P<name>[\w-]+)"\]', case.facts.get("address", ""))
    if named:
        name = named["name"]
    elif address.startswith("provider."):
        name = address.split(".")[1]
    else:
        name = re.sub(r"^(?:module\.[^.]+\.)*(?:data\.)?", "", address).partition("_")[0] if "_" in address else ""
    block = case.configuration.find(f"provider.{name}")
    return ({"address": f"provider.{name}", "provider": name} if name else {}) | _put(block.place if block else None)


def alias(case: Case) -> dict[str, str]:
    """Point to the block that uses a provider's alias."""
    pattern = rf"\b{re.escape(case.facts['provider'])}\.{re.escape(case.facts['alias'])}\b"
    users = ((block.address, place) for block in case.configuration.blocks if (place := block.line_of(pattern)))
    address, place = next(users, ("", None))
    return ({"address": address} if address else {}) | _put(place)


def terraform_block(*patterns: str) -> Clue:
    """Point to a line of a settings block, e.g. its backend."""

    def clue(case: Case) -> dict[str, str]:
        blocks = list(case.configuration.of_kind("terraform"))
        return _put(next(filter(None, (block.line_of(p) for p in patterns for block in blocks)), None))

    return clue


def locked(case: Case) -> dict[str, str]:
    """Point to a provider's entry in the dependency lock file."""
    text, own = case.configuration.files.get(".terraform.lock.hcl", ""), case.facts.get("provider", "")
    numbered = enumerate(text.splitlines(), 1)
    line = next((number for number, line in numbered if own and re.match(rf'provider ".*{own}"', line)), None)
    return {"file": ".terraform.lock.hcl", "line": str(line or "")}


def heredoc(case: Case) -> dict[str, str]:
    """Find a heredoc whose end marker never stands alone on a line."""
    file = case.facts.get("file", "")
    lines = case.configuration.files.get(file, "").splitlines()
    for number, line in enumerate(lines, 1):
        opening = re.search(r"<<(-?)(\w+)\s*$", line)
        if opening and not any(_closes(text, opening[2]) for text in lines[number:]):
            return {"marker": opening[2], "opened": f"{file}:{number}", "line": str(number)}
    return {}


def circle(case: Case) -> dict[str, str]:
    """Read a cycle's members; point to a line of one that mentions another."""
    listed = re.sub(r" \((?:expand|destroy|close|import)[^)]*\)", "", case.facts.get("chain", ""))
    members = list(dict.fromkeys(part.strip() for part in listed.split(",") if part.strip()))
    rooted = [member for member in members if not member.startswith(("module.", "provider"))] or members
    first = rooted[0] if rooted else ""
    block = case.configuration.find(first)
    others = [member for member in members if member != first]
    names = [*others, *(".".join(member.split(".")[:2]) for member in others if member.startswith("module."))]
    mentions = (block.line_of(rf"=.*\b{re.escape(name)}\b") for name in names) if block else iter(())
    place = next(filter(None, mentions), block.place if block else None)
    return {"members": " -> ".join([*members, members[0]]) if members else "", "address": first} | _put(place)


def nearest(kind: str) -> Clue:
    """Find the declared name most like the one that is not."""

    def clue(case: Case) -> dict[str, str]:
        if case.facts.get("nearest"):
            return {}
        file = case.facts.get("file", "")
        near = _close(case.facts.get("name", ""), _declared(case.configuration, kind, posixpath.dirname(file), case))
        return {"nearest": near} if near else {}

    return clue


def module_variable(case: Case) -> dict[str, str]:
    """Find the module's variable that a call may have meant."""
    directory = case.configuration.module_directory(case.facts.get("base", ""))
    names = [block.labels[0] for block in case.configuration.of_kind("variable", directory=directory)]
    near = _close(case.facts.get("name", ""), names)
    listed = ", ".join(names)
    return ({"nearest": near} if near else {}) | ({"variables": listed} if listed else {})


def function(case: Case) -> dict[str, str]:
    """Find the function that was meant."""
    name = case.facts.get("name", "")
    meant = re.search(rf"\b{re.escape(name.lower())}=(\w+)", _MEANT)
    near = (meant[1] if meant else "") or _close(name, _FUNCTIONS.split()) or case.facts.get("nearest", "")
    return {"nearest": near} if near else {}


def directory(case: Case) -> dict[str, str]:
    """Point to a module's source and find an existing directory that is like it."""
    block = case.configuration.find(case.facts.get("base", ""))
    source = block.argument("source").strip('"') if block else case.facts.get("source", "")
    existing = {posixpath.dirname(name) for name in case.configuration.files} - {""}
    near = _close(posixpath.normpath(source) if source else "", existing)
    place = block.line_of(r"^\s*source\s*=") if block else None
    used = case.facts.get("used", "").rpartition(":")
    place = place or ((used[0], int(used[2])) if used[2].isdecimal() and not case.facts.get("file") else None)
    return ({"nearest": f"./{near}"} if near else {}) | ({"source": source} if source else {}) | _put(place)


def subject(case: Case) -> dict[str, str]:
    """Find the resource that a log was working on, by the id in the message, else by what is unfinished."""
    if case.facts.get("base") and case.facts.get("file"):
        return {}
    address = case.facts.get("address") or _named_by_id(case) or _unfinished(case.log)
    block = case.configuration.find(address)
    return ({"address": address} if address else {}) | _put(block.place if block else None)


def permission(case: Case) -> dict[str, str]:
    """Name the permission that was missing, whichever cloud named it."""
    action = next((case.facts[name] for name in ("aws", "azure", "google", "needed") if case.facts.get(name)), "")
    named = re.search(r"perform:? (?P<action>[\w-]+:\w+)", f"{case.facts['summary']} {case.facts['detail']}")
    action = action or (named["action"] if named else "")
    return {"action": action} if action else {}


def service(case: Case) -> dict[str, str]:
    """Name the host of the API that is off, as `gcloud services enable` wants it."""
    words = f"{case.facts['summary']} {case.facts['detail']}"
    hosts = (match[0] for match in re.finditer(r"[a-z][\w-]*\.googleapis\.com", words))
    return {"host": next((host for host in hosts if not host.startswith("type.")), "SERVICE.googleapis.com")}


def variable(case: Case) -> dict[str, str]:
    """Name the variable, where Terraform points to a value that was given for it."""
    named = re.search(r"\bvar\.[\w-]+", case.facts.get("variable") or case.facts.get("values", ""))
    return {"address": named[0]} if named and not case.facts.get("base") else {}


def lock(case: Case) -> dict[str, str]:
    """Read who holds a lock."""
    lines = dict(line.strip().partition(":")[::2] for line in case.diagnostic.detail.splitlines() if ":" in line)
    names = {"lock": "ID", "who": "Who", "operation": "Operation", "created": "Created"}
    return {fact: lines[name].strip() for fact, name in names.items() if lines.get(name, "").strip()}


def target(kind: str, argument: str) -> Clue:
    """Point to the moved, removed or import block that names the address."""

    def clue(case: Case) -> dict[str, str]:
        pattern = rf"^\s*{argument}\s*=\s*{re.escape(case.facts.get('base', ''))}\s*$"
        blocks = (block for block in case.configuration.of_kind(kind) if block.line_of(pattern))
        return _put(next((block.place for block in blocks), None))

    return clue


def both(*clues: Clue) -> Clue:
    """Follow several clues, each with what the ones before it found."""

    def clue(case: Case) -> dict[str, str]:
        found: dict[str, str] = {}
        for each in clues:
            found |= each(Case(case.diagnostic, {**case.facts, **found}, case.configuration, case.log))
        return found

    return clue


def _put(place: Place | None) -> dict[str, str]:
    return {"file": place[0], "line": str(place[1])} if place else {}


def _closes(line: str, marker: str) -> bool:
    return line.strip() == marker


def _close(name: str, known: Iterable[str]) -> str:
    candidates = sorted(set(known) - {name})
    held = [each for each in candidates if name and len(name) > 3 and (name in each or each in name)]
    return next(iter(difflib.get_close_matches(name, candidates, 1, 0.6) or held), "")


def _declared(configuration: Configuration, kind: str, directory: str, case: Case) -> list[str]:
    if kind == "local":
        lines = (line for block in configuration.of_kind("locals", directory=directory) for line in block.lines[1:])
        return [match[1] for line in lines if (match := re.match(r" {0,4}([\w-]+)\s*=", line))]
    if kind in ("resource", "data"):
        wanted = case.facts.get("type", "")
        blocks = configuration.of_kind("resource", "data", directory=directory)
        return [block.labels[1] for block in blocks if block.labels[0] == wanted]
    return [block.labels[0] for block in configuration.of_kind(kind, directory=directory)]


def _entry(configuration: Configuration, own: str, key: str) -> Place | None:
    """Find a provider in required_providers: by its local name, or by its source; there the line of `key`."""
    for block in configuration.of_kind("terraform"):
        begin = block.line_of(rf'^\s*{re.escape(own)}\s*=\s*\{{|/{re.escape(own)}"')
        if not begin:
            continue
        entry = "\n".join(block.lines[begin[1] - block.line :]).partition("}")[0].split("\n")
        offsets = (offset for offset, line in enumerate(entry) if key and re.match(rf".*\b{key}\s*=", line))
        return block.file, begin[1] + next(offsets, 0)
    return None


def _user(configuration: Configuration, own: str) -> Place | None:
    blocks = configuration.of_kind("provider", "resource", "data")
    return next((b.place for b in blocks if b.labels[0] == own or b.labels[0].startswith(f"{own}_")), None)


def _named_by_id(case: Case) -> str:
    words = f"{case.diagnostic.summary} {case.diagnostic.detail}"
    for match in re.finditer(r"^([\w.\[\]\"/-]+): [^\n]*\[id=([^\]\n,]{3,300})", case.log, re.MULTILINE):
        if match[2] in words:
            return match[1]
    return ""


def _unfinished(log: str) -> str:
    running: dict[str, None] = {}
    for line in log.splitlines():
        if ended := _ENDED.match(line):
            running.pop(ended["address"], None)
        elif started := _RUNNING.match(line):
            running[started["address"]] = None
    return next(reversed(running), "") if running else ""
