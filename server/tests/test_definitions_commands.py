"""Definitions by command, each a process of its own: a stick carries them to a county that loads no plugin at all."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2

from test_exchange_commands import fingerprint
from test_exchange_killed import free_port
from test_exchange_story import TABLE, WEEK
from world import scenario_file

PASSWORD = "a county without plugins 2024"
_SECONDS = 120


class Nodes:
    """Two installations in a folder each; the county's loads no plugin."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def address(self, node: str) -> str:
        return f"sqlite:///{self.folder / node}.db"

    def env(self, node: str) -> dict[str, str]:
        told = {"DATABASE": self.address(node), "NODE": node, "LATE_DAYS": "20000"}
        told |= {"PLUGINS": ""} if node == "zezhou" else {}
        return {**os.environ, "COLUMNS": "200", **{f"GMSAFETY_{k}": v for k, v in told.items()}}

    def run(self, node: str, *words: str, status: int = 0, given: str = "", told: str = "") -> str:
        command = [sys.executable, "-m", "gmsafety", *words]
        done = subprocess.run(
            command, env=self.env(node), cwd=self.folder, capture_output=True, text=True, input=given, check=False
        )
        assert status == done.returncode, f"{words}\n{done.stdout}\n{done.stderr}"
        return done.stdout if told or status == 0 else done.stderr

    def serve(self) -> Iterator[str]:
        """The county's server, while it is asked."""
        port = free_port()
        words = [sys.executable, "-m", "gmsafety", "serve", "--port", str(port)]
        process = subprocess.Popen(
            words, env=self.env("zezhou"), cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        address, end = f"http://127.0.0.1:{port}", time.monotonic() + _SECONDS
        try:
            while time.monotonic() < end:
                try:
                    httpx2.get(f"{address}/health", trust_env=False, timeout=2)
                    break
                except httpx2.HTTPError:
                    time.sleep(0.2)
            yield address
        finally:
            process.terminate()
            process.wait(timeout=60)


def test_a_stick_and_a_county_without_plugins(tmp_path: Path, prepared: Callable[[str], None]) -> None:
    nodes = Nodes(tmp_path)
    run = nodes.run
    prepared(nodes.address("jincheng"))
    run("zezhou", "db", "upgrade")
    run("zezhou", "node", "init", "--title", "泽州县节点", "--unit", "jincheng.zezhou-office")
    run("jincheng", "node", "init", "--title", "晋城市节点", "--unit", "晋城市应急管理局")
    for node, other in (("zezhou", "jincheng"), ("jincheng", "zezhou")):
        run(other, "node", "anchor", "--to", f"{other}.json")
        run(node, "node", "peer", "add", f"{other}.json", "--fingerprint", fingerprint(str(tmp_path / f"{other}.json")))
    assert "本节点的单位jincheng.zezhou-office还没有定义" in run("zezhou", "node", "doctor", status=1, told="out")

    sent = run("jincheng", "node", "definitions", "push", "jincheng", "--to", "zezhou")
    assert ["shanxi", "jincheng"] == [line.split("：")[1].split()[0] for line in sent.splitlines()]
    assert "不是下级节点" in run("jincheng", "node", "definitions", "push", "jincheng", "--to", "nobody", status=2)
    run("jincheng", "node", "export", "zezhou", "down.gmx")
    assert "办理2件" in run("zezhou", "node", "import", "down.gmx")
    listed = json.loads(run("zezhou", "node", "definitions", "list", "--json"))
    assert {("jincheng", "in-force"), ("shanxi", "in-force")} == {(r["region"], r["state"]) for r in listed}

    words = ("user", "add", "clerk", "--name", "某某", "--unit", "泽州县应急管理局", "--role", "clerk")
    run("zezhou", *words, "--password-stdin", "--final", given=f"{PASSWORD}\n")
    token = run("zezhou", "user", "token", "clerk").strip().splitlines()[-1]
    for address in nodes.serve():
        file = scenario_file(WEEK, "zezhou", "weekly")
        told = {"message_id": "first-filing", "item": TABLE, "period": WEEK}
        filed = httpx2.post(
            f"{address}/api/v1/submissions/files", data=told, files={"file": (file.name, file.read_bytes())},
            headers={"Authorization": f"Bearer {token}"}, trust_env=False, timeout=60,
        )  # fmt: skip
        assert 201 == filed.status_code, filed.text
    run("zezhou", "node", "export", "jincheng", "up.gmx")
    assert "办理1件" in run("jincheng", "node", "import", "up.gmx")
    assert [] == json.loads(run("jincheng", "node", "inbox", "--json"))
