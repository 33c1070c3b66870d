"""The AsyncAPI document against the official schema of AsyncAPI 3.0.0."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from integration.official_asyncapi import official_schema
from jsonschema import Draft7Validator
from servers.missing import ServerMissingError, do_without

from newswire.schemas import ASYNCAPI, FOLDER

pytestmark = [pytest.mark.integration, pytest.mark.timeout(150)]  # npm may have to fetch the schema first


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    """The official schema."""
    try:
        return official_schema()
    except ServerMissingError as missing:
        do_without("the official AsyncAPI schema", missing)


@pytest.fixture(scope="module")
def validator(schema: dict[str, Any]) -> Draft7Validator:
    """What says whether a document is valid."""
    return Draft7Validator(schema)


@pytest.fixture(scope="module")
def checked_in() -> dict[str, Any]:
    """The document as readers find it."""
    found: dict[str, Any] = yaml.safe_load((FOLDER / ASYNCAPI).read_text(encoding="utf-8"))
    return found


def test_the_schema_is_the_official_one_of_3_0_0(schema: dict[str, Any]) -> None:
    """It says so itself, and is a valid schema."""
    Draft7Validator.check_schema(schema)

    assert schema["$id"] == "http://asyncapi.com/definitions/3.0.0/asyncapi.json"
    assert schema["properties"]["asyncapi"]["const"] == "3.0.0"


def test_the_document_is_valid(validator: Draft7Validator, checked_in: dict[str, Any]) -> None:
    """Tools of any language can read it."""
    errors = [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(checked_in)]

    assert errors == []


def without_a_title(document: dict[str, Any]) -> None:
    """Take what every document must have."""
    del document["info"]["title"]


def of_another_version(document: dict[str, Any]) -> None:
    """Claim to be 2.6.0."""
    document["asyncapi"] = "2.6.0"


def with_an_old_operation(document: dict[str, Any]) -> None:
    """Say `subscribe`, as AsyncAPI 2 did."""
    document["operations"]["consumers.enriched.v1"]["action"] = "subscribe"


def with_an_unknown_word(document: dict[str, Any]) -> None:
    """Misspell a field of a channel."""
    document["channels"]["enriched.v1"]["adress"] = "x"


def with_a_wrong_message(document: dict[str, Any]) -> None:
    """Give an example that is none."""
    document["components"]["messages"]["enriched.v1"]["examples"][0] = {"name": "empty"}


def with_a_wrong_kafka_setting(document: dict[str, Any]) -> None:
    """Give a clean-up policy that Kafka does not have."""
    kafka = document["channels"]["enriched.v1"]["bindings"]["kafka"]
    kafka["topicConfiguration"]["cleanup.policy"] = ["compress"]


@pytest.mark.parametrize(
    "spoil",
    [
        without_a_title,
        of_another_version,
        with_an_old_operation,
        with_an_unknown_word,
        with_a_wrong_message,
        with_a_wrong_kafka_setting,
    ],
)
def test_a_broken_document_is_refused(
    validator: Draft7Validator, checked_in: dict[str, Any], spoil: Callable[[dict[str, Any]], None]
) -> None:
    """The check looks at the parts that we care for, bindings too."""
    document = copy.deepcopy(checked_in)
    spoil(document)

    assert not validator.is_valid(document)
