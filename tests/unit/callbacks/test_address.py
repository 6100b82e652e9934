"""No address beyond those that hitl.yaml allows is ever called, however it is written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hitl_mlops.callbacks.address import check_address, prefix_of
from hitl_mlops.errors import ConfigurationError, HitlError, InputError, RefusedError

ALLOWED = ["https://shop.example/hitl", "http://127.0.0.1:8099"]


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example/hitl",
        "https://shop.example/hitl/",
        "https://SHOP.example:443/hitl/done?id=1",
        "https://shop.example./hitl/a%20b",
        "http://127.0.0.1:8099",
        "http://127.0.0.1:8099/anything",
    ],
)
def test_what_lies_under_a_prefix_may_be_called(url):
    check_address(url, ALLOWED)


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example",
        "https://shop.example/hitlery",
        "https://shop.example/other",
        "https://shop.example/HITL",
        "http://shop.example/hitl",
        "https://shop.example:8443/hitl",
        "https://shop.example.evil.test/hitl",
        "https://evil.test/hitl",
        "http://127.0.0.1:8090/",
        "http://127.0.0.1/",
        "http://localhost:8099",
        "http://127.1:8099",
        "http://2130706433:8099",
        "http://[::1]:8099",
        "http://[::ffff:127.0.0.1]:8099",
        "http://169.254.169.254/latest/meta-data",
    ],
)
def test_what_lies_elsewhere_may_not(url):
    with pytest.raises(RefusedError) as told:
        check_address(url, ALLOWED)
    assert "hitl.yaml" in told.value.remedy


@pytest.mark.parametrize(
    "url",
    [
        "",
        "shop.example/hitl",
        "//shop.example/hitl",
        "ftp://shop.example/hitl",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https://",
        "https:///hitl",
        "https://shop.example:99999/hitl",
        "https://shop.example:0/hitl",
        "https://shop.example:x/hitl",
        "https://ann@shop.example/hitl",
        "https://shop.example@evil.test/hitl",
        "https://shop.example/hitl/../admin",
        "https://shop.example/hitl/%2e%2e/admin",
        "https://shop.example/hitl/..%2fadmin",
        "https://shop.example/hitl/%2E./admin",
        "https://shop.example/hitl/..%5cadmin",
        "https://shop.example/hitl/%252e%252e/admin",
        "https://shop.example/hitl/..;/admin",
        "https://shop.example/hitl//admin",
        "https://evil.test/https://shop.example/hitl",
        "https://shop.example\\@evil.test/hitl",
        "https://shop.example/hitl\r\nHost: evil.test",
        "https://shop.example/hitl\tx",
        "https://shop.example/hi tl",
        "https://shop.example/hitl#x",
        "https://shop%2eexample/hitl",
        "https://shöp.example/hitl",
        "https://[::1/hitl",
        "https://shop.example/hitl/" + "x" * 500,
        "\ud800",
    ],
)
def test_what_is_no_plain_address_is_refused(url):
    with pytest.raises(InputError):
        check_address(url, ALLOWED)


def test_without_a_prefix_nothing_may_be_called():
    with pytest.raises(RefusedError):
        check_address("https://shop.example/hitl", [])


@pytest.mark.parametrize(
    "text", ["", "shop.example", "https://", "https://a/..", "https://a/?x=1", "https://*"]
)
def test_a_prefix_that_is_none_is_told(text):
    if text == "https://*":  # a host like any other, and no pattern
        with pytest.raises(RefusedError):
            check_address("https://a.example", [text])
        return
    with pytest.raises(ConfigurationError, match=r"no address|has a query"):
        prefix_of(text)


PIECES = st.sampled_from(
    [
        "https://",
        "http://",
        "shop.example",
        "evil.test",
        "@",
        ":",
        "443",
        "/",
        "hitl",
        "..",
        "%2e",
        "\\",
        "#",
        "?",
    ]
)


@given(st.lists(PIECES, max_size=12).map("".join))
def test_whatever_is_allowed_names_the_allowed_host(url):
    try:
        check_address(url, ["https://shop.example/hitl"])
    except HitlError:
        return
    host, _, path = url.removeprefix("https://").partition("/")
    assert host in ("shop.example", "shop.example:443", "shop.example:")
    assert path.lstrip("/").startswith("hitl")
    assert ".." not in path.partition("?")[0]
