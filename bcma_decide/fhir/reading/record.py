"""The record of one patient: its resources in one shape, each with whose it is and whether a newer one replaces it.

Nothing is fetched, and no reference leads outside the bundle. What is left out is kept with the reason.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any, Final, TypeVar

from bcma_decide.fhir.reading.bundle import entries_of, refusal
from bcma_decide.fhir.reading.datatypes import Plain, ResourceReference, local_address, server_of
from bcma_decide.fhir.reading.resource import Resource
from bcma_decide.fhir.reading.resource_reading import read_resource
from bcma_decide.fhir.reading.versions import current

READ: Final = (
    "Condition",
    "DiagnosticReport",
    "DocumentReference",
    "MedicationAdministration",
    "MedicationDispense",
    "MedicationRequest",
    "MedicationStatement",
    "Observation",
    "Procedure",
)
"""Kinds of resources that speak of the patient here; documents are only listed."""
REFERRED: Final = ("Medication", "Specimen")
"""Kinds that name nobody: they count only through what refers to them."""
_KEPT: Final = frozenset((*READ, *REFERRED, "MedicationOrder", "Patient"))
_PEOPLE: Final = ("Patient", "")
"""Kinds of subject that are one person; nothing said of the kind is taken for one."""
NO_SYSTEMS: Final[Mapping[str, str]] = MappingProxyType({})


_Found = TypeVar("_Found")


@dataclass(frozen=True)
class PatientRecord:
    """The resources of one patient, and what was left aside."""

    patient: Resource | None
    resources: tuple[Resource, ...]
    left_out: tuple[tuple[str, Resource], ...] = ()
    """Resources that are not the patient's, each with the reason."""
    not_needed: Mapping[str, int] = field(default_factory=dict)
    """How many resources there are of kinds that nothing here asks for."""
    junk: int = 0
    """Entries that hold no resource."""
    more_pages: bool = False
    remarks: tuple[str, ...] = ()
    """What is to be known of the record as a whole."""
    _known: dict[Hashable, Any] = field(default_factory=dict, repr=False, compare=False)

    def once(self, key: Hashable, work: Callable[[], _Found]) -> _Found:
        """What ``work`` finds, worked out once for a key: names and texts repeat through a record.

        It is kept with the record and no longer, so that nothing of one patient outlives the reading.
        """
        if key not in self._known:
            self._known[key] = work()
        found: _Found = self._known[key]
        return found

    def find(self, kind: str, address: str | None, holder: Resource) -> Resource | None:
        """Return the resource of a kind that an address names: contained in its holder, or in the bundle."""
        if address is None:
            return None
        if address.startswith("#"):
            return next((each for each in holder.contained if each.kind == kind and each.id == address[1:]), None)
        here = self._by_address.get(local_address(address), ())
        named = (each for each in here if each.kind == kind and _is_named(each, address, holder))
        return min(named, key=lambda each: bool(each.set_aside), default=None)

    @cached_property
    def _by_address(self) -> Mapping[str, list[Resource]]:
        found: dict[str, list[Resource]] = defaultdict(list)
        for each in self.resources:
            for address in each.addresses:
                found[address].append(each)
        return found

    @property
    def referred_to(self) -> frozenset[int]:
        """Identities of the drugs and specimens that a resource of the patient refers to."""
        references = (
            (kind, reference.address, each)
            for each in self.resources
            for kind, reference in (("Medication", each.medication_reference), ("Specimen", each.specimen))
        )
        found = (self.find(kind, address, each) for kind, address, each in references if address)
        return frozenset(id(each) for each in found if each is not None)

    def is_patient(self, reference: ResourceReference, holder: Resource) -> bool:
        """Whether a reference of a resource leads to the patient of the record."""
        if reference.address is not None:
            if self.patient is None:
                return local_address(reference.address) == holder.subject
            return _is_named(self.patient, reference.address, holder)
        return bool(self.patient and reference.identifier and reference.identifier in self.patient.identifiers)


def open_record(bundle: Plain, systems: Mapping[str, str] = NO_SYSTEMS) -> PatientRecord:
    """Take the resources of a bundle apart; of one patient, or refused.

    Parameters
    ----------
    bundle
        Plain data.
    systems
        Short names of code systems by their address; a system without one keeps its address.

    Raises
    ------
    ProfileError
        When it is no Bundle of a kind that is read, or holds resources of more than one patient.
    """
    entries = entries_of(bundle)
    kept: list[Resource] = []
    seen: dict[str, list[Plain]] = {}
    not_needed: Counter[str] = Counter()
    for data, path, url in entries.held:
        if data["resourceType"] not in _KEPT:
            not_needed[data["resourceType"]] += 1
        elif not _is_repeated(data, seen):
            kept.append(read_resource(data, systems, path=path, url=url, modified=entries.modified))
    resources = [each for one in current(kept, entries.deleted) for each in _with_contained(one)]
    patient, known, remarks = _patient(resources)
    own, left_out = _by_subject(resources, patient, known)
    return PatientRecord(
        patient, tuple(own), tuple(left_out), not_needed, entries.junk, entries.more_pages,
        (*remarks, *_older(own), *_test_data(own)),
    )  # fmt: skip


def _is_repeated(data: Plain, seen: dict[str, list[Plain]]) -> bool:
    """Whether it stood there before, word for word: two that differ anywhere are two, also under one id."""
    own = data.get("id")
    if own is None:
        return False
    before = seen.setdefault(own if isinstance(own, str) else "", [])
    if data in before:
        return True
    before.append(data)
    return False


