"""`gmsafety verify` and `gmsafety receipt`: what a file is, who signed it, whether it holds; on paper, too."""

import json
import runpy
import subprocess
import zipfile
from pathlib import Path
from random import Random
from shutil import which
from typing import Any

import pytest
from docx import Document

from gmsafety import cli

HERE = Path(__file__).parent
VECTORS = HERE / "vectors"
MADE = runpy.run_path(str(HERE / "make_vectors.py"))
COUNTY, CITY, AT = MADE["COUNTY"], MADE["CITY"], MADE["AT"]


def read(name: str) -> Any:
    return json.loads((VECTORS / name).read_text("utf-8"))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One file of each kind, and the keys of both nodes: one as an anchor, one as it is published."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys/jincheng.json").write_bytes(bytes.fromhex(read("anchor.json")["bytes_hex"]))
    key = {**COUNTY.public.to_json(), "fingerprint": COUNTY.public.fingerprint}
    (tmp_path / "keys/zezhou.json").write_text(json.dumps({"keys": [key]}), "utf-8")
    for name, case in zip(("receipt", "checked", "decided"), read("receipts.json"), strict=True):
        (tmp_path / f"{name}.json").write_bytes(bytes.fromhex(case["bytes_hex"]))
    for case in read("answers.json"):
        (tmp_path / f"{case['case']}.json").write_bytes(bytes.fromhex(case["bytes_hex"]))
    (tmp_path / "message.json").write_bytes(MADE["CHAIN"][0].to_bytes())
    for name in ("package.gmx", "answers.gmx"):
        (tmp_path / name).write_bytes((VECTORS / name).read_bytes())
    return tmp_path


def run(words: str, capfd: pytest.CaptureFixture[str]) -> tuple[int, str]:
    status = cli.main(words.split())
    return status, "".join(capfd.readouterr())


FILES = {
    "receipt.json": "回执",
    "checked.json": "回执",
    "decided.json": "回执",
    "stored.json": "已存答复",
    "held.json": "已存答复",
    "refusal.json": "拒收答复",
    "message.json": "消息",
    "package.gmx": "包文件",
    "answers.gmx": "包文件",
}


@pytest.mark.parametrize("name", FILES)
def test_what_was_signed_holds(name: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    status, said = run(f"verify {name} --keys keys", capfd)

    assert (0, f"成立　{name}：{FILES[name]}") == (status, said.splitlines()[0])
    assert "，有效" in said


@pytest.mark.parametrize("name", FILES)
def test_without_keys_nothing_holds(name: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    status, said = run(f"verify {name}", capfd)

    assert 1 == status
    assert f"不成立　{name}：{FILES[name]}" in said
    assert "请用 --keys 给出它的锚文件或公钥" in said


@pytest.mark.parametrize("name", [n for n in FILES if n.endswith("json")])
def test_a_changed_word_does_not_hold(name: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    content = (folder / name).read_text("utf-8").replace("2024-12-27T03:58:03Z", "2024-12-27T03:57:03Z")
    (folder / name).write_text(content, "utf-8")
    status, said = run(f"verify {name} --keys keys", capfd)

    assert 1 == status
    assert "签名不符，可能被改动过" in said


def test_for_programs(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    status, said = run("verify receipt.json package.gmx --keys keys --node shuozhou --json", capfd)
    receipt, package = json.loads(said)

    assert 1 == status
    assert ("receipt", True, [], read("receipts.json")[0]["hash"]) == tuple(
        receipt[k] for k in ("kind", "holds", "faults", "hash")
    )
    assert {"node": "jincheng", "key_id": "jincheng-2024-1", "algorithm": "Ed25519", "verdict": "valid"} == receipt[
        "signed"
    ][0]
    assert ["整个包：不是发给本节点的包（GM-E833）"] == package["faults"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"revoked": True}, "密钥 jincheng-2024-1 已被节点 jincheng 作废"),
        ({"valid_until": "2024-12-21T00:00:00Z"}, "密钥 jincheng-2024-1 在签名时不在有效期内"),
        ({"key_id": "other"}, "没有节点 jincheng 的密钥 jincheng-2024-1"),
        ({"algorithm": "Ed448"}, "本机不能核对算法 Ed25519"),
    ],
)
def test_why_a_key_does_not_do(
    change: dict[str, Any], said: str, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    anchor = json.loads((folder / "keys/jincheng.json").read_text("utf-8"))
    anchor["peer"]["keys"] = [{**anchor["peer"]["keys"][0], **change}]
    (folder / "anchor.json").write_text(json.dumps(anchor), "utf-8")

    assert said in run("verify receipt.json --keys anchor.json", capfd)[1]


def test_a_key_of_another_node_does_not_do(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    anchor = json.loads((folder / "keys/jincheng.json").read_text("utf-8"))
    anchor["peer"]["name"] = "shuozhou"
    (folder / "anchor.json").write_text(json.dumps(anchor), "utf-8")
    status, said = run("verify receipt.json --keys anchor.json", capfd)

    assert 1 == status
    assert "密钥 jincheng-2024-1 不是节点 jincheng 的，是节点 shuozhou 的" in said


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{}", "不是锚文件，也不是公钥"),
        ("[]", "没有公钥"),
        ("nonsense", "不是锚文件，也不是公钥"),
        (json.dumps({**COUNTY.public.to_json(), "fingerprint": "00"}), "指纹与公钥不符"),
    ],
)
def test_what_are_no_keys_is_wrong_use(
    content: str, said: str, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (folder / "keys.json").write_text(content, "utf-8")
    status, told = run("verify receipt.json --keys keys.json", capfd)

    assert 2 == status
    assert said in told


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"PK", b"\xff\xfe", b'{"receipt":{},"signature":{}}'])
def test_any_other_file_is_named_so(content: bytes, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "x.json").write_bytes(content)
    status, said = run("verify x.json --keys keys", capfd)

    assert 1 == status
    assert said.startswith("不成立　x.json")


