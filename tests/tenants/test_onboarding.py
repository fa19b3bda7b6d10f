"""The road to live before Meta: the register, the application that two sides fill in, links, copies and moves."""

import hashlib
import json
import threading
from dataclasses import replace
from datetime import date, timedelta

import pypdfium2
import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, connections, transaction

from audit.models import Entry
from audit.record import Actor
from tenants.declaration import TERMS, Purpose, terms_of
from tenants.editions import BadRegister, current_register, read_register, take_register
from tenants.models import ApplicationVersion, Municipality, Onboarding, RegisterEdition, SignedCopy, StageMove
from tenants.onboarding import links
from tenants.onboarding.application import (
    Application,
    ChangedMeanwhile,
    Closed,
    Missing,
    Mistakes,
    NotInRegister,
    OnboardingExists,
    begin,
    load,
    save,
)
from tenants.onboarding.fields import FIELDS, Unfit, field_of, read_part
from tenants.onboarding.models import COPY_BYTES, Part
from tenants.onboarding.moves import MoveRefused, NoSuchMove, NotReady, move, standing_rejection
from tenants.onboarding.signing import NoPdf, make_pdf, read_copy, take_signed_copy
from tenants.provisioning import DifferentMunicipality, create
from tenants.register import municipalities
from tenants.stages import MOVES, Stage
from tests.tenants.road import ANSWERS, CBS_CODE, PDF, declare, fill_in

ANNA = Actor(schema="public", id="anna", name="Anna")
BRAM = Actor(schema="public", id="bram", name="Bram")
TOOI = "https://identifier.overheid.nl/tooi/"


@pytest.fixture
def begun(utrecht, clock) -> Onboarding:
    """Return an onboarding that has begun, by Anna."""
    connection.set_schema_to_public()
    return begin(cbs_code=CBS_CODE, actor=ANNA, at=clock.now())


