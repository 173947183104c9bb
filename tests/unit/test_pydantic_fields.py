import asyncio
import json
import subprocess
import sys
from typing import Annotated

import pendulum
import pytest

import shequn as sq
from shequn import interop

pydantic = pytest.importorskip("pydantic")
jsonschema = pytest.importorskip("jsonschema")

T = pendulum.datetime(2024, 3, 1, 8, tz="Asia/Shanghai")


class Body(pydantic.BaseModel):
    campaign: sq.Campaign
    price: sq.Money | None = None
    rule: sq.rules.Rule | None = None
    cap: sq.Dated[int] | None = None
    where: sq.RowCondition | None = None
    members: tuple[sq.Member, ...] = ()


FULL = Body(
    campaign=sq.Campaign(
        id="c1",
        forms=["lottery"],
        window=sq.Window(T, T.add(days=7)),
        rewards=[sq.Reward(kind="points", cost=sq.Money(100, "CNY"))],
    ),
    price=sq.Money(9_900, "CNY"),
    rule=sq.rules.field("tier") >= "gold",
    cap=sq.Dated({None: 40, pendulum.date(2014, 1, 1): 500}),
    where=sq.row("value") >= 100,
    members=(sq.Member(id=1, tags={"interests": {"tea"}}),),
)


def test_a_model_comes_back_from_json():
    text = FULL.model_dump_json()
    back = Body.model_validate_json(text)
    assert back == FULL
    assert back.campaign.window.start.timezone_name == "Asia/Shanghai"
    assert back.model_dump_json() == text
    assert Body.model_validate(json.loads(text)) == FULL


def test_records_are_taken_and_kept_as_they_are():
    money = sq.Money(1, "CNY")
    assert Body(campaign=FULL.campaign, price=money).price is money
    assert FULL.model_dump()["price"] == sq.Money(9_900, "CNY")
    assert FULL.model_dump(mode="json")["price"] == {"minor": 9_900, "currency": "CNY"}


def test_what_is_wrong_is_a_validation_error_with_both_places():
    document = FULL.model_dump(mode="json")
    document["campaign"]["rewards"][0]["cost"]["currency"] = "yuan"
    with pytest.raises(pydantic.ValidationError) as caught:
        Body.model_validate(document)
    (error,) = caught.value.errors()
    assert error["loc"] == ("campaign",)
    assert "$.rewards[0].cost.currency: expected three upper-case letters" in error["msg"]


@pytest.mark.parametrize("mode", ["validation", "serialization"])
def test_the_schema_of_a_model_takes_what_the_model_writes(mode):
    schema = Body.model_json_schema(mode=mode)
    validator = jsonschema.Draft202012Validator(schema)
    document = FULL.model_dump(mode="json")
    validator.validate(document)
    document["campaign"]["forms"] = ["lotery"]
    assert not validator.is_valid(document)


@pytest.mark.parametrize("cls", interop.DOCUMENTS, ids=lambda cls: cls.__name__)
def test_every_class_with_documents_can_be_a_field(cls):
    schema = pydantic.TypeAdapter(cls).json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    with pytest.raises(pydantic.ValidationError):
        pydantic.TypeAdapter(cls).validate_python({"no such field": 1})


def test_a_dated_field_reads_and_writes_what_its_annotation_says():
    cost = sq.values.Dated({None: sq.Money(1, "CNY")})
    of_money = pydantic.TypeAdapter(sq.values.Dated[sq.Money])
    text = of_money.dump_json(cost)
    assert text == b'{"steps":[[null,{"minor":1,"currency":"CNY"}]]}'
    assert of_money.validate_json(text) == of_money.validate_python(cost) == cost
    jsonschema.Draft202012Validator(of_money.json_schema()).validate(json.loads(text))
    with pytest.raises(pydantic.ValidationError, match=r"\$\.steps: expected"):
        of_money.validate_python(sq.values.Dated.always(1))
    of_numbers = pydantic.TypeAdapter(sq.values.Dated[int])
    assert of_numbers.dump_python(sq.values.Dated.always(7), mode="json") == {"steps": [[None, 7]]}
    for told in (sq.values.Dated.always("7"), {"steps": [[None, "7"]]}):
        with pytest.raises(pydantic.ValidationError, match=r"\$\.steps"):
            of_numbers.validate_python(told)


def ask(app, method, path, body=None):
    """What an app of ASGI answers: the status, and its JSON."""
    sent = []

    async def receive():
        return {"type": "http.request", "body": json.dumps(body).encode(), "more_body": False}

    async def send(part):
        sent.append(part)

    scope = {"type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b""}
    scope |= {"headers": [(b"content-type", b"application/json")], "http_version": "1.1", "root_path": ""}
    asyncio.run(app(scope, receive, send))
    return sent[0]["status"], json.loads(b"".join(part.get("body", b"") for part in sent))


def test_a_fastapi_body_and_answer():
    fastapi = pytest.importorskip("fastapi")
    app = fastapi.FastAPI()

    @app.post("/worst")
    async def worst(campaign: Annotated[sq.Campaign, fastapi.Body()]) -> sq.Money:
        return campaign.worst_case()

    @app.post("/full")
    async def full(body: Body) -> Body:
        return body

    document = interop.to_document(FULL.campaign)
    assert ask(app, "POST", "/worst", document) == (200, {"minor": 100, "currency": "CNY"})
    status, told = ask(app, "POST", "/worst", document | {"forms": []})
    assert status == 422
    assert "$.forms: " in told["detail"][0]["msg"]
    assert ask(app, "POST", "/full", FULL.model_dump(mode="json")) == (200, FULL.model_dump(mode="json"))
    _, page = ask(app, "GET", "/openapi.json")
    shown = page["paths"]["/worst"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert shown["properties"]["forms"]["items"]["enum"][0] == "qa"
    assert page["components"]["schemas"]["Body"]["properties"]["campaign"]["required"] == ["id", "forms", "window"]


def test_nothing_optional_is_imported_with_the_library():
    code = (
        "import sys, shequn; shequn.Campaign, shequn.Funnel, shequn.rules, shequn.content;"
        "import shequn.interop;"
        "print([m for m in ('pydantic', 'pydantic_core', 'cattrs', 'pyarrow', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
