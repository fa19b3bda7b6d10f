"""Webhook fields besides `messages`, each with typical values: what `POST /_sandbox/account_events` sends.

A field has variants, mostly Meta's own names of events. Values are as Meta's pages show them, with the business, its
number and its template put in; nothing here changes any state.
"""

from datetime import UTC, datetime
from typing import Any

from sandbox.citizen_fields import Scene, Values, citizen_fields, coexistence_fields
from sandbox.world import Template

# Events of `account_update` that only say that something happened.
BARE_EVENTS = ("ACCOUNT_DELETED", "ACCOUNT_OFFBOARDED", "ACCOUNT_RECONNECTED")
WABA_EVENTS = ("PARTNER_ADDED", "PARTNER_APP_INSTALLED", "PARTNER_APP_UNINSTALLED", "MM_LITE_TERMS_SIGNED")
TEMPLATE_EVENTS = (
    "APPROVED", "REJECTED", "PENDING", "PAUSED", "DISABLED", "FLAGGED", "REINSTATED", "IN_APPEAL", "LIMIT_EXCEEDED",
    "LOCKED", "DELETED", "PENDING_DELETION", "ARCHIVED", "UNARCHIVED",
)  # fmt: skip
FLOW_ALERTS = ("CLIENT_ERROR_RATE", "ENDPOINT_ERROR_RATE", "ENDPOINT_LATENCY", "ENDPOINT_AVAILABILITY")
DAY = 86400


def typical_values(*, scene: Scene) -> dict[str, Values]:
    """List the values: by field, then by variant."""
    return {
        "account_update": _account_update(scene),
        "account_alerts": _account_alerts(scene),
        "account_review_update": {each: {"decision": each} for each in ("APPROVED", "REJECTED", "PENDING", "DEFERRED")},
        **_number_fields(scene),
        **_template_fields(scene),
        **citizen_fields(scene=scene),
        **coexistence_fields(scene=scene),
        "partner_solutions": {
            event: {"event": event, "solution_id": "300000000000001", "solution_status": "ACTIVE"}
            for event in ("SOLUTION_CREATED", "SOLUTION_UPDATED")
        },
        "flows": _flows(scene),
    }


def _account_update(scene: Scene) -> Values:
    business, now = scene.business, scene.now
    info = {"waba_id": business.waba_id, "owner_business_id": business.portfolio_id}
    partner = {**info, "partner_app_id": scene.partner_app}
    values: Values = {event: {"event": event} for event in BARE_EVENTS}
    values |= {event: {"event": event, "waba_info": partner} for event in WABA_EVENTS}
    values |= {
        "PARTNER_REMOVED": {
            "event": "PARTNER_REMOVED",
            "waba_info": info,
            "disconnection_info": {"reason": "PRIMARY_INACTIVITY", "initiated_by": "SYSTEM"},
        },
        "AD_ACCOUNT_LINKED": {
            "event": "AD_ACCOUNT_LINKED",
            "waba_info": {**info, "ad_account_linked": "400000000000001"},
        },
        "ACCOUNT_VIOLATION": {"event": "ACCOUNT_VIOLATION", "violation_info": {"violation_type": "SCAM"}},
        "ACCOUNT_RESTRICTION": {
            "event": "ACCOUNT_RESTRICTION",
            "restriction_info": [
                {"restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING", "expiration": now + 7 * DAY},
                {"restriction_type": "RESTRICTED_ADD_PHONE_NUMBER_ACTION", "expiration": now + 7 * DAY},
            ],
        },
        "PARTNER_CLIENT_CERTIFICATION_STATUS_UPDATE": {
            "event": "PARTNER_CLIENT_CERTIFICATION_STATUS_UPDATE",
            "partner_client_certification_info": {
                "client_business_id": business.portfolio_id,
                "status": "APPROVED",
                "rejection_reasons": ["NONE"],
            },
        },
        "AUTH_INTL_PRICE_ELIGIBILITY_UPDATE": {
            "event": "AUTH_INTL_PRICE_ELIGIBILITY_UPDATE",
            "auth_international_rate_eligibility": {
                "exception_countries": [{"country_code": "ID", "start_time": now + 30 * DAY}],
                "start_time": now,
            },
        },
        "BUSINESS_PRIMARY_LOCATION_COUNTRY_UPDATE": {
            "event": "BUSINESS_PRIMARY_LOCATION_COUNTRY_UPDATE",
            "country": "NL",
        },
        "VOLUME_BASED_PRICING_TIER_UPDATE": {
            "event": "VOLUME_BASED_PRICING_TIER_UPDATE",
            "volume_tier_info": {
                "tier_update_time": now,
                "pricing_category": "UTILITY",
                "tier": "100001:500000",
                "effective_month": datetime.fromtimestamp(now, tz=UTC).strftime("%Y-%m"),
                "region": "Netherlands",
            },
        },
    }
    date = datetime.fromtimestamp(now, tz=UTC).strftime("%B %d, %Y")
    for state in ("DISABLE", "REINSTATE", "SCHEDULE_FOR_DISABLE"):
        values[f"DISABLED_UPDATE:{state}"] = {
            "event": "DISABLED_UPDATE",
            "ban_info": {"waba_ban_state": state, "waba_ban_date": date},
        }
    return values


