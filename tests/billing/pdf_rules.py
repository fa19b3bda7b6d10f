"""What PDF/A-3a (ISO 19005-3) and PDF/UA-1 (ISO 14289-1) ask of a document, looked at by qpdf, not by who made it.

Not all of the two standards: what keeps a document readable for seven years and by a screen reader, as far as its
structure shows it. Each fault is one line that names what is missing.
"""

from collections.abc import Iterator
from io import BytesIO

import pikepdf
from pikepdf import Dictionary, Name, Object, Pdf

PAINTS = {"Tj", "TJ", "'", '"', "f", "F", "f*", "B", "B*", "b", "b*", "S", "s", "sh", "Do"}
# ISO 32000-1, 14.8.4, as far as an invoice has use for them.
TYPES = {
    *("Document", "Part", "Sect", "Div", "P", "H1", "H2", "Table", "THead", "TBody", "TFoot", "TR", "TH", "TD"),
    *("L", "LI", "Lbl", "LBody", "Span", "Strong", "Em", "Link", "NonStruct", "Artifact"),
}
INSIDE = {"TR": {"Table", "THead", "TBody", "TFoot"}, "TH": {"TR"}, "TD": {"TR"}, "LI": {"L"}, "LBody": {"LI"}}


def faults(content: bytes) -> list[str]:
    """Return what a document lacks; nothing when all that is looked at is there."""
    with pikepdf.open(BytesIO(content), attempt_recovery=False) as pdf:
        found = [f"syntax: {problem}" for problem in pdf.check_pdf_syntax()]
        found += _said_of_itself(pdf)
        found += _kept(pdf)
        found += _tree(pdf)
        for number, page in enumerate(pdf.pages, start=1):
            found += [f"page {number}: {fault}" for fault in _page(pdf, page)]
    return found


def _said_of_itself(pdf: Pdf) -> Iterator[str]:
    root = pdf.Root
    with pdf.open_metadata(set_pikepdf_as_editor=False, update_docinfo=False) as said:
        for name, wanted in (("pdfaid:part", "3"), ("pdfaid:conformance", "A"), ("pdfuaid:part", "1")):
            if said.get(name) != wanted:
                yield f"metadata: {name} is {said.get(name)!r}"
        if not said.get("dc:title") or str(said["dc:title"]) != str(pdf.docinfo.get("/Title")):
            yield "metadata: its title is not that of the document"
        if said.get("dc:language") not in (["nl"], {"nl"}):
            yield f"metadata: dc:language is {said.get('dc:language')!r}"
    if "/Filter" in root.get("/Metadata", Dictionary()):
        yield "metadata: compressed, so that not every program reads it"
    if str(root.get("/Lang", "")) != "nl":
        yield "no language"
    if root.get("/ViewerPreferences", Dictionary()).get("/DisplayDocTitle") is not True:
        yield "the window shows the file's name in place of the title"
    if root.get("/MarkInfo", Dictionary()).get("/Marked") is not True:
        yield "not marked as tagged"


def _kept(pdf: Pdf) -> Iterator[str]:
    """Yield what hinders that it is still readable after years."""
    root = pdf.Root
    if pdf.is_encrypted or "/ID" not in pdf.trailer:
        yield "encrypted, or without an id"
    if not any(
        each.get("/S") == Name.GTS_PDFA1 and "/DestOutputProfile" in each for each in root.get("/OutputIntents", ())
    ):
        yield "no profile of its colours"
    if {"/OpenAction", "/AA"} & set(root.keys()) or "/JavaScript" in root.get("/Names", Dictionary()):
        yield "does something when it is opened"
    beside = list(root.get("/AF", ()))
    if len(beside) != 1 or len(pdf.attachments) != 1:
        yield "not one file inside, named as belonging to it"
    for spec in beside:
        stream = spec.EF.get("/UF", spec.EF.get("/F"))
        if spec.get("/AFRelationship") != Name.Alternative or not {"/F", "/UF", "/Desc"} <= set(spec.keys()):
            yield "the file inside does not say that it is the same invoice in another form"
        if str(stream.get("/Subtype")) != "/application/xml" or "/ModDate" not in stream.get("/Params", Dictionary()):
            yield "the file inside does not say of what type and day it is"


def _tree(pdf: Pdf) -> Iterator[str]:
    """Yield what a screen reader would stumble over."""
    root = pdf.Root.get("/StructTreeRoot")
    if root is None:
        yield "no structure"
        return
    roles = {str(name)[1:]: str(role)[1:] for name, role in root.get("/RoleMap", Dictionary()).items()}
    heading, is_first = 0, True
    for element, kind, parent in _elements(root, roles, "Root"):
        if kind not in TYPES:
            yield f"{kind} is no type of the standard"
        if kind in INSIDE and parent not in INSIDE[kind]:
            yield f"{kind} lies in {parent}"
        if kind == "TH" and "/Scope" not in "".join(str(list(each.keys())) for each in _attributes(element)):
            yield "a head of a table does not say of which cells"
        if kind[0] == "H" and kind[1:].isdigit():
            if int(kind[1:]) > heading + 1 or (is_first and kind != "H1"):
                yield f"{kind} comes after level {heading}"
            heading, is_first = int(kind[1:]), False
    if is_first:
        yield "no heading"


def _elements(element: Object, roles: dict[str, str], parent: str) -> Iterator[tuple[Object, str, str]]:
    for child in _list(element.get("/K")):
        if isinstance(child, Dictionary) and "/S" in child:
            kind = str(child.S)[1:]
            kind = roles.get(kind, kind)
            yield child, kind, parent
            yield from _elements(child, roles, kind)


def _page(pdf: Pdf, page: pikepdf.Page) -> Iterator[str]:
    marked, used = [], set()
    for operands, operator in pikepdf.parse_content_stream(page):
        name = str(operator)
        if name in ("BMC", "BDC"):
            marked.append(str(operands[0]))
            if len(operands) > 1 and isinstance(operands[1], Dictionary) and "/MCID" in operands[1]:
                used.add(int(operands[1].MCID))
        elif name == "EMC":
            marked.pop()
        elif name in PAINTS and not marked:
            yield f"{name} paints what is neither content nor decoration"
    tree = pdf.Root.get("/StructTreeRoot", Dictionary()).get("/ParentTree")
    owners = pikepdf.NumberTree(tree)[int(page.obj.StructParents)] if used and tree is not None else []
    if not used or any(number >= len(owners) or owners[number] is None for number in used):
        yield "content that belongs to nothing"
    for name, font in page.obj.Resources.get("/Font", Dictionary()).items():
        of = font.DescendantFonts[0] if "/DescendantFonts" in font else font
        if not {"/FontFile", "/FontFile2", "/FontFile3"} & set(of.get("/FontDescriptor", Dictionary()).keys()):
            yield f"font {name} is not inside"
        if "/ToUnicode" not in font:
            yield f"font {name} does not say which letters it draws"


def _attributes(element: Object) -> list[Object]:
    return [each for each in _list(element.get("/A")) if isinstance(each, Dictionary)]


def _list(value: Object | None) -> list[Object]:
    if value is None:
        return []
    return list(value) if isinstance(value, pikepdf.Array) else [value]
