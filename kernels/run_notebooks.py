#!/usr/bin/env python3
"""Execute notebooks through their kernel, each in a fresh one, and fail when a cell fails.

    .venv/bin/python kernels/run_notebooks.py notebooks/00-tour.ipynb                renew it in place
    ... --out DIR --html notebooks/*.ipynb       leave them alone, write the executed ones and pages to DIR
    ... --check notebooks/*.ipynb                write nothing, compare with the outputs they hold

What runs and what is written:

  * A cell runs in its notebook's folder, as it does in JupyterLab, wherever the output goes.
  * The same notebook gives the same bytes on every run, as far as its cells do: no time stamps, no Go
    version, streams joined, empty outputs (what a cleared progress bar leaves) dropped.
  * A notebook renewed in place keeps its pictures in 256 colors, chosen for each: a third of the bytes, and no
    difference that an eye would see. What goes to --out keeps them as they were drawn.
  * A failing cell ends its notebook. What ran until then is written all the same, the error and what
    the cell wrote to stderr are printed, the other notebooks still run, and the exit status is 1.
  * GoNB does not report a failed shell command ("!cmd", "%%bash"); it only writes "exit status N" to stderr.
    Here that is a failure too. A cell that is meant to fail says so by the tag "raises-exception".

--check compares what two honest runs on two machines share: the order and kinds of outputs, and their text
with every number masked. Pictures are compared by type and displayed size only.

Jupyter's own files (settings, signatures, connection files) go to .venv/jupyter, none to the user's home.
"""

import argparse
import asyncio
import base64
import copy
import difflib
import html
import io
import json
import os
import re
import signal
import sys
import tempfile
import time
import unicodedata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KERNEL_LOG = ROOT / ".venv" / "kernel.log"

# Jupyter reads these when imported. The repository's kernel is found first.
os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("JUPYTER_PATH")]))
for name, folder in {
    "JUPYTER_CONFIG_DIR": "config",
    "JUPYTER_DATA_DIR": "data",
    "JUPYTER_RUNTIME_DIR": "runtime",
    "IPYTHONDIR": "ipython",
}.items():
    os.environ[name] = str(ROOT / ".venv" / "jupyter" / folder)

# nbformat's validator builds a grammar of international addresses at import, 2.5 s, which no notebook
# needs; told that it is not installed, the validator goes without.
sys.modules["rfc3987_syntax"] = None

try:
    import nbformat
    from jupyter_client.kernelspec import NoSuchKernel
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
except ImportError as missing:
    sys.exit(f'{missing}: run this with {ROOT}/.venv/bin/python, which "make setup" makes')


class CellFailed(Exception):
    """A cell failed; its number is the one Jupyter shows in brackets."""

    def __init__(self, number, cell, why):
        super().__init__(why)
        self.number, self.cell = number, cell


# --- reading and writing ------------------------------------------------------------------------------


