"""The pages of a declaration that changes: asked for at the municipality, decided on the console."""

from dataclasses import replace

from tenants import declaration
from tenants.models import DeclarationChange
from tests.tenants.test_redeclaring import given


def text(answer, status=200) -> str:
    assert answer.status_code == status, answer.content.decode()[:500]
    return " ".join(answer.content.decode().split())


def test_an_admin_asks_and_the_bsp_decides_and_nothing_typed_is_lost(people, utrecht, monkeypatch):
    utrecht.declared_purposes.exclude(purpose="PERMITS").delete()
    admin, judge = people("utrecht", "ADMIN"), people("public", "BSP_OPERATOR")
    assert "Vergunningen" in text(admin.get("/declaration/"))
    wrong = text(admin.post("/declaration/", given("TOURISM", signatory_name="")), 422)
    assert 'id="error-signatory_name"' in wrong
    assert "Daarvoor" in wrong
    assert "al verklaard" in text(admin.post("/declaration/", given("PERMITS")), 422)
    shown = text(admin.post("/declaration/", given("PERMITS", "TOURISM"), follow=True))
    assert "Er wacht een wijziging" in shown
    change = DeclarationChange.objects.get()
    path = f"/onboarding/changes/{change.id}/"
    assert path in text(judge.get("/onboarding/"))
    assert path in text(judge.get(f"/onboarding/{utrecht.onboarding.id}/"))
    assert "Wijzigingen van verklaringen om goed te keuren" in text(judge.get("/overview/"))
    assert "Toerisme" in text(judge.get(path))
    assert "Zeg waarom" in text(judge.post(f"{path}decide/", {"decision": "reject", "reason": ""}), 422)
    assert "Kies of" in text(judge.post(f"{path}decide/", {"reason": "x"}), 422)
    assert "Goedgekeurd" in text(judge.post(f"{path}decide/", {"decision": "approve"}, follow=True))
    assert "Iemand anders heeft intussen beslist" in text(
        judge.post(f"{path}decide/", {"decision": "approve"}, follow=True)
    )
    assert sorted(row.purpose for row in utrecht.declared_purposes.all()) == ["PERMITS", "TOURISM"]
    assert "al beslist" in text(admin.post(f"/declaration/{change.id}/withdraw/", follow=True))
    admin.post("/declaration/", given("TOURISM"))
    last = DeclarationChange.objects.get(state="WAITING")
    assert "teruggenomen" in text(admin.post(f"/declaration/{last.id}/withdraw/", follow=True))
    purposes = tuple(each for each in declaration.Purpose if each != "CRISIS")
    newer = replace(declaration.TERMS[0], version="2021-02", purposes=purposes)
    monkeypatch.setattr(declaration, "TERMS", (*declaration.TERMS, newer))
    refused = text(admin.post("/declaration/", given("PERMITS", "CRISIS")), 422)
    assert "Dit doel mag niet meer volgens de huidige voorwaarden: haal het vinkje weg." in refused
    support = people("public", "BSP_SUPPORT")
    assert support.get(path).status_code == 403