# --- on paper ----------------------------------------------------------------------------------------------------


def test_paper_says_what_was_signed(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert (0, "已写入：回执.docx\n") == run("receipt decided.json --to 回执.docx --keys keys", capfd)
    table = Document(str(folder / "回执.docx")).tables[0]
    printed = dict(tuple(c.text for c in row.cells) for row in table.rows)

    assert ("泽州县应急管理局", "《周调度统计表》", "2024年12月27日期", "第1版") == tuple(
        printed[k] for k in ("报送单位", "报送内容", "期次", "版次")
    )
    assert ("2024年12月27日 11:58:03", "2024年12月27日 12:00:00", "按时") == tuple(
        printed[k] for k in ("收到时间", "截止时间", "是否按时")
    )
    assert "已退回（原因：C7：合计不符）" == printed["办理情况"]
    assert read("receipts.json")[2]["code"] == printed["验证码"]
    assert read("receipts.json")[2]["hash"] == "".join(printed["回执校验值"].split())


def test_paper_holds_only_beside_the_receipt(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run("receipt decided.json --to 回执.docx", capfd)

    assert 0 == run("verify 回执.docx decided.json --keys keys", capfd)[0]
    for others in ("", "checked.json"):
        status, said = run(f"verify 回执.docx {others} --keys keys", capfd)
        assert 1 == status
        assert "纸上没有签名" in said


@pytest.mark.parametrize(
    ("label", "text", "said"),
    [
        ("是否按时", "迟到3分钟", "“是否按时”印的是“迟到3分钟”，回执是“按时”"),
        ("验证码", "0000-0000", "验证码与回执校验值不相配"),
    ],
)
def test_paper_that_was_touched_up(
    label: str, text: str, said: str, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run("receipt decided.json --to 回执.docx", capfd)
    document = Document(str(folder / "回执.docx"))
    next(row for row in document.tables[0].rows if row.cells[0].text == label).cells[1].text = text
    document.save(str(folder / "回执.docx"))
    status, told = run("verify 回执.docx decided.json --keys keys", capfd)

    assert 1 == status
    assert said in told


def test_the_code_read_from_paper(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code = read("receipts.json")[0]["code"]
    misread = code.lower().replace("-", " ").replace("1", "l").replace("0", "o")

    assert 0 == run(f"verify receipt.json --keys keys --code {code}", capfd)[0]
    assert 0 == cli.main(["verify", "receipt.json", "--keys", "keys", "--code", misread])
    assert "验证码不是AAAA-AAAA" in run("verify receipt.json --keys keys --code AAAA-AAAA", capfd)[1]


def test_a_word_file_of_another_kind(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    Document().save(str(folder / "x.docx"))
    status, said = run("verify x.docx", capfd)

    assert (1, True) == (status, "不是打印的回执" in said)


def test_a_word_file_that_inflates_is_not_opened(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with zipfile.ZipFile(folder / "x.docx", "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("[Content_Types].xml", "<Types/>")
        package.writestr("word/document.xml", bytes(48 * 2**20))
    status, said = run("verify x.docx", capfd)

    assert (1, True) == (status, said.startswith("不成立　x.docx：认不出的文件"))
    assert "解压" in said


def test_what_does_not_hold_is_not_printed(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    content = (folder / "decided.json").read_text("utf-8").replace("合计不符", "没有问题")
    (folder / "decided.json").write_text(content, "utf-8")
    status, said = run("receipt decided.json --to 回执.docx --keys keys", capfd)

    assert (1, False) == (status, (folder / "回执.docx").exists())
    assert "签名不符" in said


@pytest.mark.parametrize(("to", "status"), [("回执.txt", 2), ("回执.pdf", 0)])
def test_the_extension_says_how(to: str, status: int, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert status == run(f"receipt receipt.json --to {to}", capfd)[0]
    assert (status == 0) is (folder / to).exists()


@pytest.mark.skipif(which("pdftotext") is None, reason="pdftotext reads the PDF back")
def test_the_pdf_shows_every_line(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run("receipt decided.json --to 回执.pdf", capfd)
    done = subprocess.run(["pdftotext", "-raw", "回执.pdf", "-"], capture_output=True, text=True, check=True)
    text = "".join(done.stdout.split())

    for needed in (
        "泽州县应急管理局",
        "按时",
        "请重报",
        read("receipts.json")[2]["code"],
        read("receipts.json")[2]["hash"],
    ):
        assert needed in text


def test_a_test_receipt_says_so_in_its_title(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    receipt = MADE["DECIDED"].receipt.model_copy(update={"test": True})
    signed = MADE["sign_receipt"](receipt, CITY)
    (folder / "test.json").write_bytes(MADE["canonical"](signed.to_json()))
    run("receipt test.json --to 回执.docx", capfd)
    with zipfile.ZipFile(folder / "回执.docx") as package:
        assert "测试，不作凭证" in package.read("word/document.xml").decode()


@pytest.mark.parametrize("shape", ["array", "lines", "pretty array", "with a byte order mark"])
def test_several_receipts_in_one_file(shape: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    given = [(folder / f"{name}.json").read_text("utf-8") for name in ("receipt", "checked", "decided")]
    texts = {
        "array": f"[{','.join(given)}]",
        "lines": "\n".join(given) + "\n",
        "pretty array": json.dumps([json.loads(g) for g in given], indent=2, ensure_ascii=False),
        "with a byte order mark": f"\ufeff[{','.join(given)}]",
    }
    (folder / "all.json").write_text(texts[shape], "utf-8")
    status, said = run("verify all.json --keys keys", capfd)
    assert 0 == status
    assert [f"成立　all.json[{n}]：回执" for n in (1, 2, 3)] == [w for w in said.splitlines() if w.startswith("成立")]

    wrong = texts[shape].replace("03:58:03Z", "03:57:03Z", 1)
    (folder / "all.json").write_text(wrong, "utf-8")
    status, said = run("verify all.json --keys keys --json", capfd)
    assert (1, [False, True, True]) == (status, [v["holds"] for v in json.loads(said)])

    code = read("receipts.json")[1]["code"]
    (folder / "all.json").write_text(texts[shape], "utf-8")
    status, said = run(f"verify all.json --keys keys --code {code} --json", capfd)
    assert (0, ["all.json[2]"]) == (status, [v["file"] for v in json.loads(said)])
    assert 1 == run("verify all.json --keys keys --code 0000-0000", capfd)[0]


def test_a_key_written_twice_is_not_passed_over(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    text = (folder / "receipt.json").read_text("utf-8").replace('"id":', '"id":"other","id":', 1)
    (folder / "all.json").write_text(f"[{text}]", "utf-8")
    status, said = run("verify all.json --keys keys", capfd)

    assert (1, True) == (status, "“id”写了两次" in said)


NASTY = {
    "nothing": b"",
    "an empty array": b"[]",
    "an array of numbers": b"[1, 2, 3]",
    "deep": b"[" * 100_000,
    "deep objects": b'{"a":' * 100_000,
    "half an array": b'[{"receipt":',
    "not text": b"\xff\xfe\x00\x01" * 100,
    "half a character": b'{"receipt": "\\ud800", "signature": 1}',
    "a tar of others": b"x" * 257 + b"ustar\x0000" + bytes(248),
    "a log without a head": b'{"log":{"format":"gmsafety-audit"' + b"," * 50,
    "a log of nonsense": b'{"log":{"format":"gmsafety-audit"}}\n[1]\n{}\n',
    "a large number": b'{"stored": ' + b"9" * 5000 + b"}",
    "zip without an end": b"PK\x03\x04" + bytes(600),
}


@pytest.mark.parametrize("what", NASTY)
def test_what_is_none_of_it_is_said_in_words(what: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for suffix in (".json", ".gmx", ".tar", ".docx"):
        (folder / f"odd{suffix}").write_bytes(NASTY[what])
        status, said = run(f"verify odd{suffix} --keys keys", capfd)

        assert (1, False) == (status, "Traceback" in said), said
        assert said.startswith("不成立　odd"), said


def test_changed_bytes_of_every_kind(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Whatever was changed or cut off: said in words, and never taken for what was signed."""
    chance = Random(6)
    for name in [n for n in FILES if n.endswith("json")]:
        whole = (folder / name).read_bytes()
        for _ in range(12):
            content = bytearray(whole[: chance.choice((len(whole), chance.randrange(len(whole))))])
            if content:
                content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
            (folder / "odd.json").write_bytes(content)
            status, said = run("verify odd.json --keys keys", capfd)

            assert (1, False) == (status, "Traceback" in said), (name, bytes(content))