def _account_alerts(scene: Scene) -> Values:
    kinds = {
        "INCREASED_CAPABILITIES_ELIGIBILITY_DEFERRED": "BUSINESS",
        "INCREASED_CAPABILITIES_ELIGIBILITY_FAILED": "BUSINESS",
        "INCREASED_CAPABILITIES_ELIGIBILITY_NEED_MORE_INFO": "BUSINESS",
        "OBA_APPROVED": "PHONE_NUMBER",
        "OBA_REJECTED": "PHONE_NUMBER",
        "PROFILE_PICTURE_LOST": "PHONE_NUMBER",
    }
    return {
        kind: {
            "entity_type": entity,
            "entity_id": scene.business.portfolio_id if entity == "BUSINESS" else scene.number.id,
            "alert_info": {
                "alert_severity": "INFORMATIONAL" if kind == "OBA_APPROVED" else "WARNING",
                "alert_status": "ACTIVE",
                "alert_type": kind,
                "alert_description": "See the overview of the account in the business manager.",
            },
        }
        for kind, entity in kinds.items()
    }


def _number_fields(scene: Scene) -> dict[str, Values]:
    shown, limit = {"display_phone_number": scene.number.digits}, scene.business.messaging_limit
    name = {**shown, "requested_verified_name": scene.number.verified_name}
    names: Values = {
        each: {**name, "decision": each, "rejection_reason": None} for each in ("APPROVED", "DEFERRED", "PENDING")
    }
    names["REJECTED"] = {**name, "decision": "REJECTED", "rejection_reason": "NAME_EMPLOYEE_OR_CUSTOMER"}
    # Payloads of before v24 speak of limits by number.
    capability: dict[str, Any] = {"max_daily_conversations_per_business": limit, "max_phone_numbers_per_business": 20}
    if scene.before_v24:
        capability = {"max_daily_conversation_per_phone": 2000, "max_phone_numbers_per_business": 20}
    qualities = {}
    for event in ("ONBOARDING", "THROUGHPUT_UPGRADE", "UPGRADE", "DOWNGRADE", "FLAGGED", "UNFLAGGED"):
        given: dict[str, Any] = {"max_daily_conversations_per_business": limit}
        if scene.before_v24:
            given = {"current_limit": limit, "old_limit": "TIER_NOT_SET"}
        qualities[event] = {**shown, "event": event, **given}
    requests = ("PIN_CHANGED", "PIN_RESET_REQUEST", "PIN_REQUEST_SUCCESS")
    return {
        "phone_number_quality_update": qualities,
        "phone_number_name_update": names,
        "business_capability_update": {"": capability},
        "security": {each: {**shown, "event": each, "requester": "100000000000001"} for each in requests},
        "business_username_update": {
            status: {**shown, "username": scene.number.username or "gemeente", "status": status}
            for status in ("approved", "reserved", "deleted")
        },
    }


def shown_template(*, template: Template) -> dict[str, Any]:
    """Name the template as the webhooks about templates do."""
    return {
        "message_template_id": int(template.id) if template.id.isdigit() else 0,
        "message_template_name": template.name,
        "message_template_language": template.language,
    }


def changed_components(*, template: Template) -> dict[str, Any]:
    """Show a template's texts as the webhook about edited components does."""
    keys = {"HEADER": "message_template_title", "BODY": "message_template_element", "FOOTER": "message_template_footer"}
    value = shown_template(template=template)
    for component in template.components:
        kind = str(component.get("type")).upper()
        if kind in keys and component.get("text"):
            value[keys[kind]] = component["text"]
        elif kind == "BUTTONS":
            value["message_template_buttons"] = [
                {
                    f"message_template_button_{key}": each[known]
                    for key, known in (("type", "type"), ("text", "text"), ("url", "url"))
                    if known in each
                }
                for each in component.get("buttons", [])
            ]
    return value


def _template_fields(scene: Scene) -> dict[str, Values]:
    template, shown = scene.template, shown_template(template=scene.template)
    statuses: Values = {
        event: {"event": event, **shown, "message_template_category": template.category, "reason": "NONE"}
        for event in TEMPLATE_EVENTS
    }
    statuses["REJECTED"] |= {
        "reason": "INVALID_FORMAT",
        "rejection_info": {"reason": "The variables have no examples.", "recommendation": "Give one for each."},
    }
    statuses["PAUSED"]["other_info"] = {"title": "FIRST_PAUSE", "description": "Paused for 3 hours."}
    statuses["DISABLED"] |= {
        "disable_info": {"disable_date": scene.now},
        "other_info": {"title": "DISABLED", "description": "Disabled after repeated pauses."},
    }
    qualities = {
        each: {"previous_quality_score": "UNKNOWN", "new_quality_score": each, **shown}
        for each in ("GREEN", "YELLOW", "RED")
    }
    impending = {
        **shown,
        "new_category": template.category,
        "correct_category": "MARKETING",
        "category_update_timestamp": scene.now + DAY,
    }
    done = {**shown, "previous_category": template.category, "new_category": "MARKETING"}
    return {
        "message_template_status_update": statuses,
        "message_template_quality_update": qualities,
        "message_template_components_update": {"": changed_components(template=template)},
        "template_category_update": {"impending": impending, "done": done},
    }


def _flows(scene: Scene) -> Values:
    flow = {"flow_id": "500000000000001"}
    values: Values = {
        event: {"event": event, **flow, "threshold": 10, "alert_state": "ACTIVATED", "message": "Above the threshold."}
        for event in FLOW_ALERTS
    }
    status = {"event": "FLOW_STATUS_CHANGE", **flow, "old_status": "DRAFT", "new_status": "PUBLISHED"}
    warning = {"event": "FLOW_VERSION_EXPIRY_WARNING", **flow, "message": "The version of the flow expires."}
    return values | {"FLOW_STATUS_CHANGE": status, "FLOW_VERSION_EXPIRY_WARNING": warning}