class TestAnswers:
    """What is asked, one by one."""

    @pytest.mark.parametrize(
        ("part", "name", "given", "kept"),
        [
            ("ORGANISATION", "kvk_number", "1234 5678", "12345678"),
            ("ORGANISATION", "oin", "00000001 823288444 000", "00000001823288444000"),
            ("ORGANISATION", "oin", "00000003123456780000", "00000003123456780000"),
            ("ORGANISATION", "vat_number", "nl 004495445 b01", "NL004495445B01"),
            ("ORGANISATION", "visiting_postcode", "8011pk", "8011 PK"),
            ("CONTACTS", "whatsapp_number", "038 498 9111", "+31384989111"),
            ("CONTACTS", "whatsapp_number", "+31 6 12345678", "+31612345678"),
            ("CONTACTS", "whatsapp_number", "088-1234567", "+31881234567"),
            ("PRIVACY", "agreement_date", "2026-02-01", "2026-02-01"),
            ("PRIVACY", "privacy_page", " HTTPS://www.zwolle.example/Privacy ", "https://www.zwolle.example/Privacy"),
        ],
    )
    def test_they_are_kept_in_one_form(self, part, name, given, kept):
        assert field_of(part=Part(part), name=name).read(given) == kept

    @pytest.mark.parametrize(
        ("part", "name", "given", "code"),
        [
            ("ORGANISATION", "kvk_number", "1234567", "kvk"),
            ("ORGANISATION", "kvk_number", "00000000", "kvk"),
            ("ORGANISATION", "oin", "123", "oin_length"),
            ("ORGANISATION", "oin", "10000001823288444000", "oin_prefix"),
            ("ORGANISATION", "oin", "00000001823288445000", "oin_rsin"),
            ("ORGANISATION", "oin", "00000001823288444001", "oin_rsin"),
            ("ORGANISATION", "vat_number", "NL004495446B01", "vat"),
            ("ORGANISATION", "visiting_postcode", "0123 AB", "postcode"),
            ("CONTACTS", "contact_email", "sanne@", "email"),
            ("CONTACTS", "contact_phone", "12", "phone"),
            ("CONTACTS", "whatsapp_number", "14 038", "number_unreachable"),
            ("CONTACTS", "whatsapp_number", "0800 1351", "number_unreachable"),
            ("CONTACTS", "whatsapp_number", "0900 8844", "number_unreachable"),
            ("CONTACTS", "number_now", "MARS", "choice"),
            ("PRIVACY", "agreement_date", "2026-02-30", "date"),
            ("PRIVACY", "privacy_page", "www.zwolle.example/privacy", "page"),
            ("PRIVACY", "privacy_page", "http://www.zwolle.example/privacy", "page"),
            ("PRIVACY", "privacy_page", "https://zwolle", "page"),
            ("PRIVACY", "privacy_page", "https://a@zwolle.example/", "page"),
            ("PRIVACY", "privacy_page", "https://www.zwolle.example/a b", "page"),
            ("PROHIBITIONS", "accept_PROMOTION", "no", "box"),
            ("ORGANISATION", "legal_entity", "a\nb", "one_line"),
            ("ORGANISATION", "legal_entity", "a" * 201, "too_long"),
        ],
    )
    def test_they_are_refused_by_a_code(self, part, name, given, code):
        with pytest.raises(Unfit) as refused:
            field_of(part=Part(part), name=name).read(given)
        assert refused.value.code == code

    def test_an_empty_one_is_no_mistake_in_any_part(self):
        assert all(not read_part(part=part, given={}).mistakes for part in FIELDS)

    def test_terms_hold_from_their_day_on(self):
        assert terms_of(day=TERMS[0].effective_date) is TERMS[0]
        assert len(TERMS[0].prohibitions) == 4
        assert len(TERMS[0].purposes) == 5

    def test_a_purpose_that_the_terms_of_the_day_have_no_more_is_told(self):
        filled_in = {Part.PURPOSES: ApplicationVersion(part=Part.PURPOSES, values=ANSWERS[Part.PURPOSES])}
        application = Application(onboarding=Onboarding(cbs_code=CBS_CODE), latest=filled_in)
        assert application.missing(part=Part.PURPOSES, terms=TERMS[0]) == []
        newer = replace(TERMS[0], version="2026-03", purposes=(Purpose.PERMITS, Purpose.CRISIS))
        gone = Missing("purpose_gone", Part.PURPOSES, "use_SERVICES")
        assert application.missing(part=Part.PURPOSES, terms=newer) == [gone]