def _with_contained(holder: Resource) -> Iterator[Resource]:
    """Yield a resource, and what it contains that speaks of the patient: that stands and falls with its holder."""
    yield holder
    if holder.kind not in READ:
        return
    for each in holder.contained:
        if each.kind in READ:
            own = each.subject is not None or each.about != ResourceReference()
            yield each.with_changes(
                holder=holder.name,
                path=holder.path,
                url=holder.url,
                contained=holder.contained,
                subject=each.subject if own else holder.subject,
                about=each.about if own else holder.about,
                modifiers=(*holder.modifiers, *each.modifiers),
                flags=(*holder.flags, *each.flags),
                rules=each.rules or holder.rules,
                set_aside=holder.set_aside or each.set_aside or _withdrawn(holder),
            )


def _withdrawn(holder: Resource) -> str:
    withdrawn = holder.status in ("entered-in-error", "cancelled")
    return f"contained in a resource with status {holder.status}" if withdrawn else ""


def _is_named(target: Resource, address: str, holder: Resource) -> bool:
    """Whether an address, as a resource writes it, names another: the same server where both say one."""
    if local_address(address) not in target.addresses:
        return False
    servers = {server for server in (server_of(address) or server_of(holder.url), server_of(target.url)) if server}
    return len(servers) < 2


def _patient(resources: Sequence[Resource]) -> tuple[Resource | None, frozenset[str], tuple[str, ...]]:
    """The patient of the bundle, all addresses it has here, and what is to be known of it."""
    people = [each for each in resources if each.kind == "Patient" and not each.set_aside]
    if not people:
        return None, frozenset(), ()
    pairs = ((survivor, each) for survivor in people for each in people if survivor is not each)
    merged = {each.path for survivor, each in pairs if _replaces(survivor, each)}
    left = [each for each in people if each.path not in merged]
    if len(left) != 1:
        second = (left or people)[1]
        same = set(second.identifiers) & set((left or people)[0].identifiers)
        what = "is a second patient" + (" under an identifier of the first" if same else "")
        raise refusal(second.path, what, "one patient per bundle")
    (patient,) = left
    known = frozenset(address for each in people for address in each.addresses)
    remarks = []
    if merged:
        remarks.append("the record of the patient was merged from two, which are read as one")
    elif any(kind == "replaced-by" for kind, _ in patient.links):
        remarks.append("this record of the patient was replaced by another, which is not in the bundle")
    if not patient.active:
        remarks.append("this record of the patient is marked as no longer in use")
    return patient, known, tuple(remarks)


def _replaces(survivor: Resource, former: Resource) -> bool:
    def leads(source: Resource, kind: str, target: Resource) -> bool:
        addresses = (link.address for how, link in source.links if how == kind)
        return any(address is not None and _is_named(target, address, source) for address in addresses)

    return leads(survivor, "replaces", former) or leads(former, "replaced-by", survivor)


def _by_subject(
    resources: Sequence[Resource], patient: Resource | None, known: frozenset[str]
) -> tuple[list[Resource], list[tuple[str, Resource]]]:
    """The patient's resources, and the others with the reason; raises ProfileError for a second patient."""
    own: list[Resource] = []
    left_out: list[tuple[str, Resource]] = []
    others: dict[str, Resource] = {}
    known_of: dict[Hashable, str] = {}  # most name the patient in the same words
    with_holder: dict[str, str] = {}  # what is contained is left out with its holder, which stands before it
    for each in resources:
        if each.kind in REFERRED:
            own.append(each)
        elif each.kind in READ:
            named = each.subject, each.about, each.url and server_of(each.url)
            if named not in known_of:
                known_of[named] = _not_the_patients(each, patient, known)
            reason = known_of[named] or (with_holder.get(each.path, "") if each.holder else "")
            if reason:
                left_out.append((reason, each))
                with_holder[each.path] = reason
                continue
            own.append(each)
            if each.subject is not None and each.subject not in known:
                others.setdefault(each.subject, each)
    if others and (known or len(others) > 1):
        where = list(others.values())[0 if known else 1]
        raise refusal(f"{where.path}.subject", "is not the patient of the bundle", "one patient per bundle")
    return own, left_out


def _not_the_patients(resource: Resource, patient: Resource | None, known: frozenset[str]) -> str:
    """Why a resource is left out for its subject; empty for the patient's, and for another patient's."""
    about = resource.about
    if resource.subject is None:
        if not about.identifier:
            return "names no patient"
        is_patient = patient is not None and about.identifier in patient.identifiers
        return "" if is_patient else "names its patient by an identifier that the Patient does not carry"
    kind = about.kind or (resource.subject.rpartition("/")[0] if "/" in resource.subject else "")
    if kind not in _PEOPLE:
        return f"is about a {kind}, not the patient"
    if resource.subject.startswith("#"):
        return "names a patient of its own"
    if patient is None or resource.subject not in known or about.address is None:
        return ""
    return "" if _is_named_by(about.address, resource, patient, known) else "is about a patient of another server"


def _is_named_by(address: str, resource: Resource, patient: Resource, known: frozenset[str]) -> bool:
    """Whether an address names the patient; one of a record merged into it has no server here to compare."""
    return local_address(address) not in patient.addresses or _is_named(patient, address, resource)


def _older(resources: Sequence[Resource]) -> Iterator[str]:
    if count := sum(each.older for each in resources):
        yield (
            f"{count} {'resource is' if count == 1 else 'resources are'} in the shape of an older version of FHIR "
            "(DSTU2 or STU3) and read by its rules"
        )


def _test_data(resources: Sequence[Resource]) -> Iterator[str]:
    if count := sum("HTEST" in each.labels for each in resources):
        yield f"{count} {'resource is' if count == 1 else 'resources are'} marked as test data"
