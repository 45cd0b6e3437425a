import pytest

from burnish.errors import FormatError
from burnish.formats.xml_text import parse_xml, raw_xml


def written(folder, text: str | bytes):
    path = folder / "a.xml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "windows-1251", "koi8-r", "gb2312"])
def test_declared_encodings_are_obeyed(tmp_path, encoding):
    text = f'<?xml version="1.0" encoding="{encoding}"?><a>{"труба" if encoding != "gb2312" else "管道"}</a>'
    assert parse_xml(written(tmp_path, text.encode(encoding))).text in {"труба", "管道"}


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        '<!DOCTYPE a [<!ENTITY % p SYSTEM "http://localhost/p"> %p;]><a/>',
    ],
)
def test_entities_are_refused(tmp_path, text):
    with pytest.raises(FormatError, match="entity"):
        parse_xml(written(tmp_path, text))


def test_a_plain_document_type_is_no_harm(tmp_path):
    assert parse_xml(written(tmp_path, '<!DOCTYPE annotation SYSTEM "a.dtd"><a>b</a>')).text == "b"


def test_broken_xml_is_told_with_its_line(tmp_path):
    with pytest.raises(FormatError, match=r"a\.xml, line 2: This is no well-formed XML") as caught:
        parse_xml(written(tmp_path, "<a>\n<b></a>"))
    assert caught.value.position == 2


HEAD = b'<?xml version="1.0" encoding='


@pytest.mark.parametrize("text", [b"", b"\xff\xfe\x00", HEAD + b'"nonsense"?><a/>', HEAD + b'"utf-8"?><a>\xcf</a>'])
def test_bytes_that_are_no_xml_are_an_error_of_ours(tmp_path, text):
    with pytest.raises(FormatError):
        parse_xml(written(tmp_path, text))


def test_a_missing_file_is_an_error_of_ours(tmp_path):
    with pytest.raises(FormatError, match="cannot be read"):
        parse_xml(tmp_path / "none.xml")


def test_raw_text_has_no_blanks_of_pretty_printing(tmp_path):
    element = parse_xml(written(tmp_path, "<a>\n  <b> c </b>\n  <d/>\n</a>"))
    assert raw_xml(element) == "<a><b> c </b><d /></a>"
