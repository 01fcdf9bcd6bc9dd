"""Files of configuration: twice the same key, no YAML, no text, lists, archives, elsewhere."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from bad_input.case import Case

ROOT = Path(__file__).parents[2]
OURS = "conf/smoke/parameters.yml"
FORM = "write names and values in it"


def holds(content: str | bytes, name: str = "parameters.yml") -> Callable[[Path], None]:
    """Copy the configuration, with other content in a file of the environment smoke."""
    written = content if isinstance(content, bytes) else content.encode()

    def make(here: Path) -> None:
        shutil.copytree(ROOT / "conf", here / "conf")
        (here / "conf" / "smoke" / name).write_bytes(written)

    return make


def packed(kind: str) -> Callable[[Path], None]:
    """Pack the configuration into an archive, as ``kedro package`` does."""

    def make(here: Path) -> None:
        shutil.make_archive(str(here / "conf"), kind, ROOT, "conf")

    return make


def conf(
    name: str, content: str | bytes, value: str, remedy: str = FORM, file: str = "parameters.yml"
) -> Case:
    words = ("run", "--conf-source", "{here}/conf", "--env", "smoke")
    return Case(
        name, (*words, "--pipelines", "data_preparation"), value, remedy, holds(content, file)
    )


def elsewhere(name: str, source: str, value: str, remedy: str, **more: object) -> Case:
    words = ("run", "--conf-source", source, "--env", "smoke")
    return Case(name, words, value, remedy, **more)  # type: ignore[arg-type]


BOMB = "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"{k}: &{k} [{', '.join([f'*{before}'] * 10)}]\n"
    for before, k in zip("abcdefgh", "bcdefghi", strict=True)
)
"""Nine lines that stand for thousands of millions of numbers."""

SWEPT = f"grid: {{sweep: {{student.epochs: [{json.dumps(BOMB)}]}}}}\n"
ALIASES, WRITE_OUT = "its aliases .* 10,000 values", "write these out"


def options(name: str, content: str | bytes, value: str, remedy: str = "write options") -> Case:
    """Give a case of a file of options."""
    written = content if isinstance(content, bytes) else content.encode()
    words = ("run", "--config", "{here}/options.yml")
    return Case(
        name, words, value, remedy, lambda here: (here / "options.yml").write_bytes(written)
    )


CASES = [
    conf("key-twice", "device: cpu\ndevice: cpu\n", f"{OURS} .*duplicate key device"),
    conf("key-twice-inside", "student: {epochs: 1, epochs: 2}\n", f"{OURS} .*duplicate key epochs"),
    conf("tab", "student:\n\tepochs: 1\n", f"{OURS} .*line 1"),
    conf("unclosed", "student: {epochs: 1\n", f"{OURS} .*line 1"),
    conf("list", "- 1\n- 2\n", "a file of parameters .*'list'"),
    conf("word", "hello\n", "unknown parameter 'hello'", "known: device"),
    conf("not-utf-8", b"device: \xff\n", f"{OURS} .*0xff"),
    conf("nulls", b"device: cpu\x00\n", f"{OURS} .*#x0000"),
    conf("deep", "[" * 5000, f"{OURS} .*recursion"),
    conf(
        "python-tag",
        "device: !!python/object/apply:os.system [touch ran]\n",
        f"{OURS} .*apply:os.system",
    ),
    conf("anchor-of-nobody", "device: *cpu\n", f"{OURS} .*'cpu'"),
    conf("tab-in-globals", "data_root:\tx\n\ty: 1\n", "smoke/globals.yml", file="globals.yml"),
    conf("globals-list", "- data\n", "a file of globals .*ListConfig", file="globals.yml"),
    conf("tab-in-catalog", "data:\tx\n\ty: 1\n", "smoke/catalog.yml", file="catalog.yml"),
    conf(
        "infinite-in-yaml", "student: {optimisation: {lr: .inf}}\n", "lr' .*inf", "must be finite"
    ),
    conf("date-for-number", "student: {epochs: 2020-01-01}\n", "'2020-01-01'", "valid integer"),
    conf("list-for-number", "student: {epochs: [1]}\n", r"epochs'.*got \[1\]", "valid integer"),
    conf("yes-for-a-word", "device: yes\n", "'device'.* got True", "'cpu' or 'cuda'"),
    conf("nothing-for-a-section", "student:\n", "'student'.* got None", "dictionary"),
    conf("bidi-in-a-name", "dev\u202eice: cpu\n", r"dev\\u202eice", "did you mean 'device'"),
    elsewhere("no-folder-of-conf", "nowhere", "'nowhere'", "see sakd run --help", status=2),
    elsewhere("zip-of-conf", "{here}/conf.zip", "conf.zip", "unpack it", make=packed("zip")),
    elsewhere("tar-of-conf", "{here}/conf.tar.gz", "conf.tar.gz", "unpack", make=packed("gztar")),
    elsewhere(
        "nothing-in-the-archive",
        "{here}/c.zip",
        "c.zip",
        "unpack",
        make=lambda h: (h / "c.zip").touch(),
    ),
    elsewhere("web-of-conf", "http://127.0.0.1:9/conf", "http://127.0.0.1:9/conf", "copy it here"),
    elsewhere("bucket-of-conf", "s3://bucket/conf", "s3://bucket/conf", "copy it here"),
    elsewhere("zip-by-address", "zip://conf.zip", "zip://conf.zip", "copy it here"),
    conf(
        "entry-of-no-type",
        "odd: {filepath: x.json}\n",
        "dataset 'odd'",
        "'type' is missing",
        file="catalog.yml",
    ),
    conf("bomb-of-aliases", BOMB, f"{OURS}: {ALIASES}", WRITE_OUT),
    conf("bomb-in-globals", BOMB, f"globals.yml: {ALIASES}", WRITE_OUT, file="globals.yml"),
    conf("bomb-in-catalog", BOMB, f"catalog.yml: {ALIASES}", WRITE_OUT, file="catalog.yml"),
    conf("bomb-in-a-text", SWEPT, f"student.epochs: {ALIASES}", WRITE_OUT),
    conf("endless", "grid: &grid {pairs: *grid}\n", f"{OURS}: {ALIASES}", WRITE_OUT),
    options("options-of-nothing", "", "options.yml: there is no section 'run'"),
    options("options-of-another", "walk: {env: smoke}\n", "options.yml: .* no section 'run'"),
    options("options-list", "- env\n", "options.yml: there is no section 'run'"),
    options("options-in-a-list", "run: [env]\n", r"options.yml: 'run' .* got \['env'\]"),
    options("options-not-utf-8", b"run: {env: \xff}\n", "options.yml: .*0xff"),
    options("options-with-tabs", "run:\n\tenv: smoke\n", "options.yml: .*line 2"),
    options("options-twice", "run: {env: a, env: b}\n", "options.yml: .*duplicate key env"),
    options("options-deep", "run: " + "[" * 5000, "options.yml: .*recursion"),
    options("options-bomb", f"{BOMB}run: {{params: {{grid: *i}}}}\n", f"options.yml: {ALIASES}"),
    options("unknown-option-in-a-file", "run: {envv: smoke}\n", "'envv'", "did you mean 'env'"),
    options("option-of-itself", "run: {config: x.yml}\n", "unknown option 'config'", "known: from"),
    options("option-of-nothing", "run: {env: }\n", "'env' takes a text, got None"),
    options("option-of-no-letters", "run: {env: ''}\n", "'env' takes a text, got ''"),
    options("options-as-a-list", "run: {tags: [a, b]}\n", r"'tags' .* got \['a', 'b'\]"),
    options("option-perhaps", "run: {is_async: maybe}\n", "'maybe'", "takes true or false"),
    options("option-with-a-typo", "run: {env: smok}\n", "'smok'", "did you mean 'smoke'"),
]