class TestFillingIn:
    """Two sides at once, and nobody overwrites another unseen."""

    def test_each_municipality_has_one_onboarding(self, begun, clock):
        with pytest.raises(OnboardingExists) as exists:
            begin(cbs_code=CBS_CODE, actor=BRAM, at=clock.now())
        assert exists.value.onboarding.id == begun.id
        with pytest.raises(OnboardingExists):  # an operator made it live
            begin(cbs_code="GM0344", actor=BRAM, at=clock.now())
        with pytest.raises(NotInRegister):
            begin(cbs_code="GM9999", actor=BRAM, at=clock.now())
        assert Onboarding.objects.filter(cbs_code=CBS_CODE).count() == 1

    def test_what_is_saved_is_there_for_the_other_side(self, begun, clock):
        save(onboarding_id=begun.id, part=Part.PRIVACY, seen=0, given=ANSWERS[Part.PRIVACY], actor=ANNA, at=clock.now())
        application = load(onboarding_id=begun.id)
        assert application.values(Part.PRIVACY)["officer_name"] == "Femke de Groot"
        assert application.version(Part.PRIVACY) == 1

    def test_who_saw_an_older_version_is_told_and_nothing_is_lost(self, begun, clock):
        given = {"officer_name": "Een"}
        save(onboarding_id=begun.id, part=Part.PRIVACY, seen=0, given=given, actor=ANNA, at=clock.now())
        with pytest.raises(ChangedMeanwhile) as changed:
            save(
                onboarding_id=begun.id,
                part=Part.PRIVACY,
                seen=0,
                given={"officer_name": "Twee"},
                actor=BRAM,
                at=clock.now(),
            )
        assert changed.value.found.by_name == "Anna"
        assert load(onboarding_id=begun.id).values(Part.PRIVACY)["officer_name"] == "Een"
        save(
            onboarding_id=begun.id,
            part=Part.PRIVACY,
            seen=1,
            given={"officer_name": "Twee"},
            actor=BRAM,
            at=clock.now(),
        )
        assert load(onboarding_id=begun.id).values(Part.PRIVACY)["officer_name"] == "Twee"

    def test_other_parts_are_in_nobodys_way(self, begun, clock):
        save(onboarding_id=begun.id, part=Part.PRIVACY, seen=0, given={}, actor=ANNA, at=clock.now())
        save(onboarding_id=begun.id, part=Part.SIGNING, seen=0, given={}, actor=BRAM, at=clock.now())
        assert ApplicationVersion.objects.filter(onboarding=begun).count() == 2

    def test_a_mistake_saves_nothing(self, begun, clock):
        given = {**ANSWERS[Part.ORGANISATION], "kvk_number": "1"}
        with pytest.raises(Mistakes) as wrong:
            save(onboarding_id=begun.id, part=Part.ORGANISATION, seen=0, given=given, actor=ANNA, at=clock.now())
        assert wrong.value.codes == {"kvk_number": "kvk"}
        assert not ApplicationVersion.objects.filter(onboarding=begun).exists()

    def test_the_trail_names_fields_and_no_answers(self, begun, clock):
        save(onboarding_id=begun.id, part=Part.PRIVACY, seen=0, given=ANSWERS[Part.PRIVACY], actor=ANNA, at=clock.now())
        entry = Entry.objects.get(action="onboarding.fill_in")
        assert "officer_name" in entry.details["fields"]
        assert "Femke" not in json.dumps(entry.details)

    def test_nothing_is_altered_behind_the_back_of_who_saved(self, begun, clock):
        save(onboarding_id=begun.id, part=Part.PRIVACY, seen=0, given={}, actor=ANNA, at=clock.now())
        for query in (ApplicationVersion.objects.all(), StageMove.objects.all()):
            with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
                query.update(by_name="Iemand anders")

    def test_of_two_at_the_same_moment_one_is_kept(self, committing_db, clock):
        connection.set_schema_to_public()
        onboarding = begin(cbs_code=CBS_CODE, actor=ANNA, at=clock.now())
        ready, outcomes = threading.Barrier(2), []

        def try_it(name: str) -> None:
            try:
                connection.set_schema_to_public()
                ready.wait(10)
                save(
                    onboarding_id=onboarding.id,
                    part=Part.PRIVACY,
                    seen=0,
                    given={"officer_name": name},
                    actor=ANNA,
                    at=clock.now(),
                )
                outcomes.append("kept")
            except ChangedMeanwhile:
                outcomes.append("told")
            finally:
                connections.close_all()

        threads = [threading.Thread(target=try_it, args=(name,)) for name in ("Een", "Twee")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert sorted(outcomes) == ["kept", "told"]


class TestSigning:
    """The PDF, and the copy that comes back."""

    def test_the_pdf_is_tagged_and_says_what_is_filled_in(self, begun, clock):
        fill_in(begun, actor=ANNA, at=clock.now())
        pdf = make_pdf(application=load(onboarding_id=begun.id), at=clock.now())
        assert pdf.startswith(b"%PDF-")
        assert b"/StructTreeRoot" in pdf
        assert b"pdfuaid" in pdf
        assert pdf == make_pdf(application=load(onboarding_id=begun.id), at=clock.now())
        read = pypdfium2.PdfDocument(pdf)
        said = "".join(page.get_textpage().get_text_range() for page in read)
        for part in (Part.ORGANISATION, Part.PRIVACY, Part.SIGNING):
            for name, answer in ANSWERS[part].items():
                assert answer in said, name

    def test_what_somebody_typed_is_never_layout(self, begun, clock):
        given = {**ANSWERS[Part.ORGANISATION], "legal_entity": '#panic("x") $ * _ \\ ]'}
        save(onboarding_id=begun.id, part=Part.ORGANISATION, seen=0, given=given, actor=ANNA, at=clock.now())
        assert make_pdf(application=load(onboarding_id=begun.id), at=clock.now()).startswith(b"%PDF-")

    def test_a_copy_is_kept_encrypted_and_read_by_name(self, begun, clock):
        copy = take_signed_copy(onboarding_id=begun.id, content=PDF, actor=ANNA, at=clock.now())
        assert bytes(copy.sha256) == hashlib.sha256(PDF).digest()
        kept = SignedCopy.objects.get(id=copy.id)
        assert b"%PDF" not in bytes(kept.content_encrypted)
        assert read_copy(copy=kept, actor=BRAM, at=clock.now()) == PDF
        assert Entry.objects.filter(action="onboarding.read_copy", actor_id="bram").count() == 1

    @pytest.mark.parametrize(
        ("content", "code"),
        [
            (b"", "empty"),
            (b"<html>%PDF- %%EOF", "no_pdf"),
            (b"%PDF-1.7 and no end", "no_pdf"),
            (b"%PDF-" + b"x" * COPY_BYTES + b"%%EOF", "too_large"),
        ],
        ids=["empty", "html", "cut off", "large"],
    )
    def test_what_is_no_pdf_is_refused(self, begun, clock, content, code):
        with pytest.raises(NoPdf) as refused:
            take_signed_copy(onboarding_id=begun.id, content=content, actor=ANNA, at=clock.now())
        assert refused.value.code == code


class TestLinks:
    """Without an account, for a while, and for nobody else."""

    def test_the_secret_is_kept_as_a_digest_alone(self, begun, clock):
        made = links.make_link(onboarding=begun, name="Sanne", actor=ANNA, at=clock.now())
        assert bytes(made.link.digest) == hashlib.sha256(made.secret.encode()).digest()
        assert made.secret not in json.dumps(list(Entry.objects.values_list("details", flat=True)))
        assert links.open_link(secret=made.secret, at=clock.now()).id == made.link.id
        assert links.open_link(secret=made.secret[:-1], at=clock.now()) is None

    def test_it_ends_by_itself_and_at_once_when_it_is_ended(self, begun, clock):
        made = links.make_link(onboarding=begun, name="Sanne", actor=ANNA, at=clock.now())
        later = clock.now() + links.GOOD_FOR + timedelta(seconds=1)
        assert links.open_link(secret=made.secret, at=later) is None
        assert links.find_link(link_id=made.link.id, at=later) is None
        assert links.revoke_link(onboarding=begun, link_id=made.link.id, actor=ANNA, at=clock.now())
        assert links.find_link(link_id=made.link.id, at=clock.now()) is None
        assert not links.revoke_link(onboarding=begun, link_id=made.link.id, actor=ANNA, at=clock.now())

    def test_it_is_given_to_somebody(self, begun, clock):
        with pytest.raises(links.NameMissing):
            links.make_link(onboarding=begun, name=" ", actor=ANNA, at=clock.now())


class TestMoves:
    """One state machine: each move guarded, dated and attributed."""

    def test_all_that_is_missing_is_listed_before_it_is_declared(self, begun, clock):
        with pytest.raises(NotReady) as unready:
            move(onboarding_id=begun.id, seen="APPLIED", to=Stage.DECLARED, actor=ANNA, at=clock.now())
        found = {(each.code, each.field) for each in unready.value.missing}
        assert {("empty", "legal_entity"), ("empty", "accept_VOTER_DATA"), ("no_purpose", "")} <= found
        assert ("no_signed_copy", "") in found
        begun.refresh_from_db()
        assert (begun.stage, begun.moves.count()) == ("APPLIED", 1)

    @pytest.mark.parametrize(
        ("part", "alter", "expected"),
        [
            (Part.PROHIBITIONS, {"accept_PROMOTION": ""}, "accept_PROMOTION"),
            (Part.PURPOSES, {"describe_PERMITS": ""}, "describe_PERMITS"),
            (Part.SIGNING, {"signed_date": "2030-01-01"}, "signed_date"),
            (Part.ORGANISATION, {"oin": ""}, "oin"),
        ],
    )
    def test_one_thing_that_is_missing_is_enough(self, begun, clock, part, alter, expected):
        fill_in(begun, actor=ANNA, at=clock.now(), alter={part: alter})
        take_signed_copy(onboarding_id=begun.id, content=PDF, actor=ANNA, at=clock.now())
        with pytest.raises(NotReady) as unready:
            move(onboarding_id=begun.id, seen="APPLIED", to=Stage.DECLARED, actor=ANNA, at=clock.now())
        assert [each.field for each in unready.value.missing] == [expected]

    def test_what_was_changed_after_signing_is_signed_again(self, begun, clock):
        fill_in(begun, actor=ANNA, at=clock.now())
        take_signed_copy(onboarding_id=begun.id, content=PDF, actor=ANNA, at=clock.now())
        given = {**ANSWERS[Part.PRIVACY], "officer_name": "Een ander"}
        save(onboarding_id=begun.id, part=Part.PRIVACY, seen=1, given=given, actor=ANNA, at=clock.now())
        with pytest.raises(NotReady) as unready:
            move(onboarding_id=begun.id, seen="APPLIED", to=Stage.DECLARED, actor=ANNA, at=clock.now())
        assert [each.code for each in unready.value.missing] == ["signed_copy_outdated"]

    def test_what_was_filled_in_before_a_question_was_asked_is_held_up_by_that_question_alone(self, begun, clock):
        fill_in(begun, actor=ANNA, at=clock.now())
        older = {name: answer for name, answer in ANSWERS[Part.PRIVACY].items() if name != "privacy_page"}
        kept = {"onboarding": begun, "part": Part.PRIVACY, "version": 2, "values": older, "by_name": "Anna"}
        ApplicationVersion.objects.create(at=clock.now(), by_schema="public", by_id="anna", **kept)
        take_signed_copy(onboarding_id=begun.id, content=PDF, actor=ANNA, at=clock.now())
        saved = {"onboarding_id": begun.id, "part": Part.PRIVACY, "actor": ANNA, "at": clock.now()}
        assert save(seen=2, given={**older, "privacy_page": ""}, **saved).version == 2, "nothing to sign anew"

        def missing(seen: str, to: Stage) -> list[tuple[str, str]]:
            with pytest.raises(NotReady) as unready:
                move(onboarding_id=begun.id, seen=seen, to=to, actor=BRAM, at=clock.now())
            return [(each.code, each.field) for each in unready.value.missing]

        assert missing("APPLIED", Stage.DECLARED) == [("empty", "privacy_page")]
        Onboarding.objects.filter(id=begun.id).update(stage="DECLARED")  # as before it was asked
        assert missing("DECLARED", Stage.APPROVED) == [("empty", "privacy_page")]
        move(onboarding_id=begun.id, seen="DECLARED", to=Stage.APPLIED, actor=ANNA, at=clock.now())
        save(seen=2, given=ANSWERS[Part.PRIVACY], **saved)
        assert missing("APPLIED", Stage.DECLARED) == [("signed_copy_outdated", "")]

    def test_nobody_approves_what_they_had_a_hand_in(self, begun, clock):
        declare(begun, actor=ANNA, at=clock.now())
        for to, reason in ((Stage.APPROVED, ""), (Stage.REJECTED, "Onvolledig")):
            with pytest.raises(MoveRefused, match="four_eyes"):
                move(onboarding_id=begun.id, seen="DECLARED", to=to, actor=ANNA, at=clock.now(), reason=reason)
        moved = move(onboarding_id=begun.id, seen="DECLARED", to=Stage.APPROVED, actor=BRAM, at=clock.now())
        assert moved.stage == "APPROVED"
        last = moved.moves.latest("id")
        assert (last.from_stage, last.to_stage, last.by_name) == ("DECLARED", "APPROVED", "Bram")

    def test_who_made_the_link_had_a_hand_in_it(self, begun, clock):
        links.make_link(onboarding=begun, name="Sanne", actor=BRAM, at=clock.now())
        declare(begun, actor=ANNA, at=clock.now())
        with pytest.raises(MoveRefused, match="four_eyes"):
            move(onboarding_id=begun.id, seen="DECLARED", to=Stage.APPROVED, actor=BRAM, at=clock.now())

    def test_a_rejection_says_why_and_the_application_can_be_changed_again(self, begun, clock):
        declare(begun, actor=ANNA, at=clock.now())
        with pytest.raises(Closed):
            save(onboarding_id=begun.id, part=Part.PRIVACY, seen=1, given={}, actor=ANNA, at=clock.now())
        with pytest.raises(Closed):
            take_signed_copy(onboarding_id=begun.id, content=PDF, actor=ANNA, at=clock.now())
        with pytest.raises(MoveRefused, match="no_reason"):
            move(onboarding_id=begun.id, seen="DECLARED", to=Stage.REJECTED, actor=BRAM, at=clock.now(), reason=" ")
        move(onboarding_id=begun.id, seen="DECLARED", to=Stage.REJECTED, actor=BRAM, at=clock.now(), reason="Te vaag")
        assert standing_rejection(onboarding=begun).reason == "Te vaag"
        move(onboarding_id=begun.id, seen="REJECTED", to=Stage.APPLIED, actor=ANNA, at=clock.now())
        save(onboarding_id=begun.id, part=Part.PRIVACY, seen=1, given={}, actor=ANNA, at=clock.now())
        assert standing_rejection(onboarding=begun).reason == "Te vaag", "until it is handed in anew"
        save(onboarding_id=begun.id, part=Part.PRIVACY, seen=2, given=ANSWERS[Part.PRIVACY], actor=ANNA, at=clock.now())
        move(onboarding_id=begun.id, seen="APPLIED", to=Stage.DECLARED, actor=ANNA, at=clock.now())
        assert standing_rejection(onboarding=begun) is None

    def test_a_move_that_there_is_not_is_refused(self, begun, clock):
        for stage in Stage:
            if stage not in MOVES[Stage.APPLIED]:
                with pytest.raises(NoSuchMove):
                    move(onboarding_id=begun.id, seen="APPLIED", to=stage, actor=ANNA, at=clock.now(), reason="x")

    def test_who_saw_another_stage_is_told(self, begun, clock):
        declare(begun, actor=ANNA, at=clock.now())
        with pytest.raises(MoveRefused, match="moved_meanwhile"):
            move(onboarding_id=begun.id, seen="APPLIED", to=Stage.DECLARED, actor=ANNA, at=clock.now())

    def test_a_municipality_that_an_operator_made_is_suspended_resumed_and_ended(self, utrecht, clock):
        connection.set_schema_to_public()
        onboarding = Onboarding.objects.get(municipality=utrecht)
        assert (onboarding.stage, onboarding.by_operator) == ("LIVE", True)
        for seen, to in (("LIVE", Stage.SUSPENDED), ("SUSPENDED", Stage.LIVE), ("LIVE", Stage.OFFBOARDED)):
            given = {"data_until": date(2030, 1, 1)} if to is Stage.OFFBOARDED else {}
            move(onboarding_id=onboarding.id, seen=seen, to=to, actor=ANNA, at=clock.now(), reason="Omdat", **given)
            assert Municipality.objects.get(id=utrecht.id).stage == to

    def test_an_operator_makes_nobody_live_who_is_on_the_road(self, begun, clock):
        with pytest.raises(DifferentMunicipality, match="onboarded on the console"):
            create(
                schema_name="zwolle",
                name="Zwolle",
                cbs_code=CBS_CODE,
                waba_id="444000111222333",
                phone_number_id="333000111222333",
                display_phone_number="+31384989111",
                access_token=None,
                actor=ANNA,
                at=clock.now(),
            )
        assert not Municipality.objects.filter(cbs_code=CBS_CODE).exists()


def _entry(code: str, name: str, *, ended: bool = False) -> dict:
    term = f"{TOOI}def/ont/"
    made = {
        "@id": f"{TOOI}id/gemeente/gm{code}",
        f"{term}gemeentecode": [{"@value": code}],
        f"{term}officieleNaamExclSoort": [{"@value": name}],
        f"{term}ligtInProvincie": [{"@id": f"{TOOI}id/provincie/pv23"}],
    }
    return made | ({f"{term}einddatum": [{"@value": "2022-12-31"}]} if ended else {})


def _official(**changes: str | None) -> bytes:
    """Return the shipped register in the official form, with names changed (None: ended)."""
    names = {each.cbs_code: each.name for each in municipalities().values()} | changes
    province = {each.cbs_code: each.province for each in municipalities().values()}
    from tenants.editions import _PROVINCES

    numbers = {name: uri for uri, name in _PROVINCES.items()}
    items = []
    for code, name in names.items():
        item = _entry(code[2:], name or "Weg", ended=name is None)
        if code in province:
            item[f"{TOOI}def/ont/ligtInProvincie"] = [{"@id": numbers[province[code]]}]
        items.append(item)
    return json.dumps(items).encode()


class TestRegister:
    """Taken from the government's file, or not at all."""

    def test_the_shipped_one_counts_until_another_is_taken(self, utrecht):
        connection.set_schema_to_public()
        register = current_register()
        assert len(register.entries) == 342
        assert register.version
        assert register.source.startswith("https://")

    def test_a_file_that_says_the_same_is_no_other_register(self, utrecht, clock):
        connection.set_schema_to_public()
        assert read_register(content=_official()) == municipalities()

    def test_it_tells_what_is_added_removed_and_renamed(self, utrecht, clock, tmp_path, capsys):
        connection.set_schema_to_public()
        path = tmp_path / "register.json"
        path.write_bytes(_official(GM1696=None, GM0193="Zwolle aan de IJssel", GM9001="Nieuwland"))
        call_command("refresh_register", str(path), "--edition", "5", "--dry-run")
        assert not RegisterEdition.objects.exists()
        call_command("refresh_register", str(path), "--edition", "5")
        told = json.loads(capsys.readouterr().out.split("}\n{")[1].join(["{", ""]))
        assert told["added"] == {"GM9001": "Nieuwland"}
        assert list(told["removed"]) == ["GM1696"]
        assert told["renamed"] == {"GM0193": ["Zwolle", "Zwolle aan de IJssel"]}
        assert current_register().entries["GM9001"].schema_name == "nieuwland"
        assert current_register().version == "5"
        assert Entry.objects.filter(action="register.refresh").count() == 1

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"[]",
            b"{}",
            b"\xff\xfe",
            json.dumps([_entry("0193", "Zwolle")]).encode(),
            json.dumps([_entry("193", "Zwolle")]).encode(),
            json.dumps([_entry("0193", "Zwolle", ended=True)]).encode(),
            json.dumps([{**_entry("0193", "Zwolle"), "@id": "https://example.nl/"}]).encode(),
            _official(GM9001="Zwolle"),
        ],
        ids=["nothing", "empty", "object", "bytes", "one", "code", "ended", "address", "same schema"],
    )
    def test_a_bad_file_changes_nothing(self, utrecht, clock, tmp_path, content):
        connection.set_schema_to_public()
        with pytest.raises(BadRegister):
            take_register(content=content, version="5", is_rehearsal=False, actor=ANNA, at=clock.now())
        path = tmp_path / "register.json"
        path.write_bytes(content)
        with pytest.raises(CommandError) as refused:
            call_command("refresh_register", str(path), "--edition", "5")
        assert refused.value.returncode == 2
        assert not RegisterEdition.objects.exists()
