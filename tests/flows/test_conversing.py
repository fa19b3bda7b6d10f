"""A citizen writes, an agent answers, Meta reports: through every real process."""

from tests.flows.live import Live, eventually


def test_a_message_reaches_its_municipality_and_the_answer_is_read(live: Live):
    phone = "+31697100001"
    live.post("citizens", {"phone_number_id": "1000000000344", "citizen": {"phone": phone}, "behaviour": "reads"})
    (wamid,) = live.write("utrecht", "Wanneer is het afval?", phone=phone)
    eventually(lambda: bool(_message(live, "utrecht", wamid)))
    assert not _message(live, "delft", wamid)
    live.answer()
    live.rest()
    query = (
        "SELECT message.state FROM {s}.messaging_message AS message"
        " JOIN {s}.messaging_thread AS thread ON thread.id = message.thread_id"
        " JOIN {s}.messaging_contact AS contact ON contact.id = thread.contact_id"
        " WHERE contact.wa_id = %s AND direction = 'OUTBOUND'"
    )
    assert live.ask(query, phone.removeprefix("+"), schema="utrecht") == [("READ",)]


def test_a_send_whose_answer_is_lost_is_settled_by_its_status_and_not_sent_again(live: Live):
    number = "1000000000503"
    live.post("faults", {"sends": [{"kind": "disconnect_after_accept", "phone_number_id": number}]})
    live.write("delft", "Bent u er?", phone="+31697100002")
    live.answer()
    live.rest()
    eventually(lambda: set(live.states("delft")) <= {"SENT", "DELIVERED", "READ"})
    assert live.get("books/summary")["duplicates_by_opaque_id"] == 0


def test_a_send_whose_answer_is_lost_and_that_meta_never_reports_stays_uncertain(live: Live):
    live.rest()
    live.post("switches", {"automatic_statuses": False})
    before = live.get("books/summary")["sends_accepted"]
    try:
        live.post("faults", {"sends": [{"kind": "html_500_after_accept", "phone_number_id": "1000000000344"}]})
        live.write("utrecht", "Hallo?", phone="+31697100003")
        live.answer()
        eventually(lambda: live.states("utrecht").get("UNCERTAIN") == 1)
        live.rest()
        assert live.get("books/summary")["sends_accepted"] == before + 1
    finally:
        live.post("switches", {"automatic_statuses": True})
    ours = live.ask("SELECT id::text FROM {s}.messaging_message WHERE state = 'UNCERTAIN'", schema="utrecht")[0][0]
    (send,) = live.get(f"books?list=sends&opaque={ours}")["sends"]["rows"]
    live.post("statuses", {"statuses": [{"wamid": send["wamid"], "status": "delivered"}], "wait": True})
    eventually(lambda: "UNCERTAIN" not in live.states("utrecht"))


def test_throttling_costs_no_try_and_a_refusal_says_why(live: Live):
    faults = [
        {"kind": "error", "code": 130429, "count": 3, "phone_number_id": "1000000000503"},
        {"kind": "error", "code": 131026, "count": 1, "phone_number_id": "1000000000503"},
    ]
    live.post("faults", {"sends": faults})
    live.write("delft", "Nog een vraag", phone="+31697100004")
    live.answer()
    live.rest()
    query = "SELECT failed_code, failed_reason <> '' FROM {s}.messaging_message WHERE state = 'FAILED'"
    assert live.ask(query, schema="delft") == [(131026, True)]


def _message(live: Live, schema: str, wamid: str) -> list[tuple[object, ...]]:
    return live.ask("SELECT id FROM {s}.messaging_message WHERE wamid = %s", wamid, schema=schema)