def read(path):
    """The notebook at path. Cells without an id get their position as one, not a random one."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        if (raw.get("nbformat"), raw.get("nbformat_minor", 0)) >= (4, 5):
            for position, cell in enumerate(raw["cells"]):
                cell.setdefault("id", f"cell-{position:02d}")
        return nbformat.reads(json.dumps(raw), as_version=4)
    except (OSError, ValueError, KeyError, AttributeError, nbformat.ValidationError) as err:
        sys.exit(f"{path}: not a readable notebook: {err}")


def write(path, text):
    """Replace path by text at once: a reader sees the old file or the new one, never half of one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, aside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with open(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(aside, 0o644)
        os.replace(aside, path)
    except BaseException:
        os.unlink(aside)
        raise


# The page is nbconvert's own, without the scripts that it would fetch (RequireJS, MathJax, Mermaid), and with the
# alternative text that an output's metadata gives its picture; nbconvert knows no place for it and would write that
# there is none.
PAGE = """\
{%- extends 'lab/index.html.j2' -%}
{%- block html_head_js_requirejs %}{% endblock -%}
{%- block html_head_js_mathjax %}{% endblock -%}
{%- block html_head_js_mermaidjs %}{% endblock -%}
{%- macro described(picture, output) -%}
{%- if output.metadata.get('alt') -%}
{{ picture | replace('<img ', '<img alt="' ~ (output.metadata.alt | escape_html) ~ '" ', 1) }}
{%- else -%}
{{ picture }}
{%- endif -%}
{%- endmacro -%}
{%- block data_png scoped %}{{ described(super(), output) }}{% endblock -%}
{%- block data_jpg scoped %}{{ described(super(), output) }}{% endblock -%}
{%- block data_svg scoped %}{{ described(super(), output) }}{% endblock -%}
"""


def page(nb, title):
    """The notebook as one HTML file that needs no network: pictures inside, formulas as MathML."""
    from jinja2 import pass_context  # with nbconvert half a second, for those who want pages
    from nbconvert import HTMLExporter
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

    class Formulas(IPythonRenderer):
        def inline_math(self, body):
            return mathml(body, "inline")

        def block_math(self, body):
            return mathml(body, "block")

        def latex_environment(self, name, body):
            return mathml(f"\\begin{{{name}}}{body}\\end{{{name}}}", "block")

    class Exporter(HTMLExporter):
        @pass_context
        def markdown2html(self, context, source):
            attachments = context.get("cell", {}).get("attachments", {})
            renderer = Formulas(escape=False, attachments=attachments, embed_images=True, anchor_link_text=self.anchor_link_text)
            return MarkdownWithMath(renderer=renderer).render(source)

    exporter = Exporter(embed_images=True, raw_template=PAGE)
    text, _ = exporter.from_notebook_node(nb, {"metadata": {"name": title}})
    return text


def mathml(tex, display):
    """A formula as MathML, which browsers draw themselves; its TeX is the alternative text."""
    from latex2mathml.converter import convert

    try:
        text = convert(tex, display=display)
        if unknown := re.search(r">(\\[A-Za-z]+)<", text):
            raise ValueError(f"{unknown[1]} is not known")
    except Exception as err:  # its own errors have no common class
        raise ValueError(f"the formula {tex.strip()} can't be written as MathML: {type(err).__name__} {err}") from err
    text = re.sub('<mi mathvariant="script">([A-Z])</mi>', lambda m: f"<mi>{script(m[1])}</mi>", text)
    return text.replace("<math ", f'<math alttext="{html.escape(tex.strip())}" ', 1)


def script(letter):
    """A script capital: browsers know the character, and no longer the attribute."""
    try:
        return unicodedata.lookup(f"MATHEMATICAL SCRIPT CAPITAL {letter}")
    except KeyError:  # some are older than that block
        return unicodedata.lookup(f"SCRIPT CAPITAL {letter}")


# --- outputs --------------------------------------------------------------------------------------------


def is_empty(output):
    if output.output_type == "stream":
        return not output.text
    return output.output_type == "display_data" and not any(output.data.values())


def tidy(outputs):
    """Outputs without empty ones, each stream in one piece at its first place, carriage returns applied.

    The kernel sends streams in pieces and both streams at once; only their joined texts are the same on every run.
    """
    kept, streams = [], {}
    for output in outputs:
        if output.output_type == "stream" and output.name in streams:
            streams[output.name].text += output.text
            continue
        if output.output_type == "stream":
            streams[output.name] = output
        kept.append(output)
    for stream in streams.values():
        stream.text = re.sub(r"[^\n]*\r(?!\n)", "", stream.text)
    # Which of two neighboring streams comes first is chance.
    for i in range(len(kept) - 1):
        if [o.get("name") for o in kept[i : i + 2]] == ["stderr", "stdout"]:
            kept[i], kept[i + 1] = kept[i + 1], kept[i]
    return [output for output in kept if not is_empty(output)]


def few_colors(outputs):
    """Store PNG pictures with a palette of 256 colors."""
    from PIL import Image, UnidentifiedImageError  # used by those who write notebooks alone

    for output in outputs:
        text = output.get("data", {}).get("image/png")
        if text is None:
            continue
        try:
            picture = Image.open(io.BytesIO(base64.b64decode(text)))
        except UnidentifiedImageError:
            continue  # the viewer's to judge
        if picture.mode != "RGB":  # has a palette already, or transparency
            continue
        file = io.BytesIO()
        picture.quantize(256, Image.Quantize.MAXCOVERAGE, kmeans=1, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
        if file.tell() < len(text) * 3 // 4:
            output.data["image/png"] = base64.b64encode(file.getvalue()).decode()


def stderr_of(cell):
    return "".join(o.text for o in cell.outputs if o.output_type == "stream" and o.name == "stderr")


def failed_command(cell):
    """What GoNB says of a failed shell command of this cell, or None."""
    if not re.search(r"^\s*(!|%%(bash|sh|script)\b)", cell.source, re.MULTILINE):
        return None
    if "raises-exception" in cell.metadata.get("tags", []):
        return None
    said = re.search(r"^(exit status \d+|signal: .+)$", stderr_of(cell), re.MULTILINE)
    return said and said.group(1)


# --- execution ------------------------------------------------------------------------------------------


def execute(nb, folder, timeout, startup_timeout):
    """Run nb's cells and put their outputs into it. Returns (number, seconds, first line) of each cell that ran.

    On failure raises CellFailed; nb then holds what ran, and the failing cell's output.
    """
    code = [cell for cell in nb.cells if cell.cell_type == "code" and cell.source.strip()]
    for cell in nb.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    number = {id(cell): i + 1 for i, cell in enumerate(code)}
    task = None
    started, seconds, current, stopped = {}, [], [], []

    def stop(by):
        stopped.append(by)
        task.cancel()

    def starts(cell, cell_index):
        # nbclient's own signal handlers end the kernel but not the execution. Cancelling ends both.
        nonlocal task
        task = asyncio.current_task()
        for by in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(by, stop, by)
        current[:] = [cell]
        started[cell_index] = time.monotonic()

    def ends(cell, cell_index, execute_reply):
        first = next(line for line in cell.source.splitlines() if line.strip())
        seconds.append((number[id(cell)], time.monotonic() - started[cell_index], first))
        if said := failed_command(cell):
            raise CellFailed(number[id(cell)], cell, f"a shell command of this cell failed: {said}")

    client = NotebookClient(
        nb,
        timeout=timeout or None,
        startup_timeout=startup_timeout,
        record_timing=False,
        store_widget_state=False,
        resources={"metadata": {"path": str(folder)}},
        on_cell_execute=starts,
        on_cell_executed=ends,
    )
    try:
        client.execute()
    except CellExecutionError as err:
        why = ["\n".join(o.traceback) for o in current[0].outputs if o.output_type == "error"]
        raise CellFailed(number[id(current[0])], current[0], plain("\n".join(why) or err.evalue)) from None
    except CellTimeoutError:
        raise CellFailed(number[id(current[0])], current[0], f"still running after {timeout} s (--timeout)") from None
    except NoSuchKernel as err:
        raise CellFailed(0, None, f'no kernel "{err.name}"; this repository\'s is "sd" (kernels/sd)') from None
    except (DeadKernelError, RuntimeError, asyncio.CancelledError) as err:
        if stopped:
            sys.exit(128 + stopped[0])
        at = current[0] if current else None
        raise CellFailed(number.get(id(at), 0), at, f"{err}\n{log_tail()}") from None
    finally:
        for cell in code:
            cell.outputs = tidy(cell.outputs)
        # GoNB leaves fields empty, and an empty lexer is read as Python's; its version is Go's.
        info = nb.metadata.get("language_info", {})
        for field in [f for f in info if f == "version" or not info[f]]:
            del info[field]
    return seconds


def plain(text):
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def log_tail():
    try:
        lines = KERNEL_LOG.read_text(errors="replace").splitlines()[-20:]
    except OSError:
        return f"{KERNEL_LOG} holds nothing: the kernel did not start"
    return "\n".join([f"The end of {KERNEL_LOG}:", *lines])


def report(failure):
    """Print the failing cell, what it wrote to stderr, and why it failed."""
    if failure.cell is not None:
        for line in failure.cell.source.splitlines():
            print("   |", line, file=sys.stderr)
        print(plain(stderr_of(failure.cell)), end="", file=sys.stderr)
    print(failure, file=sys.stderr, flush=True)


# --- comparison -----------------------------------------------------------------------------------------


def outline(nb):
    """What two honest runs of nb share, as lines of text."""
    lines, number = [], 0
    for cell in nb.cells:
        if cell.cell_type != "code" or not cell.source.strip():
            continue
        number += 1
        lines.append(f"cell [{number}]")
        for output in cell.outputs:
            if output.output_type == "stream":
                lines += [f"  {output.name}: {line}" for line in masked(output.text)]
                continue
            if output.output_type == "error":
                lines += [f"  error: {line}" for line in masked(output.evalue)]
                continue
            for mime, data in sorted(output.data.items()):
                if mime.startswith("text/"):
                    lines += [f"  {mime}: {line}" for line in masked(data)]
                else:
                    size = output.metadata.get(mime, {})
                    lines.append(f"  {mime} {json.dumps(size, sort_keys=True)}")
    return lines


def masked(text):
    """Lines of text, numbers as # and blanks as one: neither a digit nor a column's width is compared."""
    for line in text.splitlines():
        line = re.sub(r"[-+\u2212]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", "#", line, flags=re.IGNORECASE)
        yield re.sub(r"\s+", " ", re.sub("-{2,}", "--", line)).rstrip()


# --- command line ---------------------------------------------------------------------------------------


def run(path, options):
    """Run one notebook as the options say. Returns whether it went well."""
    nb = read(path)
    before = copy.deepcopy(nb)
    begun = time.monotonic()
    failure, seconds = None, []
    try:
        seconds = execute(nb, path.resolve().parent, options.timeout, options.startup_timeout)
    except CellFailed as err:
        failure = err
    took = f"{time.monotonic() - begun:.1f} s"

    if options.out or not options.check:
        target = (options.out or path.parent) / path.name
        if failure is None or failure.cell is not None:  # else nothing ran
            if target == path:
                for cell in nb.cells:
                    few_colors(cell.get("outputs", []))
            write(target, nbformat.writes(nb) + "\n")
            if options.html:
                try:
                    write(target.with_suffix(".html"), page(nb, path.stem))
                except ValueError as err:
                    print(f"FAIL  {path}  {err}", file=sys.stderr)
                    return False
    if failure is not None:
        print(f"FAIL  {path}  cell [{failure.number}]  {took}", file=sys.stderr)
        report(failure)
        return False
    if options.timings:
        for number, spent, first in seconds:
            print(f"  [{number:2d}] {spent:7.2f} s  {first[:80]}")
    if options.check:
        change = list(difflib.unified_diff(outline(before), outline(nb), "committed", "executed now", lineterm=""))
        if change:
            print(f"FAIL  {path}  its outputs are not what its cells give now:", file=sys.stderr)
            print(*change, f"If that is right, renew it: make notebooks NB={path}", sep="\n", file=sys.stderr)
            return False
    print(f"ok    {path}  {len(seconds)} cells  {took}", flush=True)
    return True


def seconds_from_zero(text):
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"expected seconds >= 0, came {value}")
    return value


def main():
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n\n")[0], epilog="\n\n".join(__doc__.split("\n\n")[1:]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("notebooks", nargs="+", type=Path, metavar="NOTEBOOK")
    parser.add_argument("--out", type=Path, metavar="DIR", help="write to DIR; without it the notebooks are renewed in place")
    parser.add_argument("--html", action="store_true", help="write an HTML page beside each executed notebook")
    parser.add_argument("--check", action="store_true", help="fail when outputs differ in kind from those the notebook holds; writes nothing without --out")
    parser.add_argument("--timings", action="store_true", help="print the seconds that each cell took")
    parser.add_argument("--timeout", type=seconds_from_zero, default=0, metavar="S", help="seconds that one cell may take; 0, the default, is for ever")
    parser.add_argument("--startup-timeout", type=seconds_from_zero, default=120, metavar="S", help="seconds that the kernel may take to start (default 120)")
    options = parser.parse_args()

    names = [path.name for path in options.notebooks]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        if options.out:
            parser.error(f"two notebooks would both be written to {options.out / twice[0]}")
    for path in options.notebooks:
        if not path.is_file():
            parser.error(f"no notebook {path}")

    results = [run(path, options) for path in options.notebooks]
    if failures := results.count(False):
        sys.exit(f"{failures} of {len(results)} notebooks failed")


if __name__ == "__main__":
    main()
