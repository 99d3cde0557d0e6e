"""What a request says beside its kind: names, region, environments, counts. Pure, and the same each time.

Only letters, digits and dashes come out of a text, so whatever it says cannot become code.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import takewhile

ENVIRONMENTS = ("dev", "staging", "prod")

_SPELLINGS = {"development": "dev", "stage": "staging", "production": "prod"}
_NUMBERS = {
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
}
_LONGEST_NAME = 20

_ITEM = r"""(?:["'`][^"'`\n]{1,60}["'`]|[A-Za-z][\w-]*(?:\.\w[\w-]*)*)"""
_LIST = rf"{_ITEM}(?:(?:\s*,\s*(?:and\s+|&\s*)?|\s+and\s+|\s*&\s*){_ITEM})*"
_NAMED = re.compile(rf"\b(?:named|called|names?(?:\s*[:=]|\s+(?:is|are|of)\b))\s*({_LIST})", re.IGNORECASE)
_LISTED = re.compile(rf"\b(?:services|accounts|environments|workspaces)\s*[:(]\s*({_LIST})", re.IGNORECASE)
_QUOTED = re.compile(r"""(?<!\w)["'`]([A-Za-z][\w-]*)["'`](?!\w)""")
_ENVIRONMENT = re.compile(r"\b(dev|development|staging|stage|prod|production)\b", re.IGNORECASE)
_PORT = re.compile(r"\bports?\s+(\d{2,5})\b", re.IGNORECASE)
_REGIONS = {
    "aws": r"\b(?:af|ap|ca|eu|il|me|mx|sa|us)-(?:north|south|east|west|central)(?:east|west)?-\d\b",
    "azure": r"\b(?:(?:east|central|west|northcentral|southcentral|westcentral)us[23]?|(?:north|west)europe"
    r"|uksouth|ukwest|(?:france|sweden|canada)central|(?:germanywest|italynorth|switzerlandnorth|norwayeast)(?:central)?"
    r"|(?:east|southeast)asia|japaneast|japanwest|australiaeast|centralindia|brazilsouth)\b",
    "google": r"\b(?:africa|asia|australia|europe|me|northamerica|southamerica|us)"
    r"-(?:north|south|east|west|central)(?:east|west)?\d\b",
}

# Words that follow "named" or stand in quotes without being a name, and words that are no key in HCL.
_NO_NAME = re.compile(
    r"a|an|and|as|at|by|for|from|if|in|is|it|null|of|on|or|so|that|the|their|then|this|to|true|false|using|which|with"
)


@dataclass(frozen=True, slots=True)
class Wish:
    """One request, and what may be asked of it."""

    text: str

    def names(self) -> tuple[str, ...]:
        """Return what is named: after "named" or "called", listed, or in quotes; as lower-case identifiers."""
        found = _NAMED.search(self.text) or _LISTED.search(self.text)
        if not found:
            quoted = (_identifier(word) for word in _QUOTED.findall(self.text))
            return tuple(dict.fromkeys(name for name in quoted if self._may_be_quoted(name)))
        names = (_identifier(word) for word in re.findall(_ITEM, found.group(1)) if word.lower() != "and")
        return tuple(dict.fromkeys(takewhile(lambda name: name and not _NO_NAME.fullmatch(name), names)))

    def region(self, cloud: str) -> str:
        """Return the cloud's region that the text names, "" for none."""
        text = self.text.lower()
        if cloud == "azure":  # "West Europe" is the display name of westeurope
            text = re.sub(
                r"\b(east|west|north|south|central|uk|sweden|france)\s+(us|europe|asia|south|central)\b", r"\1\2", text
            )
        found = re.search(_REGIONS.get(cloud, r"(?!)"), text)
        return found.group() if found else ""

    def environments(self) -> tuple[str, ...]:
        """Return the environments that the text names, smallest first."""
        said = {word.lower() for word in _ENVIRONMENT.findall(self.text)}
        named = {_SPELLINGS.get(word, word) for word in said}
        return tuple(name for name in ENVIRONMENTS if name in named)

    def count(self, noun: str, least: int, most: int) -> int:
        """Return how many of something the text asks for, within limits; 0 when it does not say."""
        numbers = "|".join(_NUMBERS)
        found = re.search(rf"\b(\d{{1,3}}|{numbers})\s+(?:[a-z-]+\s+){{0,2}}?(?:{noun})\b", self.text, re.IGNORECASE)
        if not found:
            return 0
        number = found.group(1).lower()
        return min(max(_NUMBERS.get(number) or int(number), least), most)

    def port(self) -> int:
        """Return the first port that the text asks for, 0 for none."""
        found = _PORT.search(self.text)
        return int(found.group(1)) if found and 1024 <= int(found.group(1)) <= 65000 else 0

    @staticmethod
    def _may_be_quoted(name: str) -> bool:
        """Tell whether a quoted word is a name rather than a keyword, an environment or a region."""
        others = (_NO_NAME, _ENVIRONMENT, *map(re.compile, _REGIONS.values()))
        return bool(name) and not name.startswith("terraform-") and not any(o.fullmatch(name) for o in others)


def _identifier(word: str) -> str:
    """Make a lower-case name of letters, digits and single dashes that begins with a letter."""
    name = re.sub(r"[^a-z0-9]+", "-", word.lower()).lstrip("0123456789-")
    return name[:_LONGEST_NAME].strip("-")
