"""The page in a real browser: sorting, downloads, dark mode, a phone, values on hover; nothing is asked for."""

import csv
import io
import re
import struct
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import planted_study as planted
import pytest
from chromium import PROGRAM, Page, open_browser
from nasty_texts import NASTY

from xquality._tables import printable
from xquality.records import History, Point, Result, Score
from xquality.report import write_report
from xquality.study import Study

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="needs Chromium: apt-get install chromium")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with open_browser(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = planted.run(tmp_path_factory.mktemp("s") / "s")
    write_report(folder, title="Planted", exports=True)
    return folder


@pytest.fixture
def report(page: Page, folder: Path) -> Iterator[Page]:
    """The planted report, freshly loaded on a wide light screen; afterwards it has asked for and complained of nothing."""
    page.resize(1280)
    page.prefer("light")
    page.open(folder / "report.html")
    yield page
    assert page.messages == []
    assert [address for address in page.requests if not address.startswith(("data:", "blob:"))] == page.requests[:1]


def column(page: Page, table: str, number: int) -> list[str]:
    found: list[str] = page.run(
        f"Array.from(document.querySelectorAll('#{table} tbody tr'), r => r.cells[{number}].textContent)"
    )
    return found


def is_light(shade: float) -> bool:
    """Return whether a mean of red, green and blue is; one between light and dark is an error."""
    assert not 100 < shade < 170
    return shade > 128


def click(page: Page, selector: str) -> None:
    page.run(f"document.querySelector({selector!r}).click()")


def test_a_click_on_a_heading_sorts_by_value_and_a_second_one_turns_the_order(report: Page) -> None:
    names = column(report, "arms", 0)
    click(report, "#arms th:nth-child(3) button")
    values = [float(text.split()[0]) for text in column(report, "arms", 2)]
    assert values == sorted(values)
    assert column(report, "arms", 0) != names
    click(report, "#arms th:nth-child(3) button")
    assert [float(text.split()[0]) for text in column(report, "arms", 2)] == values[::-1]
    assert report.run("document.querySelectorAll('#arms [aria-sort]').length") == 1
    click(report, "#arms th:nth-child(5) button")
    differences = column(report, "arms", 4)
    assert differences[-1] == "reference"  # no number, so it comes last
    assert differences[:-1] == sorted(differences[:-1], key=lambda text: float(text.split()[0]))


def test_tables_download_as_the_exported_files(report: Page, folder: Path) -> None:
    saved = {}
    for kind in ("csv", "tex"):
        click(report, f"button[data-name=arms][data-kind={kind}]")
        saved[kind] = report.saved(f"arms.{kind}")
        assert saved[kind] == (folder / "report" / f"arms.{kind}").read_bytes()
    rows = list(csv.reader(io.StringIO(saved["csv"].decode())))
    assert len(rows) == 9


def test_figures_download_as_svg_and_png(report: Page, folder: Path) -> None:
    name = "rate-1-raw"
    for kind in ("svg", "png"):
        click(report, f"button[data-name='{name}'][data-kind={kind}]")
    saved, exported = (
        ET.fromstring(text)  # noqa: S314 (our own)
        for text in (report.saved(f"{name}.svg"), (folder / "report" / f"{name}.svg").read_bytes())
    )
    assert ET.canonicalize(ET.tostring(saved), strip_text=True) == ET.canonicalize(
        ET.tostring(exported), strip_text=True
    )
    picture = report.saved(f"{name}.png")
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", picture[16:24])
    assert (width, height) == tuple(3 * round(float(saved.get(side))) for side in ("width", "height"))
    assert len(picture) > 10_000  # something is drawn


def test_dark_is_preferred_or_switched_to_and_reaches_the_figures(report: Page) -> None:
    shades = """(() => {
      const luminance = (text) => text.match(/[0-9.]+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0) / 3;
      const ink = getComputedStyle(document.querySelector('svg text.ink'));
      return [luminance(getComputedStyle(document.body).backgroundColor), luminance(ink.fill)];
    })()"""
    paper, ink = report.run(shades)
    assert is_light(paper)
    assert not is_light(ink)
    report.prefer("dark")
    paper, ink = report.run(shades)
    assert is_light(ink)
    assert not is_light(paper)
    click(report, "#theme")
    paper, ink = report.run(shades)
    assert is_light(paper)
    assert not is_light(ink)
    report.prefer("dark", "print")
    click(report, "#theme")
    assert is_light(report.run(shades)[0])  # paper is white


@pytest.mark.parametrize("width", [320, 390, 768])
def test_nothing_is_wider_than_a_phone(report: Page, width: int) -> None:
    report.resize(width)
    assert report.run("document.documentElement.scrollWidth") <= width
    small = """Math.min(...Array.from(document.querySelectorAll('svg text'), (text) =>
      parseFloat(text.getAttribute('font-size')) * text.ownerSVGElement.getScreenCTM().a))"""
    assert report.run(small) >= (6 if width == 320 else 7)


def test_a_mark_shows_its_value_on_hover_and_keeps_its_title(report: Page) -> None:
    place = report.run(
        """(() => {
          const mark = document.querySelector('#figure-differences-quality circle');
          mark.scrollIntoView({block: 'center'});
          const box = mark.getBoundingClientRect();
          return [box.x + box.width / 2, box.y + box.height / 2];
        })()"""
    )
    report.point_at(2, 2)  # a pointer that stays where it was before does not move
    report.wait("document.getElementById('tip').hidden")
    titles = report.run("document.querySelectorAll('svg title').length")
    report.point_at(*place)
    report.wait("!document.getElementById('tip').hidden")
    shown = report.run("document.getElementById('tip').textContent")
    assert re.match(r"rate 0\.5 instead of 0, at rows 100: -\d", shown)
    report.point_at(2, 2)
    report.wait("document.getElementById('tip').hidden")
    assert report.run("document.querySelectorAll('svg title').length") == titles


def test_printing_opens_what_is_folded(report: Page) -> None:
    assert report.run("document.querySelectorAll('details:not([open])').length") > 0
    report.run("dispatchEvent(new Event('beforeprint'))")
    assert report.run("document.querySelectorAll('details:not([open])').length") == 0


def test_links_of_the_contents_lead_to_sections(report: Page) -> None:
    targets = report.run("Array.from(document.querySelectorAll('nav a'), a => document.querySelector(a.hash)?.tagName)")
    assert len(targets) > 8
    assert set(targets) == {"SECTION"}


MARKUP = (*NASTY, "<img src=x onerror=alert(1)>", "</script><script>alert(2)</script>", '"><svg onload=alert(3)>')


def test_names_with_markup_stay_text(page: Page, tmp_path: Path) -> None:
    def trial(name: str, seed: int) -> Result:
        points = [Point(0, step, name, name, "accuracy", 10.0 + step + seed, 9) for step in (0, 3, 9)]
        scores = (Score(name, name, "accuracy", 5.0 + seed, 9),)
        return Result(scores, History(({"languages": ["en"]},), tuple(points)), {"accuracy": 5.0 + seed}, {name: name})

    file = write_report(
        Study(trial, {"name": MARKUP, "seed": range(2)}).run(tmp_path / "s", progress=False), title=MARKUP[-1]
    )
    page.resize(390)
    page.prefer("light")  # on a screen: a test before may have looked at the printed page
    page.open(file)
    assert page.run("document.querySelector('h1').textContent") == MARKUP[-1]
    assert page.run("document.querySelectorAll('script').length") == 2  # the tables, and the page's own
    assert page.run("document.querySelectorAll('img, body > svg, main > svg').length") == 0
    shown = column(page, "arms", 0)
    assert shown == [printable(name) for name in MARKUP]
    assert page.run("document.documentElement.scrollWidth") <= 390
    click(page, "button[data-name=arms][data-kind=csv]")
    assert page.saved("arms.csv").startswith(b"arm,seeds,")
    click(page, "button[data-name=levels][data-kind=png]")
    assert page.saved("levels.png")[:4] == b"\x89PNG"
    assert page.messages == []
    assert len([address for address in page.requests if not address.startswith(("data:", "blob:"))]) == 1
